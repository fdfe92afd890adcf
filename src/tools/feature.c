/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lxc-checkconfig looks for, as one table.  A running kernel is asked itself: a namespace is a
 * file in /proc/self/ns, a kind of network device is one that rtnetlink knows.  So nothing depends
 * on where a distribution keeps the kernel's configuration, and a module need not be loaded.
 */
#include "feature.h"
#include "text.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- files ----------------------------------------------------------------------------------- */

static bool has_file(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool has_namespace(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return has_file(path);
}

static bool file_has_word(const char *path, const char *word)
{
	FILE *f = fopen(path, "re");
	autofree char *line = NULL;
	size_t size = 0;
	bool found = false;
	char *w, *save;

	while (f && !found && getline(&line, &size, f) > 0)
		for (w = strtok_r(line, " \t\n", &save); w && !found;
		     w = strtok_r(NULL, " \t\n", &save))
			found = strcmp(w, word) == 0;
	if (f)
		fclose(f);
	return found;
}

static bool has_filesystem(const char *name)
{
	return file_has_word("/proc/filesystems", name);
}

static bool has_controller(const char *name)
{
	static const char v2[] = "/sys/fs/cgroup/cgroup.controllers";

	if (file_has_word("/proc/cgroups", name))
		return true;
	/* On v2 some are no controllers but always there; devices are programs (BPF). */
	if (strcmp(name, "devices") == 0 || strcmp(name, "freezer") == 0 ||
	    strcmp(name, "cpuacct") == 0)
		return has_file(v2);
	return file_has_word(v2, name);
}

/* ---- system calls ---------------------------------------------------------------------------- */

static bool has_call(const char *name)
{
	long number = strcmp(name, "openat2") == 0 ? SYS_openat2 :
		strcmp(name, "mount_setattr") == 0 ? SYS_mount_setattr : SYS_name_to_handle_at;

	/* Without sense, but not without an answer. */
	return syscall(number, -1, NULL, 0, NULL, 0) == 0 || errno != ENOSYS;
}

static bool has_file_capabilities(const char *unused)
{
	(void)unused;
	return prctl(PR_CAPBSET_READ, 0, 0, 0, 0) >= 0;
}

/* ---- netlink --------------------------------------------------------------------------------- */

void features_prepare(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		(void)!unshare(CLONE_NEWUSER | CLONE_NEWNET);
}

/* The kernel's answer to a request, as errno; 0: none, or one without an error. */
static int ask(int protocol, const void *request, size_t size)
{
	struct {
		struct nlmsghdr head;
		char rest[4096];
	} reply = {0};
	struct timeval limit = {.tv_sec = 2};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), code = EPROTONOSUPPORT;
	ssize_t n;

	if (fd < 0)
		return code;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	n = send(fd, request, size, 0) < 0 ? -1 : recv(fd, &reply, sizeof(reply), 0);
	code = 0;
	if (n >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) &&
	    reply.head.nlmsg_type == NLMSG_ERROR)
		code = -((struct nlmsgerr *)NLMSG_DATA(&reply.head))->error;
	close(fd);
	return code;
}

/* An incomplete request for a device of this kind: only a kind that nobody knows is EOPNOTSUPP. */
static bool has_link_kind(const char *kind)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
		struct rtattr linkinfo, kind;
		char name[16];
	} r = {
		.head = {.nlmsg_len = sizeof(r), .nlmsg_type = RTM_NEWLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
		.linkinfo = {.rta_len = 2 * sizeof(struct rtattr) + sizeof(r.name),
			     .rta_type = IFLA_LINKINFO},
		.kind = {.rta_type = IFLA_INFO_KIND},
	};

	snprintf(r.name, sizeof(r.name), "%s", kind);
	r.kind.rta_len = (unsigned short)(sizeof(struct rtattr) + strlen(kind) + 1);
	return ask(NETLINK_ROUTE, &r, sizeof(r)) != EOPNOTSUPP;
}

/* Families without a handler are ENOENT; others find the request too short. */
static bool has_diag(const char *family)
{
	struct {
		struct nlmsghdr head;
		struct sock_diag_req request;
	} r = {
		.head = {.nlmsg_len = sizeof(r), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.request = {.sdiag_family = (unsigned char)atoi(family)},
	};

	return ask(NETLINK_SOCK_DIAG, &r, sizeof(r)) != ENOENT;
}

static bool has_nftables(const char *unused)
{
	struct {
		struct nlmsghdr head;
		struct nfgenmsg request;
	} r = {
		.head = {.nlmsg_len = sizeof(r), .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | 16,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.request = {.version = NFNETLINK_V0},
	};
	int code = ask(NETLINK_NETFILTER, &r, sizeof(r));

	(void)unused;
	return code != EINVAL && code != EOPNOTSUPP && code != EPROTONOSUPPORT;
}

/* ---- the table ------------------------------------------------------------------------------- */

const struct feature features[] = {
	{"Namespaces", "Namespaces", "NAMESPACES", true, has_file, "/proc/self/ns"},
	{NULL, "Utsname namespace", "UTS_NS", true, has_namespace, "uts"},
	{NULL, "Ipc namespace", "IPC_NS", true, has_namespace, "ipc"},
	{NULL, "Pid namespace", "PID_NS", true, has_namespace, "pid"},
	{NULL, "User namespace", "USER_NS", false, has_namespace, "user"},
	{NULL, "Network namespace", "NET_NS", false, has_namespace, "net"},
	{NULL, "Time namespace", "TIME_NS", false, has_namespace, "time"},

	{"Control groups", "Cgroups", "CGROUPS", true, has_file, "/proc/self/cgroup"},
	{NULL, "Cgroup namespace", "CGROUPS", true, has_namespace, "cgroup"},
	{NULL, "Cgroup device", "CGROUP_DEVICE", false, has_controller, "devices"},
	{NULL, "Cgroup sched", "CGROUP_SCHED", false, has_controller, "cpu"},
	{NULL, "Cgroup cpu account", "CGROUP_CPUACCT", false, has_controller, "cpuacct"},
	{NULL, "Cgroup memory controller", "MEMCG", false, has_controller, "memory"},
	{NULL, "Cgroup cpuset", "CPUSETS", false, has_controller, "cpuset"},
	{NULL, "Cgroup pids", "CGROUP_PIDS", false, has_controller, "pids"},
	{NULL, "Cgroup freezer", "CGROUP_FREEZER", false, has_controller, "freezer"},

	{"Misc", "Veth pair device", "VETH", false, has_link_kind, "veth"},
	{NULL, "Macvlan", "MACVLAN", false, has_link_kind, "macvlan"},
	{NULL, "Ipvlan", "IPVLAN", false, has_link_kind, "ipvlan"},
	{NULL, "Vlan", "VLAN_8021Q", false, has_link_kind, "vlan"},
	{NULL, "Bridges", "BRIDGE", false, has_link_kind, "bridge"},
	{NULL, "Nftables", "NF_TABLES", false, has_nftables, NULL},
	{NULL, "Advanced netfilter", "NETFILTER_ADVANCED", false, has_file,
	 "/proc/sys/net/netfilter"},
	{NULL, "Seccomp filter", "SECCOMP_FILTER", false, has_file,
	 "/proc/sys/kernel/seccomp/actions_avail"},
	{NULL, "Overlay", "OVERLAY_FS", false, has_filesystem, "overlay"},
	{NULL, "FUSE (for use with lxcfs)", "FUSE_FS", false, has_filesystem, "fuse"},
	{NULL, "Devpts", "UNIX98_PTYS", true, has_filesystem, "devpts"},
	{NULL, "Tmpfs", "TMPFS", true, has_filesystem, "tmpfs"},
	{NULL, "Paths confined to a root (openat2)", NULL, true, has_call, "openat2"},
	{NULL, "Id-mapped mounts (mount_setattr)", NULL, false, has_call, "mount_setattr"},
	{NULL, "File capabilities", NULL, false, has_file_capabilities, NULL},

	{"Checkpoint/Restore", "checkpoint restore", "CHECKPOINT_RESTORE", false, has_file,
	 "/proc/sys/kernel/ns_last_pid"},
	{NULL, "CONFIG_FHANDLE", "FHANDLE", false, has_call, "name_to_handle_at"},
	{NULL, "CONFIG_UNIX_DIAG", "UNIX_DIAG", false, has_diag, "1"},
	{NULL, "CONFIG_INET_DIAG", "INET_DIAG", false, has_diag, "2"},
	{NULL, "CONFIG_PACKET_DIAG", "PACKET_DIAG", false, has_diag, "17"},
	{NULL, "CONFIG_NETLINK_DIAG", "NETLINK_DIAG", false, has_diag, "16"},
	{0}
};
