# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Slackware's packages on a host that knows nothing of them. A tree in which nothing runs yet has its
# files unpacked and those links made that packages have as lines of their scripts; then Slackware's
# own installpkg runs in it and installs the same packages once more, with scripts and records.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154

# slack_host_mirror: as a HOST-FUNCTION of mirror.sh; slackpkg's mirror, of which the last part is a
# release of the host's. LXC_SLACKPKG_DIR is for the tests.
slack_host_mirror() {
	mirror_found=''
	[ "$2" = archive ] && [ -r "${LXC_SLACKPKG_DIR:-/etc/slackpkg}/mirrors" ] || return 0
	while read -r url _; do
		case $url in
		*@*) ;;	# somebody's password
		http*/slackware*-[0-9c]*) url=${url%/} mirror_found=${url%/*}; return 0 ;;
		esac
	done <"${LXC_SLACKPKG_DIR:-/etc/slackpkg}/mirrors"
}

# slack_index: the mirror's list of all that it has, if one of the keys has signed it.
slack_index() {
	side_dir=$cache/partial-keys
	remove_tree "$side_dir" && mkdir "$side_dir" || die "make $side_dir"
	signed_by=$keyring
	if [ -z "$signed_by" ]; then
		signed_by=$side_dir/keys.gpg
		keys_known "$signed_by" --no-armor "$mirror/$tree_path"
	fi
	index=$pieces/CHECKSUMS.md5
	fetch_must "$mirror/$tree_path/CHECKSUMS.md5" "$index"
	fetch_must "$mirror/$tree_path/CHECKSUMS.md5.asc" "$index.asc"
	signature_check "$signed_by" "$index.asc" "$index"
	# SUM PATH NAME, corrections first. A name is what stands before version, processor and build.
	sed -n "s,^\([0-9a-f]\{32\}\)  \./\(\(patches/packages\|$series/[a-z]*\)/\(\([^/]*\)-[^-/]*-[^-/]*-[^-/]*\.t[gx]z\)\)\$,\1 \2 \5,p" \
		"$index" >"$index.all"
	{ grep '^[^ ]* patches/' "$index.all"; grep -v '^[^ ]* patches/' "$index.all"; } >"$index.names" || :
}

# slack_find WORD: sets `sum` and `file`; WORD is NAME|NAME..., and - for none of them.
slack_find() {
	sum='' file=''
	IFS='|'
	for word in $1; do
		unset IFS
		[ "$word" != - ] || return 0
		while read -r sum file found; do
			[ "$found" != "$word" ] || return 0
		done <"$index.names"
		sum='' file=''
	done
	unset IFS
	die "install ${1%%|*}: $mirror/$tree_path does not have it"
}

# slack_fetch DIR WORD...: fetches packages into DIR, and checks each by the list and its signature.
slack_fetch() {
	to=$1
	shift
	for want in "$@"; do
		slack_find "$want"
		[ -n "$file" ] || continue
		package=$to/${file##*/}
		[ ! -e "$package" ] || continue
		fetch_must "$mirror/$tree_path/$file" "$package"
		fetch_must "$mirror/$tree_path/$file.asc" "$pieces/package.asc"
		signature_check "$signed_by" "$pieces/package.asc" "$package"
		hashed=$(md5sum <"$package")
		[ "${hashed%% *}" = "$sum" ] || die "use ${file##*/}: it is not what the signed list says" \
			'try again; if it stays so, the file was changed on its way or on the server'
	done
}

# slack_unpack DIR: the files of all packages, and the links.
slack_unpack() {
	rootfs_saved=$rootfs rootfs=$directory
	for package in "$1"/*.t?z; do
		unpack "$package" "$directory" --devices=skip
		inside install/doinst.sh
		if [ -f "$target" ] && [ ! -L "$target" ]; then
			slack_links "$target"
		fi
		inside install
		remove_tree "$target" || die "remove $target"
	done
	# Programs and the C library wait there for a moment when nobody uses the old ones.
	for file in "$directory"/bin/*.new "$directory"/sbin/*.new; do
		inside "${file#"$directory"/}"
		word=${target%.new}
		case $word in */bash[0-9]*) word=${word%/*}/bash ;; esac
		[ ! -f "$target" ] || [ -L "$target" ] || [ -e "$word" ] || [ -L "$word" ] ||
			cp -a "$target" "$word" || die "copy $target"
	done
	for word in lib lib64; do
		inside "$word/incoming"
		[ ! -d "$target" ] || [ -L "$target" ] || cp -an "$target/." "${target%/incoming}/" ||
			die "copy $target"
	done
	rootfs=$rootfs_saved
}

# slack_links SCRIPT: a link is a line '( cd DIR ; ln -sf TO NAME )'. One behind another link has to
# wait for the script itself.
slack_links() {
	sed -n 's/^[[:space:]]*( *cd \([^ ;]*\) *; *ln -sf \([^ ;]*\) \([^ ;]*\) *)[[:space:]]*$/\1 \3 \2/p' "$1" |
		while read -r place name_of to; do
			place=${place#/}
			# shellcheck disable=SC2030 # of the pipe's shell
			(inside "$place/$name_of") 2>/dev/null || continue
			inside "$place/$name_of"
			[ -d "$target" ] || put_link "$place/$name_of" "$to"
		done
}

# slack_tree DIR: as FUNCTION of cache_tree.
slack_tree() {
	directory=$1
	say "fetching Slackware $release ($arch) into the cache; this takes a while"
	slack_index
	packages_dir=$directory/.lxc-packages
	mkdir "$packages_dir" || die "make $packages_dir"
	# shellcheck disable=SC2086 # one word a package
	slack_fetch "$packages_dir" $base $packages
	slack_unpack "$packages_dir"
	root_dir=$directory
	cache_log installpkg.log
	# The C library and its friends first, as on Slackware's own disk.
	work build_inside chroot "$directory" /bin/sh -c '
		[ ! -x /sbin/ldconfig ] || /sbin/ldconfig
		cd /.lxc-packages
		for package in aaa_base-* aaa_glibc-* glibc-solibs-* aaa_* pkgtools-* *; do
			[ -e "$package" ] || continue
			/sbin/installpkg --terse "/.lxc-packages/$package" || exit 1
			rm "$package"
		done' >"$log" 2>&1 || {
		tail -n 5 "$log" >&2
		die "install Slackware $release: its installpkg failed, see above" "all it said: $log"
	}
	remove_tree "$packages_dir" || die "remove $packages_dir"
	remove_tree "$side_dir" || die "remove $side_dir"
	side_dir=''
}
