#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The plan of the house (doc/architecture.md) against the sources: includes point down, parts do not
# include each other, tools know the public header alone, every file says under which licence it is.
set -u
cd "$(dirname "$0")/../.." || exit 2
number=0 failed=0

# verdict NAME FUNCTION: what the function prints offends
verdict() {
	number=$((number + 1))
	lines=$("$2")
	if [ -z "$lines" ]; then
		echo "ok $number - $1"
	else
		failed=1
		echo "not ok $number - $1"
		printf '%s\n' "$lines" | sed 's/^/# /' | head -n 20
	fi
}

# FILE HEADER for every include of our own
includes() {
	grep -HoE '^#include "[^"]+"' "$@" | sed 's/:#include "/ /; s/"$//'
}

sources=$(find src -name '*.[ch]')

# A room's place in the order of the layers.
going_up() {
	# shellcheck disable=SC2086 # a list of files
	includes $sources | awk '
	BEGIN {
		n = split("base config storage parts life store lua", order)
		for (i = 1; i <= n; i++) floor[order[i]] = i
	}
	{
		split($1, path, "/"); split($2, want, "/")
		if (path[2] != "lxcore" || !(path[3] in floor) || !(want[1] in floor)) next
		if (floor[want[1]] > floor[path[3]]) print $1 " includes " $2
	}'
}

# A folder is one part; of a part in several files, the first word of their names is the part.
sideways() {
	# shellcheck disable=SC2046
	includes $(find src/lxcore/parts -name '*.[ch]') | awk '
	$2 !~ /^parts\// || $2 == "parts/part.h" || $2 == "parts/parts.h" { next }
	{
		split($1, mine, "/"); split($2, theirs, "/")
		a = mine[4]; b = theirs[2]
		sub(/[_.].*/, "", a); sub(/[_.].*/, "", b); sub(/s$/, "", a); sub(/s$/, "", b)
		if (a != b) print $1 " includes " $2
	}'
}

beyond_the_face() {
	# shellcheck disable=SC2046
	includes $(find src/tools -name '*.[ch]' ! -path '*/user-nic/*' ! -path '*/copytree/*' \
		! -path '*/unpack/*' ! -path '*/transfer/*') |
		awk '$2 ~ /\//'
}

# What is installed setuid root knows base/ and itself, and is small.
beyond_the_base() {
	includes src/tools/user-nic/*.[ch] src/tools/copytree/*.[ch] |
		awk '$2 !~ /^base\// && $2 != "user-nic.h"'
	cat src/tools/user-nic/*.[ch] | grep -cvE '^[[:space:]]*(/?\*.*)?$' |
		awk '$1 >= 500 { print $1 " lines of code in src/tools/user-nic" }'
}

# It links libarchive, and none of the library's other rooms.
unpack_beyond_the_base() {
	includes src/tools/unpack/*.[ch] | awk '$2 !~ /^base\// && $2 != "unpack.h"'
	includes src/tools/transfer/*.[ch] | awk '$2 !~ /^base\// && $2 != "transfer.h" &&
		$2 != "unpack/unpack.h" && $2 != "store/transfer_wire.h"'
}

# What runs a Lua hook also runs inside containers: it knows base/ and how to talk.
beyond_the_talk() {
	includes src/lxcore/lua/hook/*.[ch] |
		awk '$2 !~ /^base\// && $2 != "parts/hooks_talk.h" && $2 ~ /\//'
}

tracked() {
	git ls-files 2>/dev/null | grep . || find src templates tests config doc -type f
}

without_licence() {
	# shellcheck disable=SC2046
	grep -L 'SPDX-License-Identifier: LGPL-2.1-or-later' $(tracked | grep -vE '^COPYING$|/README$|^tests/fuzz/corpus/|^packaging/debian/')
}

# The public face is one, however much there is to say.
too_long() {
	# shellcheck disable=SC2086
	wc -l $sources templates/lxc-* templates/lib/*.sh |
		awk '$2 != "total" && $2 != "src/lxcore/lxcore.h" && $1 > 620 { print $1 " lines: " $2 }'
}

too_wide() {
	# shellcheck disable=SC2086
	expand -t 8 $sources | awk 'length($0) > 104 { print length($0) ": " $0 }'
}

registries() {
	git grep -nIE 'deb\.debian\.or[g]|archive\.ubuntu\.co[m]|registry\.npmj[s]|mirrors?\.kernel\.or[g]' 2>/dev/null
}

verdict "includes point down: base, config, storage, parts, life, store, lua" going_up
verdict "no part includes another part" sideways
verdict "tools include the public header and their own alone" beyond_the_face
verdict "helper programs include base/ alone, and the setuid one has less than 500 lines" beyond_the_base
verdict "the program for Lua hooks includes base/ and the talk with it alone" beyond_the_talk
verdict "the programs that read archives include base/ alone, and the messages to the library" unpack_beyond_the_base
verdict "every file names its licence" without_licence
verdict "no file is much longer than 600 lines" too_long
verdict "no line is wider than the page" too_wide
verdict "no package registry is named" registries

echo "1..$number"
exit "$failed"
