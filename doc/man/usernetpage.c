/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-usernet(5): what lxc-user-nic, which has no table of its own, grants to whom. */
#include "mdoc.h"
#include "pages.h"

void page_usernet(FILE *out)
{
	mdoc_begin(out, "lxc-usernet", 5, "network interfaces of unprivileged users' containers");
	fputs(".Sh DESCRIPTION\n", out);
	mdoc_text(out,
		"`/etc/lxc/lxc-usernet` says which users may join containers of their own to which "
		"bridges of the host. What it does not say is not allowed. A line has four words:\n\n"
		"  USER|@GROUP veth BRIDGE COUNT\n\n"
		"USER, or every member of GROUP, may have COUNT veths on BRIDGE at a time; the BRIDGE "
		"`none` stands for veths that join nothing. Lines of one user or group for one bridge "
		"add up. A veth is put on the account of the first line that has room. The members of "
		"a group share its count. Lines that are anything else grant nothing.\n\n"
		"The helper `lxc-user-nic` in LIBEXECDIR/lxc, which is installed setuid root, makes "
		"them:\n\n"
		"  lxc-user-nic create LXCPATH NAME PID veth BRIDGE [CONTAINER-NIC]\n"
		"  lxc-user-nic delete LXCPATH NAME /proc/PID/ns/net veth BRIDGE HOST-NIC\n\n"
		"PID is a process in the container's network namespace, which must belong to a user "
		"namespace that the caller made. `create` prints CONTAINER-NIC, its number, HOST-NIC and "
		"its number, with `:` between them. `delete` takes back what was made with the same "
		"words. Its record is `/run/lxc/nics`; lines whose device is gone go, too.\n\n"
		"Whatever is refused gets the same answer and exit code 1, so that nothing can be learned "
		"from it; the reason stands in the system's log (facility authpriv).");
	fputs(".Sh EXAMPLES\n", out);
	mdoc_text(out, "  alice veth lxcbr0 10\n  @students veth lxcbr0 50\n  alice veth none 2");
	fputs(".Sh DIFFERENCES FROM LXC\n", out);
	mdoc_text(out,
		"Ports of Open vSwitch are not granted. LXCPATH and NAME hold no blanks. A device can "
		"be deleted by who made it, for the container that it was made for, alone.");
	mdoc_see_also(out, "lxc.container.conf lxc-start lxc-user-nic lxc");
}
