#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The library's functions one by one: writing into a root filesystem without being led out of it,
# identity, terminals, passwords, keys, addresses.
# shellcheck disable=SC2016,SC2034,SC2154 # texts for the library, the library's and tap.sh's variables

# shellcheck source=tap.sh
. "$(dirname "$0")/tap.sh"

# library COMMAND...: in a process of its own, with the library loaded and a container `dir`
library() {
	run sh -euc 'lib=$1 path=$2 rootfs=$3; shift 3
		name=box mapped_uid= mapped_gid= password= password_given= auth_key= arch=
		. "$lib/load.sh"
		template=lxc-test
		eval "$@"' sh "$templates/lib" "$dir" "$rootfs" "$@"
	[ "$status" -eq 0 ]
}

fresh() {
	container box
	mkdir -p "$rootfs/etc"
	mkdir -p "$scratch/outside"
}

echo '# files'
fresh
library 'put etc/a/b 755 "#!/bin/sh" "echo \$HOME"'
ok 'writes lines as they are' has "$rootfs/etc/a/b" 'echo $HOME'
ok 'sets the mode' same 755 "$(stat -c %a "$rootfs/etc/a/b")"
library 'put etc/secret 600 x; put etc/plain 644 y'
ok 'hides what is secret' same 600 "$(stat -c %a "$rootfs/etc/secret")"
ok 'hides nothing else after it' same 644 "$(stat -c %a "$rootfs/etc/plain")"
ln -s "$scratch/outside/file" "$rootfs/etc/resolv.conf"
echo host >"$scratch/outside/file"
library 'put etc/resolv.conf 644 container'
ok 'replaces a link instead of writing through it' same 'host container' \
	"$(cat "$scratch/outside/file") $(cat "$rootfs/etc/resolv.conf")"
ln -s "$scratch/outside" "$rootfs/var"
refuses 'a link on the way' 'is a symbolic link' library 'put var/log/x 644 y'
refuses 'a link on the way of a link' 'is a symbolic link' library 'put_link var/x /y'
refuses 'to climb out' "'..' is in its path" library 'put etc/../../x 644 y'
ok 'has written nothing outside' same file "$(ls "$scratch/outside")"
library 'put_link etc/mtab ../proc/self/mounts; put_link etc/mtab /proc/mounts'
ok 'makes a link, also in place of another' same /proc/mounts "$(readlink "$rootfs/etc/mtab")"
touch "$dir/x"
library 'rootfs=$path/new; rootfs_fresh'
ok 'accepts a root filesystem that is not there yet' same 0 "$status"
mkdir "$dir/new/lost+found"
library 'rootfs=$path/new; rootfs_fresh'
ok 'accepts an empty filesystem of its own' same 0 "$status"
touch "$dir/new/.hidden"
refuses 'a root filesystem with a hidden file' 'not empty' library 'rootfs=$path/new; rootfs_fresh'

echo '# identity'
fresh
library identity_machine
first=$(cat "$rootfs/etc/machine-id")
library identity_machine
second=$(cat "$rootfs/etc/machine-id")
ok 'makes a machine id of 32 digits' test -z "$(printf %s "$first" | tr -d 0-9a-f)" -a "${#first}" = 32
ok 'makes another one each time' not same "$first" "$second"
mkdir -p "$rootfs/var/lib/dbus"
echo old >"$rootfs/var/lib/dbus/machine-id"
library identity_machine
ok 'has D-Bus use the same' same /etc/machine-id "$(readlink "$rootfs/var/lib/dbus/machine-id")"
library identity_ssh
ok 'makes no host keys without an ssh server' same 0 "$status"
mkdir "$rootfs/etc/ssh"
touch "$rootfs/etc/ssh/sshd_config" "$rootfs/etc/ssh/ssh_host_rsa_key"
refuses 'to leave an ssh server without keys of its own' 'ssh host keys' library identity_ssh
ok 'leaves no old host key' test ! -e "$rootfs/etc/ssh/ssh_host_rsa_key"

echo '# terminals'
fresh
library ttys_systemd
for n in 1 2 3 4; do
	ok "has systemd log in on tty$n" test -L "$rootfs/etc/systemd/system/getty.target.wants/getty@tty$n.service"
done
ok 'waits for no screen' has "$rootfs/etc/systemd/system/getty@.service.d/container.conf" \
	'ConditionPathExists=/dev/%I'
ok 'has no second login on them' same /dev/null \
	"$(readlink "$rootfs/etc/systemd/system/container-getty@.service")"
printf '%s\n' 'id:3:initdefault:' '1:2345:respawn:/sbin/getty 38400 tty1' \
	'2:23:respawn:/sbin/getty 38400 tty2' '# a remark' 'si::sysinit:/etc/init.d/rcS' >"$rootfs/etc/inittab"
library 'ttys_inittab sysvinit'
ok 'keeps the rest of an inittab' has "$rootfs/etc/inittab" 'si::sysinit:/etc/init.d/rcS'
ok 'has five terminals in it' same 5 "$(grep -c getty "$rootfs/etc/inittab")"
ok 'has sysvinit log in on tty1' has "$rootfs/etc/inittab" '1:2345:respawn:/sbin/getty 38400 tty1 vt220'
printf '%s\n' '::sysinit:/sbin/openrc sysinit' 'tty1::respawn:/sbin/getty 38400 tty1' \
	'tty6::respawn:/sbin/getty 38400 tty6' '::shutdown:/sbin/openrc shutdown' >"$rootfs/etc/inittab"
library 'ttys_inittab busybox'
ok 'keeps the lines of OpenRC' has "$rootfs/etc/inittab" '::shutdown:/sbin/openrc shutdown'
ok 'has OpenRC on busybox log in on the console' has "$rootfs/etc/inittab" \
	'console::respawn:/sbin/getty -L 115200 console vt100'
ok 'drops terminals that a container has not' not grep -q tty6 "$rootfs/etc/inittab"

fresh
mkdir -p "$rootfs/etc/init" "$rootfs/etc/sysconfig"
touch "$rootfs/etc/init/start-ttys.conf" "$rootfs/etc/securetty"
echo 'ACTIVE_CONSOLES=/dev/tty[1-6]' >"$rootfs/etc/sysconfig/init"
library ttys_by_init
ok 'has upstart log in on the console' has "$rootfs/etc/init/lxc-console.conf" \
	'exec /sbin/mingetty --nohangup console'
ok '... and on four terminals' same 'ACTIVE_CONSOLES=/dev/tty[1-4]' "$(tail -n 1 "$rootfs/etc/sysconfig/init")"
ok '... and answer the signal of lxc-stop' grep -q shutdown "$rootfs/etc/init/power-status-changed.override"
ok 'lets root in there where a list says so' has "$rootfs/etc/securetty" lxc/tty1
fresh
echo 'id:3:initdefault:' >"$rootfs/etc/inittab"
library ttys_by_init
ok 'finds sysvinit by its inittab' has "$rootfs/etc/inittab" '1:2345:respawn:/sbin/getty 38400 tty1 vt220'
fresh
refuses 'a tree without an init' 'find the init' library ttys_by_init

echo '# networks'
fresh
library network_ifcfg
ok 'asks for an address in the background, by ifcfg' has "$rootfs/etc/sysconfig/network-scripts/ifcfg-eth0" \
	'DHCLIENTARGS=-nw'
library network_manager
ok 'hides the profile of NetworkManager, which wants that' same 600 \
	"$(stat -c %a "$rootfs/etc/NetworkManager/system-connections/eth0.nmconnection")"
library network_netplan
ok 'lets a boot go on without an address, by netplan' has "$rootfs/etc/netplan/10-lxc.yaml" '      optional: true'

echo '# archives'
fresh
library 'distribution=centos release=7; archives_read; echo "$archive_vault $archive_keys"'
ok 'knows that CentOS 7 is in the vault, and who signed it' grep -q '^1 RPM-GPG-KEY-CentOS-7 6341AB2753D78A78' "$out"
library 'distribution=centos release=9-stream; archives_read; echo "[$archive_vault] $archive_repos"'
ok 'knows that 9-stream is alive' grep -q '^\[\] baseos ' "$out"
library 'distribution=none release=1; archives_read; echo "[$archive_root$archive_repos$archive_keys]"'
ok 'knows nothing of others' has "$out" '[]'
library 'arch=x86_64 release=7; rpm_expand "http://m.example/\$releasever/os/\$basearch/\$releasever"; echo "$expanded"'
ok 'fills in what dnf would' has "$out" 'http://m.example/7/os/x86_64/7'
ok 'has a fingerprint of forty digits with each key' same '' \
	"$(awk '$3 == "key" && (length($5) != 40 || $5 ~ /[^0-9A-F]/)' "$templates/lib/archives")"

echo '# logins'
shadow() {
	fresh
	printf '%s\n' 'daemon:*:1::::::' 'root:$old$hash:19000:0:99999:7:::' 'rooter:x:1::::::' \
		>"$rootfs/etc/shadow"
	chmod 640 "$rootfs/etc/shadow"
}
shadow
library 'login_check; login_root'
ok 'locks root, whatever the tree had' has "$rootfs/etc/shadow" 'root:*:19000:0:99999:7:::'
ok 'leaves other users alone' has "$rootfs/etc/shadow" 'rooter:x:1::::::'
ok 'keeps the mode of the shadow file' same 640 "$(stat -c %a "$rootfs/etc/shadow")"
shadow
library 'password=word; password_given=1; login_check; login_root'
ok 'sets a password' grep -q '^root:\$6\$[^:]*:19000:' "$rootfs/etc/shadow"
shadow
mv "$rootfs/etc/shadow" "$scratch/outside/shadow"
ln -s "$scratch/outside/shadow" "$rootfs/etc/shadow"
refuses 'a shadow file that is a link' 'no /etc/shadow' library 'login_check; login_root'
fresh
echo 'daemon:*:1::::::' >"$rootfs/etc/shadow"
refuses 'a shadow file without root' 'does not have it' library 'login_check; login_root'

fresh
mkdir "$rootfs/root"
echo 'ssh-ed25519 AAAA me@home' >"$scratch/key.pub"
library "auth_key=$scratch/key.pub; login_check; login_key"
ok 'authorizes a key' has "$rootfs/root/.ssh/authorized_keys" 'ssh-ed25519 AAAA me@home'
ok 'hides the keys' same '700 600' \
	"$(stat -c %a "$rootfs/root/.ssh" "$rootfs/root/.ssh/authorized_keys" | tr '\n' ' ' | sed 's/ $//')"
printf '%s\n' '-----BEGIN OPENSSH PRIVATE KEY-----' >"$scratch/key"
refuses 'a private key' 'private half' library "auth_key=$scratch/key; login_check"
echo nothing >"$scratch/none"
refuses 'a file without a key' 'no public key' library "auth_key=$scratch/none; login_check"
refuses 'a key file that is not there' 'no such file' library "auth_key=$scratch/absent; login_check"

echo '# language'
fresh
mkdir "$rootfs/etc/default"
ln -s ../locale.conf "$rootfs/etc/default/locale"
library locale_debian
ok 'sets the language where newer releases keep it' has "$rootfs/etc/locale.conf" LANG=C.UTF-8
library 'LANG=xx_YY.UTF-8; locale_debian'
ok 'does not claim a language that is not there' has "$rootfs/etc/locale.conf" LANG=C.UTF-8

echo '# config'
fresh
printf '%s\n' 'lxc.net.1.type=macvlan' 'lxc.net.2.type = veth' 'lxc.net.2.hwaddr = 10:66:6a:01:02:03' \
	'lxc.net.3.type = phys' >>"$dir/config"
library 'config_open; config_hwaddr; config_hwaddr'
for n in 0 1; do
	ok "gives interface $n one address of its own" \
		same 1 "$(grep -cE "^lxc.net.$n.hwaddr = 10:66:6a(:[0-9a-f]{2}){3}\$" "$dir/config")"
done
ok 'keeps an address that is there' same 1 "$(grep -c '^lxc.net.2.hwaddr' "$dir/config")"
ok 'leaves a real interface its address' not grep -q '^lxc.net.3.hwaddr' "$dir/config"

echo '# architectures'
for pair in x86_64=amd64 amd64=amd64 i686=i386 aarch64=arm64 armv7l=armhf ppc64le=ppc64el riscv64=riscv64; do
	library "arch=${pair%=*}; arch_debian; echo \$arch"
	ok "calls ${pair%=*} ${pair#*=}" same "${pair#*=}" "$(cat "$out")"
done
refuses 'a strange architecture' 'no such name' library "arch='../x'; arch_debian"

echo '# copies'
copier=${LXC_PREFIX:-/usr}/libexec/lxc/lxc-copytree
if [ -x "$copier" ]; then
	mkdir -p "$scratch/from/dir" "$scratch/to" "$scratch/full"
	echo text >"$scratch/from/dir/file"
	ln "$scratch/from/dir/file" "$scratch/from/other"
	ln -s /nowhere "$scratch/from/link"
	touch "$scratch/full/mine"
	chmod 751 "$scratch/full"
	run "$copier" "$scratch/from" "$scratch/to"
	ok 'copies a tree by the own copier' same '0 text /nowhere 2' \
		"$status $(cat "$scratch/to/dir/file") $(readlink "$scratch/to/link") $(stat -c %h "$scratch/to/other")"
	refuses 'to copy into a directory with something in it' 'not empty' "$copier" "$scratch/from" "$scratch/full"
	ok 'has changed nothing of it' same 'mine 751' "$(ls "$scratch/full") $(stat -c %a "$scratch/full")"
	refuses 'to copy what is not there' 'No such file' "$copier" "$scratch/absent" "$scratch/to"
fi

plan
