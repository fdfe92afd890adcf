#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Passwords for a new container's users: from a file, from standard input, and in an option, where
# nobody may find it among the arguments of a process, in the configuration, or behind a descriptor of
# what a template starts.
# shellcheck disable=SC2016 # texts for other shells

. "${0%/*}/lib.sh"
need busybox openssl
[ "$(id -u)" = 0 ] || skip_all 'needs root'
need_ours
SECRET="hush$$$(date +%N)"
printf '%s\n' "--password=$SECRET" >"$TMP/word"

# Looks at all arguments of all processes, and at the descriptors of its own and of who started it.
mkdir "$TMP/bin"
cat >"$TMP/look" <<X
#!/bin/sh
# No process of its own may have the secret among its arguments either.
secret=\$(sed 's/.*=//' '$TMP/word')
for file in /proc/[0-9]*/cmdline; do
	text=\$(tr '\\000' ' ' 2>/dev/null <"\$file") || continue
	case \$text in *"\$secret"*) echo "\$file: \$text" ;; esac
done >>'$TMP/seen'
[ "\$1" != arguments ] || exit 0
for process in self "\$PPID"; do
	for fd in 3 4 5 6 7 8; do
		[ ! -p "/proc/\$process/fd/\$fd" ] || { timeout 1 cat "/proc/\$process/fd/\$fd"; echo "pipe \$fd"; }
	done
done >>'$TMP/pipes'
echo looked >>'$TMP/looked'
X
chmod 755 "$TMP/look"
printf '#!/bin/sh\n%s\nexec %s "$@"\n' "$TMP/look" "$(command -v openssl)" >"$TMP/bin/openssl"
chmod 755 "$TMP/bin/openssl"

# create NAME TEMPLATE WORD...: the shell that knows the secret becomes lxc-create; nothing else has it.
create() {
	local name="$1" template="$2"
	shift 2
	rm -f "$TMP/seen" "$TMP/pipes" "$TMP/looked"
	run env PATH="$TMP/bin:$PATH" sh -c 'read -r word <"$1"; letter=$2; shift 2
		[ -z "$letter" ] || word="-r${word#*=}"
		exec lxc-create "$@" "$word"' \
		sh "$TMP/word" "${LETTER:-}" -P "$P" -n "$name" -f "$NET" -t "$template" "$@" --
}
# The password that an account has is the one that was asked for.
fits() {	# NAME PASSWORD
	local hash salt
	hash=$(sed -n 's/^root:\([^:]*\):.*/\1/p' "$P/$1/rootfs/etc/shadow")
	salt=${hash#'$6$'} salt=${salt%%'$'*}
	[ "$(printf '%s\n' "$2" | openssl passwd -6 -salt "$salt" -stdin)" = "$hash" ]
}

create "$C" busybox
is 'a container is made with a password in an option' "$status" 0
ok '... and has it' fits "$C" "$SECRET"
is '... nobody saw it while the template worked' "$(cat "$TMP/looked" "$TMP/seen")" looked
is '... nor found a pipe that has it' "$(cat "$TMP/pipes")" ''
unlike '... what is said does not tell' "$out $err" "$SECRET"
like '... the configuration says that there was one' "$(cat "$P/$C/config")" '^# Parameters .* --password=\.\.\.$'
unlike '... and not which' "$(cat "$P/$C/config")" "$SECRET"
lxc destroy -n "$C"

# What a template is told, seen from a template.
cat >"$TMP/told" <<X
#!/bin/sh
secrets='password token r'
$TMP/look arguments
printf '%s\n' "\$@" | sed 's/^--path=.*//' >'$TMP/words'
fd=\$(printf '%s\n' "\$@" | sed -n 's/^--secrets-fd=//p')
cat <&"\$fd" >'$TMP/lines'
mkdir -p "$P/$C/rootfs"
X
sed "/^secrets=/d; /^fd=/d; /^cat <&/d" "$TMP/told" >"$TMP/stranger"
chmod 755 "$TMP/told" "$TMP/stranger"
create "$C" "$TMP/told"
is 'a template of somebody else says which are secret' "$status" 0
is '... and gets them by a descriptor' "$(cat "$TMP/lines")" "$(cat "$TMP/word")"
is '... when nobody can see them any more' "$(cat "$TMP/seen")" ''
like '... with the number of that' "$(cat "$TMP/words")" '^--secrets-fd=[3-9]$'
lxc destroy -n "$C"
LETTER=1 create "$C" "$TMP/told"
is 'a secret behind a letter is one, too' "$(cat "$TMP/lines" "$TMP/seen")" "-r$SECRET"
like '... and none in the configuration' "$(cat "$P/$C/config")" '^# Parameters .* -r\.\.\.$'
lxc destroy -n "$C"
create "$C" "$TMP/stranger"
is 'a template that does not say gets them as it always did' "$(grep -c -- "--password=$SECRET" "$TMP/words")" 1
lxc destroy -n "$C"

# ---- without an option that has it

look() { PATH="$TMP/bin:$PATH" lxc create -n "$C" -f "$NET" -t busybox -- "$@"; }
printf '%s\nsecond line\n' "$SECRET" >"$TMP/file"
chmod 600 "$TMP/file"
rm -f "$TMP/seen"
run look --password-file "$TMP/file"
is 'a password comes from a file' "$status" 0
ok '... its first line' fits "$C" "$SECRET"
is '... seen by nobody' "$(cat "$TMP/seen")" ''
lxc destroy -n "$C"
printf '%s' "$SECRET" | look --password-file=- >/dev/null 2>&1
ok 'a password comes from standard input' fits "$C" "$SECRET"
lxc destroy -n "$C"
fails_with 'a file that is not there' 1 'cannot read the password from .*/nothing' look --password-file "$TMP/nothing"
: >"$TMP/empty"
fails_with 'a file with nothing in it' 1 'its first line is empty' look --password-file "$TMP/empty"
fails_with 'one password twice' 1 'in --password and in --password-file' look --password=x --password-file "$TMP/file"
fails_with 'a password of two lines' 1 'has a line break' look "--password=a
b"
fails_with 'a descriptor that is none' 1 "no such number" look --secrets-fd=77
nothing_left '... and nothing is left of all these' "$C" destroyed

done_testing
