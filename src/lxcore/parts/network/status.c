/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces of running containers, asked from outside.
 *
 * The kernel answers for another namespace when it is named by its number as seen from ours
 * (IFLA_TARGET_NETNSID, Linux 4.20), so no process has to go inside, let alone one per container.
 * A veth to that namespace has given it a number already.
 */
#include "parts/network/status.h"
#include "parts/network/nic.h"

#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OWN (-1)  /* the caller's namespace: asked without a number */
#define NONE (-2) /* gone, or not to be seen */

struct host_link {
	int index, peer, peer_ns; /* peer_ns NONE: its other end is here, or there is none */
	char name[IFNAMSIZ];
};

struct status {
	struct netlink nl;
	struct stat own;         /* the caller's namespace */
	struct host_link *links; /* in that */
	size_t n_links;
	bool failed; /* memory ran out */
};

struct one { /* the container that is being asked for */
	struct status *status;
	struct network_of *of;
	int *indexes; /* of the interfaces found */
	int ns;
};

/* ---- the host's side ---- */

static int read_host_link(void *data, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *info = netlink_head(answer, sizeof(*info));
	const struct nlattr *tb[IFLA_LINK_NETNSID + 1];
	struct status *s = data;
	struct host_link *links, *link;
	uint32_t value;

	if (!info || answer->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (s->n_links % 64 == 0) {
		links = realloc(s->links, (s->n_links + 64) * sizeof(*links));
		if (!links) {
			s->failed = true;
			return 0;
		}
		s->links = links;
	}
	netlink_attributes(answer, sizeof(*info), tb, IFLA_LINK_NETNSID);
	link = &s->links[s->n_links++];
	*link = (struct host_link){.index = info->ifi_index, .peer_ns = NONE};
	if (netlink_u32(tb[IFLA_LINK], &value))
		link->peer = (int)value;
	if (netlink_u32(tb[IFLA_LINK_NETNSID], &value))
		link->peer_ns = (int)value;
	if (netlink_text(tb[IFLA_IFNAME]))
		snprintf(link->name, sizeof(link->name), "%s", netlink_text(tb[IFLA_IFNAME]));
	return 0;
}

static int read_host_links(struct status *s)
{
	struct ifinfomsg info = {0};
	struct netlink_message m;

	netlink_begin(&m, RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
	netlink_put_u32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_each(&s->nl, &m, read_host_link, s);
}

/*
 * The name here of what an interface over there is tied to: a veth's other end says of itself that
 * it leads to number 'index' in namespace 'ns'; what stands on a link of ours says that link's
 * number.
 */
static const char *host_name(const struct status *s, int ns, int index,
			     const struct nlattr *const *tb)
{
	const struct nlattr *kind[IFLA_INFO_KIND + 1];
	uint32_t parent = 0;
	const char *word;

	for (size_t i = 0; i < s->n_links; i++)
		if (s->links[i].peer_ns == ns && s->links[i].peer == index)
			return s->links[i].name;
	netlink_nested(tb[IFLA_LINKINFO], kind, IFLA_INFO_KIND);
	word = netlink_text(kind[IFLA_INFO_KIND]);
	/* A veth that got here leads to a container in the container. */
	if (!word || strcmp(word, "veth") == 0 || !tb[IFLA_LINK_NETNSID] ||
	    !netlink_u32(tb[IFLA_LINK], &parent))
		return NULL;
	for (size_t i = 0; i < s->n_links; i++)
		if (s->links[i].index == (int)parent && s->links[i].peer_ns == NONE)
			return s->links[i].name;
	return NULL;
}

/* ---- which namespace ---- */

static int read_number(void *data, const struct nlmsghdr *answer)
{
	const struct rtgenmsg *head = netlink_head(answer, sizeof(*head));
	const struct nlattr *tb[NETNSA_NSID + 1];
	uint32_t value;

	if (!head)
		return 0;
	netlink_attributes(answer, sizeof(*head), tb, NETNSA_NSID);
	if (netlink_u32(tb[NETNSA_NSID], &value))
		*(int *)data = (int)value;
	return 0;
}

static int ask_number(struct netlink *nl, pid_t pid)
{
	struct rtgenmsg head = {.rtgen_family = AF_UNSPEC};
	struct netlink_message m;
	int number = NETNSA_NSID_NOT_ASSIGNED;

	netlink_begin(&m, RTM_GETNSID, 0, &head, sizeof(head));
	netlink_put_u32(&m, NETNSA_PID, (uint32_t)pid);
	return netlink_each(nl, &m, read_number, &number) < 0 ? NONE : number;
}

static int namespace_number(struct status *s, pid_t pid)
{
	struct rtgenmsg head = {.rtgen_family = AF_UNSPEC};
	struct netlink *nl = &s->nl;
	struct netlink_message m;
	struct stat its;
	char path[32];
	int number;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (stat(path, &its) < 0)
		return NONE;
	if (its.st_ino == s->own.st_ino && its.st_dev == s->own.st_dev)
		return OWN;
	number = ask_number(nl, pid);
	if (number != NETNSA_NSID_NOT_ASSIGNED)
		return number;
	/* No veth leads there.  The number that it gets now ends with it. */
	netlink_begin(&m, RTM_NEWNSID, 0, &head, sizeof(head));
	netlink_put_u32(&m, NETNSA_PID, (uint32_t)pid);
	netlink_put_u32(&m, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
	if (netlink_ask(nl, &m) < 0 && errno != EEXIST)
		return NONE;
	number = ask_number(nl, pid);
	return number == NETNSA_NSID_NOT_ASSIGNED ? NONE : number;
}

/* ---- the container's side ---- */

static void read_counters(const struct nlattr *stats, struct lxcore_interface *i)
{
	struct rtnl_link_stats64 counters = {0};

	/* Its attribute need not be aligned for numbers of eight bytes. */
	if (netlink_size(stats) < offsetof(struct rtnl_link_stats64, rx_errors))
		return;
	memcpy(&counters, netlink_value(stats), offsetof(struct rtnl_link_stats64, rx_errors));
	i->rx_bytes = counters.rx_bytes;
	i->tx_bytes = counters.tx_bytes;
}

static int read_link(void *data, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *info = netlink_head(answer, sizeof(*info));
	const struct nlattr *tb[IFLA_LINK_NETNSID + 1];
	struct one *one = data;
	struct lxcore_interface *list, *i;
	const char *name, *host;
	int *indexes;

	if (!info || answer->nlmsg_type != RTM_NEWLINK || info->ifi_type == ARPHRD_LOOPBACK)
		return 0;
	netlink_attributes(answer, sizeof(*info), tb, IFLA_LINK_NETNSID);
	name = netlink_text(tb[IFLA_IFNAME]);
	list = realloc(one->of->interfaces, (size_t)(one->of->n + 1) * sizeof(*list));
	if (list)
		one->of->interfaces = list;
	indexes = realloc(one->indexes, (size_t)(one->of->n + 1) * sizeof(*indexes));
	if (indexes)
		one->indexes = indexes;
	if (!list || !indexes || !name) {
		one->status->failed = one->status->failed || name;
		return 0;
	}
	host = one->ns >= 0 ? host_name(one->status, one->ns, info->ifi_index, tb) : NULL;
	indexes[one->of->n] = info->ifi_index;
	i = &list[one->of->n++];
	*i = (struct lxcore_interface){.name = strdup(name),
				       .host_name = host ? strdup(host) : NULL};
	read_counters(tb[IFLA_STATS64], i);
	return 0;
}

/* Add a string to a list that ends in NULL. */
static bool add_text(char ***list, const char *text)
{
	size_t n = 0;
	char **v;

	while (*list && (*list)[n])
		n++;
	v = realloc(*list, (n + 2) * sizeof(*v));
	if (!v)
		return false;
	*list = v;
	v[n] = strdup(text);
	v[n + 1] = NULL;
	return v[n] != NULL;
}

static int read_address(void *data, const struct nlmsghdr *answer)
{
	const struct ifaddrmsg *info = netlink_head(answer, sizeof(*info));
	const struct nlattr *tb[IFA_LOCAL + 1], *bytes;
	struct one *one = data;
	struct address a = {0};
	char text[INET6_ADDRSTRLEN];

	if (!info || answer->nlmsg_type != RTM_NEWADDR ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return 0;
	netlink_attributes(answer, sizeof(*info), tb, IFA_LOCAL);
	bytes = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	a.family = info->ifa_family;
	if (netlink_size(bytes) != address_size(&a))
		return 0;
	memcpy(a.bytes, netlink_value(bytes), address_size(&a));
	if (a.family == AF_INET6 && address_is_link_local(&a))
		return 0;
	for (int i = 0; i < one->of->n; i++) {
		struct lxcore_interface *to = &one->of->interfaces[i];

		if (one->indexes[i] == (int)info->ifa_index &&
		    !add_text(a.family == AF_INET ? &to->ipv4 : &to->ipv6, address_text(&a, text)))
			one->status->failed = true;
	}
	return 0;
}

/* Readers may rely on lists that are there, if empty. */
static void end_lists(struct one *one)
{
	for (int i = 0; i < one->of->n; i++) {
		struct lxcore_interface *to = &one->of->interfaces[i];

		if (!to->ipv4)
			to->ipv4 = calloc(1, sizeof(char *));
		if (!to->ipv6)
			to->ipv6 = calloc(1, sizeof(char *));
		if (!to->name || !to->ipv4 || !to->ipv6)
			one->status->failed = true;
	}
}

static void ask_container(struct status *s, struct network_of *of)
{
	struct one one = {.status = s, .of = of, .ns = namespace_number(s, of->init)};
	struct ifinfomsg link = {0};
	struct ifaddrmsg address = {0};
	struct netlink_message m;

	if (one.ns == NONE)
		return;
	netlink_begin(&m, RTM_GETLINK, NLM_F_DUMP, &link, sizeof(link));
	if (one.ns != OWN)
		netlink_put_u32(&m, IFLA_TARGET_NETNSID, (uint32_t)one.ns);
	netlink_each(&s->nl, &m, read_link, &one);
	if (of->n) {
		netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, &address, sizeof(address));
		if (one.ns != OWN)
			netlink_put_u32(&m, IFA_TARGET_NETNSID, (uint32_t)one.ns);
		netlink_each(&s->nl, &m, read_address, &one);
	}
	end_lists(&one);
	free(one.indexes);
}

int network_interfaces(struct network_of *of, size_t n, struct error *err)
{
	struct status s = {.nl = NETLINK_CLOSED};
	int result = 0;

	if (netlink_open(&s.nl, err) < 0)
		return -1;
	if (stat("/proc/self/ns/net", &s.own) < 0)
		result = error_sys(err, "cannot tell the host's network namespace");
	else if (read_host_links(&s) < 0)
		result =
			error_set(err, errno, "cannot list the host's interfaces: %s", s.nl.reason);
	for (size_t i = 0; result == 0 && i < n; i++) {
		of[i].interfaces = NULL;
		of[i].n = 0;
		ask_container(&s, &of[i]);
	}
	if (s.failed)
		result = error_set(err, ENOMEM, "cannot list interfaces: out of memory");
	free(s.links);
	netlink_close(&s.nl);
	return result;
}

static void free_list(char **list)
{
	for (char **text = list; text && *text; text++)
		free(*text);
	free(list);
}

void lxcore_interfaces_free(struct lxcore_interface *list, int n)
{
	for (int i = 0; i < n; i++) {
		free(list[i].name);
		free(list[i].host_name);
		free_list(list[i].ipv4);
		free_list(list[i].ipv6);
	}
	free(list);
}
