/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel knows of an interface, and the small requests that every type needs. */
#include "base/fd.h"
#include "parts/network/nic.h"

#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>

/* ---- finding ---- */

static void read_bridge(const struct nlattr *data, struct link *link)
{
	const struct nlattr *tb[IFLA_BR_VLAN_DEFAULT_PVID + 1];
	const uint8_t *filtering;

	netlink_nested(data, tb, IFLA_BR_VLAN_DEFAULT_PVID);
	filtering = netlink_value(tb[IFLA_BR_VLAN_FILTERING]);
	link->vlan_filtering = netlink_size(tb[IFLA_BR_VLAN_FILTERING]) && *filtering;
	netlink_u16(tb[IFLA_BR_VLAN_DEFAULT_PVID], &link->default_pvid);
}

static int read_link(void *data, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *info = netlink_head(answer, sizeof(*info));
	const struct nlattr *tb[IFLA_LINKINFO + 1], *kind[IFLA_INFO_DATA + 1];
	struct link *link = data;
	const char *text;

	if (!info || answer->nlmsg_type != RTM_NEWLINK)
		return 0;
	netlink_attributes(answer, sizeof(*info), tb, IFLA_LINKINFO);
	netlink_nested(tb[IFLA_LINKINFO], kind, IFLA_INFO_DATA);
	*link = (struct link){.index = info->ifi_index, .flags = info->ifi_flags};
	netlink_u32(tb[IFLA_MTU], &link->mtu);
	text = netlink_text(tb[IFLA_IFNAME]);
	snprintf(link->name, sizeof(link->name), "%s", text ? text : "");
	text = netlink_text(kind[IFLA_INFO_KIND]);
	snprintf(link->kind, sizeof(link->kind), "%s", text ? text : "");
	if (netlink_size(tb[IFLA_ADDRESS]) == HWADDR_BYTES)
		memcpy(link->mac, netlink_value(tb[IFLA_ADDRESS]), HWADDR_BYTES);
	if (strcmp(link->kind, "bridge") == 0)
		read_bridge(kind[IFLA_INFO_DATA], link);
	return 0;
}

int link_find(struct netlink *nl, const char *name, struct link *ret, struct error *err)
{
	struct ifinfomsg info = {0};
	struct netlink_message m;

	ret->index = 0;
	netlink_begin(&m, RTM_GETLINK, 0, &info, sizeof(info));
	netlink_put_text(&m, IFLA_IFNAME, name);
	netlink_put_u32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (netlink_each(nl, &m, read_link, ret) == 0)
		return ret->index > 0;
	if (errno == ENODEV)
		return 0;
	return error_set(err, errno, "cannot look for interface \"%s\": %s", name, nl->reason);
}

int link_index(const struct netlink *nl, const char *name)
{
	struct ifreq request = {0};

	/* netdevice(7) works on any socket, and this question needs no lock in the kernel. */
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	return ioctl(nl->fd, SIOCGIFINDEX, &request) < 0 ? 0 : request.ifr_ifindex;
}

struct best_address {
	int index, family;
	struct address address;
};

static int read_address(void *data, const struct nlmsghdr *answer)
{
	const struct ifaddrmsg *info = netlink_head(answer, sizeof(*info));
	const struct nlattr *tb[IFA_LOCAL + 1], *bytes;
	struct best_address *best = data;
	struct address a = {.family = best->family};

	if (!info || answer->nlmsg_type != RTM_NEWADDR || (int)info->ifa_index != best->index ||
	    info->ifa_family != best->family || info->ifa_flags & IFA_F_SECONDARY)
		return 0;
	netlink_attributes(answer, sizeof(*info), tb, IFA_LOCAL);
	bytes = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (netlink_size(bytes) != address_size(&a))
		return 0;
	memcpy(a.bytes, netlink_value(bytes), address_size(&a));
	a.prefix = info->ifa_prefixlen;
	if (!best->address.family ||
	    (address_is_link_local(&best->address) && !address_is_link_local(&a)))
		best->address = a;
	return 0;
}

int link_address(struct netlink *nl, int index, int family, struct address *ret, struct error *err)
{
	struct ifaddrmsg info = {.ifa_family = (uint8_t)family, .ifa_index = (uint32_t)index};
	struct best_address best = {.index = index, .family = family};
	struct netlink_message m;

	netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
	if (netlink_each(nl, &m, read_address, &best) < 0)
		return error_set(err, errno, "cannot read the addresses of an interface: %s",
				 nl->reason);
	*ret = best.address;
	return best.address.family != 0;
}

struct ports {
	int bridge, n;
};

static int count_port(void *data, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *info = netlink_head(answer, sizeof(*info));
	const struct nlattr *tb[IFLA_MASTER + 1];
	struct ports *ports = data;
	uint32_t master;

	if (!info || answer->nlmsg_type != RTM_NEWLINK)
		return 0;
	netlink_attributes(answer, sizeof(*info), tb, IFLA_MASTER);
	if (netlink_u32(tb[IFLA_MASTER], &master) && (int)master == ports->bridge)
		ports->n++;
	return 0;
}

int link_ports(struct netlink *nl, int bridge)
{
	struct ifinfomsg info = {0};
	struct ports ports = {.bridge = bridge};
	struct netlink_message m;

	/* Not from /sys, which may show another network namespace than ours. */
	netlink_begin(&m, RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
	netlink_put_u32(&m, IFLA_MASTER, (uint32_t)bridge);
	netlink_put_u32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_each(nl, &m, count_port, &ports) < 0 ? 0 : ports.n;
}

/* ---- changing ---- */

int link_set_address(struct netlink *nl, int index, const uint8_t mac[HWADDR_BYTES])
{
	struct ifinfomsg info = {.ifi_index = index};
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put(&m, IFLA_ADDRESS, mac, HWADDR_BYTES);
	return netlink_ask(nl, &m);
}

int link_up(struct netlink *nl, int index)
{
	struct ifinfomsg info = {
		.ifi_index = index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	return netlink_ask(nl, &m);
}

int link_delete(struct netlink *nl, int index)
{
	struct ifinfomsg info = {.ifi_index = index};
	struct netlink_message m;

	netlink_begin(&m, RTM_DELLINK, 0, &info, sizeof(info));
	return netlink_ask(nl, &m);
}

int link_add_address(struct netlink *nl, int index, const struct address *a)
{
	struct ifaddrmsg info = {
		.ifa_family = (uint8_t)a->family,
		.ifa_prefixlen = a->prefix,
		.ifa_index = (uint32_t)index,
		/* Duplicate-address detection costs 1 to 5 seconds in which the address cannot be
		 * used; whoever configures one vouches for it. */
		.ifa_flags = a->family == AF_INET6 ? IFA_F_NODAD : 0,
	};
	static const uint8_t none[4];
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	netlink_put(&m, IFA_LOCAL, a->bytes, address_size(a));
	netlink_put(&m, IFA_ADDRESS, a->bytes, address_size(a));
	if (a->family == AF_INET && memcmp(a->broadcast, none, sizeof(none)) != 0)
		netlink_put(&m, IFA_BROADCAST, a->broadcast, sizeof(a->broadcast));
	return netlink_ask(nl, &m);
}

int link_add_route(struct netlink *nl, int index, const struct address *to, int family,
		   const struct address *gateway)
{
	struct rtmsg route = {
		.rtm_family = (uint8_t)family,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_type = RTN_UNICAST,
		.rtm_scope = gateway || family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_dst_len = to ? to->prefix : 0,
	};
	/* A router may have been quicker with an IPv6 default route of its own: both are kept. */
	int flags = NLM_F_CREATE | (to || family == AF_INET ? NLM_F_EXCL : NLM_F_APPEND);
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWROUTE, flags, &route, sizeof(route));
	if (to)
		netlink_put(&m, RTA_DST, to->bytes, address_size(to));
	if (gateway)
		netlink_put(&m, RTA_GATEWAY, gateway->bytes, address_size(gateway));
	netlink_put_u32(&m, RTA_OIF, (uint32_t)index);
	return netlink_ask(nl, &m);
}

int link_remove_route(struct netlink *nl, int index, const struct address *to)
{
	struct rtmsg route = {
		.rtm_family = (uint8_t)to->family,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_NOWHERE, /* whichever it has */
		.rtm_dst_len = to->prefix,
	};
	struct netlink_message m;

	netlink_begin(&m, RTM_DELROUTE, 0, &route, sizeof(route));
	netlink_put(&m, RTA_DST, to->bytes, address_size(to));
	netlink_put_u32(&m, RTA_OIF, (uint32_t)index);
	return netlink_ask(nl, &m);
}

int link_proxy(struct netlink *nl, int type, int index, const struct address *a)
{
	struct ndmsg neighbour = {
		.ndm_family = (uint8_t)a->family,
		.ndm_ifindex = index,
		.ndm_flags = NTF_PROXY,
	};
	struct netlink_message m;

	netlink_begin(&m, type, type == RTM_NEWNEIGH ? NLM_F_CREATE : 0, &neighbour,
		      sizeof(neighbour));
	netlink_put(&m, NDA_DST, a->bytes, address_size(a));
	return netlink_ask(nl, &m);
}

/* ---- names and numbers ---- */

void link_random_name(char name[IFNAMSIZ])
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint8_t random[IFNAMSIZ] = {0};
	size_t at = 0;

	/* A name by chance need not be hard to guess: one that is taken is tried again. */
	if (getrandom(random, sizeof(random), GRND_NONBLOCK) < 0)
		memcpy(random, &(long long){clock_us()}, sizeof(long long));
	for (char *p = strchr(name, 'X'); p && *p == 'X'; p++)
		*p = letters[random[at++] % (sizeof(letters) - 1)];
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	/* FNV-1a, the closing NUL included so that words do not run together. */
	do
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	while (*text++);
	return hash;
}

uint64_t network_hash(const char *lxcpath, const char *name, const char *word)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	autobuf struct buf machine = BUF_INIT;

	/* The same container name on two hosts of one network must not give the same address. */
	if (file_read(AT_FDCWD, "/etc/machine-id", &machine) == 0 && machine.s)
		hash = hash_text(hash, machine.s);
	hash = hash_text(hash, lxcpath);
	hash = hash_text(hash, name);
	hash = hash_text(hash, word);
	/* The last step of splitmix64 spreads what differs only at the end over all bits. */
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ULL;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111ebULL;
	return hash ^ hash >> 31;
}
