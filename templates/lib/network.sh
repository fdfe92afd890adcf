# SPDX-License-Identifier: LGPL-2.1-or-later
#
# eth0 by DHCP, with the distribution's own means, such that a boot never waits for an answer and an
# address that lxcore gave the interface before init ran (lxc.net.0.ipv4.address) is kept.
# shellcheck shell=sh disable=SC2154

# network_networkd: systemd-networkd asks while the boot goes on. Only a service that explicitly
# wants network-online.target waits, for ten seconds at most and without failing. The lease is
# bound to the interface's address, as it is unique where a copied machine id is not.
network_networkd() {
	put etc/systemd/network/eth0.network 644 '[Match]' 'Name=eth0' '' '[Network]' 'DHCP=yes' \
		'KeepConfiguration=static' '' '[DHCPv4]' 'ClientIdentifier=mac' 'UseDomains=yes'
	put etc/systemd/system/systemd-networkd-wait-online.service.d/container.conf 644 \
		'[Service]' 'ExecStart=' \
		'ExecStart=-/lib/systemd/systemd-networkd-wait-online --any --timeout=10'
	systemd_enable systemd-networkd.service
	if systemd_has systemd-resolved.service; then
		systemd_enable systemd-resolved.service
		put_link etc/resolv.conf ../run/systemd/resolve/stub-resolv.conf
	fi
}

# network_interfaces: for distributions that read /etc/network/interfaces; their own service
# decides how long it waits.
network_interfaces() {
	put etc/network/interfaces 644 'auto lo' 'iface lo inet loopback' '' \
		'auto eth0' 'iface eth0 inet dhcp'
}
