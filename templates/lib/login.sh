# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who may log in. Root's password is locked unless asked for: a default password would be known to
# everybody who can reach the container, and lxc-attach needs none. Locked is '*' and not '!', which
# ssh would take for an account that is closed to keys as well.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154

# login_check: what can be refused before anything is made; sets `key_lines`.
login_check() {
	[ -z "${password_file-}" ] || login_file
	if [ -n "$password_given" ] && [ -z "$password" ]; then
		login_ask
	fi
	if [ -n "$password_given" ] && [ -z "$password" ]; then
		password_random=$(LC_ALL=C tr -dc 'A-HJ-NP-Za-km-z2-9' </dev/urandom | head -c 16)
	fi
	case $password in
	*[[:cntrl:]]*) die 'set the password: it has a control character' ;;
	esac
	key_lines=''
	[ -n "$auth_key" ] || return 0
	[ -r "$auth_key" ] || die "read the key $auth_key: there is no such file" 'ssh-keygen -t ed25519'
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		*'PRIVATE KEY'*) die "authorize $auth_key: it is the private half" "--auth-key=$auth_key.pub" ;;
		ssh-* | ecdsa-* | sk-*) key_lines="$key_lines${key_lines:+
}$line" ;;
		esac
	done <"$auth_key"
	[ -n "$key_lines" ] || die "authorize $auth_key: it has no public key" 'ssh-keygen -t ed25519'
}

# login_file: sets `password` from the first line of a file.
login_file() {
	[ -z "$password" ] || die 'set the password: it is in --password and in --password-file'
	case $password_file in
	-) IFS= read -r password || : ;;
	*)
		[ -r "$password_file" ] || die "read the password from $password_file: there is no such file"
		IFS= read -r password <"$password_file" || : ;;
	esac
	[ -n "$password" ] || die "read the password from $password_file: its first line is empty"
	password_given=1
}

# login_ask: at a terminal, so that the password is on no command line; nothing typed means a random
# one. What is typed is not shown, also if we are ended meanwhile (messages.sh).
login_ask() {
	[ -t 0 ] && have stty || return 0
	hidden=1
	stty -echo
	printf "%s: password of %s (empty: a random one): " "$template" "${login_name:-root}"
	IFS= read -r password || :
	printf '\n'
	if [ -n "$password" ]; then
		printf '%s: once more: ' "$template"
		IFS= read -r again || :
		printf '\n'
	fi
	stty echo
	hidden=''
	[ -z "$password" ] || [ "$password" = "$again" ] || die 'set the password: the two differ'
}

# login_hash: sets `hash`, what root's field of /etc/shadow becomes.
login_hash() {
	hash='*'
	secret=${password:-${password_random-}}
	[ -n "$password_given$password" ] || return 0
	if have openssl; then
		hash=$(printf '%s\n' "$secret" | openssl passwd -6 -stdin)
	else
		hash=$(printf '%s\n' "$secret" | "${busybox_path:-busybox}" mkpasswd -m sha512 -P 0)
	fi
	case $hash in
	'$6$'*) ;;
	*) die 'hash the password: neither openssl nor busybox does it' 'install openssl' ;;
	esac
}

# login_entry FILE NAME LINE: adds a line to one of the account files, in the place of an older one.
login_entry() {
	inside "$1"
	[ ! -L "$target" ] && [ -f "$target" ] || die "add $2: the container has no /$1"
	text=$(grep -v "^$2:" "$target") || :
	printf '%s\n' "$text" "$3" >"$target" || die "write $target"
}

# login_user NAME GROUP: a user of GROUP, who gets the password and the key instead of root.
login_user() {
	login_hash
	shell=/bin/bash
	[ -e "$rootfs/usr/bin/bash" ] || [ -e "$rootfs/bin/bash" ] || shell=/bin/sh
	day=$(($(date +%s) / 86400))
	login_entry etc/passwd "$1" "$1:x:1000:1000::/home/$1:$shell"
	login_entry etc/group "$1" "$1:x:1000:"
	login_entry etc/shadow "$1" "$1:$hash:$day:0:99999:7:::"
	login_join "$1" "$2"
	inside "home/$1/.ssh"
	mkdir -p "$target" && chmod 700 "$target" "${target%/*}" || die "make $target"
	[ -z "$key_lines" ] || put "home/$1/.ssh/authorized_keys" 600 "$key_lines"
	inside "home/$1"
	chown -R -h 1000:1000 "$target" || die "give $target to $1"
}

# login_join NAME GROUP: where there is one
login_join() {
	inside etc/group
	member=$(sed -n "s/^$2:[^:]*:[^:]*:\(.*\)/\1/p" "$target")
	line=$(sed -n "s/^\($2:[^:]*:[^:]*:\).*/\1/p" "$target")
	[ -z "$line" ] || login_entry etc/group "$2" "$line${member:+$member,}$1"
}

# login_of_host NAME: one of this host's users, whose home is bound into the container; the password
# is the one that they have here.
login_of_host() {
	home=$(getent passwd "$1" | cut -d: -f6)
	login_entry etc/passwd "$1" "$(getent passwd "$1")"
	login_entry etc/shadow "$1" "$(getent shadow "$1")"
	group=$(getent group "$(id -g "$1")")
	login_entry etc/group "${group%%:*}" "$group"
	login_join "$1" sudo
	config_add "lxc.mount.entry = $home ${home#/} none bind,create=dir 0 0"
}

# login_root [HASH]: into an existing shadow file, whose owner and mode are kept. '*' locks it.
login_root() {
	login_hash
	hash=${1:-$hash}
	inside etc/shadow
	[ ! -L "$target" ] && [ -f "$target" ] ||
		die 'set the password of root: the container has no /etc/shadow'
	text='' found=''
	while IFS= read -r line; do
		case $line in
		root:*)
			rest=${line#root:}
			line="root:$hash:${rest#*:}" found=1 ;;
		esac
		text="$text$line
"
	done <"$target"
	[ -n "$found" ] || die 'set the password of root: /etc/shadow does not have it'
	printf '%s' "$text" >"$target" || die "write $target"
}

login_key() {
	[ -n "$key_lines" ] || return 0
	inside root/.ssh
	[ -d "$target" ] || mkdir -m 700 "$target" || die "make $target"
	put root/.ssh/authorized_keys 600 "$key_lines"
}

# login_announce: the last words. A random password is printed here and kept nowhere else.
login_announce() {
	if [ -n "${password_random-}" ]; then
		say "${login_name:-root}'s password is $password_random (it is shown only now)"
	elif [ -z "$password" ]; then
		say "${login_name:-root} has no password; to enter once it runs: lxc-attach -n $name"
	fi
}
