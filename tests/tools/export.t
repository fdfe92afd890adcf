#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-export and lxc-import: a container on its way to another machine, and archives that are damaged, cut
# off, or made by somebody who means harm.

# shellcheck source=tests/templates/archives.sh
. "${0%/*}/../templates/archives.sh"
. "${0%/*}/lib.sh"
scratch=$TMP
need zstd
need_ptyrun
tree=${LXC_BUILD:-.}/tests/tools/treetool
[ -x "$tree" ] || skip_all 'treetool is not built'
chmod 755 "$TMP" "$P"

# Is there nothing of a container, after somebody looked: no directory, no mark, nothing under way?
gone() {
	! lxc ls -1 | grep -qx "$1" && [ ! -e "$P/$1" ] && [ ! -e "$P/.trash-$1" ] &&
		[ -z "$(run_entries_of "$1")" ]
}
# A container whose root filesystem has everything.
make_full() {	# NAME [CONFIG-LINE]...
	make_container "$@"
	rm -rf "${P:?}/$1/rootfs"
	mkdir "$P/$1/rootfs"
	"$tree" make "$P/$1/rootfs"
}
same_tree() { "$tree" compare "$P/$1/rootfs" "$P/$2/rootfs" "${3:-0}"; }
destroy() { lxc destroy -n "$1" >/dev/null 2>&1; }

# ---- there and back

make_full "$C" 'lxc.environment = A=b'
echo 'a note' >"$P/$C/note"
run lxc export -n "$C" -o "$TMP/a.zst"
is 'export writes a file' "$status" 0
like 'and says what it wrote' "$err" "$C: [0-9]+ files with 4.0 GiB in [0-9.]+ KiB"
is 'which is readable for its owner alone' "$(stat -c %a "$TMP/a.zst")" 600
is 'and is zstd' "$(zstd -tq "$TMP/a.zst" && echo yes)" yes
is 'tar can read it' "$(zstd -dcq "$TMP/a.zst" | tar -xO config 2>/dev/null)" "$(cat "$P/$C/config")"
is 'a file of 4 GiB that is one hole costs nothing' \
	"$([ "$(zstd -dcq "$TMP/a.zst" | wc -c)" -lt 1000000 ] && echo yes)" yes

run lxc import -n "$C-b" --devices "$TMP/a.zst"
is 'import makes a container of it' "$status" 0
is 'its tree is equal: bytes, holes, links, owners, times, attributes, capabilities, devices' \
	"$(same_tree "$C" "$C-b")" ''
is 'its configuration leads to its own root filesystem' "$(grep rootfs.path "$P/$C-b/config")" \
	"lxc.rootfs.path = dir:$P/$C-b/rootfs"
is 'it is called by its new name' "$(grep uts.name "$P/$C-b/config")" "lxc.uts.name = $C-b"
ok 'the rest of the configuration came along' grep -qx 'lxc.environment = A=b' "$P/$C-b/config"
is 'so did the file beside it' "$(cat "$P/$C-b/note")" 'a note'
ok 'no mark of a half-made one is left' test ! -e "$P/$C-b/partial"
fails_with 'a second one of the same name is refused' 1 "$C-b.*exists" \
	lxc import -n "$C-b" "$TMP/a.zst"
is 'and the first stays as it was' "$(same_tree "$C" "$C-b")" ''
destroy "$C-b"

run lxc import -n "$C-b" "$TMP/a.zst"
like 'without --devices it says how many device nodes were left out' "$err" '2 device nodes were left out'
is 'and they are not there' "$(ls "$P/$C-b/rootfs/dev")" ''
destroy "$C-b"

# ---- through a pipe, with other ids

run sh -c 'lxc-export -P "$1" -n "$2" | lxc-import -P "$1" -n "$2-m" --devices \
	-s "lxc.idmap=u 0 100000 65536" -s "lxc.idmap=g 0 100000 65536"' - "$P" "$C"
is 'export pipes into import' "$status" 0
is 'owners, access control lists and capabilities are shifted to the new id map' \
	"$(same_tree "$C" "$C-m" 100000)" ''
run sh -c 'lxc-export -q -P "$1" -n "$2-m" | lxc-import -P "$1" -n "$2-b" --devices -s lxc.idmap=' \
	- "$P" "$C"
is 'and back again: ids in the archive are those inside' "$(same_tree "$C" "$C-b")" ''
destroy "$C-b"
chown 99:99 "$P/$C-m/rootfs/etc/file"
fails_with 'an owner who is not in the id map is named' 1 'user id 99.*rootfs/etc/file' \
	lxc export -n "$C-m" -o "$TMP/no.zst"
ok 'a failed export leaves no file' sh -c '! ls "$1"/no.zst* 2>/dev/null' - "$TMP"
destroy "$C-m"
cp "$TMP/a.zst" "$TMP/old.zst"
fails_with 'one whose container does not exist' 1 "$C-none" lxc export -n "$C-none" -o "$TMP/old.zst"
ok 'leaves the old file alone' cmp "$TMP/a.zst" "$TMP/old.zst"
make_container "$C-big"
head -c 3000000 /dev/urandom >"$P/$C-big/rootfs/noise"
run sh -c '{ lxc-export -P "$1" -n "$2"; echo "$?" >&2; } | true' - "$P" "$C-big"
like 'a reader that is gone is told of' "$err" 'cannot write the archive: Broken pipe'
is 'and is a failure' "$(printf '%s\n' "$err" | tail -n 1)" 1
lxc export -q -n "$C-big" -o "$TMP/big.zst"
destroy "$C-big"

"$tree" socket "$P/$C/rootfs/var/socket"
run lxc export -n "$C" -o "$TMP/s.zst"
like 'sockets are left out, and that is said' "$err" '1 socket was left out'
rm -f "$P/$C/rootfs/var/socket"
run lxc export -n "$C" -o "$TMP/s.zst" --json
is 'with --json the figures are an object' \
	"$(printf '%s' "$err" | jq -r '.name + " " + (.bytes > 4000000000 | tostring)')" "$C true"
run lxc import -n "$C-b" --json "$TMP/a.zst"
is 'on import, too' "$(printf '%s' "$out" | jq -r '.name + " " + (.devices_left_out | tostring)')" "$C-b 2"
destroy "$C-b"
run lxc import -n "$C-j" --json "$TMP/none"
is 'and so are errors' "$(printf '%s' "$err" | jq -r '.error.text | test("cannot open")')" true

# ---- running, and on other storage

started "$C-run"
run lxc export -n "$C-run" -o "$TMP/r.zst"
like 'a running container is frozen meanwhile, and the pause is said' "$err" 'it stood still for [0-9.]+ s'
is 'and runs on' "$(state "$C-run")" RUNNING
lxc freeze -n "$C-run"
run lxc export -n "$C-run" -o "$TMP/r.zst"
is 'one that was frozen stays so' "$status$(state "$C-run")" 0FROZEN
lxc unfreeze -n "$C-run"
run lxc import -n "$C-two" "$TMP/r.zst"
run lxc start -n "$C-two"
is 'what was imported starts' "$status$(inside "$C-two" hostname)" "0$C-two"
lxc stop -k -n "$C-two"
destroy "$C-two"

# Writes to a pipe that nobody reads: it stands still in the middle.
mkfifo "$TMP/full"
head -c 3000000 /dev/urandom >"$P/$C-run/rootfs/noise"
sleep 60 <"$TMP/full" &
sleeper=$!
lxc-export -P "$P" -n "$C-run" >"$TMP/full" 2>/dev/null &
exporter=$!
ok 'a running container whose archive is not read' eventually 10 state_is "$C-run" FROZEN
kill -KILL "$exporter"
ok 'goes on when the export is killed' eventually 10 state_is "$C-run" RUNNING
kill "$sleeper"
wait "$exporter" "$sleeper" 2>/dev/null
lxc stop -k -n "$C-run"
destroy "$C-run"

make_container "$C-o"
mkdir -p "$P/$C-o/overlay"
mv "$P/$C-o/rootfs" "$P/$C-o/lower"
mkdir "$P/$C-o/overlay/delta"
sed -i "s,^lxc.rootfs.path.*,lxc.rootfs.path = overlay:$P/$C-o/lower:$P/$C-o/overlay/delta," \
	"$P/$C-o/config"
run lxc start -n "$C-o"
if [ "$status" = 0 ]; then
	inside "$C-o" sh -c 'echo new >/etc/new; rm -r /mnt'
	run sh -c 'lxc-export -q -P "$1" -n "$2-o" | lxc-import -P "$1" -n "$2-p"' - "$P" "$C"
	is 'layers of a running container become one tree' \
		"$status$(cat "$P/$C-p/rootfs/etc/new")$(ls -d "$P/$C-p/rootfs/mnt" 2>/dev/null)" 0new
	ok 'without what was mounted in it' test -z "$(ls "$P/$C-p/rootfs/proc")"
	lxc stop -k -n "$C-o"
	destroy "$C-p"
	run sh -c 'lxc-export -q -P "$1" -n "$2-o" | lxc-import -P "$1" -n "$2-p"' - "$P" "$C"
	is 'those of a stopped one, too' "$status$(cat "$P/$C-p/rootfs/etc/new")" 0new
	destroy "$C-p"
	run lxc import -n "$C-p" -B overlay "$TMP/a.zst"
	is 'import makes layers when they are asked for' \
		"$status$(grep -c 'rootfs.path = overlay:' "$P/$C-p/config")" 01
	destroy "$C-p"
else
	skip 'layers of a running container become one tree' 'no overlay here'
fi
lxc destroy -n "$C-o" >/dev/null 2>&1

# ---- its snapshots

make_container "$C-s"
echo zero >"$P/$C-s/rootfs/which"
printf 'before\n  the lesson\n' >"$TMP/comment"
lxc snapshot -n "$C-s" -c "$TMP/comment" >/dev/null 2>&1
lxc start -n "$C-s"
inside "$C-s" sh -c 'echo one >/which; rm -r /mnt; mkdir /new'
lxc stop -k -n "$C-s"
lxc snapshot -n "$C-s" >/dev/null 2>&1
lxc start -n "$C-s"
inside "$C-s" sh -c 'echo two >/which'
list() { lxc snapshot -n "$1" -L --tree -C | sed "1s/$1/NAME/"; }
which_of() {	# NAME: what the container has now
	lxc start -n "$1" && inside "$1" cat /which
	lxc stop -k -n "$1"
}
run lxc export -n "$C-s" -o "$TMP/snaps.zst"
like 'snapshots come along, of a running one too' "$err" 'with 2 snapshots \(--no-snapshots'
lxc stop -k -n "$C-s"
run lxc import -n "$C-p" "$TMP/snaps.zst"
like 'import says so' "$err" 'with 2 snapshots'
is 'their names, times, comments and order are as they were' "$(list "$C-p")" "$(list "$C-s")"
is 'the container has what it had' "$(which_of "$C-p")" two
lxc snapshot -n "$C-p" -r snap0 >/dev/null 2>&1
is 'the first one can be restored' "$(which_of "$C-p")" zero
lxc snapshot -n "$C-p" -r snap1 >/dev/null 2>&1
is 'and the second' "$(which_of "$C-p")" one
lxc snapshot -n "$C-p" -r snap1 -N "$C-q" >/dev/null 2>&1
lxc start -n "$C-q"
is 'also as a container of its own, with what was removed and made' \
	"$(inside "$C-q" sh -c 'cat /which; ls -d /new /mnt 2>/dev/null')" 'one
/new'
lxc stop -k -n "$C-q"
destroy "$C-q"
run lxc snapshot -n "$C-p" -d ALL
is 'and all can be removed' "$status$(ls "$P/$C-p/snaps" 2>/dev/null)" 0
lxc destroy -n "$C-p"
lxc import -q -n "$C-p" -s 'lxc.idmap=u 0 100000 65536' -s 'lxc.idmap=g 0 100000 65536' "$TMP/snaps.zst"
is 'owners in snapshots are shifted, too' "$(stat -c %u "$P/$C-p/snaps/snap1/rootfs/which")" 100000
ok 'and restored, it runs with these ids' lxc snapshot -n "$C-p" -r snap0
is '... as it was' "$(which_of "$C-p")" zero
lxc destroy -s -n "$C-p"
run lxc export -n "$C-s" --no-snapshots --json -o "$TMP/nosnaps.zst"
is 'without them they stay' "$(printf '%s' "$err" | jq .snapshots)" 0
lxc import -q -n "$C-p" "$TMP/nosnaps.zst"
ok '... and do not arrive' test ! -e "$P/$C-p/snaps"
destroy "$C-p"
lxc destroy -s -n "$C-s"

# ---- damaged and cut off

refused() {	# SENTENCE WORDS ARCHIVE [OPTION]...
	local what="$1" words="$2" archive="$3"
	shift 3
	fails_with "$what is refused" 1 "$words" lxc import -n "$C-x" "$@" "$archive"
	ok '  and nothing of it is left' gone "$C-x"
	destroy "$C-x"
}
size=$(stat -c %s "$TMP/a.zst")
for part in 0 1 100 $((size / 2)) $((size - 20)) $((size - 1)); do
	head -c "$part" "$TMP/a.zst" >"$TMP/cut.zst"
	refused "an archive that is cut after $part bytes" 'cut off|cannot read the archive|no archive' \
		"$TMP/cut.zst"
done
zstd -dcq "$TMP/a.zst" >"$TMP/a.tar"
end=$(grep -aboE '(PaxHeader/)?manifest' "$TMP/a.tar" | head -n 1 | cut -d: -f1)
{
	head -c $((end / 512 * 512)) "$TMP/a.tar"
	head -c 1024 /dev/zero
} | zstd -q >"$TMP/cut.zst"
refused 'one without its manifest, though it is whole as a tar file' 'its end is missing' "$TMP/cut.zst"
sed 's/first/thirst/; s/thirst/First/' "$TMP/a.tar" | zstd -q >"$TMP/bad.zst"
refused 'one with a changed byte in a file' 'damaged: "rootfs"' "$TMP/bad.zst" --devices
sed 's/A=b/A=c/' "$TMP/a.tar" | zstd -q >"$TMP/bad.zst"
refused 'one with a changed configuration' 'damaged: "config"' "$TMP/bad.zst"
sed 's/lxc-export 1$/lxc-export 2/' "$TMP/a.tar" | zstd -q >"$TMP/bad.zst"
refused 'one of a later format' 'another version' "$TMP/bad.zst"
{
	cat "$TMP/a.zst"
	head -c 2000000 /dev/urandom
} >"$TMP/bad.zst"
refused 'one with something behind its end' 'follows|cannot read' "$TMP/bad.zst"
echo hello >"$TMP/bad.zst"
refused 'what is no archive' 'cannot read the archive' "$TMP/bad.zst"
refused 'more bytes than are allowed' 'more than 1048576' "$TMP/a.zst" --max-size 1M
refused 'more files than are allowed' 'more than 10 ' "$TMP/a.zst" --max-files 10
fails_with 'a size that is none is refused' 1 '"lots" is no number' \
	lxc import -n "$C-x" --max-size lots "$TMP/a.zst"

# ---- hostile

# text FILE NAME TEXT
text() {
	member "$1" "$2" 0 '' 644 "$(printf %o ${#3})"
	bytes "$1" "$3"
}
# hostile FILE [CONFIG-LINE [NAME]]: the honest beginning of an archive.
hostile() {
	rm -f "$1"
	text "$1" lxc-export "lxc-export 1
name ${3:-$C-x}
dir /var/lib/lxc/x
"
	text "$1" config "${2:-lxc.net.0.type = empty}
"
}
begin_root() {
	hostile "$TMP/h" "$@"
	member "$TMP/h" rootfs 5 '' 755
}
finished() {
	head -c 1024 /dev/zero >>"$TMP/h"
	zstd -qf "$TMP/h" -o "$TMP/h.zst"
}
outside=$TMP/outside
mkdir "$outside"
begin_root
member "$TMP/h" rootfs/../../evil 0 '' 644
finished
refused "a name with '..'" "'\.\.' is in its name" "$TMP/h.zst" --trust
begin_root
member "$TMP/h" rootfs/l 2 "$outside" 777
member "$TMP/h" rootfs/l/evil 0 '' 644
finished
refused 'a link that leads out, and a file behind it' 'cannot' "$TMP/h.zst" --trust
is '  and nothing came to be outside' "$(ls "$outside")" ''
begin_root
member "$TMP/h" rootfs/hard 1 ../../../../../../etc/passwd 644
finished
refused 'a hard link to a file of the host' 'linked across|\.\.' "$TMP/h.zst" --trust
begin_root
member "$TMP/h" rootfs/hard 1 config 644
finished
refused 'a hard link to another member' 'linked across' "$TMP/h.zst" --trust
begin_root
member "$TMP/h" /etc/evil 0 '' 644
finished
refused 'an absolute name' 'makes no such member' "$TMP/h.zst" --trust
hostile "$TMP/h"
member "$TMP/h" files 5 '' 755
member "$TMP/h" files/partial 0 '' 644
member "$TMP/h" rootfs 5 '' 755
text "$TMP/h" manifest 'lxc-export 1
end
'
finished
refused 'a manifest that says nothing' 'damaged' "$TMP/h.zst" --trust
hostile "$TMP/h"
member "$TMP/h" snaps 5 '' 755
finished
refused 'a tree that nobody knows' 'does not know it' "$TMP/h.zst" --trust
begin_root
text "$TMP/h" config x
finished
refused 'a member that comes twice' 'twice' "$TMP/h.zst"
rm -f "$TMP/h"
member "$TMP/h" rootfs 5 '' 755
finished
refused 'one that does not begin with its head' 'no archive of lxc-export' "$TMP/h.zst"
hostile "$TMP/h" 'lxc.arch = x86_64' "../../$C-x"
member "$TMP/h" rootfs 5 '' 755
finished
fails_with 'a name that leads out of the lxcpath is refused' 1 'name.*\.\./' \
	lxc import "$TMP/h.zst"

# snapshot_of NOTES [CONFIG-LINE]: an honest container with a snapshot.
snapshot_of() {
	begin_root
	text "$TMP/h" snapshot-0 "$1"
	text "$TMP/h" snapshot-0.config "${2:-lxc.net.0.type = empty}
"
	member "$TMP/h" snapshot-0.rootfs 5 '' 755
	finished
}
snapshot_of 'name ../../evil
'
refused 'a snapshot whose name leads out' 'name "\.\./\.\./evil"' "$TMP/h.zst" --trust
snapshot_of "name snap0
parent ../x
"
refused 'one whose parent does' 'name "\.\./x"' "$TMP/h.zst" --trust
snapshot_of "name snap0
created $(printf '\033')[2J
"
refused 'one whose time has other things in it' 'a time that is none' "$TMP/h.zst" --trust
snapshot_of 'comment
no name
'
refused 'one without a name' 'no name' "$TMP/h.zst" --trust
snapshot_of 'name snap0
' 'lxc.hook.pre-start = /bin/false'
refused 'one whose configuration runs programs' 'snapshot snap0.*hook.pre-start' "$TMP/h.zst"
begin_root
text "$TMP/h" snapshot-1 'name snap1
'
finished
refused 'one that comes out of turn' 'not where it should be' "$TMP/h.zst" --trust
begin_root
text "$TMP/h" snapshot-0.config 'lxc.arch = x86_64
'
finished
refused 'a configuration of none' 'not where it should be' "$TMP/h.zst" --trust
snapshot_of 'name snap0
'
head -c -1024 "$TMP/h" >"$TMP/h2"
mv "$TMP/h2" "$TMP/h"
text "$TMP/h" snapshot-1 'name snap0
'
finished
refused 'two of one name' 'two snapshots "snap0"' "$TMP/h.zst" --trust

# A configuration that reaches beyond the container.
try_config() {
	begin_root "$1"
	finished
	refused "a configuration with $1" "${2:-${1%% *}} in its line 1 reaches beyond" "$TMP/h.zst"
}
try_config 'lxc.hook.pre-start = /bin/false'
try_config 'lxc.mount.entry = / mnt none bind 0 0'
try_config 'lxc.mount.entry = /dev/sda mnt ext4 ro 0 0'
try_config 'lxc.mount.entry = / mnt tmpfs rbind 0 0'
try_config 'lxc.mount.entry = /sys/kernel/security mnt none bind 0 0'
try_config 'lxc.mount.entry = /sys/kernel/security/../../../etc mnt none bind,ro 0 0'
try_config 'lxc.apparmor.profile = unconfined'
try_config 'lxc.include = /etc/shadow'
try_config 'lxc.net.0.script.up = /bin/false'
try_config 'lxc.network.script.up = /bin/false'
try_config 'lxc.net.0.type = phys'
try_config 'lxc.mount.auto = proc:rw'
try_config 'lxc.cgroup2.devices.allow = a'
try_config 'lxc.log.file = /etc/passwd'
try_config '	lxc.hook.start-host=/bin/false' lxc.hook.start-host

# What templates write, and what this host gives each new container, is no reach.
CONF=$(lxc-config lxc.default_config)
echo 'lxc.net.0.type = empty' >"$TMP/shipped.conf"
lxc create -n "$C-e" -f "$TMP/shipped.conf" -t busybox >/dev/null 2>&1
ok 'a container of a template goes through a pipe as it is' sh -c \
	'lxc-export -q -P "$1" -n "$2-e" -o - | lxc-import -P "$1" -n "$2-f"' - "$P" "$C"
ok '... and runs' lxc start -n "$C-f"
lxc stop -k -n "$C-f"
destroy "$C-f"
sed -n 's/^ *\(lxc\.[^=]*[^ =]\) *= *\(..*\)$/\1 = \2/p' "$CONF" >>"$P/$C-e/config"
lxc export -q -n "$C-e" -o "$TMP/e.zst"
ok 'so is what the default configuration of this host says' lxc import -n "$C-f" "$TMP/e.zst"
destroy "$C-f"
destroy "$C-e"

make_container "$C-h" "lxc.hook.pre-start = $P/$C-h/hook" "lxc.mount.fstab = $P/$C-h/fstab"
printf '#!/bin/sh\nexit 0\n' >"$P/$C-h/hook"
chmod 755 "$P/$C-h/hook"
echo 'tmpfs mnt tmpfs size=1m 0 0' >"$P/$C-h/fstab"
lxc export -q -n "$C-h" -o "$TMP/h.zst"
refused 'an honest container with a hook' 'hook.pre-start' "$TMP/h.zst"
ok 'but with --trust it is imported' lxc import -n "$C-k" --trust "$TMP/h.zst"
is 'with its paths those of the new one' "$(grep -c "$P/$C-k/" "$P/$C-k/config")" 3
ok 'and starts' lxc start -n "$C-k"
lxc stop -k -n "$C-k"
destroy "$C-k"
ok 'or with a configuration of our own' lxc import -n "$C-k" -f "$NET" "$TMP/h.zst"
is 'of which nothing is the archive'\''s' "$(grep -c -e hook -e fstab "$P/$C-k/config")" 0
destroy "$C-k"
destroy "$C-h"

# ---- ended in the middle

# The rest never comes, nor does an end: we hold the pipe open ourselves.
for signal in 9 15 2; do # KILL, TERM, INT
	# A fresh one: whoever was killed may not have read all.
	mkfifo "$TMP/half"
	exec 9<>"$TMP/half"
	# In the background INT is ignored unless one asks.
	env --default-signal=INT lxc-import -P "$P" -n "$C-x" <"$TMP/half" >"$TMP/said" 2>&1 9>&- &
	importer=$!
	timeout 10 head -c 1000000 "$TMP/big.zst" >&9
	ok "an import that waits for the rest of its archive has begun" \
		eventually 10 test -e "$P/$C-x/partial"
	kill "-$signal" "$importer"
	ok "  and is ended by signal $signal" eventually 10 is_dead "$importer"
	ok '  it leaves nothing, once somebody looks' eventually 10 gone "$C-x"
	status=0
	wait "$importer" || status=$?
	is '  its exit status tells of the signal' "$status" $((128 + signal))
	exec 9>&-
	rm "$TMP/half"
done

# ---- how far it is

run ptyrun 'expect lxc-import: [0-9]+ % of [0-9.]+ MiB, [0-9.]+ [KMG]iB/s, [0-9]+ s left
end' -- sh -c '{ head -c 1000000 "$3"; sleep 2; tail -c +1000001 "$3"; } | lxc-import -P "$1" -n "$2-t"' - \
	"$P" "$C" "$TMP/big.zst"
is 'on a terminal a line tells how far it is' "$status" 0
destroy "$C-t"
fails_with 'nothing is written to a terminal' 1 'no archive is written to a terminal' \
	sh -c 'lxc-export -P "$1" -n "$2" >/dev/ptmx' - "$P" "$C"
destroy "$C"

done_testing
