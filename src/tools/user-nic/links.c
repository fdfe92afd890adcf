/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespaces and devices, by descriptor and by rtnetlink(7). */
#include "user-nic.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/veth.h>
#include <net/ethernet.h>
#include <netinet/ether.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	errno = 0;
	return fd >= 0 && fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Not with certainty where root has less capabilities than pid 1, which it then cannot look at. */
bool namespace_is_hosts(void)
{
	autoclose int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return same_file(own, "/proc/1/ns/net") || (own >= 0 && errno == EACCES);
}

int namespace_open(unsigned pid, uid_t uid)
{
	autoclose int ns = -1, users = -1;
	struct statfs fs;
	char path[32];
	uid_t owner;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	if (seteuid(uid) < 0)
		return -1;
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (seteuid(0) < 0)
		abort();
	if (ns < 0 || fstatfs(ns, &fs) < 0 || fs.f_type != NSFS_MAGIC ||
	    ioctl(ns, NS_GET_NSTYPE) != CLONE_NEWNET)
		return -1;
	users = ioctl(ns, NS_GET_USERNS);
	if (users < 0 || same_file(users, "/proc/self/ns/user") ||
	    ioctl(users, NS_GET_OWNER_UID, &owner) < 0 || owner != uid)
		return -1;
	return steal_fd(&ns);
}

/* ---- devices ---- */

struct link {
	char kind[16];
	uint32_t mtu, other; /* other: of a veth its far end's number */
	struct ether_addr mac;
};

static int read_link(void *data, const struct nlmsghdr *answer)
{
	const struct nlattr *tb[IFLA_LINKINFO + 1], *kind[IFLA_INFO_KIND + 1];
	struct link *l = data;

	netlink_attributes(answer, sizeof(struct ifinfomsg), tb, IFLA_LINKINFO);
	netlink_nested(tb[IFLA_LINKINFO], kind, IFLA_INFO_KIND);
	netlink_u32(tb[IFLA_MTU], &l->mtu);
	netlink_u32(tb[IFLA_LINK], &l->other);
	if (netlink_size(tb[IFLA_ADDRESS]) == sizeof(l->mac))
		memcpy(&l->mac, netlink_value(tb[IFLA_ADDRESS]), sizeof(l->mac));
	if (netlink_text(kind[IFLA_INFO_KIND]))
		snprintf(l->kind, sizeof(l->kind), "%s", netlink_text(kind[IFLA_INFO_KIND]));
	return 0;
}

/* Its number; 0: there is none of that name and kind. */
static unsigned link_get(struct netlink *nl, const char *name, const char *kind, struct link *ret)
{
	unsigned index = if_nametoindex(name);
	struct ifinfomsg info = {.ifi_index = (int)index};
	struct netlink_message m;

	*ret = (struct link){0};
	netlink_begin(&m, RTM_GETLINK, 0, &info, sizeof(info));
	if (!index || netlink_each(nl, &m, read_link, ret) < 0 || strcmp(ret->kind, kind) != 0)
		return 0;
	return index;
}

unsigned bridge_find(struct netlink *nl, const char *name, uint32_t *ret_mtu)
{
	struct link l;
	unsigned index = link_get(nl, name, "bridge", &l);

	*ret_mtu = index ? l.mtu : 1500;
	return index;
}

/* Its number if it is the one that was made; of a line of LXC's any of that name. */
static unsigned veth_find(struct netlink *nl, const struct entry *e)
{
	char mac[sizeof("00:00:00:00:00:00")];
	struct link l;
	unsigned index = link_get(nl, e->w[NIC], "veth", &l);

	return e->w[MAC] && strcmp(ether_ntoa_r(&l.mac, mac), e->w[MAC]) != 0 ? 0 : index;
}

bool veth_is_there(struct netlink *nl, const struct entry *e)
{
	return veth_find(nl, e) > 0;
}

int veth_make(struct netlink *nl, int ns, const struct entry *e, unsigned bridge, uint32_t mtu,
	      const char *inside)
{
	struct ifinfomsg host = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, inner = {0};
	struct netlink_message m;
	struct ether_addr mac;
	size_t info, data, peer;

	if (!ether_aton_r(e->w[MAC], &mac))
		return -1;
	netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &host, sizeof(host));
	netlink_put_text(&m, IFLA_IFNAME, e->w[NIC]);
	netlink_put(&m, IFLA_ADDRESS, &mac, sizeof(mac));
	netlink_put_u32(&m, IFLA_MTU, mtu);
	if (bridge)
		netlink_put_u32(&m, IFLA_MASTER, bridge);
	info = netlink_nest(&m, IFLA_LINKINFO);
	netlink_put_text(&m, IFLA_INFO_KIND, "veth");
	data = netlink_nest(&m, IFLA_INFO_DATA);
	peer = netlink_nest(&m, VETH_INFO_PEER);
	netlink_put_bytes(&m, &inner, sizeof(inner));
	netlink_put_text(&m, IFLA_IFNAME, inside);
	netlink_put_u32(&m, IFLA_MTU, mtu);
	netlink_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)ns);
	netlink_nest_end(&m, peer);
	netlink_nest_end(&m, data);
	netlink_nest_end(&m, info);
	return netlink_ask(nl, &m);
}

/* Names and numbers of both ends.  We stay over there: it is the last that is done. */
void veth_print(struct netlink *nl, int ns, const struct entry *e)
{
	char inside[IFNAMSIZ];
	struct link l;
	unsigned host = link_get(nl, e->w[NIC], "veth", &l);

	if (host && setns(ns, CLONE_NEWNET) == 0 && if_indextoname(l.other, inside))
		printf("%s:%u:%s:%u\n", inside, l.other, e->w[NIC], host);
}

int veth_delete(struct netlink *nl, const struct entry *e)
{
	struct ifinfomsg info = {.ifi_index = (int)veth_find(nl, e)};
	struct netlink_message m;

	netlink_begin(&m, RTM_DELLINK, 0, &info, sizeof(info));
	return info.ifi_index ? netlink_ask(nl, &m) : -1;
}
