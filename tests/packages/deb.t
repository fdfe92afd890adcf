#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The packages of Debian: they are built, lintian has nothing to say, and in a root of their own - never on
# this host - they take the place of the distribution's, serve, are upgraded under running containers, and go
# without a trace.
#
#	LXT_PACKAGES_ROOT=DIR	see root.sh
#	LXT_PACKAGES=DIR	packages that are made already

. "${0%/*}/../tools/lib.sh"
# shellcheck source=tests/packages/root.sh
. "$TESTS/packages/root.sh"
alone
need dpkg-buildpackage dh lintian
[ -f "${LXC_BUILD:-}/Makefile" ] || skip_all 'there is no build directory (LXC_BUILD)'
need_their_lxc

# ---- made

: "${LXT_PACKAGES:=}"
who='The lxcore maintainers <maintainers@lxcore.invalid>'
if [ -n "${LXT_LONG:-}" ]; then	# The short run is without.
	export DEBFULLNAME='Ann Packager' DEBEMAIL=ann@lxcore.invalid
	who="$DEBFULLNAME <$DEBEMAIL>"
fi
[ -n "$LXT_PACKAGES" ] || ok 'make deb builds them' timeout 500 make -s -C "$LXC_BUILD" deb
debs=$TMP/debs
cp -r "${LXT_PACKAGES:-$LXC_BUILD/packages/deb}" "$debs" || skip_all 'they are not there'
names=$(cd "$debs" && for deb in *.deb; do echo "${deb%%_*}"; done)
is 'all six' "$(echo $names)" 'liblxcore-dev liblxcore0 lua-lxcore lxcore-doc lxcore-templates lxcore'
[ -n "$LXT_PACKAGES" ] ||
	is 'who answers for them is said' "$(dpkg-deb -f "$debs"/lxcore_*.deb Maintainer)" "$who"
run timeout 120 lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$debs"/*.changes
is 'lintian finds no error, and nothing to warn of' "$status$out" 0
is 'each exception that it was told is explained' "$(awk '/^#/ { told = 1; next }
	/^lxcore:/ { if (!told) print; next } { told = 0 }' "$TESTS/../packaging/debian/lxcore.lintian-overrides")" ''

# What is in the tree is in the packages, and the other way round.
contents() { for deb in "$debs"/*.deb; do dpkg-deb -c "$deb"; done; }
contents | awk '!/\/$/ { print $6 }' | sort >"$TMP/contents"
is 'no file is in two of them' "$(uniq -d <"$TMP/contents")" ''
for tool in $(sed '/^bin_PROGRAMS/,/[^\\]$/!d; s/.*=//; s/\\//' "$TESTS/../Makefile.am"); do
	grep -q "/usr/bin/$tool\$" "$TMP/contents" || echo "$tool"
done >"$TMP/missing"
is 'every tool is there' "$(cat "$TMP/missing")" ''
for tool in $(sed -n 's,^\./usr/bin/,,p' "$TMP/contents"); do
	for file in "man/man1/$tool.1.gz" "bash-completion/completions/$tool"; do
		grep -q "^\./usr/share/$file\$" "$TMP/contents" || echo "$file"
	done
done >"$TMP/missing"
is 'with its page and its completion' "$(cat "$TMP/missing")" ''
is 'one program is setuid' "$(contents | awk '$1 ~ /s/ && $1 ~ /^-/ { print $1, $2, $6 }')" \
	'-rwsr-xr-x root/root ./usr/libexec/lxc/lxc-user-nic'

# ---- a root of their own

make_root "$debs"
state_of() { in_root 'dpkg-query -W -f "\${db:Status-Abbrev}" "$0" 2>/dev/null' "$1" | tr -d ' '; }

# ---- over the distribution's

echo '# by hand' >>"$root/etc/default/lxc"
mkdir -p "$root/var/lib/lxc/kept" && echo '# kept' >"$root/var/lib/lxc/kept/config"
was=$(in_root 'lxc-start --version')
ok "they install over the distribution's lxc $was" in_root 'dpkg -i --force-confold /tmp/debs/*.deb'
for name in $names; do is "$name is installed" "$(state_of "$name")" ii; done
for name in lxc liblxc-common lxc-templates; do
	unlike "$name has gone" "$(state_of "$name")" 'i$'
done
is 'nothing is broken by that' "$(in_root 'dpkg --audit')" ''
is 'what is called is ours' "$(in_root 'lxc-start --version; lxc-config -l >/dev/null; command -v lxc-clone')" \
	"$(sed -n 's/^#define PACKAGE_VERSION "\(.*\)"/\1/p' "$LXC_BUILD/config.h")
/usr/bin/lxc-clone"
is 'a setting made by hand stays' "$(tail -n 1 "$root/etc/default/lxc")" '# by hand'
like '... others are the new ones' "$(cat "$root/etc/lxc/default.conf")" 'SPDX'
is 'containers stay' "$(in_root 'lxc-ls -1 kept')" kept
is 'the scripts of sysvinit can be run' "$(in_root 'ls /etc/rc2.d | grep -o "lxc.*"; test -x /etc/init.d/lxc-net &&
	/etc/init.d/lxc status')" "$(printf 'lxc\nlxc-net\ncontainers are not started')"
enabled() {	# The units of systemd and the scripts of sysvinit.
	(cd "$root/etc" && ls -d systemd/system/multi-user.target.wants/lxc* rc2.d/S*lxc* | sed 's/S[0-9]*//' |
		grep -v monitord | tr '\n' ' ')
}
both='rc2.d/lxc rc2.d/lxc-net systemd/system/multi-user.target.wants/lxc-net.service systemd/system/multi-user.target.wants/lxc.service '
is 'the services are enabled' "$(enabled)" "$both"
unlike 'lxc-start is not confined as the other program was' \
	"$(grep -v '^#' "$root/etc/apparmor.d/usr.bin.lxc-start")" .
ok "what is left of the distribution's goes" in_root 'dpkg --purge lxc liblxc-common lxc-templates'
is '... and leaves our services enabled' "$(enabled)" "$both"
is '... and takes nothing of ours' "$(in_root 'dpkg -V $(cd /tmp/debs && ls | sed "s/_.*//")')" '??5?????? c /etc/default/lxc'
is 'the library is found' "$(in_root 'ldconfig -p' | grep -c 'liblxcore\.so\.0 .*/lib/.*/liblxcore')" 1
ok 'a program can be built with it' in_root 'cd /tmp && printf "#include <lxcore.h>\nint main(void) {
	return !lxcore_version(); }\n" >a.c && cc -Wall -Werror a.c $(pkg-config --cflags --libs lxcore) && ./a.out && rm a.out a.c'
is 'Lua finds its module' "$(in_root 'lua5.4 -e "print(type(require(\"lxc\")))"')" table

# ---- they serve

for file in tools/lifecycle.t tools/services.t tools/usernic.t; do
	run in_root "cd /tmp/source && LXC_PREFIX=/usr LXC_BUILD=/nonexistent timeout 110 tests/run 'tests/$file'"
	like "$file passes from /usr" "$(printf '%s\n' "$out" | tail -n 1)" '^[1-9][0-9]* passed, 0 failed'
done

# ---- the next version

mkdir "$root/tmp/next" "$TMP/next"
for deb in "$debs"/*.deb; do
	dpkg-deb -R "$deb" "$TMP/next/one" && sed -i -e 's/~lxcore1/~lxcore2/' "$TMP/next/one/DEBIAN/control" &&
		dpkg-deb -Znone -b "$TMP/next/one" "$root/tmp/next" >/dev/null
	rm -r "$TMP/next/one"
done
in_root 'echo lxc.net.0.type = empty >/tmp/conf; lxc-create -n up -t busybox -f /tmp/conf >/dev/null 2>&1 && lxc-start -n up' >"$TMP/said" 2>&1
pid=$(in_root 'lxc-info -n up -pH')
is 'a container runs' "${pid:+yes}$(cat "$TMP/said")" yes
ok 'the next version installs' in_root 'dpkg -i --force-confold /tmp/next/*.deb'
is '... all of it' "$(in_root 'dpkg-query -W "*lxcore*"' | grep -c '~lxcore2$')" 6
is 'the container runs on' "$(in_root 'lxc-info -n up -sH; lxc-info -n up -pH')" "$(printf 'RUNNING\n%s' "$pid")"
is '... and obeys' "$(in_root 'lxc-attach -n up -- echo yes </dev/null; lxc-stop -n up -k && lxc-destroy -n up; echo $?')" \
	"$(printf 'yes\n0')"

# ---- and away

ok 'they are removed' in_root "dpkg --remove $(echo $names)"
ok '... the settings stay' test -e "$root/etc/lxc/default.conf"
ok 'they are purged' in_root "dpkg --purge $(echo $names)"
is 'containers stay, even so' "$(cat "$root/var/lib/lxc/kept/config")" '# kept'
rm -r "$root/var/lib/lxc/kept"
rmdir "$root/var/lib/lxc"
rm -f "$root/usr/sbin/policy-rc.d"
# What was not there before, and what is not as it was; but for the lists of packages.
(cd "$upper" && find . ! -type c | while read -r path; do
	case $path in
	./var/lib/dpkg* | ./var/cache/debconf* | ./var/cache/ldconfig* | ./var/log/dpkg.log | ./etc/ld.so.cache) ;;
	./var/lib/systemd/deb-systemd-helper-*) ;;
	./proc | ./sys | ./dev | ./run | ./tmp | ./etc/machine-id) ;; # root.sh makes them
	*)
		[ -d "$path" ] && [ -d "$lower/$path" ] || echo "$path"
		;;
	esac
done) >"$TMP/left"
is 'nothing of them is left' "$(cat "$TMP/left")" ''
done_testing
