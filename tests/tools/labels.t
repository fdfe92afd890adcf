#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Security labels, on a host that has AppArmor or SELinux: which label init and attached commands run
# under, that it holds, and what is said when it does not.

. "${0%/*}/lib.sh"
apparmor() { [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; }
if [ ! -e /sys/fs/selinux/enforce ] && ! { [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; }; then
	make_container "$C" 'lxc.selinux.context.rootfs = system_u:object_r:x_t:s0'
	fails_with 'a context on a host without SELinux is refused' 1 'has no SELinux' lxc start -n "$C"
	make_container "$C-two" 'lxc.apparmor.profile = generated'
	run lxc start -n "$C-two"
	is 'a profile on a host without AppArmor is none' "$status" 0
	lxc stop -k -n "$C-two"
	skip 'what labels do' 'this host has neither AppArmor nor SELinux'
	done_testing
fi
selinux() { [ -e /sys/fs/selinux/enforce ]; }
label() { tr -d '\000' <"/proc/$1/attr/current"; }

if apparmor; then
	need apparmor_parser
	again() { lxc stop -k -n "$C" >/dev/null 2>&1; rm -rf "${P:?}/$C"; }
	started "$C" 'lxc.apparmor.profile = generated' "lxc.apparmor.raw = deny /tmp/forbidden rwklx,"
	is 'a container with a generated profile runs' "$status" 0
	like 'init runs under it' "$(label "$(init_pid "$C")")" "^lxc-${C}_<.*> \\(enforce\\)"
	like 'so does an attached command' "$(inside "$C" cat /proc/self/attr/current)" "^lxc-${C}_<.*> \\(enforce\\)"
	not_ok 'a line of lxc.apparmor.raw holds' inside "$C" sh -c 'echo x >/tmp/forbidden'
	not_ok 'what reaches the kernel by a file is denied' inside "$C" sh -c 'mount -o remount,rw /proc/sys; echo x >/proc/sys/kernel/core_pattern'
	not_ok 'a mount of debugfs is denied' inside "$C" mount -t debugfs none /mnt
	ok 'one of tmpfs is not' inside "$C" mount -t tmpfs none /mnt
	not_ok 'a label cannot be taken off' inside "$C" sh -c 'echo changeprofile unconfined >/proc/self/attr/current'
	profile=$(label "$(init_pid "$C")")
	again
	not_ok 'the profile goes with the container' grep -qF "${profile% (*}" /sys/kernel/security/apparmor/profiles
	started "$C" 'lxc.apparmor.profile = unconfined'
	is 'unconfined is what it says' "$(label "$(init_pid "$C")")" unconfined
	again
	make_container "$C" "lxc.apparmor.profile = $C-nowhere"
	fails_with 'a profile that is not loaded is told' 1 "AppArmor profile \"$C-nowhere\".*" lxc start -n "$C"
	like '... with what mends it' "$err" 'lxc.apparmor.profile = generated'
	again
	make_container "$C" 'lxc.apparmor.profile = generated' 'lxc.apparmor.raw = audit deny /sbin/init rwklx,'
	fails_with 'a start that AppArmor prevents says what was denied' 1 'AppArmor denied|DENIED' lxc start -n "$C"
	like '... and to what' "$err" '/sbin/init'
	again
	started "$C" 'lxc.apparmor.profile = generated' 'lxc.apparmor.allow_nesting = 1'
	is 'with allow_nesting' "$status" 0
	if grep -q yes /sys/kernel/security/apparmor/features/domain/stack 2>/dev/null; then
		like '... two labels are stacked: the profile, and one of a namespace of its own' \
			"$(label "$(init_pid "$C")")" "^lxc-${C}_<.*>//&:lxc-${C}_<.*>:unconfined "
		space=$(ls /sys/kernel/security/apparmor/policy/namespaces | grep -F "lxc-${C}_")
		like '... so has an attached command' "$(inside "$C" cat /proc/self/attr/current)" unconfined
		is '... and it sees the policies of that namespace alone' \
			"$(inside "$C" sh -c 'mount -t securityfs none /mnt && cat /mnt/apparmor/.ns_name; umount /mnt')" "$space"
		not_ok '... the profile holds all the same' inside "$C" mount -t debugfs none /mnt
	fi
	ok '... it mounts what it likes' inside "$C" sh -c 'mkdir -p /tmp/a && mount --bind /etc /tmp/a && umount /tmp/a'
	again
	not_ok '... and the namespace goes with it' \
		sh -c 'ls /sys/kernel/security/apparmor/policy/namespaces | grep -qF "$1"' - "lxc-${C}_"
	profiles=$(dirname "$(command -v lxc-start)")/../../etc/apparmor.d/lxcore-containers
	for file in lxcore-containers lxc-containers; do	# packages have the second name
		[ -e "$profiles" ] || profiles=/etc/apparmor.d/$file
	done
	if [ -e "$profiles" ] && ok 'the shipped profiles are taken by the system' limit apparmor_parser -rK "$profiles"; then
		started "$C"
		like 'the default one is taken when none is asked for' "$(label "$(init_pid "$C")")" '^lxc-container-default-cgns \(enforce\)'
		not_ok 'it denies a mount of debugfs' inside "$C" mount -t debugfs none /mnt
		again
	fi
fi

if selinux; then
	context=$(cat /proc/self/attr/current | tr -d '\000')
	again() { lxc stop -k -n "$C" >/dev/null 2>&1; rm -rf "${P:?}/$C"; }
	files='lxc.selinux.context.rootfs = system_u:object_r:lxcore_file_t:s0:c1,c2'
	module=$(dirname "$(command -v lxc-start)")/../share/lxc/config/selinux/lxcore.cil
	if command -v semodule >/dev/null && [ -e "$module" ]; then
		ok 'the shipped policy module is taken by the system' limit semodule -i "$module"
		make_container "$C" 'lxc.selinux.context = system_u:system_r:lxcore_t:s0:c1,c2' "$files"
		run lxc start -n "$C"
		is 'a container in the context of the module runs' "$status" 0
		[ "$status" = 0 ] || diag "$(said)" "$(dmesg | grep -i avc | tail -n 5)"
		is 'init runs in it' "$(label "$(init_pid "$C")")" system_u:system_r:lxcore_t:s0:c1,c2
		is 'so does an attached command' "$(inside "$C" cat /proc/self/attr/current | tr -d '\000')" system_u:system_r:lxcore_t:s0:c1,c2
		like 'its files have their label' "$(ls -Zd "$P/$C/rootfs/etc")" 'lxcore_file_t:s0:c1,c2'
		ok 'it writes its files' inside "$C" sh -c 'echo x >/tmp/own'
		if [ "$(cat /sys/fs/selinux/enforce)" = 1 ]; then
			mkdir "$TMP/share"
			echo secret >"$TMP/share/file"
			again
			started "$C" 'lxc.selinux.context = system_u:system_r:lxcore_t:s0:c1,c2' "$files" \
				"lxc.mount.entry = $TMP/share mnt none bind 0 0"
			not_ok 'it does not read a file of the host, though root' inside "$C" cat /mnt/file
			make_container "$C-two" 'lxc.selinux.context = system_u:system_r:lxcore_t:s0:c3,c4' \
				'lxc.selinux.context.rootfs = system_u:object_r:lxcore_file_t:s0:c3,c4' \
				"lxc.mount.entry = $P/$C/rootfs mnt none bind 0 0"
			run lxc start -n "$C-two"
			is 'another container' "$status" 0
			not_ok '... does not read what is of the first' inside "$C-two" cat /mnt/etc/passwd
			lxc stop -k -n "$C-two"
			again
			make_container "$C" 'lxc.selinux.context = system_u:system_r:lxcore_t:s0:c1,c2' "$files"
			lxc start -n "$C" && lxc stop -k -n "$C"
			chcon -t shadow_t "$P/$C/rootfs/sbin/init"
			fails_with 'a start that SELinux prevents says so' 1 'cannot run "/sbin/init" in SELinux context "system_u:system_r:lxcore_t:s0:c1,c2": ' lxc start -n "$C"
			# Many denials at once: the kernel may drop the record of this one.
			case $err in *'SELinux denied'*) like '... and what was denied' "$err" 'denied +. entrypoint . on .* of .*:shadow_t' ;; esac
			like '... and what mends it' "$err" 'to mend it: ls -Z'
		fi
	else
		skip 'the shipped policy module' 'semodule or the module is missing'
	fi
	again
	make_container "$C" 'lxc.selinux.context = no_such_context_t'
	fails_with 'a context that the policy does not know is told' 1 'no_such_context_t' lxc start -n "$C"
	again
	started "$C"
	is 'without a context a container runs' "$status" 0
fi
lxc stop -k -n "$C" >/dev/null 2>&1
nothing_left 'nothing is left' "$C"
done_testing
