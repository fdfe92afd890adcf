#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The services, as a machine's init runs them: units of systemd, scripts of sysvinit and of OpenRC.  They are
# the machine's own, so this runs only in one that nobody else has (tests/vm/check unified -- services.t).

# shellcheck disable=SC2154 # what lib.sh sets
. "${0%/*}/../tools/lib.sh"
[ -d /run/vm-run ] || skip_all 'only in a virtual machine of its own'
[ -d /run/systemd/system ] || skip_all 'systemd is not init here'
prefix=$LXC_PREFIX units=$prefix/lib/systemd/system
[ -e "$units/lxc.service" ] || skip_all 'the units are not installed'

# What an administrator has: units where systemd finds them, the default lxcpath, settings.
settings=$(dirname "$(lxc-config lxc.default_config)")
cp -a "$settings" "$TMP/settings" && printf 'lxc.lxcpath = %s\n' "$P" >"$TMP/settings/lxc.conf" &&
	mount --bind "$TMP/settings" "$settings" || skip_all 'cannot set the default lxcpath'
trap 'umount "$settings"; finish' EXIT
mkdir -p /run/systemd/system/lxc.service.d
cp "$units"/lxc*.service /run/systemd/system/
cat >"$TMP/default" <<CONF
SHUTDOWNDELAY=$((10 * SLOW))
CONF
printf '[Service]\nEnvironment=LXC_DEFAULTS=%s\n' "$TMP/default" >/run/systemd/system/lxc.service.d/test.conf
systemctl daemon-reload
is 'lxcpath is the default one' "$(lxc-config lxc.lxcpath)" "$P"

cat >"$TMP/note" <<NOTE
#!/bin/sh
echo "\$3 \${LXC_NAME#$C-}" >>$TMP/order
NOTE
chmod 755 "$TMP/note"
make() {	# NAME LINE...
	local name="$1"
	shift
	make_container "$C-$name" "lxc.hook.pre-start = $TMP/note" "lxc.hook.post-stop = $TMP/note" "$@"
}
make a 'lxc.start.auto = 1' 'lxc.start.order = 1'
make b 'lxc.start.auto = 1' 'lxc.start.order = 2'
make c
active() { systemctl show -P ActiveState "$1"; }
order() { tr '\n' ',' <"$TMP/order"; }
running() { lxc-ls -1 --running | sed "s/^$C-//" | tr '\n' ' '; }
journal() { journalctl --sync >/dev/null 2>&1; journalctl -q -o cat -u "$1"; }
# within SECONDS COMMAND: as 'eventually', but by the clock: each look takes long in an emulated machine.
within() {
	local end="$(($(now_ms) + $1 * 1000 * SLOW / 2))"
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -lt "$end" ] || return 1
		sleep 0.5
	done
}
act() { timeout $((60 * SLOW)) systemctl "$@"; }

# ---- all of them

ok 'lxc.service starts' act start lxc.service
is '... and is active' "$(active lxc)" active
is '... with the containers that start with the machine' "$(running)" 'a b '
is '... in their order' "$(order)" 'pre-start a,pre-start b,'
is '... after the network of containers' "$(active lxc-net)" active ||
	diag "$(journal lxc-net)"
ok '... which was up before' test "$(systemctl show -P ExecMainExitTimestampMonotonic lxc-net)" -lt \
	"$(systemctl show -P ExecMainStartTimestampMonotonic lxc)"
ok '... and has its bridge' test -d /sys/class/net/lxcbr0
like 'the journal tells what was started' "$(journal lxc)" '2 started in'
status=$(systemctl status --no-pager lxc)
like 'systemctl status says so' "$status" 'Active: active \(exited\)'
like '... what it is' "$status" 'Containers that start with the machine'
like '... and where the manual is' "$status" 'man:lxc-autostart\(1\)'
cgroup=$(sed -n 's/^0:://p' "/proc/$(lxc-info -n "$C-a" -pH)/cgroup")
ok 'a container has a cgroup of its own' test "$(basename "$(dirname "$cgroup")")/$(basename "$cgroup")" != /
unlike '... that is not the one of a login' "$cgroup" '^/user.slice'
diag "cgroup of a container: $cgroup"
ok 'systemd may be told to read all its files again' systemctl daemon-reload
ok '... and to start itself anew' systemctl daemon-reexec
is '... the containers run on' "$(running)" 'a b '
is '... and their cgroups are as they were' "$(sed -n 's/^0:://p' "/proc/$(lxc-info -n "$C-a" -pH)/cgroup")" "$cgroup"
is '... and can be entered' "$(lxc-attach -n "$C-a" -- echo yes </dev/null)" yes

: >"$TMP/order"
ok 'a container started by hand' lxc-start -n "$C-c"
ok 'lxc.service stops' act stop lxc.service
is '... and is not active' "$(active lxc)" inactive
is '... all containers are down' "$(running)" ''
like '... in the reverse order' "$(order)" 'post-stop b,.*post-stop a,'
like '... that by hand too' "$(order)" 'post-stop c,'
unlike '... by shutting down, not by force' "$(journal lxc)" 'Killing process|SIGKILL'
is '... the network stays' "$(active lxc-net)" active
for name in a b c; do nothing_left "... nothing of $name is left" "$C-$name"; done

# ---- what fails

echo 'lxc.no.such = key' >>"$P/$C-b/config"
ok 'with a container that cannot start, lxc.service starts' act start lxc.service
is '... and is active' "$(active lxc)" active
is '... the other runs' "$(running)" 'a '
like '... the journal tells which, and why' "$(journal lxc)" "$C-b: .*lxc\.no\.such"
sed -i '/no.such/d' "$P/$C-b/config"
ok 'reload restarts all' act reload lxc.service
is '... that one runs now' "$(running)" 'a b '
ok 'restart' act restart lxc.service
is '... does so, too' "$(running)" 'a b '
ok 'and stops' act stop lxc.service
is '... all' "$(running)" ''

# ---- one

one=lxc@$C-c.service
ok 'lxc@NAME starts one' act start "$one"
is_up() { [ "$(lxc-info -n "$C-c" -sH)" = RUNNING ]; }
ok '... it runs' within 5 is_up
is '... the unit is active' "$(active "$one")" active
like '... and its status names it' "$(systemctl status --no-pager "$one")" "Container $C-c"
pid=$(lxc-info -n "$C-c" -pH)
like '... the unit has its processes' "$(sed -n 's/^0:://p' "/proc/$pid/cgroup")" 'lxc@|lxc\.payload|lxc\.slice'
ok 'it stops' act stop "$one"
is '... and is not active' "$(active "$one")" inactive
is '... nor failed' "$(systemctl is-failed "$one")" inactive
is '... nor does the container run' "$(lxc-info -n "$C-c" -sH)" STOPPED
nothing_left '... and nothing is left' "$C-c"
act start "$one"
within 5 is_up
lxc-attach -n "$C-c" -- kill -TERM 1 </dev/null
is_down() { [ "$(active "$one")" = inactive ]; }
ok 'when a container halts by itself its unit ends, too' within 10 is_down
is '... and has not failed' "$(systemctl is-failed "$one")" inactive
act start "$one"
within 5 is_up
lxc-stop -k -n "$C-c"
ended() { [ "$(active "$one")" != active ]; }
ok 'when it is stopped by hand its unit ends, too' within 10 ended
systemctl reset-failed "$one" 2>/dev/null
echo 'lxc.no.such = key' >>"$P/$C-c/config"
act start "$one"
has_failed() { [ "$(active "$one")" = failed ]; }
ok 'the unit of one that cannot start fails' within 10 has_failed
like '... the journal tells why' "$(journal "$one")" 'lxc\.no\.such'
sed -i '/no.such/d' "$P/$C-c/config"

# ---- the network

ok 'lxc-net.service restarts' act restart lxc-net.service
ok '... the bridge is there' test -d /sys/class/net/lxcbr0
ok '... stops' act stop lxc-net.service
not_ok '... the bridge is gone' test -d /sys/class/net/lxcbr0
is '... and no process is left of it' "$(cat /sys/fs/cgroup/system.slice/lxc-net.service/cgroup.procs 2>/dev/null)" ''

# ---- sysvinit

scripts=$LXC_BUILD/services
for name in lxc lxc-net; do
	cp "$scripts/$name.init" "/etc/init.d/$name" && chmod 755 "/etc/init.d/$name"
done
sysv() {	# As if systemd were not there.
	LXC_DEFAULTS=$TMP/default SYSTEMCTL_SKIP_REDIRECT=1 timeout $((60 * SLOW)) "/etc/init.d/$1" "$2"
}
ok 'the script of sysvinit starts the network' sysv lxc-net start
ok '... which is up' test -d /sys/class/net/lxcbr0
ok '... and says so' sysv lxc-net status
ok 'it starts containers' sysv lxc start
is '... those that start with the machine' "$(running)" 'a b '
ok '... and says so' sysv lxc status
ok 'it restarts them' sysv lxc restart
is '... and they run' "$(running)" 'a b '
ok 'it stops them' sysv lxc stop
is '... all' "$(running)" ''
run sysv lxc status
is '... and says that, with the status for it' "$status" 3
ok 'it stops the network' sysv lxc-net stop
run sysv lxc-net status
is '... and says that' "$status" 3
run sysv lxc begin
is 'a word that it does not know is refused' "$status" 2
ok 'where systemd is init, service(8) asks systemd' timeout $((60 * SLOW)) service lxc start
is '... whose unit is active' "$(active lxc)" active
ok '... and stops it so' timeout $((60 * SLOW)) service lxc stop
is '... it is not' "$(active lxc)$(running)" inactive
systemctl stop lxc-net

# ---- OpenRC

if [ ! -x /sbin/openrc-run ]; then
	skip 'the scripts of OpenRC' 'openrc is not installed'
	done_testing
fi
# Its own idea of a machine that has come up, without all that it would start.
for name in daemons exclusive failed hotplugged inactive options scheduled started starting stopping tmp wasinactive; do
	mkdir -p "/run/openrc/$name"
done
echo default >/run/openrc/softlevel
for name in lxc lxc-net; do
	cp "$scripts/$name.openrc" "/etc/init.d/$name" && chmod 755 "/etc/init.d/$name"
done
for name in localmount net bootmisc; do
	printf '#!/sbin/openrc-run\nstart() { :; }\nstop() { :; }\n' >"/etc/init.d/$name"
	chmod 755 "/etc/init.d/$name"
done
export LXC_DEFAULTS="$TMP/default"
rc() { timeout $((60 * SLOW)) /sbin/rc-service "$@"; }
ok 'the script of OpenRC starts containers' rc lxc start
is '... those that start with the machine' "$(running)" 'a b '
ok '... and the network, which they use' test -d /sys/class/net/lxcbr0
ok '... and says so' rc lxc status
ok 'it starts them anew' rc lxc reload
is '... and they run' "$(running)" 'a b '
ok 'it stops them' rc lxc stop
is '... all' "$(running)" ''
not_ok '... and says so' rc lxc status
ok 'it stops the network' rc lxc-net stop
not_ok '... which is gone' test -d /sys/class/net/lxcbr0
done_testing
