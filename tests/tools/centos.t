#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# CentOS from a mirror, on a host of another family: a small signed repository of the test's own is
# served on loopback; a container is made from it, logged into, and installs one package more from the
# same mirror. What is not signed as it should be, or was changed on the way, makes nothing.

. "${0%/*}/lib.sh"
# shellcheck source=tests/tools/lab.sh
. "$TESTS/tools/lab.sh"
# shellcheck source=tests/tools/rpmrepo.sh
. "$TESTS/tools/rpmrepo.sh"
need dnf rpm rpmbuild rpmsign createrepo_c gpg busybox dpkg
need_ptyrun
need_ours
[ "$(id -u)" = 0 ] || skip_all 'needs root'

LIMIT=$((120 * SLOW))
export LXC_CACHE_PATH="$TMP/cache"
unset MIRROR KEYRING http_proxy
names='centos-release passwd rootfiles openssh-server openssh-clients iproute hostname vim-minimal less
	systemd initscripts yum dhclient procps-ng'
KEY=$TMP/lab.asc
lab_key "$GPG" "$KEY" lab --armor || skip_all 'gpg makes no key'
lab_key "$TMP/other" "$TMP/other.asc" other --armor
# shellcheck disable=SC2086 # one word a name
lab_system $names && lab_dnf || exit 1
lab_hello
lab_package hello "$TMP/hello" && lab_sign "$TMP"/rpms/*.rpm || exit 1
OS=$WWW/centos/7/os/x86_64
mkdir -p "${OS%/*}"
mkdir "$OS" && mv "$TMP/rpms" "$OS/Packages" && lab_index "$OS" && lab_serve || exit 1
echo 'lxc.net.0.type = none' >"$TMP/host.conf"	# the mirror is on this host's loopback

# centos NAME OPTION...: from the mirror, as its users write it
centos() {
	local name="$1"
	shift
	lxc create -n "$name" -f "$TMP/host.conf" -t centos -- -R 7 --repo "$URL/centos/7/os/x86_64" "$@"
}

run centos "$C" --keyring "$KEY" --packages dnf --password
is 'create makes a CentOS 7 from the mirror' "$status" 0
[ "$status" = 0 ] || { diag "$(said)" "$(cat "$TMP/cache/centos/installer.log")"; done_testing; }
is '... without a word of trouble' "$err" ''
password=$(printf '%s\n' "$out" | sed -n "s/.*root's password is \([^ ]*\) .*/\1/p")
is '... with a password that it tells' "${#password}" 16
R=$P/$C/rootfs
is '... with /dev and /proc for the scripts of packages' "$(cat "$R/etc/scripts")" ran
ok '... with the mirror as the repository of its own' grep -qx "baseurl=$URL/centos/7/os/x86_64" "$R/etc/yum.repos.d/lxc.repo"
ok '... whose packages it checks' grep -qx 'gpgcheck=1' "$R/etc/yum.repos.d/lxc.repo"
ok '... and whose index, as it is signed' grep -qx 'repo_gpgcheck=1' "$R/etc/yum.repos.d/lxc.repo"
is '... and with no other' "$(find "$R/etc/yum.repos.d" -name '*.repo' | wc -l)" 1
is '... and nothing left of the downloads' "$(find "$R" -name '*.rpm' -o -path '*/var/cache/dnf')" ''
like 'it includes the settings of its family' "$(cat "$P/$C/config")" '^lxc.include = .*/centos.common.conf$'

ok 'it starts' lxc start -n "$C"
ok '... to the end of its boot' eventually 20 inside "$C" test -e /run/booted
for tty in 1 0; do
	can_log_in "a login can be typed at -t $tty" "$C" $tty root "$password" '#'
done
run lxc attach -n "$C" -- dnf -y install hello
is 'its own dnf installs one package more from the mirror' "$status" 0
[ "$status" = 0 ] || diag "$(said)"
is '... which runs' "$(inside "$C" hello)" 'hello from the mirror'
is 'its own rpm knows what is installed' "$(inside "$C" rpm -q lab-system hello | tr '\n' ' ')" \
	'lab-system-1-1.noarch hello-1-1.noarch '
like '... and who signed it' "$(inside "$C" rpm -qa)" '^gpg-pubkey-'
ok 'it stops' lxc stop -k -n "$C"
ok 'destroy removes it' lxc destroy -n "$C"
nothing_left 'wholly' "$C" destroyed

# ---- the cache

lab_stop_serving
began=$(now_ms)
run centos "$C-two" --keyring "$KEY" --packages dnf
is 'a second one is made while the mirror is away' "$status" 0
diag "made in $(($(now_ms) - began)) ms"
like '... with root locked' "$(cat "$P/$C-two/rootfs/etc/shadow")" '^root:\*:'
ok 'and destroyed' lxc destroy -n "$C-two"
fails_with 'another needs the mirror, and says so' 1 'cannot fetch CentOS 7 for x86_64.*' \
	centos "$C-no" --keyring "$KEY" --packages other
like '... with what mends it' "$err" '^  to mend it: .*--repo'
nothing_left 'and leaves nothing' "$C-no" destroyed
lab_serve || exit 1

# ---- whose word counts

# refused SENTENCE ERE OPTION...
refused() {
	local what="$1" ere="$2"
	shift 2
	fails_with "refuses $what" 1 "$ere" centos "$C-no" --flush-cache "$@"
	nothing_left '... and nothing is left' "$C-no" destroyed
	is '... nor in the cache' "$(find "$TMP/cache/centos" -mindepth 1 -maxdepth 1 -name 'partial-*')" ''
}
refused 'an index that another key has signed' 'repomd.xml GPG signature verification error' --keyring "$TMP/other.asc"
mv "$OS/repodata/repomd.xml.asc" "$TMP/repomd.asc"
refused '... and packages that another key has signed' 'GPG check FAILED' --keyring "$TMP/other.asc"
mv "$TMP/repomd.asc" "$OS/repodata/repomd.xml.asc"
refused 'a mirror without the key that CentOS 7 is signed with' \
	'no key with the fingerprint 6341AB27' --packages hello
cp "$KEY" "$OS/RPM-GPG-KEY-CentOS-7"
refused 'a key of that name that is another' 'no key with the fingerprint 6341AB27'
cp "$OS/repodata/repomd.xml" "$TMP/repomd"
sed -i 's/<revision>/<revision>1/' "$OS/repodata/repomd.xml"
refused 'an index that was changed after it was signed' 'repomd.xml GPG signature verification error' --keyring "$KEY"
cp "$TMP/repomd" "$OS/repodata/repomd.xml"
cp "$OS/Packages/lab-system-1-1.noarch.rpm" "$TMP/system.rpm"
printf 'X' | dd of="$OS/Packages/lab-system-1-1.noarch.rpm" bs=1 seek=100000 conv=notrunc 2>/dev/null
refused 'a package that was changed on the way' 'checksum doesn.t match' --keyring "$KEY"
lab_index "$OS"
refused 'one that was changed before it was indexed' 'GPG check FAILED' --keyring "$KEY"
cp "$TMP/system.rpm" "$OS/Packages/lab-system-1-1.noarch.rpm"
rpmsign --delsign "$OS/Packages/lab-system-1-1.noarch.rpm" >/dev/null 2>&1
lab_index "$OS"
refused 'one that is not signed' 'is not signed.*GPG check FAILED' --keyring "$KEY"
run centos "$C-any" --no-gpg
is 'takes it when it is told to trust anything' "$status" 0
like '... and says so' "$err" 'no signature is looked at'
ok '... and goes on so inside' grep -qx gpgcheck=0 "$P/$C-any/rootfs/etc/yum.repos.d/lxc.repo"
ok 'destroy removes that, too' lxc destroy -n "$C-any"

# ---- options

fails_with 'refuses a release that is none' 1 "release 'x/y'" lxc create -n "$C-no" -f "$NET" -t centos -- -R x/y
fails_with 'refuses two kinds of mirrors at once' 1 'both --repo and --mirror' centos "$C-no" --mirror "$URL"
fails_with 'refuses a mirror that is no URL' 1 'no URL' \
	lxc create -n "$C-no" -f "$NET" -t centos -- -R 7 --repo /srv/mirror --no-gpg
fails_with 'refuses an architecture that this host does not run' 1 'cannot run it' centos "$C-no" -a s390x
lab_stop_serving

# Where releases come from when nobody says it, as a dnf that installs nothing is told.
mkdir "$TMP/bin"
cat >"$TMP/bin/dnf" <<X
#!/bin/sh
for word; do case \$word in --config=*) config=\${word#*=} ;; esac; done
cat "\${config%/*}/repos/lxc.repo" >"$TMP/told" 2>/dev/null
exit 1
X
chmod 755 "$TMP/bin/dnf"
PATH=$TMP/bin:$PATH
vault() {	# RELEASE ERE
	run lxc create -n "$C-no" -f "$NET" -t "${3:-centos}" -- -R "$1" --no-gpg
	like "${3:-centos} $1 comes from $2" "$(sed -n 's/^baseurl=//p' "$TMP/told" | head -n 1)" "$2"
}
vault 6 '^https://vault\.[a-z.]*/centos/6/os/[a-z0-9_]*$'
vault 7 '^https://vault\.[a-z.]*/centos/7/os/'
vault 8-stream '^https://vault\.[a-z.]*/centos/8-stream/BaseOS/'
vault 9 '/9-stream/BaseOS/[a-z0-9_]*/os$'
vault 9 '/almalinux/9/BaseOS/' almalinux
vault 9 '/rocky/9/BaseOS/' rocky
vault 9 '/OracleLinux/OL9/baseos/latest/' oracle
vault 44 '/releases/44/Everything/' fedora
MIRROR=http://near.example/c vault 7 '^http://near.example/c/7/os/'

done_testing
