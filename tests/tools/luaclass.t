#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The class of ten machines of doc/lua.md: its program and its commands, as they stand there, on a golden
# container and a path of this test's own.

. "${0%/*}/lib.sh"
need lua5.4
page=$TESTS/../doc/lua.md
[ -f "$page" ] || skip_all 'doc/lua.md is not here'
module=$(dirname "$(command -v lxc-start)")/../lib/lua/5.4
[ ! -e "$module/lxc.so" ] || export LUA_CPATH="$module/?.so;;"
lua5.4 -e 'require "lxc"' 2>/dev/null || skip_all 'it was built without Lua'
LIMIT=60
export CLASS_PATH="$P" CLASS="${C}pc"

sed -n '/^```lua$/,/^```$/p' "$page" | sed '1d;$d' >"$TMP/class.lua"
ok 'the program is a page' test "$(wc -l <"$TMP/class.lua")" -gt 30 -a "$(wc -l <"$TMP/class.lua")" -le 66
make_container "$C-golden"
echo 'Make a file called /done.' >"$P/$C-golden/rootfs/exercise"

# command PATTERN: the command of the page that matches, with the names of this test.
command() {
	sed -n 's/^    \(lua5.4 class.lua.*\)/\1/p' "$page" | grep -e "$1" |
		sed -e "s/golden/$C-golden/" -e "s/pc03/${CLASS}03/"
}
run limit sh -c "$(command make)"
is 'make: ten machines' "$status $(printf '%s\n' "$out" | grep -c 'made (.*), RUNNING')" '0 10'
[ "$status" = 0 ] || diag "$(said)"
is '... of the golden one, each under its own name' \
	"$(inside "${CLASS}07" sh -c 'hostname; cat /exercise')" "${CLASS}07
Make a file called /done."
inside "${CLASS}02" touch /done
inside "${CLASS}03" sh -c 'touch /done; rm /exercise'
run limit sh -c "$(command check)"
is 'check: who is done' "$status $(printf '%s\n' "$out" | grep -w done | cut -f1 | tr '\n' ' ')" \
	"0 ${CLASS}02 ${CLASS}03 "
is '... and who is not' "$(printf '%s\n' "$out" | grep -c 'not yet')" 8
run limit sh -c "$(command reset)"
is 'reset: one is as it was' "$status $out" "0 ${CLASS}03	as it was, RUNNING"
is '... what it had deleted is there again, what it had made is not' \
	"$(inside "${CLASS}03" sh -c 'ls /exercise /done 2>/dev/null')" /exercise
is '... the others are left alone' "$(inside "${CLASS}02" ls /done)" /done
run limit lua5.4 "$TMP/class.lua" reset "${CLASS}99"
like '... one that there is not is told' "$status $out" "^1 ${CLASS}99	FAILED: .*${CLASS}99"
run limit sh -c "$(command remove)"
is 'remove: all are gone' "$status $(printf '%s\n' "$out" | grep -c gone)" '0 10'
is '... but the golden one' "$(lxc ls)" "$C-golden"
not_ok 'a word that it does not know is refused' limit lua5.4 "$TMP/class.lua" dance

done_testing
