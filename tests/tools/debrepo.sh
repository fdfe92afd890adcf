# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A distribution of the deb family in little: a system of busybox with this host's own dpkg and apt,
# empty packages of the names that installers and templates ask for, and one package more; indexed by
# apt-ftparchive and signed. Needs lab.sh.
# shellcheck disable=SC2034,SC2154 # variables for the tests, and theirs

# lab_deb NAME FILES-DIR CONTROL-LINE...: into the pool
lab_deb() {
	local name="$1" files="$2"
	shift 2
	mkdir -p "$files/DEBIAN" "$WWW/pool"
	printf '%s\n' "Package: $name" 'Version: 1' 'Architecture: all' 'Maintainer: lab <lab@lab.example>' "$@" \
		"Description: $name" >"$files/DEBIAN/control"
	dpkg-deb -Zgzip -z1 --root-owner-group -b "$files" "$WWW/pool/${name}_1_all.deb" >/dev/null
}

# Empty ones that have nothing but a name.
lab_names() {	# PRIORITY NAME...
	local priority="$1"
	shift
	for name; do
		lab_deb "$name" "$TMP/empty" "Priority: $priority" ${ESSENTIAL:+"Essential: yes"} || return 1
	done
}

# The system: init, a shell, logins, dpkg and apt with their libraries.
lab_system() {
	local root="$TMP/lab-system" bb='' tool=''
	bb=$(command -v busybox) || skip_all 'busybox is not installed'
	mkdir -p "$root/bin" "$root/sbin" "$root/etc/init.d" "$root/root" "$root/proc" "$root/sys" "$root/dev" \
		"$root/run" "$root/tmp" "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/var/lib/dpkg/info" \
		"$root/var/cache/apt/archives/partial" "$root/var/lib/apt/lists/partial" "$root/var/log/apt" \
		"$root/etc/apt/apt.conf.d" "$root/etc/apt/preferences.d" "$root/etc/apt/trusted.gpg.d"
	chmod 1777 "$root/tmp"
	cp "$bb" "$root/bin/busybox"
	chroot "$root" /bin/busybox --install -s /bin || skip_all 'busybox is not static'
	rm -f "$root"/bin/dpkg* "$root"/bin/tar "$root"/bin/start-stop-daemon
	for tool in init getty start-stop-daemon; do ln -s /bin/busybox "$root/sbin/$tool"; done
	printf '%s\n' '#!/bin/sh' 'exit 0' >"$root/sbin/ldconfig"
	printf '%s\n' '::sysinit:/etc/init.d/rcS' 'tty1::askfirst:/bin/sh' >"$root/etc/inittab"
	printf '%s\n' '#!/bin/sh' 'mount -a' 'echo up >/run/booted' >"$root/etc/init.d/rcS"
	chmod 755 "$root/etc/init.d/rcS" "$root/sbin/ldconfig"
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' '_apt:x:42:65534::/nonexistent:/bin/false' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'sudo:x:27:' 'nogroup:x:65534:' >"$root/etc/group"
	printf '%s\n' 'root::19000:0:99999:7:::' '_apt:*:19000:0:99999:7:::' >"$root/etc/shadow"
	chmod 600 "$root/etc/shadow"
	printf '%s\n' 'NAME=Lab' 'ID=lab' 'VERSION_CODENAME=lab' >"$root/usr/lib/os-release"
	{
		for tool in dpkg dpkg-deb dpkg-split dpkg-query dpkg-trigger dpkg-divert dpkg-statoverride \
			update-alternatives tar apt-get apt-cache apt-config apt-mark apt-key gpgv; do
			command -v "$tool"
		done
		find /usr/lib/apt/methods -type f -o -type l
		find /usr/share/dpkg -type f
	} >"$TMP/apt-files"
	xargs ldd <"$TMP/apt-files" 2>/dev/null |
		sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*ld-[^ ]*\) .*/\1/p' |
		sort -u >"$TMP/apt-libs"
	tar -C / --hard-dereference -chf - -T "$TMP/apt-files" -T "$TMP/apt-libs" 2>/dev/null |
		tar -C "$root" -xf - || return 1
	lab_deb base-files "$root" 'Priority: required' 'Essential: yes'
}

# lab_suite SUITE: an index of the pool, signed
lab_suite() {
	local dir="$WWW/dists/$1" component=''
	for component in main universe; do
		mkdir -p "$dir/$component/binary-$(dpkg --print-architecture)"
		if [ "$component" = main ]; then
			(cd "$WWW" && apt-ftparchive packages pool)
		fi >"$dir/$component/binary-$(dpkg --print-architecture)/Packages"
	done
	apt-ftparchive -o "APT::FTPArchive::Release::Suite=$1" -o "APT::FTPArchive::Release::Codename=$1" \
		-o 'APT::FTPArchive::Release::Components=main universe' \
		-o "APT::FTPArchive::Release::Architectures=$(dpkg --print-architecture)" release "$dir" >"$TMP/Release" &&
		mv "$TMP/Release" "$dir/Release" && rm -f "$dir/Release.gpg" "$dir/InRelease" &&
		gpg --homedir "$GPG" --batch -q --armor --detach-sign -o "$dir/Release.gpg" "$dir/Release" &&
		gpg --homedir "$GPG" --batch -q --clearsign -o "$dir/InRelease" "$dir/Release"
}
