/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The further names that an interface may have (ip-link(8), "property"; Linux 5.5).  They travel with
 * it into another namespace, where they can be taken from it and others given, so whoever lends an
 * interface remembers them.
 *
 * Journal: "netphysalt NAME ALTNAME"; a name may hold anything but a newline.
 */
#include "parts/network/lend.h"
#include "parts/network/nic.h"

#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

static int read_names(void *data, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *info = netlink_head(answer, sizeof(*info));
	const struct nlattr *tb[IFLA_PROP_LIST + 1], *a;
	size_t offset = 0;

	if (!info || answer->nlmsg_type != RTM_NEWLINK)
		return 0;
	netlink_attributes(answer, sizeof(*info), tb, IFLA_PROP_LIST);
	while ((a = netlink_next_attribute(netlink_value(tb[IFLA_PROP_LIST]),
					   netlink_size(tb[IFLA_PROP_LIST]), &offset)))
		if ((a->nla_type & NLA_TYPE_MASK) == IFLA_ALT_IFNAME && netlink_text(a) &&
		    strv_add(data, netlink_text(a)) < 0)
			return -1;
	return 0;
}

static int ask(struct netlink *nl, int index, struct strv *ret)
{
	struct ifinfomsg info = {.ifi_index = index};
	struct netlink_message m;

	netlink_begin(&m, RTM_GETLINK, 0, &info, sizeof(info));
	netlink_put_u32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_each(nl, &m, read_names, ret);
}

static void change(struct netlink *nl, int type, int index, const char *name)
{
	struct ifinfomsg info = {.ifi_index = index};
	bool add = type == RTM_NEWLINKPROP;
	struct netlink_message m;
	size_t list;

	netlink_begin(&m, type, add ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0, &info,
		      sizeof(info));
	list = netlink_nest(&m, IFLA_PROP_LIST);
	netlink_put_text(&m, IFLA_ALT_IFNAME, name);
	netlink_nest_end(&m, list);
	netlink_ask(nl, &m);
}

static int recorded(const struct journal *j, const char *name, struct strv *ret)
{
	const char *line = NULL, *ended = lend_ended(j, name);
	size_t n = strlen(name);

	while ((line = journal_previous(j, "netphysalt", line)) && line > ended)
		if (strncmp(line, name, n) == 0 && line[n] == ' ' &&
		    strv_add(ret, line + n + 1) < 0)
			return -1;
	return 0;
}

int altnames_record(const struct lender *l, int index, const char *name, struct error *err)
{
	autostrv struct strv names = {0};

	if (ask(l->nl, index, &names) < 0)
		return error_set(err, errno, "cannot read the names of interface \"%s\": %s", name,
				 l->nl->reason);
	for (size_t i = 0; i < names.n; i++) {
		autofree char *line = str_printf("%s %s", name, names.v[i]);

		if (!line || journal_record(l->journal, "netphysalt", line, err) < 0)
			return -1;
	}
	return 0;
}

void altnames_forget(struct netlink *nl, int index, const struct journal *keep, const char *name)
{
	autostrv struct strv has = {0}, kept = {0};

	if (ask(nl, index, &has) < 0 || (keep && recorded(keep, name, &kept) < 0))
		return;
	for (size_t i = 0; i < has.n; i++)
		if (!strv_has(&kept, has.v[i]))
			change(nl, RTM_DELLINKPROP, index, has.v[i]);
}

void altnames_restore(struct netlink *nl, int index, const struct journal *j, const char *name)
{
	autostrv struct strv has = {0}, wanted = {0};

	if (recorded(j, name, &wanted) < 0 || !wanted.n || ask(nl, index, &has) < 0)
		return;
	for (size_t i = wanted.n; i-- > 0;) /* oldest first: their order is seen by users */
		if (!strv_has(&has, wanted.v[i]))
			change(nl, RTM_NEWLINKPROP, index, wanted.v[i]);
}
