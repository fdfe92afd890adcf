#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manual and the completion: there is a page for every tool, it is well-formed, it knows every
# option that the tool knows; and bash offers what stands in the same tables.

. "${0%/*}/lib.sh"

bin=$(dirname "$(command -v lxc-start)")
share=$bin/../share
tools=$(cd "$bin" && ls lxc-attach lxc-cgroup lxc-checkconfig lxc-clone lxc-config lxc-console lxc-copy \
	lxc-create lxc-device lxc-destroy lxc-execute lxc-freeze lxc-info lxc-ls lxc-monitor lxc-snapshot \
	lxc-start lxc-start-ephemeral lxc-stop lxc-unfreeze lxc-unshare lxc-usernsexec lxc-wait)

# ---- pages

# Problems of a page; that other pages are not in this host's index is none.
lint() { mandoc -T lint -W warning "$1" 2>&1 | grep -v -e 'Xr' -e 'mandoc.db'; }

is 'every tool is there' "$(echo "$tools" | wc -l)" 23
for page in $(echo "$tools" | sed 's/$/.1/') lxc.conf.5 lxc.container.conf.5 lxc.system.conf.5 lxc.7; do
	file=$share/man/man${page##*.}/$page
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
		grep -q -F -e "Fl \\-${option#--}" "$share/man/man1/$tool.1" ||
			missing="$missing $option"
	done
	is "the page of $tool knows every option that its help shows" "$missing" ''
done
like 'the page on configuration says what is not supported yet' \
	"$(cat "$share/man/man5/lxc.container.conf.5")" 'Not supported yet'
like 'and knows the keys of a network interface' \
	"$(cat "$share/man/man5/lxc.container.conf.5")" 'lxc\.net\.N\.ipv4\.address'

# ---- help

run lxc start --help
is 'help is an answer: status 0' "$status" 0
is '... on stderr' "$out" ''
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
