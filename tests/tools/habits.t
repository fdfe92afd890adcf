#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Ten bad habits that users of system containers knew, and the better behaviour of each.

. "${0%/*}/lib.sh"
need_ptyrun
LIMIT=$((15 * SLOW))

# 1. Whatever was wrong, the same four lines.

words() {	# what start says about a container with these lines, without its name
	rm -rf "${P:?}/$C"
	make_container "$C" "$@"
	run lxc start -n "$C"
	printf '%s' "$err" | head -n 1
}
pids=pids.max
grep -q pids "/proc/self/cgroup" && key=lxc.cgroup.$pids || key=lxc.cgroup2.$pids
one=$(words 'lxc.rootfs.path = dir:/nowhere')
two=$(words 'lxc.init.cmd = /no/init')
three=$(words 'lxc.net.0.type = veth' 'lxc.net.0.link = lxtnone0')
four=$(words "$key = bogus")
make_container "$C-u" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
chmod 755 "$TMP" "$P" && chmod 700 "$P/$C-u"
run lxc start -n "$C-u"
five=$(printf '%s' "$err" | head -n 1)
[ "$status" != 0 ] || five='it can be passed by descriptor'
chmod 700 "$TMP"
lxc stop -k -n "$C-u" 2>/dev/null
is '1. five mistakes have five different errors' \
	"$(printf '%s\n' "$one" "$two" "$three" "$four" "$five" | sort -u | grep -c .)" 5
like '1. a missing root filesystem is named' "$one" '/nowhere'
like '1. a missing init is named' "$two" '/no/init'
like '1. a missing bridge is named' "$three" 'lxtnone0'
like '1. a bad value is named with its key' "$four" "$pids.*bogus|bogus.*$pids"
like '1. a path that the container cannot pass is named' "$five" "$P/$C-u|$TMP|by descriptor"

# 2. A relative -P broke the detached start.

make_container "$C-rel"
run sh -c 'cd "$1" && timeout 10 lxc-start -P path -n "$2"' - "$TMP" "$C-rel"
is '2. a relative -P starts detached' "$status" 0
is '2. and is the same container by its whole path' "$(state "$C-rel")" RUNNING
lxc stop -k -n "$C-rel"

# 3. Waits without a word.

make_container "$C-deaf" 'lxc.init.cmd = /sbin/deaf'
cat >"$P/$C-deaf/rootfs/sbin/deaf" <<'X'
#!/bin/sh
trap : PWR TERM INT HUP
while :; do sleep 1; done
X
chmod 755 "$P/$C-deaf/rootfs/sbin/deaf"
lxc start -n "$C-deaf"
is '3. an init that does not hear runs' "$(state "$C-deaf")" RUNNING
run ptyrun 'expect .
end' -- lxc-stop -P "$P" -n "$C-deaf" -t 4
is '3. stop of an init that does not hear ends it after its time' "$(state "$C-deaf")" STOPPED
like '3. and says that it waits, and for whom' "$out" "$C-deaf"
lxc create -n "$C-bb" -f "$NET" -t busybox >/dev/null 2>&1
lxc start -n "$C-bb"
sleep 0.5
began=$(now_ms)
lxc stop -n "$C-bb"
ok '3. a busybox container stops cleanly in less than two seconds' test $(($(now_ms) - began)) -lt $((2000 * SLOW))

# 4. Cgroups that stay.

before=$(cgroups_of lxc.pivot | wc -l)
rm -rf "${P:?}/$C"
started "$C"
lxc stop -k -n "$C"
nothing_left '4. a start and a stop leave no cgroup' "$C"
lxc start -n "$C"
kill -KILL "$(supervisor_pid "$C")"
sleep 0.1
lxc stop -k -n "$C" >/dev/null 2>&1
lxc start -n "$C"
is '4. after a killed supervisor a new start has no "-1"' "$(cgroups_of "$C" | grep -Ec -- "$C-[0-9]+\$")" 0
lxc stop -k -n "$C"
nothing_left '4. and leaves nothing' "$C"
is '4. nor anything of another name, such as lxc.pivot' \
	"$(cgroups_of lxc.pivot | wc -l)" "$before"

# 5. Hanging.

lxc start -n "$C"
lxc freeze -n "$C"
run lxc attach -n "$C" -- true
ok '5. attach to a frozen container gives up' test "$status" != 124 -a "$status" != 0
like '5. and says that it is frozen' "$err" 'frozen'
lxc unfreeze -n "$C"
kill -STOP "$(supervisor_pid "$C")"
run lxc info -n "$C" -sH
is '5. info does not wait for a stopped supervisor' "$status/$out" 0/RUNNING
run lxc ls -f
is '5. nor does ls -f' "$status" 0
run lxc stop -k -n "$C"
is '5. stop -k ends it all the same' "$status/$(state "$C")" 0/STOPPED

# 6. Failures without a word.

fails_with '6. execute of a missing binary says so' any 'no-such-binary' lxc execute -n "$C" -- no-such-binary

# 7. Limits ignored; one unknown key and nothing works.

if grep -q :memory: /proc/self/cgroup; then
	make_container "$C-lim" 'lxc.cgroup2.memory.max = 67108864'
	run lxc start -n "$C-lim"
	if [ "$status" = 0 ]; then
		is '7. a limit in the words of the other layout is in force' \
			"$(lxc cgroup -n "$C-lim" memory.limit_in_bytes)" 67108864
		lxc stop -k -n "$C-lim"
	else
		like '7. a limit that this host cannot keep is refused, by key' "$err" 'lxc.cgroup2.memory.max'
	fi
else
	skip '7. a limit in the words of the other layout' 'no v1 memory hierarchy here'
fi
lxc start -n "$C"
echo 'lxc.unknown.key = 1' >>"$P/$C/config"
run lxc info -n "$C" -sH
is '7. with an unknown key info works' "$status/$out" 0/RUNNING
run lxc stop -k -n "$C"
is '7. and so does stop' "$status/$(state "$C")" 0/STOPPED
sed -i /unknown/d "$P/$C/config"

# 8. The wrong words, or none.

mkdir "$TMP/ro" && mv "$P/$C-rel" "$TMP/ro/$C-ro"
mount --bind "$TMP/ro" "$TMP/ro" && mount -o remount,ro,bind "$TMP/ro"
run limit lxc-destroy -P "$TMP/ro" -n "$C-ro"
like '8. destroy on a read-only path says so' "$err" '[Rr]ead-only'
unlike '8. and not that there are snapshots' "$err" 'snapshots'
umount "$TMP/ro"
run lxc stop -n "$C-absent"
unlike '8. stop of a container that does not exist does not call it not running' "$err" 'not running'
like '8. but says that it does not exist' "$err" "exist|defined|[Nn]o such container"
lxc start -n "$C"
run lxc start -n "$C"
like '8. start of one that runs says so' "$err" 'running|runs'
lxc stop -k -n "$C"
run lxc start -n "$C" -- /bin/sh -c 'exit 3'
eventually 3 state_is "$C" STOPPED
run2=$out$err
run lxc info -n "$C" --json
like '8. how an init that exits at once ended is told, by start or afterwards by info' "$run2$out" \
	'(status|code)[^0-9]*3'

# 9. Names.

run lxc create -n ../esc -f "$NET" -t none
is '9. ../esc is refused' "$status/$([ -e "$P/../esc" ] && echo made)" 1/
run lxc create --name=-dash -f "$NET" -t none
is '9. -dash is refused' "$status/$([ -e "$P/-dash" ] && echo made)" 1/
run lxc create -n 'sp ace' -f "$NET" -t none
is '9. sp ace is refused' "$status/$([ -e "$P/sp ace" ] && echo made)" 1/

# 10. A stale 'partial' file.

: >"$P/$C/partial"
run lxc start -n "$C"
is '10. a stale partial file does not keep it from starting' "$status" 0
lxc stop -k -n "$C"
ok '10. nor from being destroyed' lxc destroy -n "$C"

done_testing
