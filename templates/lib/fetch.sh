# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Single files from a server, and whether they are what somebody trusted made. What is fetched is
# checked before anything reads it. An address may hold a password, so it is never an argument of a
# program.
# shellcheck shell=sh disable=SC2034,SC2154

# fetch_open: what is half fetched lies in the cache, and is gone on with at the next try.
fetch_open() {
	have curl || have wget || die 'fetch files: neither curl nor wget is installed' 'install curl'
	pieces=$cache_side/pieces
	mkdir -p "$pieces" || die "make $pieces"
}

# fetch_file URL FILE: whole, or not at all and 1; `fetch_said` has the reason then.
fetch_file() {
	piece=$pieces/$(printf '%s' "$1" | cksum | tr ' ' '-')-${2##*/}
	case $1 in
	file:/*)
		fetch_said="${1#file:} is not there"
		cp "${1#file:}" "$2" 2>/dev/null || return 1
		return 0 ;;
	esac
	if ! fetch_piece "$1" && [ -s "$piece" ]; then
		# What we have may be of a file that is another one now.
		case $fetch_said in
		*' 416'* | *'range'* | *'Range'*) rm -f "$piece"; fetch_piece "$1" ;;
		*) return 1 ;;
		esac || return 1
	fi
	[ -e "$piece" ] && mv "$piece" "$2"
}

# fetch_piece URL
fetch_piece() {
	said=$pieces/said.$$ address=$pieces/address.$$
	rm -f "$address"
	umask 077
	if have curl; then
		printf 'url = "%s"\n' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')" >"$address"
		set -- curl --fail --location --silent --show-error --retry 2 --connect-timeout 20 \
			--speed-limit 100 --speed-time 60 --proto-redir =http,https --continue-at - \
			--output "$piece" --config "$address"
	else
		printf '%s\n' "$1" >"$address"
		set -- wget --no-verbose --continue --timeout=30 --tries=3 --output-document="$piece" \
			--input-file="$address"
	fi
	umask 022
	work "$@" 2>"$said" && fetch_status=0 || fetch_status=1
	fetch_said=$(tail -n 1 "$said" | tr -d '[:cntrl:]')
	rm -f "$said" "$address"
	return "$fetch_status"
}

# fetch_must URL FILE ['COMMAND']
fetch_must() {
	fetch_file "$1" "$2" || die "fetch ${1##*/} from ${1%/*}: $fetch_said" "${3-}"
}

# fetch_hashed URL FILE SUM: what was broken off and has another hash in the end is fetched anew.
fetch_hashed() {
	fetch_must "$1" "$2"
	if ! hash_fits "$2" "$3"; then
		rm -f "$2"
		fetch_must "$1" "$2"
	fi
	hash_check "$2" "$3"
}

# hash_fits FILE SUM: SHA-256 or SHA-512, as long as SUM is.
hash_fits() {
	case ${#2} in
	64) hashed=$(sha256sum <"$1") ;;
	128) hashed=$(sha512sum <"$1") ;;
	*) die "check ${1##*/}: '$2' is no hash" ;;
	esac
	[ "${hashed%% *}" = "$2" ]
}

hash_check() {
	hash_fits "$1" "$2" || die "use ${1##*/}: its hash is ${hashed%% *}, and not $2" \
		'try again; if it stays so, the file was changed on its way or on the server'
}

# hash_of NAME SUMS: sets `sum`, what the list of `sha256sum` or `sha512sum` says of NAME.
hash_of() {
	sum=''
	while read -r word hashed; do
		case ${hashed#[*]} in
		"$1" | "./$1") sum=$(printf '%s' "$word" | tr A-F a-f) ;;
		esac
	done <"$2"
	case $sum in
	'' | *[!0-9a-f]*) die "check $1: ${2##*/} says nothing of it" ;;
	esac
}

# keyring_choose NAME [FILE...]: sets `keyring`: the option, the environment, mirrors.conf, the
# administrator's own for NAME, or the first of the files that is there.
keyring_choose() {
	keyring_own=$LXC_SYSCONF_DIR/keyrings/$1
	keyring=${keyring:-${KEYRING-}}
	if [ -z "$keyring" ]; then
		mirror_listed "$1" keyring
		keyring=$mirror_found
	fi
	shift
	for word in "$keyring_own.gpg" "$keyring_own.asc" "$@"; do
		[ -n "$keyring" ] || [ ! -r "$word" ] || keyring=$word
	done
	keyring=${keyring:-$keyring_own.gpg}
}

# signature_check KEYRING SIGNATURE FILE: SIGNATURE is of FILE and by a key of KEYRING.
# signature_text KEYRING SIGNED FILE: writes what SIGNED says between its marks to FILE.
signature_check() {
	signature_verify "$1" "$2" "$3" "${3##*/}"
}

signature_text() {
	signature_verify "$1" --output "$3" "$2" "${2##*/}"
}

signature_verify() {
	need gpgv gpgv
	[ -r "$1" ] || die "check the signature of ${3##*/}: the keyring $1 is not there" \
		'--keyring FILE, with the public keys of who signs'
	keys=$1 of=''
	for word in "$@"; do of=$word; done
	binary=$pieces/keys.$$
	case $(head -c 10 "$keys" | tr -d '\0') in
	-----BEGIN*)	# gpgv reads the binary form only
		sed -n '/^-----BEGIN/,/^-----END/{/^-----/d;/^[A-Za-z]*: /d;/^=....$/d;p;}' "$keys" |
			tr -d '\r' | base64 -d >"$binary" || die "read the keyring $keys: it is damaged" ;;
	*) cp "$keys" "$binary" || die "read the keyring $keys" ;;
	esac
	shift
	verdict=$(signature_gpgv "$@" 2>/dev/null) || verdict="$verdict
FAILED"
	rm -f "$binary"
	case $verdict in
	*'[GNUPG:] BADSIG '*) die "use $of: its signature is not right" \
		'try again; if it stays so, the file was changed on its way or on the server' ;;
	*'[GNUPG:] GOODSIG '*'[GNUPG:] VALIDSIG '*) ;;
	*'[GNUPG:] EXPKEYSIG '* | *'[GNUPG:] EXPSIG '*) die "use $of: its signature has expired" \
		"bring $keys up to date" ;;
	*'[GNUPG:] REVKEYSIG '*) die "use $of: the key that signed it was revoked" ;;
	*) die "use $of: it is not signed by a key in $keys" \
		'--keyring FILE, with the public keys of who signs' ;;
	esac
}

# With --output FILE first, it writes what was signed there. The last word is for messages.
signature_gpgv() {
	if [ "$1" = --output ]; then
		set -- --output "$2" "$3"
	else
		set -- "$1" "$2"
	fi
	gpgv --homedir "$pieces" --keyring "$binary" --status-fd 1 "$@"
}
