# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154 # variables of the caller, and tables that the build adds
#
# Completion of the lxc-* tools.  Which options there are, which of them want an argument and what it
# is called stands in the tables that the build makes from the tools' own and puts behind this text.

# Names of containers below the path that is given on this line.
_lxc_ls() {
	local i path=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-P | --lxcpath) path=(-P "${COMP_WORDS[i + 1]}") ;;
		esac
	done
	command lxc-ls -1 -q "${path[@]}" "$@" 2>/dev/null
}

_lxc_templates() {
	local file

	echo none
	for file in "$_lxc_template_dir"/lxc-*; do
		[[ -x $file ]] && echo "${file##*/lxc-}"
	done
}

# What can stand for an argument of this name.
_lxc_argument() {
	local words

	case $1 in
	FILE | PATH) compgen -f -- "$cur" && return ;;
	DIR) compgen -d -- "$cur" && return ;;
	NAME | 'NAME|PID' | REGEX) mapfile -t words < <(_lxc_ls "${choose[@]}") ;;
	NAME:PATH) compgen -f -- "$cur"; mapfile -t words < <(_lxc_ls "${choose[@]}" | sed 's/$/:/') ;;
	KEY | KEY=VALUE) mapfile -t words <<<"$_lxc_keys" ;;
	ITEM) mapfile -t words < <(command lxc-config -l 2>/dev/null) ;;
	STATE) words=(STOPPED STARTING RUNNING STOPPING ABORTING FREEZING FROZEN THAWED) ;;
	LEVEL) words=(TRACE DEBUG INFO NOTICE WARN ERROR CRIT ALERT FATAL) ;;
	TEMPLATE) mapfile -t words < <(_lxc_templates) ;;
	TYPE) words=(dir best) ;;
	*) return ;;
	esac
	compgen -W "${words[*]}" -- "$cur"
}

# The name of the argument that the option $1 of this tool wants; nothing: it wants none.
_lxc_wants() {
	local option

	for option in "${options[@]}"; do
		[[ $option == "$1="* ]] && echo "${option#*=}"
	done
}

_lxc() {
	local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local options=() choose=() first="" argument i tool=${1##*/}

	_lxc_tables "${tool/#lxc-unpriv-/lxc-}"
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] && return
	done
	# bash makes three words of --name=web.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	argument=$(_lxc_wants "$before")
	if [[ $argument ]]; then
		mapfile -t COMPREPLY < <(_lxc_argument "$argument")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${options[*]%%=*}" -- "$cur")
	elif [[ $first ]]; then
		# A path goes on.
		[[ $first == NAME:PATH ]] && compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(_lxc_argument "$first")
	fi
}

