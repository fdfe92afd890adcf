#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The packages of the rpm family: the specification is well-formed; and, where there is time (LXT_LONG, which
# tests/packages/check sets), they are built, and have in them what they are to have.  Nothing is installed.

. "${0%/*}/../tools/lib.sh"
need rpmbuild rpmspec
[ -f "${LXC_BUILD:-}/Makefile" ] || skip_all 'there is no build directory (LXC_BUILD)'
spec=$(cd "$TESTS/.." && pwd)/packaging/rpm/lxcore.spec
packages='lxcore lxcore-devel lxcore-doc lxcore-libs lxcore-templates lua-lxcore'
words() { printf '%s\n' $1 | sort | tr '\n' ' '; }
query() { rpmspec -q --qf "$1" "$spec"; }

run query '%{name}\n'
is 'the specification is understood' "$status" 0
is '... and makes six packages' "$(words "$out")" "$(words "$packages")"
run query '%{summary}: %{license}\n'
unlike '... each has a summary and a licence' "$out" '^:|: *$|none'
if command -v rpmlint >/dev/null; then
	printf 'Filters = ["%s", "%s", "%s"]\n' 'no-buildroot-tag' 'lib-package-without-%mklibname' \
		'invalid-url Source0' >"$TMP/rpmlint.toml"	# of old rpms; of one distribution; made here
	run rpmlint -c "$TMP/rpmlint.toml" "$spec"
	like 'rpmlint finds nothing' "$out" ' 0 errors, 0 warnings'
else
	skip 'rpmlint finds nothing' 'it is not installed'
fi
if [ -z "${LXT_LONG:-}" ]; then
	skip 'they are built' 'that takes a minute: make check-packages'
	done_testing
fi

ok 'make rpm builds them' env DEBFULLNAME='Ann Packager' DEBEMAIL=ann@lxcore.invalid timeout 550 make -s -C "$LXC_BUILD" rpm
rpms=$LXC_BUILD/packages/rpm
is 'all six' "$(words "$(rpm -qp --qf '%{name}\n' "$rpms"/*.rpm 2>/dev/null)")" "$(words "$packages lxcore")"
is 'who answers for them is said' "$(rpm -qp --qf '%{packager}\n' "$rpms"/*.rpm 2>/dev/null | sort -u)" \
	'Ann Packager <ann@lxcore.invalid>'
files() { rpm -qp "$1" "$rpms/$2"-[0-9]*.rpm 2>/dev/null; }	# KIND PACKAGE
rm -f "$rpms"/*.src.rpm
for name in $packages; do files -l "$name" | grep -v /licenses/; done | sort >"$TMP/all"
is 'no file is in two of them' "$(uniq -d <"$TMP/all")" ''
for tool in $(sed '/^bin_PROGRAMS/,/[^\\]$/!d; s/.*=//; s/\\//' "$TESTS/../Makefile.am"); do
	for file in "bin/$tool" "share/man/man1/$tool.1" "share/bash-completion/completions/$tool"; do
		grep -q "^/usr/$file\(\.gz\)*\$" "$TMP/all" || echo "$file"
	done
done >"$TMP/missing"
is 'every tool is there, with its page and its completion' "$(cat "$TMP/missing")" ''
is 'settings are kept when they were changed' "$(rpm -qp --qf '[%{FILENAMES} %{FILEFLAGS:fflags}\n]' \
	"$rpms"/lxcore-[0-9]*.rpm 2>/dev/null | awk '$1 ~ /^\/etc\/(lxc|default)\/./ { print $2 }' | sort -u)" cn
is 'one program is setuid' "$(for name in $packages; do
	rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$rpms/$name"-[0-9]*.rpm 2>/dev/null
done | awk '$1 ~ /^-..s/ { print $2 }')" /usr/libexec/lxc/lxc-user-nic
like 'the units are there' "$(files -l lxcore)" '^/usr/lib/systemd/system/lxc@\.service$'
like 'the library is in a package of its own' "$(files -l lxcore-libs)" 'liblxcore\.so\.0$'
like '... which provides it for others' "$(files --provides lxcore-libs)" 'liblxcore\.so\.0'
like 'the other lxc is not to be there beside it' "$(files --conflicts lxcore)" '^lxc$'
done_testing
