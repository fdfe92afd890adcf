#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which mirror a template takes: the order of the sources, and what it reads out of a host's apt
# configuration, in both of its forms, among the strangers in it.
# shellcheck disable=SC2034,SC2154 # the library's and tap.sh's variables

# shellcheck source=tap.sh
. "$(dirname "$0")/tap.sh"
lib=$templates/lib
# shellcheck source=../../templates/lib/messages.sh
. "$lib/messages.sh"
# shellcheck source=../../templates/lib/mirror.sh
. "$lib/mirror.sh"
# shellcheck source=../../templates/lib/apt.sh
. "$lib/apt.sh"
template=lxc-test
LXC_SYSCONF_DIR=$scratch/lxc
LXC_APT_DIR=$scratch/apt
mkdir -p "$LXC_SYSCONF_DIR" "$LXC_APT_DIR/sources.list.d"

# host FILE: what follows on standard input is the host's only apt configuration
host() {
	rm -f "$LXC_APT_DIR"/sources.list "$LXC_APT_DIR"/sources.list.d/*
	cat >"$LXC_APT_DIR/$1"
}

# finds SENTENCE ARCHIVE SECURITY
finds() {
	apt_host_mirror debian archive
	ok "$1" same "$2" "$mirror_found"
	apt_host_mirror debian security
	ok "$1 (security)" same "$3" "$mirror_found"
}

host sources.list </dev/null
finds 'finds nothing in an empty list' '' ''
rm -r "$LXC_APT_DIR/sources.list"
finds 'finds nothing without a list' '' ''

host sources.list <<'END'
# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb cdrom:[Debian 12]/ bookworm main
deb http://one.example/debian/ bookworm main contrib	# a remark
deb http://two.example/debian bookworm main
deb http://one.example/debian bookworm-updates main
deb http://sec.example/debian-security/ bookworm-security main
END
finds 'reads one line an entry' http://one.example/debian http://sec.example/debian-security

host sources.list <<'END'
deb	[ arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg ]  https://own.example/mirror   bookworm  main
deb [trusted=yes] http://old.example/debian buster/updates main
END
finds 'reads options, and knows the archive by its keyring' https://own.example/mirror http://old.example/debian

host sources.list.d/debian.sources <<'END'
# what installers write today
Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

types: deb deb-src
# a remark inside
URIs:
 http://first.example/debian
 http://second.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://sec.example/debian-security
Suites: bookworm-security
Components: main
END
finds 'reads deb822' http://first.example/debian http://sec.example/debian-security

host sources.list.d/strangers.list <<'END'
deb http://cloud.example/apt cloud-sdk-bookworm main
deb http://browser.example/linux/chrome/deb/ stable main
deb https://docker.example/linux/debian bookworm stable
deb [signed-by=/etc/apt/keyrings/lab.gpg] https://lab.example/packages/debian bookworm main
deb https://user:word@private.example/debian bookworm main
END
finds 'takes no stranger for the distribution' '' ''

host sources.list.d/node.sources <<'END'
Types: deb
URIs: https://node.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
END
finds 'takes no stranger with a key of its own' '' ''

host sources.list.d/a.list <<'END'
deb http://backports.example/debian bookworm-backports main
deb http://archive.example/ubuntu jammy main
END
finds 'takes neither another suite nor another distribution' '' ''
apt_host_mirror ubuntu archive
ok 'serves other distributions likewise' same http://archive.example/ubuntu "$mirror_found"

printf 'deb http://dos.example/debian bookworm main\r\n' | host sources.list
finds 'bears line ends of another system' http://dos.example/debian ''

# chooses SENTENCE ARCHIVE SECURITY: with `mirror` and `security_mirror` as the options left them
chooses() {
	mirror_choose debian apt_host_mirror
	ok "$1" same "$2 $3" "$mirror $security_mirror"
	mirror='' security_mirror=''
}

host sources.list <<'END'
deb http://host.example/debian bookworm main
deb http://host.example/debian-security bookworm-security main
END
mirror='' security_mirror=''
chooses "takes the host's own last" http://host.example/debian http://host.example/debian-security
printf '%s\n' '# of this site' 'ubuntu archive http://conf.example/ubuntu' \
	'debian	archive  http://conf.example/debian/ # near' >"$LXC_SYSCONF_DIR/mirrors.conf"
chooses 'takes mirrors.conf before it, kind by kind' http://conf.example/debian http://host.example/debian-security
MIRROR=http://env.example/debian SECURITY_MIRROR=http://env.example/security
chooses 'takes the environment before both' http://env.example/debian http://env.example/security
mirror=http://option.example/debian
chooses 'takes the option before all' http://option.example/debian http://env.example/security
unset MIRROR SECURITY_MIRROR
rm "$LXC_SYSCONF_DIR/mirrors.conf" "$LXC_APT_DIR/sources.list"
chooses 'leaves the choice to the installer when nobody says' '' ''

# shellcheck disable=SC2030,SC2031 # a subshell, as it ends
choose_bad() (
	mirror=$1
	mirror_choose debian apt_host_mirror
)
refuses 'a mirror that is no URL' 'no URL' choose_bad mirror.example
refuses 'a mirror with a second line' 'has a blank in it' choose_bad 'http://a.example/
deb http://b.example/'

plan
