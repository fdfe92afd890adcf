# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Units of a container whose init is systemd, set by links: that needs no process, no systemd on the
# host and no running one inside.
# shellcheck shell=sh disable=SC2154

# systemd_has UNIT: does the distribution bring it? Its own unit directory is behind /lib, which
# is a link in merged-usr systems, so both names are tried without following any.
systemd_has() {
	[ -e "$rootfs/usr/lib/systemd/system/$1" ] ||
		{ [ ! -L "$rootfs/lib" ] && [ -e "$rootfs/lib/systemd/system/$1" ]; }
}

# systemd_units: sets `units`, the directory that links name. Where /lib is no link to /usr/lib the
# distribution has its units in one of the two only.
systemd_units() {
	units=/lib/systemd/system
	if [ ! -L "$rootfs/lib" ] && [ -d "$rootfs/usr/lib/systemd/system" ] &&
		[ ! -e "$rootfs/lib/systemd/system/multi-user.target" ]; then
		units=/usr/lib/systemd/system
	fi
}

# systemd_mask UNIT...
systemd_mask() {
	for unit in "$@"; do
		put_link "etc/systemd/system/$unit" /dev/null
	done
}

# systemd_enable UNIT...: for multi-user.target.
systemd_enable() {
	systemd_units
	for unit in "$@"; do
		put_link "etc/systemd/system/multi-user.target.wants/$unit" "$units/$unit"
	done
}

# systemd_container: to a login without a screen, and nothing that wants hardware. udev is masked,
# should a package bring it: in a container it would see the host's devices and own none. The mount
# units of /sys/kernel belong to the host's kernel.
systemd_container() {
	systemd_units
	put_link etc/systemd/system/default.target "$units/multi-user.target"
	systemd_mask udev.service systemd-udevd.service systemd-udevd-control.socket \
		systemd-udevd-kernel.socket systemd-udev-trigger.service systemd-udev-settle.service \
		sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount
	# The tree is complete: nothing to bring up to date at the first boot.
	put etc/.updated 644 ''
	put var/.updated 644 ''
}
