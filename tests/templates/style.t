#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What holds for every template and shipped include: clean shell, short files, a licence line, a
# help that works before anything else does, and nothing that ties them to one place.
# shellcheck disable=SC2154 # from tap.sh

# shellcheck source=tap.sh
. "$(dirname "$0")/tap.sh"
config=$templates/../config

scripts=$(find "$templates" "$templates/../tests/templates" -type f \
	\( -name 'lxc-*' -o -name '*.sh' -o -name '*.sh.in' -o -name '*.t' \) | sort)
# shellcheck disable=SC2086 # one word a file
set -- $scripts

if command -v shellcheck >/dev/null; then
	ok 'is clean shell, says shellcheck' shellcheck "$@"
else
	count=$((count + 1))
	echo "ok $count # SKIP no shellcheck here"
fi
for file in "$templates"/lxc-*; do
	name=${file##*/}
	ok "$name is a program" test -x "$file"
	ok "$name has no more than 120 lines" test "$(wc -l <"$file")" -le 120
	run "$file" --help
	ok "$name explains itself without a container" same '0 0' "$status $(wc -c <"$err")"
	ok "$name explains in 100 columns" not grep -E '.{101}' "$out"
	run sh "$file" -h
	ok "$name works by every way to start it" same 0 "$status"
done

find "$templates" "$config" "$templates/../tests/templates" -type f ! -name README >"$scratch/files"
ok 'has a licence line in each file' same '' "$(xargs grep -L 'SPDX-License-Identifier: LGPL-2.1-or-later' <"$scratch/files")"
# The one exception is the table of what the RPM family's own tools would know.
ok 'names no host but examples' same '' \
	"$(xargs grep -noE '[a-z]+://[A-Za-z0-9.-]*[A-Za-z]' <"$scratch/files" | grep -v '\.example$' |
		grep -vE '(/tests/templates/|/templates/lib/archives:|://$)')"
# Where packages and modules come from is the host's to say, everywhere in the project.
ok 'names no registry of packages' same '' "$(cd "$templates/.." &&
	grep -rnIE '(deb|archive|security|snapshot|ftp[.a-z]*)[.]debian[.]|registry[.]npm|npmjs[.]|pypi[.]|pythonh[o]sted|rubyg[e]ms[.]|crates[.]io|proxy[.]golang|(archive|ports|security)[.]ubuntu[.]|http[.]kali[.]' \
		README.md SECURITY.md Makefile.am configure.ac quickstart config doc hooks services src templates tests)"
ok 'fills in nothing but known places' same '@LIBEXECDIR@ @LOCALSTATEDIR@ @LXCHOOKDIR@ @LXCTEMPLATECONFIG@ @SBINDIR@ @SYSCONFDIR@ ' \
	"$(find "$templates" "$config" -name '*.in' -exec grep -ohE '@[A-Z]+@' {} + | sort -u | tr '\n' ' ')"
ok 'fills in no file without .in' same '' \
	"$(find "$templates" "$config" -type f ! -name '*.in' -exec grep -lE '@[A-Z]+@' {} +)"
ok 'allows on cgroup v2 what it allows on v1' same \
	"$(grep -h '^lxc.cgroup\.' "$config"/*.in | sed 's/cgroup/cgroup2/')" "$(grep -h '^lxc.cgroup2\.' "$config"/*.in)"

plan
