#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-restart and lxc-rename.

. "${0%/*}/lib.sh"

started "$C" 'lxc.environment = A=old'
before=$(init_pid "$C")
sed -i 's/A=old/A=new/' "$P/$C/config"
ok 'restart of a running container works' lxc restart -n "$C" -t 10
is 'it runs again' "$(state "$C")" RUNNING
is 'with another init' "$([ "$(init_pid "$C")" != "$before" ] && echo yes)" yes
is 'and with what its configuration says now' \
	"$(tr '\0' '\n' <"/proc/$(init_pid "$C")/environ" | grep '^A=')" A=new
sed -i 's/exit 0/:/' "$P/$C/rootfs/sbin/init"
lxc restart -k -n "$C"
ok 'one that ignores the request is ended when its time is over' lxc restart -n "$C" -t 1
is 'and runs again' "$(state "$C")" RUNNING
before=$(init_pid "$C")
echo 'lxc.no.such = key' >>"$P/$C/config"
fails_with 'what would not start again is refused' 1 'lxc.no.such' lxc restart -n "$C"
is 'and runs on' "$(init_pid "$C")" "$before"
sed -i '/no.such/d' "$P/$C/config"
lxc stop -k -n "$C"
ok 'one that is stopped is started' lxc restart -n "$C"
fails_with 'one that does not exist is refused' 1 'no such container' lxc restart -n "$C-none"
like '... with the way to those that there are' "$err" "to mend it: lxc-ls -P $P "

fails_with 'a running container cannot be renamed' 1 "$C.*running" lxc rename "$C" "$C-new"
lxc stop -k -n "$C"
fails_with 'nor one without a new name' 1 'new name is missing' lxc rename "$C"
ok 'a stopped one can' lxc rename "$C" "$C-new"
is 'it has the new name alone' "$(lxc ls -1)" "$C-new"
ok 'and starts' lxc start -n "$C-new"
is 'with it as its host name' "$(inside "$C-new" hostname)" "$C-new"
lxc stop -k -n "$C-new"
make_container "$C"
fails_with 'a name that is taken is refused' 1 'one of that name already' lxc rename "$C-new" "$C"

done_testing
