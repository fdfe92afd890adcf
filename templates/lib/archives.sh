# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The table `archives`: where distributions publish themselves and who signs them. A key that is found
# by itself counts by its fingerprint, so it does not matter where it comes from.
# shellcheck shell=sh disable=SC2034,SC2154

# archives_read: what the table has on `distribution` and `release`; sets archive_root, archive_vault,
# archive_repos (lines 'ID PATH') and archive_keys (lines 'FILE FINGERPRINT ADDRESS').
archives_read() {
	archive_root='' archive_vault='' archive_repos='' archive_keys=''
	while read -r word pattern kind rest; do
		[ "$word" = "$distribution" ] || continue
		# shellcheck disable=SC2254 # a pattern on purpose
		case $release in $pattern) ;; *) continue ;; esac
		case $kind in
		vault) archive_root=$rest archive_vault=1 ;;
		root) archive_root=${archive_root:-$rest} ;;
		repo) archive_repos="$archive_repos$rest
" ;;
		key) archive_keys="$archive_keys$rest
" ;;
		esac
	done <"$lib/archives"
}

# keys_told: sets `keyring` to what the option, KEYRING or mirrors.conf says, or to nothing.
keys_told() {
	keyring=${keyring:-${KEYRING-}}
	if [ -z "$keyring" ]; then
		mirror_listed "$distribution" keyring
		keyring=$mirror_found
	fi
	[ -z "$keyring" ] || [ -r "$keyring" ] || die "read the keyring $keyring: there is no such file"
}

# keys_known FILE --armor|--no-armor NEAR: writes those of the table into FILE. They are looked for on
# this host, then at NEAR, an address or nothing, then where the table says.
keys_known() {
	[ -n "$archive_keys" ] ||
		die "verify $what $release: who signs it is not known" '--keyring=FILE, or --no-gpg'
	need gpg gnupg
	[ -d "$side_dir/gpg" ] || mkdir -m 700 "$side_dir/gpg" || die "make $side_dir/gpg"
	key_file=$1 key_form=$2 key_near=$3 missing=''
	while read -r file fingerprint address; do
		[ -z "$file" ] || key_known "$file" "$fingerprint" "$address" || missing="$file $fingerprint"
	done <<-KEYS
		$archive_keys
	KEYS
	# Where there are several, an older one may be nowhere any more; what it signed is refused later.
	[ -s "$key_file" ] ||
		die "verify $what $release: no key with the fingerprint ${missing#* } was found (${missing% *})" \
			'--keyring=FILE, or --no-gpg'
}

# key_known FILE FINGERPRINT ADDRESS: adds it to `key_file`.
key_known() {
	for place in "/etc/pki/rpm-gpg/$1" /usr/share/distribution-gpg-keys/*/"$1" \
		"/usr/share/keyrings/$1" "${key_near:+$key_near/$1}" "${3-}"; do
		case $place in
		'') continue ;;
		/*) [ -r "$place" ] && cp "$place" "$side_dir/key" || continue ;;
		*) fetch_file "$place" "$side_dir/key" || continue ;;
		esac
		gpg --homedir "$side_dir/gpg" --batch --no-autostart -q --import "$side_dir/key" 2>/dev/null || :
		gpg --homedir "$side_dir/gpg" --batch --no-autostart -q "$key_form" --export "$2" \
			>"$side_dir/key" 2>/dev/null || :
		if [ -s "$side_dir/key" ]; then
			cat "$side_dir/key" >>"$key_file"
			return 0
		fi
	done
	return 1
}
