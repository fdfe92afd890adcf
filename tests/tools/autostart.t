#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-autostart: which containers it works on, in which order, and what it says.

. "${0%/*}/lib.sh"

auto() { limit lxc-autostart -P "$P" "$@"; }
# When its init was born, in ticks of the machine.
began() { sed 's/.*) //' "/proc/$(init_pid "$C-$1")/stat" | cut -d' ' -f20; }
listed() { auto "$@" | sed "s/^$C-//" | tr '\n' ';'; }
add() {	# NAME [CONFIG-LINE]...
	local name="$C-$1"
	shift
	make_container "$name" "$@"
}
running() { lxc ls -1 --running | sed "s/^$C-//" | tr '\n' ' '; }
need jq

run auto
is 'with no container at all there is nothing to do, and that is no failure' "$status$out$err" 0

add a 'lxc.start.auto = 1' 'lxc.start.order = 30'
add b 'lxc.start.auto = 1' 'lxc.start.order = 10' 'lxc.start.delay = 1'
add c 'lxc.start.auto = 1' 'lxc.group = web onboot'
add d 'lxc.start.auto = 1' 'lxc.group = webfoo'
add e
add f 'lxc.start.auto = 1' 'lxc.start.order = -5'

# ---- which, and in which order

is 'those without a group are listed by order, with their delay' "$(listed -L)" 'f 0;b 1;a 0;'
is 'a group is compared whole' "$(listed -L -g web)" 'c 0;'
is 'groups are taken in the order in which they are asked for; an empty one are those without' \
	"$(listed -L -g onboot,)" 'c 0;f 0;b 1;a 0;'
is 'also when the option is repeated, and each container is taken once' \
	"$(listed -L -g webfoo -g web,onboot)" 'd 0;c 0;'
is '-a takes all groups' "$(listed -L -a)" 'f 0;c 0;d 0;b 1;a 0;'
is '-A takes those without lxc.start.auto, too' "$(listed -L -a -A)" 'f 0;c 0;d 0;e 0;b 1;a 0;'
is 'what does not run is not to be stopped' "$(listed -L -s -a -A)" ''
is '--json has it as well' \
	"$(auto -L --json | jq -c '[.[] | [.order, .delay]]')" '[[-5,0],[10,1],[30,0]]'
run auto -a -g web -L
like '-a beside -g is told of' "$err" '-g means nothing beside -a'
is 'and goes on' "$status" 0
fails_with 'actions exclude each other' 1 'exclude each other' auto -r -k
fails_with 'a timeout below 0 is refused' 1 'Invalid timeout' auto -s -t -1

# ---- starting

begin=$(now_ms)
run auto
is 'they are started' "$status $(running)" '0 a b f '
like 'and a line says how many, and how long it took' "$err" '^lxc-autostart: 3 started in [0-9.]+ s$'
is 'the delay passes after the one that has it' "$([ $(($(now_ms) - begin)) -ge 1000 ] && echo yes)" yes
is 'in their order' "$([ "$(began f)" -le "$(began b)" ] && [ "$(began b)" -lt "$(began a)" ] && echo yes)" yes
run auto
is 'once more there is nothing to do' "$status$err" 0
is 'those that run are listed for a stop in reverse order, without delay' "$(listed -L -s -a)" 'a;b;f;'
before=$(began f)
run auto -r -t 10
is '-r reboots those that run' "$status" 0
is 'they run on' "$(running)" 'a b f '
is 'with another init' "$([ "$(began f)" != "$before" ] && echo yes)" yes
run auto -s -t 10 --json
is '-s shuts them down, in reverse' "$status $(printf '%s' "$out" | jq -r '.[].name' | sed "s/^$C-//" | tr '\n' ' ')" \
	'0 a b f '
is 'all are stopped' "$(running)" ''
ok 'start again' auto -a
sed -i 's/exit 0/:/' "$P/$C-c/rootfs/sbin/init"
lxc stop -k -n "$C-c" && lxc start -n "$C-c"
run auto -s -a -t 1
is 'one that ignores the request is ended' "$status $(running)" '0 '
ok 'and again' auto -a
run auto -k -a
is '-k ends them' "$status $(running)" '0 '
nothing_left 'with nothing left' "$C-a"
for name in a b c d e f; do lxc destroy -n "$C-$name"; done

# ---- what they require

add z 'lxc.start.order = 5'
add m 'lxc.start.auto = 1' "lxc.start.requires = $C-z" 'lxc.start.order = 1'
add n 'lxc.start.auto = 1' "lxc.start.requires = $C-m:running" 'lxc.start.order = 0'
is 'what a container requires comes before it, asked for or not' "$(listed -L)" 'z 0;m 0;n 0;'
run auto
is 'and is started' "$status $(running)" '0 m n z '
is 'before' "$([ "$(began z)" -le "$(began m)" ] && [ "$(began m)" -le "$(began n)" ] && echo yes)" yes
is 'stopping goes the other way' "$(listed -L -k -A)" 'n;m;z;'
auto -q -k -A
echo 'lxc.init.cmd = /bin/no-such-init' >>"$P/$C-z/config"
run auto -t 2
is 'where one cannot be started' "$status" 1
like 'neither is what requires it' "$err" "$C-m: .*|$C-z"
is '  which is all three' "$(running)" ''
sed -i '/no-such-init/d' "$P/$C-z/config"
add l 'lxc.start.auto = 1'
sed -i "s/$C-z\$/$C-none/" "$P/$C-m/config"
run auto -t 2
is 'one that requires what does not exist fails, others are started' "$status $(running)" '2 l '
like '  and that is told' "$err" "$C-none"
like '  with the sum' "$err" '1 started, 2 failed in '
auto -q -k -A
sed -i "s/$C-none\$/$C-z:network/" "$P/$C-m/config"
run auto -t 2
like 'one that requires an address of what will never have one says so' "$err" "$C-z.*network"
auto -q -k -A
sed -i "s/^lxc.start.requires.*/lxc.start.requires = $C-n/" "$P/$C-m/config"
fails_with 'containers that require each other are refused' 1 'require each other' auto
is '  and nothing is started' "$(running)" ''
echo 'lxc.start.requires = a/b' >>"$P/$C-m/config"
run auto
like 'a requirement that is no name is an error of the configuration' "$err" 'lxc.start.requires'
is '  the others are started' "$status $(running)" '2 l '
auto -k -A 2>/dev/null
lxc destroy -n "$C-m"

# ---- side by side

for i in 1 2 3 4; do lxc destroy -n "$C-$i" 2>/dev/null; add "$i" 'lxc.start.auto = 1' 'lxc.group = side'; done
add 5 'lxc.start.auto = 1' 'lxc.group = side' "lxc.start.requires = $C-1"
is 'containers of one order are one wave; one that requires another is in a later one' \
	"$(auto -L -g side --json | jq -c '[.[].wave]')" '[0,0,0,0,1]'
run auto -g side -j 2
is 'two at a time' "$status $(running)" '0 1 2 3 4 5 '
run auto -k -g side
is 'and are ended so' "$status $(running)" '0 '
for name in l n z 1 2 3 4 5; do lxc destroy -n "$C-$name" >/dev/null 2>&1; done

done_testing
