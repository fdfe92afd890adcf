#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The hooks that are shipped: each does what its first lines say. What belongs to hosts that are not
# this one (a GPU, an encrypted disk, a DHCP client) is stood in for by programs that note their words.

. "${0%/*}/lib.sh"
hooks=$(dirname "$(command -v lxc-start)")/../share/lxc/hooks
hooks=$(cd "$hooks" 2>/dev/null && pwd) && [ -e "$hooks/identity.lua" ] || skip_all 'it was built without Lua'
libexec=$(cd "$hooks/../../../libexec/lxc" && pwd)
[ -x "$libexec/lxc-lua-hook" ] || skip_all 'it was built without Lua'

# stand_in NAME [SHELL-TEXT]: a program in front of the host's that notes its words.
mkdir "$TMP/bin"
PATH=$TMP/bin:$PATH
stand_in() {
	printf '#!/bin/sh\necho "%s $*" >>%s/words\n%s\n' "$1" "$TMP" "${2:-}" >"$TMP/bin/$1"
	chmod 755 "$TMP/bin/$1"
}
fresh() {
	[ ! -d "$P/$C" ] || rm -rf "${P:?}/$C"
	make_container "$C" "$@"
	: >"$TMP/words"
}
start() { run lxc start -n "$C"; }
stop() { lxc stop -k -n "$C"; }
root() { cat "$P/$C/rootfs/$1" 2>/dev/null; }
# clone: $C becomes $C-two.
clone() {
	[ ! -d "$P/$C-two" ] || lxc destroy -n "$C-two"
	cat >"$TMP/clone.lua" <<-'X'
		local lxc = require "lxc"
		local c = lxc.open(os.getenv "C", os.getenv "P")
		c:copy {name = os.getenv "C" .. "-two", keep_name = true, hook_args = arg}
	X
	C=$C P=$P run limit lua5.4 "$TMP/clone.lua" "$@"
}
two() { cat "$P/$C-two/rootfs/$1" 2>/dev/null; }
module=$hooks/../../../lib/lua/5.4
[ ! -e "$module/lxc.so" ] || export LUA_CPATH="$module/?.so;;"

# ---- identity.lua

need ssh-keygen
fresh "lxc.hook.clone = $hooks/identity.lua"
mkdir -p "$P/$C/rootfs/etc/ssh"
echo 0123456789abcdef0123456789abcdef >"$P/$C/rootfs/etc/machine-id"
printf '127.0.0.1 localhost\n127.0.1.1 %s %s-mail\n' "$C" "$C" >"$P/$C/rootfs/etc/hosts"
ssh-keygen -q -t ed25519 -N '' -f "$P/$C/rootfs/etc/ssh/ssh_host_ed25519_key"
clone
is 'identity: a clone is made' "$status" 0
is '... with its own host name' "$(two etc/hostname)" "$C-two"
is '... also in hosts, where it is a whole word' "$(two etc/hosts | tail -n 1)" "127.0.1.1 $C-two $C-mail"
like '... with a machine id' "$(two etc/machine-id)" '^[0-9a-f]{32}$'
unlike '... of its own' "$(two etc/machine-id)" '^0123'
unlike '... with a key of its own' "$(two etc/ssh/ssh_host_ed25519_key.pub)" \
	"$(cut -d' ' -f2 "$P/$C/rootfs/etc/ssh/ssh_host_ed25519_key.pub" | tr '+' '.')"
is '... that fits, and is kept' "$(ssh-keygen -y -f "$P/$C-two/rootfs/etc/ssh/ssh_host_ed25519_key" | cut -d' ' -f2) $(stat -c %a "$P/$C-two/rootfs/etc/ssh/ssh_host_ed25519_key")" \
	"$(two etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2) 600"

# ---- clonehostname, ubuntu-cloud-prep

fresh "lxc.hook.clone = $hooks/clonehostname"
mkdir -p "$P/$C/rootfs/etc/sysconfig/network-scripts"
echo "DHCP_HOSTNAME=$C" >"$P/$C/rootfs/etc/sysconfig/network-scripts/ifcfg-eth0"
echo "HOSTNAME=$C" >"$P/$C/rootfs/etc/sysconfig/network"
clone
is 'clonehostname: the names of a clone' \
	"$status $(two etc/sysconfig/network-scripts/ifcfg-eth0) $(two etc/sysconfig/network)" \
	"0 DHCP_HOSTNAME=$C-two HOSTNAME=$C-two"
mkdir -p "$TMP/by-hand/etc"
echo "127.0.1.1 old" >"$TMP/by-hand/etc/hosts"
ok '... it can be executed by hand' env LXC_SRC_NAME=old LXC_NAME=new LXC_ROOTFS_MOUNT="$TMP/by-hand" \
	"$hooks/clonehostname" new lxc clone
is '... with the same effect' "$(cat "$TMP/by-hand/etc/hosts")" '127.0.1.1 new'
echo 'ssh-ed25519 AAAA me' >"$TMP/key.pub"
echo vendor >"$TMP/vendor"
fresh "lxc.hook.clone = $hooks/ubuntu-cloud-prep -S $TMP/key.pub"
mkdir -p "$P/$C/rootfs/var/lib/cloud/instance"
clone -i i-7 "--vendordata=$TMP/vendor"
seed=var/lib/cloud/seed/nocloud-net
is 'ubuntu-cloud-prep: the seed of cloud-init' "$status $(two $seed/meta-data | tr '\n' ' ')" \
	"0 instance-id: i-7 local-hostname: $C-two "
like '... with the key' "$(two $seed/user-data)" '- ssh-ed25519 AAAA me'
is '... and what the vendor has to say' "$(two $seed/vendor-data)" vendor
not_ok '... what was left of another instance is gone' test -e "$P/$C-two/rootfs/var/lib/cloud/instance"
clone --nonsense
like '... refuses an option that it does not know' "$err" 'it knows no option "--nonsense"'
not_ok '... without leaving a clone' test -e "$P/$C-two"

make_bridge

# ---- bind-home.lua, publish.lua, apt-proxy.lua, squid-deb-proxy-client

home=$TMP/home
mkdir "$home"
echo mine >"$home/file"
stand_in getent "[ \$2 = mary ] && echo 'mary:x:77:77::$home:/bin/sh' || exit 2"
fresh "lxc.hook.pre-start = $hooks/bind-home.lua mary"
start
is 'bind-home: the home directory of a user is there' "$status $(inside "$C" cat "$home/file")" '0 mine'
stop
fresh "lxc.hook.pre-start = $hooks/bind-home.lua nobody-here"
fails_with '... refuses a user that there is not' 1 'has no user "nobody-here"' lxc start -n "$C"
fresh "lxc.hook.pre-start = $hooks/bind-home.lua"
fails_with '... wants to be told whose' 1 'not told whose home' lxc start -n "$C"
veth() { printf '%s\n' 'lxc.net.0.type = veth' "lxc.net.0.link = $BR"; }
fresh "$(veth)" "lxc.hook.pre-start = $hooks/publish.lua tcp:8080:80 nonsense"
fails_with 'publish: refuses what is no port' 1 'publish.lua:[0-9]+: .*lxc.net.0.publish.*nonsense' \
	lxc start -n "$C"
fresh "$(veth)" "lxc.hook.pre-start = $hooks/publish.lua tcp:8080:80" "lxc.hook.pre-start = $TMP/see.lua"
echo "lxc.fail('published ' .. c.config.get('lxc.net.0.publish'))" >"$TMP/see.lua"
fails_with '... sets what lxc.net.0.publish takes' 1 'published tcp:8080:80' lxc start -n "$C"
stand_in apt-config "echo 'Acquire::http::Proxy \"http://proxy.example:3142\";'"
fresh "lxc.hook.pre-start = $hooks/apt-proxy.lua"
mkdir -p "$P/$C/rootfs/etc/apt/apt.conf.d"
start
is "apt-proxy: the host's proxy" "$status $(root etc/apt/apt.conf.d/95lxc-proxy)" \
	'0 Acquire::http::Proxy "http://proxy.example:3142";'
stop
stand_in apt-config
start
not_ok '... goes when the host has none any more' test -e "$P/$C/rootfs/etc/apt/apt.conf.d/95lxc-proxy"
stop
fresh "lxc.hook.pre-start = $hooks/squid-deb-proxy-client"
mkdir -p "$P/$C/rootfs/etc/apt/apt.conf.d"
touch "$P/$C/rootfs/etc/apt/apt.conf.d/95lxc-squid-deb-proxy"
start
is 'squid-deb-proxy-client: without one on the net no setting stays' \
	"$status $(ls "$P/$C/rootfs/etc/apt/apt.conf.d")" '0 '
stop

# ---- gpu.lua

fresh "lxc.hook.pre-start = $hooks/gpu.lua /dev/fuse" 'lxc.cgroup.devices.deny = a' 'lxc.cgroup2.devices.deny = a'
start
is 'gpu: a device of the host is there' "$status $(inside "$C" stat -c '%t:%T' /dev/fuse)" \
	"0 $(stat -c '%t:%T' /dev/fuse)"
ok '... and can be used' inside "$C" sh -c ': <>/dev/fuse'
stop
fresh "lxc.hook.pre-start = $hooks/gpu.lua /dev/no-such-card"
fails_with '... one that there is not is told' 1 'has none of the devices: /dev/no-such-card' lxc start -n "$C"

# ---- encrypted.lua, mountecryptfsroot

stand_in cryptsetup '[ "$1" != open ] || [ "$(cat "$5")" = right ] || { echo No key available; exit 2; }'
stand_in blkid 'echo tmpfs'
fresh "lxc.hook.lua = $hooks/encrypted.lua" 'lxc.hook.timeout = 5'
echo wrong >"$P/$C/rootfs.key"
fails_with 'encrypted: a wrong key ends the start' 1 'encrypted.lua:[0-9]+: .*No key available' lxc start -n "$C"
echo right >"$P/$C/rootfs.key"
start
like '... the right one opens and mounts the disk, on which there is no system here' "$status $err" '^1 .*init'
is '... which is closed again' "$(grep cryptsetup "$TMP/words" | cut -d' ' -f2 | tr '\n' ' ')" \
	'close open close close open close '
nothing_left '... nothing is left' "$C"
fresh "lxc.hook.pre-mount = $hooks/mountecryptfsroot"
fails_with 'mountecryptfsroot: wants to know the key' 1 'no signature of a key: ".*/sig"' lxc start -n "$C"
echo 0123456789abcdef >"$P/$C/sig"
mkdir "$P/$C/rootfs.crypt"
fails_with '... and mounts, where the kernel can and has the key' 1 'hook pre-mount.*ecryptfs' lxc start -n "$C"
nothing_left '... nothing is left' "$C"

# ---- dhclient, nvidia

stand_in nsenter 'shift 2; exec "$@"'
stand_in dhclient 'while [ $# -gt 0 ]; do [ "$1" != -pf ] || echo 1 >"$2"; shift; done'
fresh "lxc.hook.start-host = $hooks/dhclient" "lxc.hook.stop = $hooks/dhclient"
start
is 'dhclient: is run when the container starts' "$status" 0
like '... in its network namespace' "$(cat "$TMP/words")" "nsenter --net=/proc/$(init_pid "$C")/ns/net -- dhclient"
like '... with its files and our script' "$(cat "$TMP/words")" \
	"dhclient -pf $P/$C/hook/dhclient.pid -lf $P/$C/hook/dhclient.leases -sf $hooks/dhclient-script.* -1\$"
stop
like '... and gives the address back at the stop' "$(tail -n 1 "$TMP/words")" 'dhclient .* -r$'
mkdir -p "$TMP/by-hand/etc"
stand_in ip
: >"$TMP/words"
ok 'dhclient-script: sets what it is told' env reason=BOUND interface=eth0 new_ip_address=10.1.2.3 \
	new_subnet_mask=255.255.255.0 new_routers='10.1.2.1 10.1.2.2' new_domain_name=example \
	new_domain_name_servers='10.1.2.1' LXC_ROOTFS_MOUNT="$TMP/by-hand" "$hooks/dhclient-script"
is '... address and route' "$(cat "$TMP/words")" "ip -4 addr replace 10.1.2.3/24 dev eth0
ip -4 route replace default via 10.1.2.1 dev eth0"
is '... and names' "$(cat "$TMP/by-hand/etc/resolv.conf")" 'search example
nameserver 10.1.2.1'
stand_in nvidia-container-cli
nvidia() {
	fresh "lxc.hook.mount = $hooks/nvidia --no-load-kmods" "$@"
	start
}
nvidia
is 'nvidia: nothing is done for who wants none' "$status $(cat "$TMP/words")" '0 '
stop
nvidia 'lxc.environment = NVIDIA_VISIBLE_DEVICES=0,1' 'lxc.environment = NVIDIA_DRIVER_CAPABILITIES=compute,utility' \
	'lxc.environment = NVIDIA_REQUIRE_DRIVER=driver>=450' 'lxc.environment = CUDA_VERSION=11.0.3' \
	'lxc.environment.hooks = NVIDIA_ANY_DRIVER=1'
is '... else what is asked for' "$status" 0
like '... as nvidia-container-cli wants it' "$(cat "$TMP/words")" \
	'^nvidia-container-cli --no-load-kmods --user configure --no-cgroups --device=0,1 --compute --utility --require=cuda>=11.0 --require=driver>=450 /'
stop
nvidia 'lxc.environment = NVIDIA_VISIBLE_DEVICES=all' 'lxc.environment = NVIDIA_DRIVER_CAPABILITIES=magic' \
	'lxc.environment.hooks = NVIDIA_ANY_DRIVER=1'
like '... a capability that there is not is told' "$err" 'knows no "magic"'

# ---- ready.lua

fresh "lxc.hook.ready = $hooks/ready.lua"
cat >"$P/$C/rootfs/bin/rcS" <<'X'
#!/bin/sh
while [ ! -e /run/go ]; do sleep 0.1; done
X
rm "$P/$C/rootfs/sbin/init"
cat >"$P/$C/rootfs/sbin/init" <<'X'
#!/bin/sh
[ ! -p /run/before ] || read -r _ </run/before
{ [ ! -p /run/between ] || read -r _ </run/between; exec /bin/rcS; } &
wait $!
while :; do sleep 1000 & wait $!; done
X
chmod 755 "$P/$C/rootfs/bin/rcS" "$P/$C/rootfs/sbin/init"
mkdir -p "$P/$C/rootfs/run"
for moment in before between; do
	mkfifo "$P/$C/rootfs/run/$moment"
	fails_with "ready: an init that has not come to its start script ($moment) is not" 1 'not ready after 1 s' \
		lxc start -n "$C" --wait=ready --timeout 1
	stop
	rm "$P/$C/rootfs/run/$moment"
done
fails_with '... nor is one of which a start script runs' 1 'not ready after 1 s' \
	lxc start -n "$C" --wait=ready --timeout 1
stop
(eventually 10 state_is "$C" RUNNING; sleep 0.3; touch "$P/$C/rootfs/run/go") &
ok '... and is, when that has ended' lxc start -n "$C" --wait=ready --timeout 15
ok '... no sooner' test -e "$P/$C/rootfs/run/go"
wait $!
stop
rm -f "$P/$C/rootfs/run/go"
mkdir -p "$P/$C/rootfs/run/openrc/starting"
touch "$P/$C/rootfs/run/openrc/softlevel" "$P/$C/rootfs/run/openrc/starting/net"
fails_with '... OpenRC that starts a service is not' 1 'not ready after 1 s' \
	lxc start -n "$C" --wait=ready --timeout 1
stop
rm "$P/$C/rootfs/run/openrc/starting/net"
echo boot >"$P/$C/rootfs/run/openrc/softlevel"
fails_with '... nor is one that has yet to come to its last runlevel' 1 'not ready after 1 s' \
	lxc start -n "$C" --wait=ready --timeout 1
stop
echo default >"$P/$C/rootfs/run/openrc/softlevel"
ok '... and is, when it has started all' lxc start -n "$C" --wait=ready --timeout 10
stop

done_testing
