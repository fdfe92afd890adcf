#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The busybox template: what it makes, what it writes into the config, whom it lets in, and what it
# refuses. All of it offline.
# shellcheck disable=SC2154 # from tap.sh

# shellcheck source=tap.sh
. "$(dirname "$0")/tap.sh"

[ "$(id -u)" = 0 ] || skip_all 'needs root, for chroot'
busybox=$(command -v busybox) || skip_all 'needs busybox'
mkdir "$scratch/empty"
cp "$busybox" "$scratch/empty/busybox"
chroot "$scratch/empty" /busybox true 2>/dev/null || skip_all 'needs a static busybox'

# what stands in the field of the password
hash_of_root() {
	sed -n 's/^root:\([^:]*\):.*/\1/p' "$rootfs/etc/shadow"
}

# password_is WORD
password_is() {
	salt=$(hash_of_root | cut -d'$' -f3)
	same "$(openssl passwd -6 -salt "$salt" "$1")" "$(hash_of_root)"
}

commands_missing() {
	"$busybox" --list | while read -r applet; do
		[ -x "$rootfs/bin/$applet" ] || echo "$applet"
	done
}

container plain
create busybox plain
ok 'makes a container without options' same 0 "$status"
ok 'says nothing on standard error when all is well' test ! -s "$err"
ok 'makes init of busybox' cmp "$busybox" "$rootfs/sbin/init"
ok 'has every command of busybox' same '' "$(commands_missing)"
ok 'runs its shell without the host' chroot "$rootfs" /bin/sh -c 'ls /etc/inittab && env true'
ok 'keeps one copy of busybox, however many commands' \
	same 1 "$(find "$rootfs" -type f -size +100k -printf '%i\n' | sort -u | wc -l)"
ok 'is named by its host name' has "$rootfs/etc/hostname" plain
ok 'knows its own name' grep -q '127.0.1.1.*plain' "$rootfs/etc/hosts"
for n in 1 2 3 4; do
	ok "has a login on tty$n" has "$rootfs/etc/inittab" "tty$n::respawn:/bin/getty -L 115200 tty$n vt100"
done
ok 'has a login on the console' has "$rootfs/etc/inittab" \
	'console::respawn:/bin/getty -L 115200 console vt100'
ok 'has a login once on each terminal' same 5 "$(grep -c getty "$rootfs/etc/inittab")"
for script in etc/init.d/rcS etc/init.d/rcK etc/udhcpc/default.script; do
	ok "has a well-formed /$script" sh -c "test -x '$rootfs/$script' && sh -n '$rootfs/$script'"
done
ok 'locks root' same '*' "$(hash_of_root)"
ok 'notes the day of the password, without which login refuses it' grep -qE '^root:\*:[0-9]+:0:99999:7:::$' \
	"$rootfs/etc/shadow"
ok 'hides the shadow file' same 600 "$(stat -c %a "$rootfs/etc/shadow")"
ok 'lets everybody write in /tmp, and only there' same "$rootfs/tmp" \
	"$(find "$rootfs" -perm -2 ! -type l)"
ok 'gives no program to run as root' same '' "$(find "$rootfs" -perm /6000)"

config=$dir/config
ok 'names the container in its config' has "$config" 'lxc.uts.name = plain'
ok 'is stopped by the signal that its inittab answers at once' has "$config" 'lxc.signal.halt = SIGINT'
ok 'is rebooted by the signal that busybox means by it' has "$config" 'lxc.signal.reboot = SIGTERM'
ok 'says the root filesystem once' same 1 "$(grep -c '^lxc.rootfs.path' "$config")"
ok 'keeps the settings that were there' has "$config" 'lxc.net.0.link = lxcbr0'
ok 'writes one key a line' same '' "$(grep -vE '^(#.*|lxc\.[a-z0-9.]+ = .+)?$' "$config")"

container bare
printf 'lxc.net.0.type = empty' >"$dir/config"
create busybox bare
ok 'leaves the last line alone if it has no end' has "$dir/config" 'lxc.net.0.type = empty'
ok 'adds the root filesystem to a config without one' has "$dir/config" "lxc.rootfs.path = dir:$rootfs"

container elsewhere
sed -i "s|^lxc.rootfs.path.*|lxc.rootfs.path = dir:$scratch/other|" "$dir/config"
run "$templates/lxc-busybox" -p "$dir" -n elsewhere
ok 'finds the root filesystem in the config' test -x "$scratch/other/sbin/init"

container secret
create busybox secret '--password=it is "me"'
ok 'sets the password that it is given' password_is 'it is "me"'
ok 'does not repeat a given password' not grep -q 'it is' "$out" "$err"

container random
create busybox random --password
word=$(sed -n "s/.*root's password is \([^ ]*\) .*/\1/p" "$out")
ok 'prints a random password of 16 characters' same 16 "${#word}"
ok 'sets the password that it prints' password_is "$word"
ok 'keeps the password nowhere else' not grep -rqF -e "$word" "$dir"

container mapped
create busybox mapped --mapped-uid 1234 --mapped-gid 4321
ok 'gives the config to the caller of a user namespace' same 1234:4321 "$(stat -c %u:%g "$dir/config")"

# create_no OPTION...
create_no() {
	rm -rf "$rootfs"
	"$templates/lxc-busybox" --path="$dir" --name=no --rootfs="$rootfs" "$@"
}

container no
refuses 'a busybox that does not exist' 'no such program' create_no --busybox-path=/nonexistent
cp "$(command -v ls)" "$scratch/dynamic"
refuses 'a program that needs shared libraries' 'without shared libraries' \
	create_no --busybox-path="$scratch/dynamic"
refuses 'an unknown option' "'--colour'" create_no --colour
refuses 'an unknown option with a value' "'--colour'" create_no --colour=red
refuses 'a word that is no option' "'word'" create_no word
refuses 'an option without its value' 'needs a value' create_no --busybox-path
refuses 'a value for a switch' 'has no value' create_no --help=me
refuses 'a password with a line end' 'control character' create_no "--password=a
b"
refuses 'a missing --path' 'no --path' "$templates/lxc-busybox" --name=no
refuses 'a missing --name' 'no --name' "$templates/lxc-busybox" --path="$dir"
refuses 'a path that is no directory' 'no directory' "$templates/lxc-busybox" --name=no --path=/dev/null
refuses 'a name with a slash' 'blank or a slash' "$templates/lxc-busybox" --path="$dir" --name=../no
refuses 'a relative root filesystem' 'not an absolute path' \
	"$templates/lxc-busybox" --path="$dir" --name=no --rootfs=here
ok 'does not touch the config when it refuses' not grep -q uts "$dir/config"

rm -rf "$rootfs"
mkdir "$rootfs" "$scratch/outside"
ln -s "$scratch/outside" "$rootfs/etc"
refuses 'a root filesystem with something in it' 'not empty' \
	"$templates/lxc-busybox" --path="$dir" --name=no --rootfs="$rootfs"
ok 'follows no link out of the root filesystem' same '' "$(ls -A "$scratch/outside")"

run "$templates/lxc-busybox" --help
ok 'succeeds with --help' same 0 "$status"
for word in --busybox-path --password --name --path --rootfs --mapped-uid --mapped-gid --help; do
	ok "explains $word" grep -q -e "$word" "$out"
done

plan
