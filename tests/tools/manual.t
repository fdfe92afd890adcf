#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manual and the completion: there is a page for every tool, it is well-formed, it knows every
# option that the tool knows; and bash offers what stands in the same tables.

. "${0%/*}/lib.sh"

bin=$(dirname "$(command -v lxc-start)")
share=$bin/../share
tools=$(cd "$bin" && ls lxc-* && cd ../sbin && ls lxc-*)
man=$TMP/man
plain_manual "$man"

# ---- pages

# Problems of a page; that other pages are not in this host's index is none.
lint() { mandoc -T lint -W warning "$1" 2>&1 | grep -v -e 'Xr' -e 'mandoc.db'; }

ok 'the tools are there' test "$(echo "$tools" | wc -l)" -ge 30
pages="$(echo "$tools" | sed 's/$/.1/') $(cd "$man" && ls man5/lxc* man7/lxc* man8/*lxc* | sed 's,.*/,,')"
like 'the files have pages' "$pages" 'lxc\.mirrors\.conf\.5'
for page in $pages; do
	file=$man/man${page##*.}/$page
	ok "$page is installed" test -s "$file"
	if command -v mandoc >/dev/null; then
		is '... and well-formed' "$(lint "$file")" ''
	else
		skip '... and well-formed' 'no mandoc here'
	fi
done

# options_of TOOL: the long ones that its help shows.
options_of() { "$1" --help 2>&1 | grep -o -e '--[a-z][a-z-]*' | sort -u; }

for tool in $tools; do
	missing=
	for option in $(options_of "$tool"); do
		grep -q -F -e "Fl \\-${option#--}" "$man/man1/$tool.1" ||
			missing="$missing $option"
	done
	is "the page of $tool knows every option that its help shows" "$missing" ''
done
like 'the page on configuration knows the keys of a network interface' \
	"$(cat "$man/man5/lxc.container.conf.5")" 'lxc\.net\.N\.ipv4\.address'

# Other pages, and their sections.
missing=
for page in $pages; do
	for other in $(sed -n 's/^\.Xr \(lxc[^ ]*\) \([0-9]\).*/\1.\2/p; s/^\.Xr \(init\.lxc\) 8.*/\1.8/p' \
		"$man/man${page##*.}/$page" | sed 's/\\-/-/g'); do
		[ -e "$man/man${other##*.}/$other" ] || missing="$missing $page:$other"
	done
	grep -q '^\.Xr' "$man/man${page##*.}/$page" || missing="$missing $page:none"
done
is 'every page names others, and those that it names are there' "$missing" ''

# Settings in the shipped files, as they are shown there, against the pages about them.
conf=$bin/../../etc
[ -d "$conf/lxc" ] || conf=/etc
settings_of() { sed -n 's/^#\{0,1\}\([A-Z_0-9]*\)=.*/\1/p' "$1" | sort -u; }
missing=
for name in $(settings_of "$conf/default/lxc-net"); do
	grep -q "^\.It Li $name = " "$man/man5/lxc.net.conf.5" || missing="$missing $name"
done
for name in $(settings_of "$conf/default/lxc"); do
	grep -q "^\.It Li $name = " "$man/man7/lxc-services.7" || missing="$missing $name"
done
is 'every setting of the shipped files is in its page' "$missing" ''
# A policy that a page shows is one that a start takes.
make_container "$C-policy" "lxc.seccomp.profile = $TMP/policy"
number=0
for start in $(grep -n '^\\&2$' "$man/man5/lxc.seccomp.5" | cut -d: -f1); do
	number=$((number + 1))
	sed -n "$start,/^\.Ed/{/^\.Ed/d;s/^\\\\&//;s/\\\\e/\\\\/g;p;}" "$man/man5/lxc.seccomp.5" >"$TMP/policy"
	ok "policy $number of the page is taken" lxc checkconfig -n "$C-policy"
done
is 'the page shows policies' "$number" 2
echo 'socket errno one' >>"$TMP/policy"
not_ok '... and one with an error is not' lxc checkconfig -n "$C-policy"
rm -rf "${P:?}/$C-policy"

# ---- help

run lxc start --help
is 'help is an answer: status 0' "$status" 0
is '... on stderr' "$out" ''
# too_wide WORD...: lines of what tools say that an 80-column terminal would break.
too_wide() {
	for tool in "$(dirname "$(command -v lxc-start)")"/lxc-*; do
		"$tool" "$@" 2>&1 | awk -v tool="${tool##*/}" 'length > 80 { print tool ": " $0 }'
	done
}
is '... of every tool fits 80 columns' "$(too_wide --help)" ''
is '... in short, too' "$(too_wide --usage)" ''
run lxc start -x
is 'an option that does not exist: status 1' "$status" 1
like '... with the help' "$err" '^Usage: lxc-start'
like '... and what was wrong at its end' "$(printf '%s\n' "$err" | tail -n 1)" 'no option -x'
run lxc start --usage
is 'usage too is no failure' "$status" 0
like '... and short' "$err" '\[-n\|--name=NAME\]'
like 'version' "$(lxc-ls --version)" '^[0-9]+\.[0-9]+\.[0-9]+'

# ---- completion

completion=$share/bash-completion/completions

# complete WORD...: what bash offers for the last one, in a line.
complete() {
	bash -c '
		source "$1" || exit
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_lxc "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		echo "${COMPREPLY[*]}"' bash "$completion/lxc.bash" "$@"
}

if command -v bash >/dev/null; then
	for tool in $tools; do
		ok "bash finds the completion of $tool" test -r "$completion/$tool"
	done
	make_container "$C"
	is 'options' "$(complete lxc-start --ex)" '--explain'
	is 'names of containers, below the path that is given' \
		"$(complete lxc-info -P "$P" "$C")" "$C"
	is 'of a second name as of the first' "$(complete lxc-unpriv-start --ex) $(complete lxc-unpriv-attach --set-v)" \
		'--explain --set-var'
	is 'with a colon behind them where a path follows' "$(complete lxc-cp -P "$P" "$C")" "$C:"
	touch "$TMP/file-to-copy"
	is '... and files of the host' "$(cd "$TMP" && complete lxc-cp -P "$P" file-to)" file-to-copy
	is 'after -n as well' "$(complete lxc-start -P "$P" -n lxt)" "$C"
	is 'lxc-stop is offered what runs' "$(complete lxc-stop -P "$P" "$C")" ''
	is 'keys' "$(complete lxc-info -c lxc.uts)" 'lxc.uts.name'
	is 'states' "$(complete lxc-wait -s FR)" 'FREEZING FROZEN'
	is 'templates, behind an equals sign' "$(complete lxc-create --template = bus)" 'busybox'
	is 'nothing of ours after --' "$(complete lxc-attach -P "$P" "$C" -- l)" ''
else
	skip 'completion' 'no bash here'
fi

done_testing
