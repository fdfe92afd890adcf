# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What must differ between two containers that were copied from one tree: the host's name, the
# machine id (systemd derives DHCP ids, journal names and more from it) and ssh's host keys.
# shellcheck shell=sh disable=SC2154

identity_names() {
	put etc/hostname 644 "$name"
	put etc/hosts 644 '127.0.0.1	localhost' "127.0.1.1	$name" '' \
		'::1		localhost ip6-localhost ip6-loopback' \
		'ff02::1		ip6-allnodes' 'ff02::2		ip6-allrouters'
}

identity_machine() {
	read -r uuid </proc/sys/kernel/random/uuid || die 'read a random uuid from the kernel'
	id=''
	while [ -n "$uuid" ]; do
		id=$id${uuid%%-*}
		case $uuid in *-*) uuid=${uuid#*-} ;; *) uuid='' ;; esac
	done
	put etc/machine-id 444 "$id"
	inside var/lib/dbus
	if [ -d "$target" ]; then
		put_link var/lib/dbus/machine-id /etc/machine-id
	fi
}

# identity_ssh: none where there is no ssh server. The three kinds at once: RSA takes a while.
identity_ssh() {
	inside etc/ssh/sshd_config
	[ -e "$target" ] || return 0
	directory=${target%/*}
	rm -f "$directory"/ssh_host_*_key "$directory"/ssh_host_*_key.pub
	# shellcheck disable=SC2016 # the container's shell expands it
	enter sh -c 'for kind in rsa ecdsa ed25519; do
			ssh-keygen -q -t $kind -N "" -C "root@$1" -f /etc/ssh/ssh_host_${kind}_key &
		done; wait' sh "$name" || die "make ssh host keys for $name: its shell does not run"
	for kind in rsa ecdsa ed25519; do
		[ -s "$directory/ssh_host_${kind}_key" ] || die "make an ssh host key ($kind) for $name"
	done
}
