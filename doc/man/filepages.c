/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pages on files that are no container's, and on programs that have no table of options. */
#include "mdoc.h"
#include "pages.h"

static void meanings(const char *title, const struct meaning *list, FILE *out)
{
	fprintf(out, ".Sh %s\n.Bl -tag -width Ds\n", title);
	for (; list->term; list++) {
		fputs(".It Li ", out);
		mdoc_line(out, list->term);
		mdoc_line(out, list->text);
	}
	fputs(".El\n", out);
}

static void description(const char *text, FILE *out)
{
	fputs(".Sh DESCRIPTION\n", out);
	mdoc_text(out, text);
}

static void examples(const char *text, FILE *out)
{
	fputs(".Sh EXAMPLES\n", out);
	mdoc_text(out, text);
}

/* ---- lxc.net.conf(5) ------------------------------------------------------------------------- */

static const struct meaning net_variables[] = {
	{"USE_LXC_BRIDGE = true|false", "false: there is no default network, and containers that want its "
	 "bridge do not start. Default: true"},
	{"LXC_BRIDGE = INTERFACE", "Name of the bridge. Default: lxcbr0"},
	{"LXC_BRIDGE_MAC = ADDRESS", "Its hardware address. Default: 10:66:6a:00:00:00"},
	{"LXC_ADDR = ADDRESS", "The bridge's own address, which is the containers' gateway and server of "
	 "names. Default: 10.0.3.1"},
	{"LXC_NETMASK = MASK", "Default: 255.255.255.0"},
	{"LXC_NETWORK = NETWORK/PREFIX", "The network. It follows from LXC_ADDR and LXC_NETMASK when it is "
	 "not set; one that contradicts them is refused."},
	{"LXC_DHCP_RANGE = FIRST,LAST", "Addresses for whoever asks by DHCP. Default: all of the network but "
	 "the bridge's own"},
	{"LXC_DHCP_MAX = NUMBER", "How many of them at a time. Default: 253"},
	{"LXC_DHCP_PING = true|false", "Try for three seconds whether somebody unknown has an address before "
	 "it is given away. Default: true"},
	{"LXC_DHCP_CONFILE = FILE", "A file with further settings for dnsmasq(8)."},
	{"LXC_DOMAIN = DOMAIN", "Containers are known as NAME and as NAME.DOMAIN. Default: lxc"},
	{"LXC_USE_NFT = true", "Rules are made with nftables; false is refused. Default: true"},
	{"LXC_IPV6_ENABLE = true|false", "IPv6 on the bridge. Default: true"},
	{"LXC_IPV6_PREFIX = PREFIX", "The network's IPv6 prefix. Default: derived from the machine's id"},
	{"LXC_IPV6_ADDR = ADDRESS", "The bridge's own IPv6 address. Default: the first one of the prefix"},
	{"LXC_IPV6_MASK = NUMBER", "Length of the prefix. Default: 64"},
	{"LXC_IPV6_NETWORK = NETWORK/PREFIX", "The IPv6 network, where it does not follow from the others."},
	{"LXC_IPV6_NAT = true|false", "Translate IPv6 addresses on the way out as those of IPv4. Default: true"},
	{0}
};

void page_net_conf(FILE *out)
{
	mdoc_begin(out, "lxc.net.conf", 5, "settings of the default network");
	description("`/etc/default/lxc-net`, read after `/etc/default/lxc`, has the settings of the network that "
		    "lxc-net(1) makes. A line is VARIABLE=VALUE as in a shell, with quotes and the values of "
		    "other variables; whatever else a shell could run is refused, with the file and the line. "
		    "Changes count from `lxc-net restart` on, and `lxc-net check` tells what is wrong with "
		    "them.", out);
	meanings("VARIABLES", net_variables, out);
	examples("Another network, because the host is on 10.0.3.0/24 itself:\n\n"
		 "  LXC_ADDR=\"10.77.0.1\"\n\n"
		 "Only addresses that containers were given, and a longer range of them:\n\n"
		 "  LXC_ADDR=\"10.77.0.1\"\n  LXC_NETMASK=\"255.255.0.0\"\n"
		 "  LXC_DHCP_RANGE=\"10.77.1.0,10.77.200.255\"\n  LXC_DHCP_MAX=\"5000\"", out);
	mdoc_see_also(out, "lxc-net lxc.container.conf lxc-services lxc");
}

/* ---- lxc.mirrors.conf(5) --------------------------------------------------------------------- */

static const struct meaning mirror_kinds[] = {
	{"DISTRIBUTION archive URL", "Where its packages or archives are. `http:`, `https:`, `ftp:` and `file:` "
	 "are understood."},
	{"DISTRIBUTION security URL", "Where its security updates are, for distributions that have them "
	 "elsewhere."},
	{"DISTRIBUTION keyring FILE", "Public keys of who must have signed what comes from there."},
	{0}
};

void page_mirrors_conf(FILE *out)
{
	mdoc_begin(out, "lxc.mirrors.conf", 5, "where templates fetch distributions from");
	description("`/etc/lxc/mirrors.conf` says from where the templates of lxc-create(1) fetch distributions, and "
		    "whose signatures count. A line has three words; a line that begins with `#` is a comment; the "
		    "first line for a distribution and a kind counts. DISTRIBUTION is the name of a template, such "
		    "as debian, fedora, alpine; `download` is the image server of the template of that name.\n\n"
		    "The options `--mirror` and `--keyring` of a template come first, then the environment "
		    "variables MIRROR, SECURITY_MIRROR and KEYRING, then this file, then what the host itself uses "
		    "for that distribution, then the distribution's default. Some distributions have none: their "
		    "templates say so and want an option or a line here.\n\n"
		    "What is fetched must be signed. Without a line for the keyring the keys are files in "
		    "`/etc/lxc/keyrings`: NAME.gpg or NAME.asc; `alpine/KEY.rsa.pub` and `voidlinux.pub` for these "
		    "two.", out);
	meanings("LINES", mirror_kinds, out);
	examples("A mirror of one's own for a classroom without Internet:\n\n"
		 "  debian  archive   http://mirror.example/debian\n"
		 "  debian  security  http://mirror.example/debian-security\n"
		 "  centos  archive   http://mirror.example/centos\n"
		 "  centos  keyring   /etc/pki/mirror.asc", out);
	mdoc_see_also(out, "lxc-create lxc.conf lxc");
}

/* ---- lxc.seccomp(5) -------------------------------------------------------------------------- */

static const struct meaning policy_lines[] = {
	{"2", "The first line: the version."},
	{"allowlist [ACTION]", "The second line. What no later line names meets ACTION, which is `kill` unless it is "
	 "written; what is named without an action of its own is allowed."},
	{"denylist [ACTION]", "Or: what no later line names meets ACTION, which is `allow` unless it is written; what "
	 "is named without an action of its own is killed."},
	{"[ARCH]", "The lines that follow are about this architecture: all (one begins with it), x86, x86_64, x32, "
	 "arm, arm64, loongarch64, mips, mips64, mips64n32, mipsel, mipsel64, mipsel64n32, ppc, ppc64, ppc64le, "
	 "riscv64, s390, s390x. Those that this machine does not have are passed over."},
	{"NAME [ACTION] [[INDEX,VALUE,OP[,MASK]]]...", "A system call. Each of at most six conditions compares one "
	 "argument, counted from 0, and all must hold. OP is `==`, `!=`, `<`, `<=`, `>`, `>=`, or `&=`, which "
	 "compares what MASK leaves of the argument; their names in libseccomp (SCMP_CMP_EQ ...) are understood, "
	 "too."},
	{"reject_force_umount", "umount2(2) with MNT_FORCE fails with EACCES."},
	{0}
};

static const struct meaning policy_actions[] = {
	{"allow", "The call is made."},
	{"errno N", "It fails with error number N, 0 to 4095."},
	{"kill", "The thread is killed."},
	{"trap", "The process gets SIGSYS."},
	{"notify", "A program of the host answers: `lxc.seccomp.notify.proxy` in lxc.container.conf(5)."},
	{0}
};

void page_seccomp(FILE *out)
{
	mdoc_begin(out, "lxc.seccomp", 5, "policy for system calls");
	description("The file that `lxc.seccomp.profile` names in lxc.container.conf(5) says which system calls "
		    "nothing in the container may make. It is read at each start; an error in it is told with the "
		    "line, before anything of the container exists. Behind `#` is a comment.", out);
	meanings("LINES", policy_lines, out);
	meanings("ACTIONS", policy_actions, out);
	fputs(".Sh NOTES\n", out);
	mdoc_text(out, "The old words `whitelist` and `blacklist` are understood. A file of version 1 has `1`, `allowlist`, "
		  "and then the number of one system call a line.\n\n"
		  "A system call that this machine's libseccomp does not know is noted in the container's log and "
		  "passed over, since policies are written for more than one kernel. Action `trace` is refused.");
	examples("The beginning of the shipped policy, common.seccomp, which has the reasons beside each line:\n\n"
		 "  2\n  denylist\n  reject_force_umount\n  [all]\n  kexec_load errno 1\n"
		 "  open_by_handle_at errno 1\n  init_module errno 1\n  finit_module errno 1\n"
		 "  delete_module errno 1\n\n"
		 "No packet sockets (family 17):\n\n"
		 "  2\n  denylist\n  [all]\n  socket errno 1 [0,17,==]", out);
	mdoc_see_also(out, "lxc.container.conf lxc-start lxc");
}

/* ---- lxc-services(7) ------------------------------------------------------------------------- */

static const struct meaning service_list[] = {
	{"lxc.service", "All containers that have `lxc.start.auto = 1`: `lxc-containers start` and `stop`."},
	{"lxc@NAME.service", "One container, for those that systemd shall know one by one."},
	{"lxc-net.service", "The default network, lxc-net(1). A container that wants it brings it up as well."},
	{0}
};

static const struct meaning service_variables[] = {
	{"LXC_AUTO = true|false", "Start containers when the machine starts. Default: true"},
	{"BOOTGROUPS = LIST", "Groups (`lxc.group`) that are started, in this order; an empty one are those without "
	 "a group. Default: onboot,"},
	{"SHUTDOWNDELAY = SECONDS", "How long each container has to shut down when the machine stops; then it is "
	 "ended. Default: 5"},
	{"OPTIONS = OPTION...", "Further options of lxc-autostart(1) at the start."},
	{"STOPOPTS = OPTION...", "Options of lxc-autostart(1) at the stop. Default: -a -A -s"},
	{0}
};

void page_services(FILE *out)
{
	mdoc_begin(out, "lxc-services", 7, "containers that start with the machine");
	description("The machine's init starts and stops containers by these services. They are installed for systemd, "
		    "or as scripts for sysvinit or OpenRC under the names `lxc` and `lxc-net`, as the "
		    "program was configured (`--with-init-script`).\n\n"
		    "Both ways run the same script, `lxc-containers start|stop|restart|reload`, which reads "
		    "`/etc/default/lxc` and calls lxc-autostart(1).", out);
	meanings("SERVICES", service_list, out);
	meanings("VARIABLES OF /etc/default/lxc", service_variables, out);
	fputs(".Sh FILES\n.Bl -tag -width Ds\n"
	      ".It Pa /etc/default/lxc\nsettings\n"
	      ".It Pa /etc/default/lxc\\-net\nsettings of the network:\n.Xr lxc.net.conf 5\n.El\n", out);
	examples("  systemctl enable lxc.service\n  systemctl start lxc@web.service", out);
	mdoc_see_also(out, "lxc-autostart lxc-net lxc-start lxc-stop lxc.container.conf lxc.net.conf lxc");
}

/* ---- programs without a table ---------------------------------------------------------------- */

static const struct meaning init_options[] = {
	{"-n NAME, -l LEVEL, -P PATH, -o FILE, -q", "Taken for the sake of old callers, and without effect."},
	{"--help, --usage, --version", "As usual."},
	{0}
};

void page_init(FILE *out)
{
	mdoc_begin(out, "init.lxc", 8, "the init of containers that run one command");
	fputs(".Sh SYNOPSIS\n.Nm\n.Op Fl \\-\n.Ar COMMAND\n.Op Ar ARGUMENT ...\n", out);
	description("Process 1 of a container that lxc-execute(1) started. It runs COMMAND, passes signals on to it, "
		    "takes the exit status of every process that has lost its parent, and ends with the status of "
		    "COMMAND when nothing else is left. SIGTERM and SIGPWR mean that all is to end: every process gets "
		    "SIGTERM, and a second later SIGKILL.\n\n"
		    "It needs no library and no file in the container: lxc-execute(1) runs a copy of it that lies in "
		    "memory. Nobody needs to start it by hand.", out);
	meanings("OPTIONS", init_options, out);
	fputs(".Sh EXIT STATUS\n", out);
	mdoc_text(out, "That of COMMAND, 128 and the number of the signal that killed it, or 255 when it cannot be "
		  "executed.");
	mdoc_see_also(out, "lxc-execute lxc.container.conf lxc");
}

void page_user_nic(FILE *out)
{
	mdoc_begin(out, "lxc-user-nic", 8, "network interfaces for ordinary users' containers");
	fputs(".Sh SYNOPSIS\n.Nm\n.Cm create Ar LXCPATH NAME PID\n.Cm veth Ar BRIDGE\n.Op Ar CONTAINER\\-NIC\n"
	      ".Nm\n.Cm delete Ar LXCPATH NAME Pa /proc/PID/ns/net\n.Cm veth Ar BRIDGE HOST\\-NIC\n", out);
	description("Installed setuid root in the directory of helper programs (`libexec/lxc`), and run by lxc-start(1) "
		    "when the user is not root. What it grants, its words and its answers: lxc-usernet(5).\n\n"
		    "A host whose users have no networks of their own may take away the setuid bit, or be built with "
		    "`--disable-setuid`.", out);
	fputs(".Sh FILES\n.Bl -tag -width Ds\n"
	      ".It Pa /etc/lxc/lxc\\-usernet\nwho may have what\n"
	      ".It Pa /run/lxc/nics\nwhat was made\n.El\n", out);
	mdoc_see_also(out, "lxc-start lxc-usernet lxc");
}
