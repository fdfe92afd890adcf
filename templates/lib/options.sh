# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Options from a table. A template puts its own rows into `options`, one a line:
#
#   LETTER|LONG-NAME|ARGUMENT|VARIABLE|what it does, for --help
#
# LETTER may be empty. ARGUMENT is empty for a switch (VARIABLE becomes 1), a word for a value, and
# `[WORD]` for a value that may be left out (VARIABLE_given becomes 1; only --name=VALUE gives one).
# Parsing and --help come from the same rows, so they cannot disagree.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154

options_contract='
n|name|NAME|name|name of the container
p|path|DIR|path|directory of the container, which has its config file
|rootfs|DIR|rootfs|where the root filesystem goes; default: what the config file says
|mapped-uid|ID|mapped_uid|id that the caller has in the user namespace (set by lxc-create)
|mapped-gid|ID|mapped_gid|group id likewise
|secrets-fd|NUMBER|secrets_fd|where options are that the list of processes must not show
h|help||help|show this help'

# Rows that several templates declare, so that they mean the same everywhere.
option_arch='
a|arch|ARCH|arch|architecture; default: that of this host'
option_packages='
|packages|A,B|packages|more packages to install'
option_cache='
F|flush-cache||flush_cache|fetch again instead of using the cached tree
c|clean||clean|remove the cached trees, and do no more if there is no --path'
option_password='
|password|[WORD]|password|password; without WORD it is asked, or made up; default: locked
|password-file|FILE|password_file|file with the password in its first line (-: standard input)'
option_ssh='
S|auth-key|FILE|auth_key|public key that may log in as root by ssh
|ssh-key|FILE|auth_key|the same'

# option_row LETTER-OR-NAME: finds its row; sets row_arg and row_var.
option_row() {
	while IFS='|' read -r row_letter row_name row_arg row_var row_text; do
		if [ -n "$row_name" ] && { [ "$1" = "$row_name" ] || [ "$1" = "$row_letter" ]; }; then
			return 0
		fi
	done <<-ROWS
		$options_contract
		$options
	ROWS
	die "take the option '$2': there is none of that name" "$options_hint"
}

options_usage() {
	printf 'Usage: lxc-create -n NAME -t %s -- [OPTION]...\n\n%s\n' "${template#lxc-}" "$about"
	printf '\nOptions:%s\nSet by lxc-create:%s\n' "$(options_list "$options")" \
		"$(options_list "$options_contract")"
}

# options_list ROWS
options_list() {
	printf '%s\n' "$1" | while IFS='|' read -r row_letter row_name row_arg row_var row_text; do
		case $row_arg in
		'') word=--$row_name ;;
		'['*) word="--${row_name}[=${row_arg#?}" ;;
		*) word="--$row_name=$row_arg" ;;
		esac
		[ -z "$row_name" ] || printf '\n  %-4s%-26s%s' "${row_letter:+-$row_letter,}" "$word" "$row_text"
	done
	echo
}

options_hint="lxc-create -t ${template#lxc-} -h"

# options_parse "$@": sets every VARIABLE of the tables, empty or to the default that the template
# gave it before; checks what the contract with lxc-create promises. --help ends here.
options_parse() {
	for row_var in name path rootfs mapped_uid mapped_gid help mirror security_mirror keyring \
		packages flush_cache clean password password_given password_file auth_key arch repo no_gpg side_dir \
		secrets_fd; do
		eval "$row_var=\${$row_var-}"
	done
	while [ $# -gt 0 ]; do
		case $1 in
		--) shift; break ;;
		--?*=*)
			word=${1%%=*}
			option_row "${word#--}" "$word"
			[ -n "$row_arg" ] || die "take '$1': $word has no value" "$options_hint"
			option_set "${1#*=}"
			shift ;;
		--?*)
			option_row "${1#--}" "$1"
			option_separate "$@"
			shift "$used" ;;
		-?)
			option_row "${1#-}" "$1"
			option_separate "$@"
			shift "$used" ;;
		-?*)
			word=${1#-?}
			option_row "${1%"$word"}" "$1"
			[ -n "$row_arg" ] || die "take '$1': write the options one by one" "$options_hint"
			option_set "$word"
			shift ;;
		*) break ;;
		esac
		if [ -n "$secrets_fd" ]; then
			options_secret "$@"
			eval "set -- $words"
		fi
	done
	if [ -n "$help" ]; then
		options_usage
		exit 0
	fi
	[ $# -eq 0 ] || die "take '$1': no option" "$options_hint"
	case $name in
	*/* | *[[:space:]]* | *[[:cntrl:]]*) die "use the name '$name': it has a blank or a slash" ;;
	esac
}

# options_secret WORD...: sets `words`, shell text of the options in the pipe, and then of these.
# Whoever we start inherits no more than an empty pipe that is closed.
options_secret() {
	words=''
	case $secrets_fd in
	[3-9]) ;;
	*) die "read what is secret from '$secrets_fd': no such number" ;;
	esac
	secret_number=0
	while IFS= read -r line; do
		secret_number=$((secret_number + 1))
		eval "secret_$secret_number=\$line"
		words="$words \"\$secret_$secret_number\""
	done <&"$secrets_fd" || die "read what is secret: descriptor $secrets_fd is not open"
	eval "exec $secrets_fd<&-"
	secrets_fd=''
	number=0
	for word in "$@"; do
		number=$((number + 1))
		words="$words \"\${$number}\""
	done
}

# options_container: what no template can do without. Apart, because --clean needs no container.
options_container() {
	[ -n "$path" ] || die 'know where the container is: no --path' \
		"lxc-create -t ${template#lxc-} -n NAME"
	[ -n "$name" ] || die 'name the container: no --name' "lxc-create -t ${template#lxc-} -n NAME"
	[ -d "$path" ] || die "use --path $path: it is no directory"
}

# option_set VALUE
option_set() {
	eval "$row_var=\$1"
	case $row_arg in '['*) eval "${row_var}_given=1" ;; esac
}

# option_separate WORD...: an option whose value, if any, is the next word; sets `used`, how many
# words that was.
option_separate() {
	used=1
	case $row_arg in
	'') eval "$row_var=1" ;;
	'['*) eval "${row_var}_given=1" ;;
	*)
		[ $# -gt 1 ] || die "take '$1': it needs a value ($row_arg)" "$options_hint"
		used=2
		option_set "$2" ;;
	esac
}
