#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Debian template without Debian: an installer of our own writes the few files that the template
# looks at, so that everything but the fetching is tested offline. A real one is made in the tests
# of the tools.
# shellcheck disable=SC2016,SC2154 # texts for inside; tap.sh's variables

# shellcheck source=tap.sh
. "$(dirname "$0")/tap.sh"
[ "$(id -u)" = 0 ] || skip_all 'needs root'

# A debootstrap that notes how it was called; `fail` in its mirror makes it fail as the real one
# does.
mkdir "$scratch/bin"
cat >"$scratch/bin/debootstrap" <<END
#!/bin/sh
printf '%s\n' "\$*" >>"$scratch/calls"
tree= suite=
for word in "\$@"; do
	case \$word in
	-*) ;;
	/*) tree=\$word ;;
	*fail*) echo 'E: no such archive'; exit 1 ;;
	[a-z]*://*) ;;
	*) suite=\$word ;;
	esac
done
cd "\$tree"
mkdir -p etc/apt usr/lib/systemd/system var/lib/apt/lists var/cache/apt/archives root usr/share/zoneinfo
ln -s usr/lib lib
ln -s /etc/passwd etc/resolv.conf
echo 'deb http://default.example/debian '"\$suite"' main' >etc/apt/sources.list
echo 'VERSION_CODENAME=bookworm' >usr/lib/os-release
echo 'root:*:1:0:99999:7:::' >etc/shadow
touch usr/lib/systemd/system/systemd-resolved.service usr/lib/systemd/system/systemd-networkd.service \
	usr/lib/systemd/system/getty@.service var/cache/apt/archives/x.deb
[ ! -e "$scratch/slow" ] || sleep 30
END
chmod +x "$scratch/bin/debootstrap"
PATH=$scratch/bin:$PATH
LXC_APT_DIR=$scratch/apt
export PATH LXC_APT_DIR

container plain
create debian plain
ok 'makes a container without options' same 0 "$status"
ok 'says nothing on standard error when all is well' test ! -s "$err"
ok 'tells how to get in' grep -q 'lxc-attach -n plain' "$out"
ok 'asks for the stable release' sh -c "tail -n 1 '$scratch/calls' | grep -q ' stable /'"
ok 'leaves the mirror to debootstrap when nobody says one' not grep -q '://' "$scratch/calls"
list=$rootfs/etc/apt/sources.list.d/debian.sources
ok 'has apt use what debootstrap chose' has "$list" 'URIs: http://default.example/debian'
ok 'has apt fetch security updates' has "$list" 'URIs: http://default.example/debian-security'
ok 'calls the release by its code name' has "$list" 'Suites: bookworm bookworm-updates'
ok 'has one list' test ! -e "$rootfs/etc/apt/sources.list"
ok 'copies no downloaded packages' same '' "$(ls "$rootfs/var/cache/apt/archives")"
ok 'is named by its host name' has "$rootfs/etc/hostname" plain
ok 'boots to a login without a screen' same /lib/systemd/system/multi-user.target \
	"$(readlink "$rootfs/etc/systemd/system/default.target")"
ok 'has udev masked' same /dev/null "$(readlink "$rootfs/etc/systemd/system/systemd-udevd.service")"
ok 'asks for an address' has "$rootfs/etc/systemd/network/eth0.network" 'DHCP=yes'
ok 'does not wait for it' test -L \
	"$rootfs/etc/systemd/system/multi-user.target.wants/systemd-networkd.service" -a \
	! -e "$rootfs/etc/systemd/system/network-online.target.wants"
ok 'resolves names' same ../run/systemd/resolve/stub-resolv.conf "$(readlink "$rootfs/etc/resolv.conf")"
ok 'locks root' has "$rootfs/etc/shadow" 'root:*:1:0:99999:7:::'
ok 'speaks C.UTF-8 to a caller without a language' has "$rootfs/etc/default/locale" LANG=C.UTF-8
ok 'includes the shared settings' grep -q '^lxc.include = .*/debian.common.conf$' "$dir/config"
ok 'gives the interface an address of its own' grep -q '^lxc.net.0.hwaddr = 10:66:6a:' "$dir/config"
one=$(cat "$rootfs/etc/machine-id")

container other
create debian other -r stable
ok 'takes the tree from the cache' same 1 "$(wc -l <"$scratch/calls")"
ok 'has another machine id' not same "$one" "$(cat "$rootfs/etc/machine-id")"
tree=$(find "$LXC_CACHE_PATH/debian" -maxdepth 1 -type d -name 'rootfs-stable-*')
ok 'leaves the cached tree as it was fetched' test -d "$tree/etc" -a ! -e "$tree/etc/hostname"

container sid
create debian sid -r sid -a x86_64 --mirror=http://near.example/debian/
ok 'fetches the release, architecture and mirror that it is told' sh -c \
	"tail -n 1 '$scratch/calls' | grep -q -- '--arch=amd64 .* sid /.* http://near.example/debian$'"
list=$rootfs/etc/apt/sources.list.d/debian.sources
ok 'calls sid by its name' has "$list" 'Suites: sid'
ok 'knows that sid has no security archive' same 1 "$(grep -c '^URIs' "$list")"

container book
create debian book -r bookworm --enable-non-free --mirror http://near.example/debian
list=$rootfs/etc/apt/sources.list.d/debian.sources
ok 'has apt use firmware and the rest of non-free' has "$list" \
	'Components: main contrib non-free non-free-firmware'
ok 'guesses no security archive beside a mirror of our own' same 1 "$(grep -c '^URIs' "$list")"
ok 'says that there is none' grep -q 'security' "$err"
container bull
create debian bull -r bullseye --enable-non-free --security-mirror http://sec.example/d --flush-cache
list=$rootfs/etc/apt/sources.list.d/debian.sources
ok 'knows what bullseye has not' has "$list" 'Components: main contrib non-free'
ok 'uses the security archive that it is told' has "$list" 'URIs: http://sec.example/d'
ok 'asks for no package that bullseye has not' not sh -c "tail -n 1 '$scratch/calls' | grep resolved"

container keyed
echo key >"$scratch/own.gpg"
create debian keyed -r bookworm --keyring "$scratch/own.gpg" -F
ok 'fetches with the keyring that it is told' sh -c \
	"tail -n 1 '$scratch/calls' | grep -q -- '--keyring=$scratch/own.gpg '"
ok 'has apt trust the same keyring' has "$rootfs/etc/apt/sources.list.d/debian.sources" \
	'Signed-By: /etc/apt/keyrings/own.gpg'
ok 'hands the keyring over' cmp "$scratch/own.gpg" "$rootfs/etc/apt/keyrings/own.gpg"

# no_debian OPTION...
no_debian() {
	container no
	"$templates/lxc-debian" --path="$dir" --name=no --rootfs="$rootfs" "$@"
}
refuses 'a release that is no name' "release '../x'" no_debian -r ../x
refuses 'an architecture that this host cannot run' 'cannot run it' no_debian -a s390x
refuses 'an interpreter that is not there' 'no such program' no_debian -a s390x -I /nonexistent
refuses 'a keyring that is not there' 'keyring /nonexistent' no_debian --keyring=/nonexistent
refuses 'a key that is not there' 'key /nonexistent' no_debian -S /nonexistent
refuses 'a mirror that is no URL' 'no URL' no_debian --mirror near.example
container mapped
create debian mapped -r trixie --mapped-uid 0 --mapped-gid 0
ok 'in a user namespace keeps an archive, not a tree' test -s "$(echo "$LXC_CACHE_PATH"/debian/mapped-trixie-*.tar)"
ok '... and has the settings for it' grep -q '^lxc.include = .*/userns.conf$' "$dir/config"
calls=$(wc -l <"$scratch/calls")
container mapped2
create debian mapped2 -r trixie --mapped-uid 0 --mapped-gid 0
ok '... of which the next one is made' same "$calls $(cat "$LXC_CACHE_PATH"/debian/mapped-*.made-from)" \
	"$(wc -l <"$scratch/calls") $(cat "$LXC_CACHE_PATH"/debian/mapped-*.made-from)"
ok '... with a name of its own' has "$rootfs/etc/hostname" mapped2
refuses 'an archive that is none' 'fetch stable' no_debian -F --mirror http://fail.example/debian
ok 'shows what the installer said' grep -q '^E: no such archive' "$err"
ok 'still has the tree that it had' test -d "$tree/etc"
ok 'leaves the config alone when it fails' not grep -q uts "$dir/config"

container killed
touch "$scratch/slow"
"$templates/lxc-debian" --path="$dir" --name=killed --rootfs="$rootfs" -r trixie >"$out" 2>&1 &
pid=$!
until grep -q trixie "$scratch/calls"; do sleep 0.05; done
kill -KILL $pid
wait $pid 2>/dev/null
rm "$scratch/slow"
container after
create debian after -r trixie
ok 'does not wait for the installer of a killed one' same '0 0' "$status $(grep -c waiting "$out")"

run "$templates/lxc-debian" --clean
ok 'removes the cached trees' same '' "$(find "$LXC_CACHE_PATH" -name 'rootfs-*' -type d)"

plan
