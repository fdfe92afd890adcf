# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A distribution of the RPM family in little: a system of busybox that calls itself by the names of
# the packages that a template asks for, dnf with all that it needs, and one package more; built with
# rpmbuild, signed and indexed. Needs lab.sh.
# shellcheck disable=SC2034,SC2154 # variables for the tests, and theirs

# lab_package NAME FILES-DIR SPEC-LINE...: builds it into $TMP/rpms.
lab_package() {
	local name="$1" files="$2"
	shift 2
	mkdir -p "$TMP/rpm"
	{
		printf '%s\n' "Name: $name" 'Version: 1' 'Release: 1' "Summary: $name" 'License: none' \
			'BuildArch: noarch' 'AutoReqProv: no' "$@"
		printf '%s\n' '%description' "$name" '%install' "cp -a $files/. %{buildroot}/" '%files' '/*'
	} >"$TMP/rpm/$name.spec"
	rpmbuild --quiet -bb -D "_topdir $TMP/rpm" -D "_rpmdir $TMP/rpms" -D '_binary_payload w.ufdio' \
		-D '__os_install_post %{nil}' -D '_build_id_links none' -D '_binaries_in_noarch_packages_terminate_build 0' \
		-D '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' "$TMP/rpm/$name.spec" >"$TMP/rpm/log" 2>&1 ||
		{ diag "cannot build $name:" "$(tail -n 20 "$TMP/rpm/log")"; return 1; }
}

lab_sign() {	# FILE.rpm...
	rpmsign --addsign -D "_gpg_path $GPG" -D "__gpg $(command -v gpg)" -D '_gpg_name lab@lab.example' "$@" >"$TMP/rpm/log" 2>&1 ||
		{ diag 'cannot sign:' "$(cat "$TMP/rpm/log")"; return 1; }
}

# lab_index DIR: with a signature, as the issuer of a repository makes it
lab_index() {
	rm -rf "$1/repodata"
	createrepo_c -q "$1" >/dev/null 2>&1 &&
		gpg --homedir "$GPG" --batch -q --armor --detach-sign "$1/repodata/repomd.xml"
}

# The system: init, a shell, logins; and scripts that want /dev and /proc.
lab_system() {	# PROVIDED-NAME...
	local root="$TMP/lab-system" bb='' names=''
	bb=$(command -v busybox) || skip_all 'busybox is not installed'
	mkdir -p "$root/bin" "$root/sbin" "$root/etc/init.d" "$root/etc/yum.repos.d" "$root/root" "$root/proc" \
		"$root/sys" "$root/dev" "$root/run" "$root/tmp" "$root/usr/bin" "$root/var/lib"
	cp "$bb" "$root/bin/busybox"
	chroot "$root" /bin/busybox --install -s /bin || skip_all 'busybox is not static'
	rm "$root/bin/rpm"	# it is none that knows a database
	ln -s /bin/busybox "$root/sbin/init"
	ln -s /bin/busybox "$root/sbin/getty"
	printf '%s\n' '::sysinit:/etc/init.d/rcS' 'tty1::askfirst:/bin/sh' >"$root/etc/inittab"
	printf '%s\n' '#!/bin/sh' 'mount -a' 'echo up >/run/booted' >"$root/etc/init.d/rcS"
	chmod 755 "$root/etc/init.d/rcS"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	echo 'root::19000:0:99999:7:::' >"$root/etc/shadow"
	chmod 600 "$root/etc/shadow"
	touch "$root/etc/securetty"
	printf '%s\n' 'NAME=Lab' 'ID=lab' >"$root/etc/os-release"
	printf '%s\n' '[base]' 'name=dead' 'baseurl=http://mirror.invalid/' 'enabled=1' \
		>"$root/etc/yum.repos.d/CentOS-Base.repo"
	names=$(printf '%s, ' "$@")
	lab_package lab-system "$root" "Provides: ${names%, }, /bin/sh" '%post' \
		'[ -c /dev/null ] && [ -r /proc/self/status ] && echo ran >/etc/scripts'
}

# This host's own dnf, with its libraries, below the same names.
lab_dnf() {
	local root="$TMP/lab-dnf"
	mkdir -p "$root/usr" "$root/etc/rpm"
	# Newer systems have their package database there.
	echo '%_dbpath /usr/lib/sysimage/rpm' >"$root/etc/rpm/macros.lab"
	# shellcheck disable=SC2046 # one word a package
	dpkg -L dnf python3-dnf python3-hawkey python3-libdnf python3-libcomps python3-rpm python3-gpg \
		python3-minimal libpython3-stdlib gpg gpgconf gpg-agent rpm rpm-common libdnf2-common \
		$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'python3.[0-9]*-minimal' \
			'libpython3.[0-9]*-minimal' 'libpython3.[0-9]*-stdlib' | sed -n 's/ installed$//p') | grep -vE '^/usr/share/(locale|doc|man|bash-completion)/|/__pycache__/|/test/' |
		sort -u | while read -r file; do
			[ ! -d "$file" ] || [ -L "$file" ] || continue
			echo "$file"
		done >"$TMP/dnf-files"
	grep -E '^/(usr/)?bin/|\.so' "$TMP/dnf-files" | xargs ldd 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*ld-[^ ]*\) .*/\1/p' |
		sort -u >>"$TMP/dnf-files"
	# As one file that unpacks itself: rpmbuild looks long at each of thousands.
	tar -C / --hard-dereference -chf "$root/usr/lab-dnf.tar" -T "$TMP/dnf-files" 2>/dev/null
	lab_package lab-dnf "$root" 'Provides: dnf' 'Requires: lab-system' '%post' \
		'tar -C / -xf /usr/lab-dnf.tar && : >/usr/lab-dnf.tar'
}
