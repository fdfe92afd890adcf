# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The RPM family: which repositories, whose signature, a tree made by dnf or zypper from outside, and
# a package database that the tree's own rpm can read. The table of where a distribution publishes
# itself, and of its keys' fingerprints, is the file `archives`.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154

option_repos='
|repo|URL,URL|repo|exactly these repositories, whatever else is known of mirrors
|mirror|URL|mirror|where; default: $MIRROR, mirrors.conf, like this host, official
|keyring|FILE|keyring|keys that must have signed the packages ($KEYRING, mirrors.conf)
|no-gpg||no_gpg|trust whatever comes: no signature is looked at'

# rpm_check WHAT: the architecture, and who may.
rpm_check() {
	need_all
	need_root "$1"
	rpm_arch
	case $release in
	'' | *[!A-Za-z0-9.-]*) die "install the release '$release': no such name" ;;
	esac
	keys_told
	[ -z "$repo" ] || [ -z "$mirror" ] || die 'use both --repo and --mirror: they say the same thing'
}

# rpm_arch: sets `arch` to RPM's name, which must run here.
rpm_arch() {
	case ${arch:=$(uname -m)} in
	amd64) arch=x86_64 ;;
	arm64) arch=aarch64 ;;
	i?86 | x86) arch=i686 ;;
	ppc64el) arch=ppc64le ;;
	*[!a-z0-9_]*) die "use the architecture '$arch': no such name" ;;
	esac
	case $(uname -m)/$arch in
	"$arch/$arch" | x86_64/i686 | i?86/i686) ;;
	*) die "install $arch: this host ($(uname -m)) cannot run it" ;;
	esac
}

# rpm_repos: sets `repos`, lines 'ID ADDRESS', or `host_repos` where this host's own will do. With
# `own_repos` the container gets them too, in the place of those that its distribution brings.
rpm_repos() {
	repos='' host_repos='' own_repos=1
	archives_read
	if [ -n "$repo" ]; then
		number=0
		IFS=','
		for mirror in $repo; do
			unset IFS
			mirror_check "$mirror"
			number=$((number + 1))
			rpm_expand "${mirror%/}"
			repos="${repos}lxc-$number $expanded
"
		done
		unset IFS
		return 0
	fi
	mirror_choose "$distribution" mirror_none
	if [ -z "$mirror" ] && rpm_host_is_same; then
		host_repos=1 own_repos=''
		return 0
	fi
	[ -n "$mirror" ] || own_repos=$archive_vault
	mirror=${mirror:-$archive_root}
	[ -n "$archive_repos" ] && [ -n "$mirror" ] ||
		die "install $distribution $release: where it is published is not known" \
			'--repo=URL, or --mirror=URL with a release that is'
	while read -r id address; do
		[ -n "$id" ] || continue
		rpm_expand "$mirror/$address"
		repos="${repos}lxc-$id $expanded
"
	done <<-REPOS
		$archive_repos
	REPOS
}

# Is this host of the same distribution and release?
rpm_host_is_same() {
	[ -r /etc/os-release ] && { [ -d /etc/yum.repos.d ] || [ -d /etc/zypp/repos.d ]; } || return 1
	host_id='' host_version=''
	while IFS='=' read -r key value; do
		value=${value#\"} value=${value%\"}
		case $key in
		ID) host_id=$value ;;
		VERSION_ID) host_version=$value ;;
		esac
	done </etc/os-release
	case $host_id in
	ol) host_id=oracle ;;
	opensuse-*) host_id=opensuse ;;
	esac
	[ "$host_id" = "$distribution" ] || return 1
	case ${release%-stream}/$host_version in
	"$host_version/${release%-stream}" | "${host_version%%.*}/$host_version") ;;
	*) return 1 ;;
	esac
}

# rpm_keys: sets `keys`, a file in `side_dir` with who may have signed, empty with --no-gpg.
rpm_keys() {
	keys=''
	[ -z "$no_gpg$host_repos" ] || return 0
	keys=$side_dir/keys
	if [ -n "$keyring" ]; then
		cp "$keyring" "$keys" || die "copy $keyring"
		return 0
	fi
	near=${repos#* }
	keys_known "$keys" --armor "${near%%
*}"
}

# rpm_expand ADDRESS: sets `expanded`, with the variables that dnf would fill in; later, inside, the
# release has another name.
rpm_expand() {
	basearch=$arch
	[ "$arch" != i686 ] || basearch=${basearch_i686:-i386}
	expanded=$1
	while :; do
		# shellcheck disable=SC2016 # the names as they stand there
		case $expanded in
		*'$releasever'*) expanded=${expanded%%'$releasever'*}$release${expanded#*'$releasever'} ;;
		*'$basearch'*) expanded=${expanded%%'$basearch'*}$basearch${expanded#*'$basearch'} ;;
		*) return 0 ;;
		esac
	done
}

# rpm_repo_file FILE KEYS-ADDRESS: the repositories as dnf, yum and zypper read them. An index that
# is signed is checked as well; where none is the packages' own signatures count.
rpm_repo_file() {
	while read -r id address; do
		[ -n "$id" ] || continue
		printf '%s\n' "[$id]" "name=$distribution ${id#lxc-}" "baseurl=$address" enabled=1
		if [ -z "$keys" ]; then
			printf '%s\n' gpgcheck=0 repo_gpgcheck=0 pkg_gpgcheck=0
			continue
		fi
		printf '%s\n' gpgcheck=1 "gpgkey=$2"
		signed=0
		! fetch_file "$address/repodata/repomd.xml.asc" "$side_dir/signature" || signed=1
		printf '%s\n' "repo_gpgcheck=$signed" pkg_gpgcheck=1
	done >"$1" <<-REPOS || die "write $1"
		$repos
	REPOS
}

# dnf_tree DIR PACKAGE...: makes the tree with dnf.
dnf_tree() {
	root_dir=$1
	shift
	rpm_prepare
	set -- --config="$side_dir/dnf.conf" --installroot="$root_dir" --releasever="$release" -y install "$@"
	[ "$arch" = "$(uname -m)" ] || set -- --forcearch="$arch" "$@"
	case $(dnf --version 2>/dev/null) in
	dnf5*) set -- --use-host-config "$@" ;;
	esac
	work build_inside dnf "$@" >"$log" 2>&1 || rpm_failed dnf
	rpm_database
	rpm_own_repos
	rm -rf "$root_dir/var/cache/dnf" "$root_dir/var/cache/yum" "$root_dir"/var/log/dnf* \
		"$root_dir/var/log/hawkey.log"
}

# zypper_tree DIR PACKAGE...: the same with zypper. It trusts what is in the tree's own database of
# keys, so they are put there first; nothing that a repository offers is ever added to them.
zypper_tree() {
	root_dir=$1
	shift
	rpm_prepare
	[ -z "$keys" ] || HOME=$side_dir work rpm --root "$root_dir" --import "$keys" ||
		die "take the keys in $keys: they are none"
	set -- --root "$root_dir" --non-interactive --reposd-dir "$places" --cache-dir "$root_dir/var/cache/zypp" \
		--solv-cache-dir "$side_dir/solv" --releasever "$release" ${no_gpg:+--no-gpg-checks} \
		install --no-recommends --auto-agree-with-licenses -- "$@"
	work build_inside zypper "$@" >"$log" 2>&1 || rpm_failed zypper
	rpm_database
	rpm_own_repos
	rm -rf "$root_dir"/var/log/zypper.log "$root_dir"/var/log/zypp "$root_dir"/var/cache/zypp/*
}

# The settings of one run: nothing of the host's is used but, if that is meant, its repositories.
rpm_prepare() {
	cache_log installer.log
	side_dir=$cache_side/partial-settings
	remove_tree "$side_dir" || die "remove $side_dir"
	mkdir -p "$side_dir/repos" || die "make $side_dir"
	fetch_open
	rpm_keys
	places=$side_dir/repos
	if [ -n "$host_repos" ]; then
		places=/etc/yum.repos.d
		[ "$installer" = dnf ] || places=/etc/zypp/repos.d
	else
		rpm_repo_file "$side_dir/repos/lxc.repo" "file://$keys"
	fi
	# Debian's rpm has its database in the home directory, a foreign place in any tree.
	printf '%s\n' '%_dbpath /var/lib/rpm' >"$side_dir/.rpmmacros"
	# In a user namespace what is mounted in the tree is not ours to change.
	[ -z "$mapped_uid" ] || printf '%s\n' '%_netsharedpath /dev:/proc:/sys' >>"$side_dir/.rpmmacros"
	printf '%s\n' '[main]' gpgcheck=$((!${no_gpg:-0})) best=1 install_weak_deps=0 keepcache=1 plugins=0 \
		skip_if_unavailable=0 retries=3 timeout=30 "reposdir=$places" metadata_expire=0 \
		"module_platform_id=platform:${platform-}" >"$side_dir/dnf.conf"
	rpm_index_check
}

# What a template wants to know of its repositories before the installer looks at them.
rpm_index_check() {
	:
}

# What tells of the many lines that they print; each once.
rpm_telling='^ *(- |error|problem|failed|curl|status code)|gpg check|checksum|digest: bad|bad .*signature'
rpm_telling="$rpm_telling|signature verification failed|unknown key|(not |un)signed|no match|no provider|unable|cannot|not found"

rpm_failed() {
	# What zypper did not find where it could not look at all is not the reason.
	told=$(grep -iE "$rpm_telling" "$log" | grep -vE 'Trying capabilities|No provider' | uniq | tail -n 8)
	[ -n "$told" ] || told=$(grep 'No provider' "$log" | tail -n 8)
	[ -n "$told" ] || told=$(tail -n 5 "$log")
	printf '%s\n' "$told" >&2
	die "fetch $what $release for $arch: $1 failed, see above" \
		"see whether release, mirror and keys are right (--repo, --mirror, --keyring); all it said: $log"
}

# rpm_database: puts the database where the tree's rpm looks for it. If that one cannot read what
# this host's newer one wrote, it makes its own from the headers of the same packages; their
# signatures were checked when they were installed.
rpm_database() {
	rootfs_saved=$rootfs rootfs=$root_dir
	if [ -e "$root_dir/usr/bin/rpm" ] || [ -e "$root_dir/bin/rpm" ]; then
		# shellcheck disable=SC2016 # the tree's shell expands it
		enter sh -eu -c 'db=$(rpm --eval "%{_dbpath}")
			[ "$db" != /var/lib/rpm ] && [ "$(readlink -f "$db")" != "$(readlink -f /var/lib/rpm)" ] || exit 0
			mkdir -p "$db"
			cp -a /var/lib/rpm/. "$db/"
			rm -rf /var/lib/rpm
			ln -s "../..$db" /var/lib/rpm' || die "place the package database: the tree's rpm does not run"
		[ -n "$(enter rpm -qa 2>/dev/null)" ] || rpm_database_again
	fi
	rootfs=$rootfs_saved
}

rpm_database_again() {
	warn "the tree's rpm does not read what this host's has written; it makes a database of its own"
	mkdir "$root_dir/.lxc-packages" || die "make $root_dir/.lxc-packages"
	HOME=$side_dir rpm --root "$root_dir" -qa --qf '%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm\n' |
		while read -r file; do
			find "$root_dir/var/cache" -name "$file" -exec cp {} "$root_dir/.lxc-packages/" \; -quit
		done
	[ -z "$keys" ] || cp "$keys" "$root_dir/.lxc-packages/keys" || die "copy $keys"
	# shellcheck disable=SC2016 # the tree's shell expands it
	enter sh -eu -c 'rm -rf "$(rpm --eval "%{_dbpath}")"/*
		rpm --initdb
		[ ! -e /.lxc-packages/keys ] || rpm --import /.lxc-packages/keys
		rpm -i --justdb --nodeps --noscripts --notriggers --nodigest --nosignature /.lxc-packages/*.rpm
		rm -rf /.lxc-packages' >>"$log" 2>&1 || die "make the package database: see $log"
	[ -n "$(enter rpm -qa 2>/dev/null)" ] || die "make the package database: the tree's rpm sees nothing"
}

# rpm_own_repos: the tree goes on with the repositories that it came from. Those that it brings are
# kept under another name, which an update of the package that has them does not bring back.
rpm_own_repos() {
	[ -n "$own_repos" ] || return 0
	rootfs_saved=$rootfs rootfs=$root_dir
	for place in etc/yum.repos.d etc/zypp/repos.d; do
		inside "$place/x"
		for file in "${target%/x}"/*.repo; do
			[ ! -e "$file" ] || mv "$file" "$file.distribution" || die "rename $file"
		done
	done
	case $installer in
	zypper) place=etc/zypp/repos.d/lxc.repo ;;
	*) place=etc/yum.repos.d/lxc.repo ;;
	esac
	inside "$place"
	repo_file=$target
	mkdir -p "${repo_file%/*}"
	if [ -n "$keys" ]; then
		put etc/pki/rpm-gpg/RPM-GPG-KEY-lxc 644 ''
		cp "$keys" "$target" || die "copy $keys"
	fi
	sed 's,^gpgkey=.*,gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-lxc,' "$side_dir/repos/lxc.repo" \
		>"$repo_file" || die "write $repo_file"
	rootfs=$rootfs_saved
}

# rpm_create WHAT PACKAGE...: all of it, for the template whose options were parsed and checked.
# `configure` is the template's own part.
rpm_create() {
	what=$1
	shift
	cache_open "$distribution"
	options_container
	config_open
	rootfs_fresh
	login_check
	rpm_repos
	if [ -n "$packages" ]; then
		IFS=','
		# shellcheck disable=SC2086 # one word a package
		set -- "$@" $packages
		unset IFS
	fi
	base=$*
	# Trees with other packages stand beside each other.
	sum=$(printf '%s' "$packages" | cksum)
	# shellcheck disable=SC2086 # one line
	note=$(printf '%s ' "$base" $repos "$host_repos$no_gpg$keyring")
	cache_system "$release-$arch${packages:+-${sum%% *}}" "$note" rpm_fetch
	say "copying $what $release ($arch)"
	cache_place
	say "configuring $name"
	identity_names
	identity_machine
	configure
	ttys_by_init
	rpm_selinux
	locale_conf
	locale_timezone
	login_root
	login_key
	identity_ssh
	config_identity "lxc.include = $LXC_CONFIG_DIR/$include.common.conf"
	config_hwaddr
	login_announce
}

rpm_fetch() {
	say "fetching $what $release ($arch) into the cache; this takes a while"
	[ -z "$no_gpg" ] || warn 'no signature is looked at (--no-gpg)'
	# shellcheck disable=SC2086 # one word a package
	"${installer}_tree" "$1" $base
	remove_tree "$side_dir" || die "remove $side_dir"
	side_dir=''
}

# The host's kernel has the policy, if any: inside there is nothing to enforce.
rpm_selinux() {
	inside etc/selinux/config
	[ ! -e "$target" ] || put etc/selinux/config 644 SELINUX=disabled SELINUXTYPE=targeted
	put etc/fstab 644 '# The container gets its mounts from lxcore.'
}
