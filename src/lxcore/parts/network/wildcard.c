/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * 'lxc.net.N.link = eth+' of type phys: every interface of the host whose name begins so.  Before
 * anything is checked such an entry is completed: it becomes that of the first match, and each
 * further match gets a copy of it under the same N.  What can belong to one alone (a name, an
 * address) cannot be asked of several.
 */
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

struct matches {
	const struct network_conf *net;
	const char *start;
	size_t n_start;
	struct strv names;
};

static bool is_lent_already(const struct network_conf *net, const char *name)
{
	for (size_t i = 0; i < net->n; i++)
		if (strcmp(net->v[i]->link, name) == 0)
			return true;
	return false;
}

static int look_at(void *data, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *info = netlink_head(answer, sizeof(*info));
	const struct nlattr *tb[IFLA_IFNAME + 1];
	struct matches *m = data;
	const char *name;

	if (!info || answer->nlmsg_type != RTM_NEWLINK || info->ifi_flags & IFF_LOOPBACK)
		return 0;
	netlink_attributes(answer, sizeof(*info), tb, IFLA_IFNAME);
	name = netlink_text(tb[IFLA_IFNAME]);
	if (!name || strlen(name) >= IFNAMSIZ || strncmp(name, m->start, m->n_start) != 0 ||
	    is_lent_already(m->net, name))
		return 0;
	if (strv_add(&m->names, name) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}

static int find_matches(struct netlink *nl, struct matches *m, struct error *err)
{
	struct ifinfomsg info = {0};
	struct netlink_message question;

	netlink_begin(&question, RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
	netlink_put_u32(&question, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (netlink_each(nl, &question, look_at, m) < 0)
		return error_set(err, errno, "cannot list the host's interfaces: %s", nl->reason);
	strv_sort(&m->names);
	return 0;
}

/* The first setting that only one interface can have, or NULL. */
static const char *for_one_alone(const struct nic_conf *c)
{
	return c->name[0] ? "name" : c->hwaddr[0] ? "hwaddr" : c->ipv4.n ? "ipv4.address"
	       : c->ipv6.n ? "ipv6.address" : c->ipv4_gateway.how ? "ipv4.gateway"
	       : c->ipv6_gateway.how ? "ipv6.gateway" : NULL;
}

static int copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -1 : 0;
}

/* Put a copy of entry 'at', for one more interface, behind it. */
static int add_copy(struct network_conf *net, size_t at, const char *link)
{
	const struct nic_conf *from = net->v[at];
	struct nic_conf **v = realloc(net->v, (net->n + 1) * sizeof(struct nic_conf *));
	struct nic_conf *copy = calloc(1, sizeof(*copy));

	if (v)
		net->v = v;
	if (!v || !copy) {
		free(copy);
		return -1;
	}
	copy->index = from->index;
	copy->given = from->given;
	copy->type = from->type;
	copy->up = from->up;
	copy->mtu = from->mtu;
	snprintf(copy->link, sizeof(copy->link), "%s", link);
	memmove(v + at + 2, v + at + 1, (net->n - at - 1) * sizeof(struct nic_conf *));
	v[at + 1] = copy;
	net->n++;
	return copy_text(&copy->script_up, from->script_up) |
	       copy_text(&copy->script_down, from->script_down);
}

static int expand(const struct nic_site *site, struct network_conf *net, size_t at,
		  struct error *err)
{
	struct nic_conf *c = net->v[at];
	struct matches m = {.net = net, .start = c->link, .n_start = strlen(c->link) - 1};
	autostrv struct strv names = {0};
	const char *single = for_one_alone(c);
	struct nic_where where;
	int result = find_matches(site->nl, &m, err);

	names = m.names;
	if (result < 0)
		return -1;
	if (!names.n)
		return error_set(err, ENODEV,
				 "the host has no interface left whose name begins with \"%.*s\" "
				 "(%s)",
				 (int)m.n_start, c->link,
				 nic_where(site->boot->conf, c, "link", &where));
	if (names.n > 1 && single)
		return error_set(err, EINVAL,
				 "\"%s\" stands for %zu interfaces (\"%s\", \"%s\"%s), which cannot "
				 "share one setting (%s)",
				 c->link, names.n, names.v[0], names.v[1],
				 names.n > 2 ? " ..." : "",
				 nic_where(site->boot->conf, c, single, &where));
	for (size_t i = names.n; i-- > 1;)
		if (add_copy(net, at, names.v[i]) < 0)
			return error_set(err, ENOMEM, "out of memory");
	strcpy(net->v[at]->link, names.v[0]);
	return 0;
}

int wildcards_expand(const struct nic_site *site, struct network_conf *net, struct error *err)
{
	for (size_t i = 0; i < net->n; i++) {
		if (net->v[i]->type != &nic_phys || !str_ends(net->v[i]->link, "+"))
			continue;
		if (site->nl->fd < 0 && netlink_open(site->nl, err) < 0)
			return -1;
		if (expand(site, net, i, err) < 0)
			return -1;
	}
	return 0;
}
