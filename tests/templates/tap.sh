# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests of the templates share: a directory that is gone when they end, however they end,
# and TAP lines. A test sources this file, makes its checks with `ok`, `has` and `refuses`, and ends
# with `plan`. A sentence says what is expected; what was found instead follows as a comment.
# shellcheck shell=sh disable=SC2034

templates=$(cd "$(dirname "$0")/../../templates" && pwd) || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

count=0 failures=0
out=$scratch/out err=$scratch/err

# The caller's settings must not decide what a test sees.
unset MIRROR SECURITY_MIRROR KEYRING LXC_APT_DIR http_proxy LANG LC_ALL
LXC_CACHE_PATH=$scratch/cache
export LXC_CACHE_PATH

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# ok SENTENCE COMMAND...
ok() {
	sentence=$1
	shift
	count=$((count + 1))
	if "$@" >"$scratch/said" 2>&1; then
		echo "ok $count - $sentence"
	else
		failures=$((failures + 1))
		echo "not ok $count - $sentence"
		echo "# failed: $*"
		sed 's/^/#   /' "$scratch/said"
	fi
}

not() {
	if "$@"; then
		return 1
	fi
}

# same EXPECTED FOUND
same() {
	[ "$1" = "$2" ] || { printf 'expected: %s\nfound: %s\n' "$1" "$2"; return 1; }
}

# has FILE LINE: exactly this line
has() {
	grep -qxF -e "$2" "$1" || { echo "not in $1: $2"; cat "$1"; return 1; }
}

# run COMMAND...: its output goes to $out and $err, its status to $status.
run() {
	status=0
	"$@" >"$out" 2>"$err" </dev/null || status=$?
}

# refuses SENTENCE WORDS COMMAND...: fails with 1, with these words in 'cannot …'
refuses() {
	sentence=$1 words=$2
	shift 2
	run "$@"
	ok "refuses $sentence" refused "$words"
}

refused() {
	[ "$status" -eq 1 ] && grep -q "^lxc-[a-z]*: cannot .*$1" "$err" ||
		{ echo "status $status:"; cat "$err"; return 1; }
}

# container NAME: a directory as lxc-create hands it to a template; sets `dir` and `rootfs`.
container() {
	dir=$scratch/$1 rootfs=$scratch/$1/rootfs
	rm -rf "$dir"
	mkdir "$dir"
	printf '%s\n' 'lxc.net.0.type = veth' 'lxc.net.0.link = lxcbr0' "lxc.rootfs.path = dir:$rootfs" \
		>"$dir/config"
}

# create TEMPLATE NAME OPTION...: as lxc-create runs it, for a container made before
create() {
	template_file=$templates/lxc-$1 template_name=$2
	shift 2
	run "$template_file" --path="$dir" --name="$template_name" --rootfs="$rootfs" "$@"
}

plan() {
	echo "1..$count"
	[ "$failures" -eq 0 ]
}
