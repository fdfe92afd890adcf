# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The language of the caller and the time zone of the host, as far as the container knows them. A
# caller without a language gets C.UTF-8, which every C library of our time has built in.
# shellcheck shell=sh disable=SC2154

# locale_debian: sets LANG in the container; a language is compiled if the container can.
locale_debian() {
	language=${LC_ALL:-${LANG:-C.UTF-8}}
	case $language in
	C | POSIX | *[!A-Za-z0-9_.@-]*) language=C.UTF-8 ;;
	esac
	if [ "$language" != C.UTF-8 ] && [ -x "$rootfs/usr/sbin/locale-gen" ]; then
		case $language in
		*.*) charset=${language#*.} charset=${charset%@*} ;;
		*) charset=ISO-8859-1 ;;
		esac
		case $charset in utf8 | UTF8) charset=UTF-8 ;; esac
		put etc/locale.gen 644 "$language $charset"
		if ! enter locale-gen >/dev/null 2>&1; then
			warn "the container does not know the language $language; it gets C.UTF-8"
			language=C.UTF-8
		fi
	else
		language=C.UTF-8
	fi
	inside etc/default/locale
	if [ -L "$target" ]; then	# Debian's newer releases put the link back at boot
		put etc/locale.conf 644 "LANG=$language"
	else
		put etc/default/locale 644 "LANG=$language"
	fi
}

# locale_conf: the caller's language if the tree brings it, for systems that compile none.
locale_conf() {
	language=${LC_ALL:-${LANG:-C.UTF-8}}
	case $language in
	*.UTF-8 | *.utf8) known=${language%.*}.utf8 ;;
	*) known=C.utf8 ;;
	esac
	case $known in *[!A-Za-z0-9_.@-]*) known=C.utf8 ;; esac
	if [ -d "$rootfs/usr/lib/locale/$known" ]; then
		language=${known%.*}.UTF-8
	elif [ -e "$rootfs/usr/lib/locale/locale-archive" ]; then
		language=en_US.UTF-8
	else
		language=C.UTF-8
	fi
	put etc/locale.conf 644 "LANG=$language"
	[ ! -e "$rootfs/etc/sysconfig/i18n" ] || put etc/sysconfig/i18n 644 "LANG=$language"
}

# locale_timezone: by name, so that rules change with the container's own time zone package.
locale_timezone() {
	zone=$(readlink /etc/localtime 2>/dev/null) || return 0
	case $zone in
	*/zoneinfo/*) zone=${zone##*/zoneinfo/} ;;
	*) return 0 ;;
	esac
	if [ -e "$rootfs/usr/share/zoneinfo/$zone" ]; then
		put_link etc/localtime "/usr/share/zoneinfo/$zone"
		put etc/timezone 644 "$zone"
	fi
}
