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

# network_ifcfg: the network scripts of Enterprise Linux 6 and 7. dhclient goes to the background at
# once, and tries for ever.
network_ifcfg() {
	put etc/sysconfig/network 644 NETWORKING=yes "HOSTNAME=$name"
	put etc/sysconfig/network-scripts/ifcfg-eth0 644 DEVICE=eth0 TYPE=Ethernet BOOTPROTO=dhcp ONBOOT=yes \
		NM_CONTROLLED=no PERSISTENT_DHCLIENT=yes DHCLIENTARGS=-nw
}

# network_manager: a profile that keeps the address that lxcore gave, and does not give up.
network_manager() {
	put etc/NetworkManager/system-connections/eth0.nmconnection 600 '[connection]' id=eth0 type=ethernet \
		interface-name=eth0 autoconnect=true autoconnect-retries=0 '' '[ipv4]' method=auto \
		dhcp-client-id=mac may-fail=true '' '[ipv6]' method=auto may-fail=true
	systemd_enable NetworkManager.service
}

# network_netplan: what newer Ubuntu reads before systemd-networkd does.
network_netplan() {
	put etc/netplan/10-lxc.yaml 600 'network:' '  version: 2' '  ethernets:' '    eth0:' \
		'      dhcp4: true' '      dhcp-identifier: mac' '      optional: true'
}
