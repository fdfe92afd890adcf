/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * phys: an interface of the host that moves into the container, and back when that ends.
 *
 * When a namespace ends the kernel sends real devices home under the name that they had inside, and
 * destroys virtual ones.  Neither may happen to what was lent; so the namespace is held by a bind
 * mount in the run directory, which also outlives a supervisor that was killed, and whoever
 * releases the container, the supervisor or a rescuer, fetches the interface out of it.
 *
 * Journal: "netpin net" (that mount), "netphys NAME ADDRESS MTU UP" (how it was on the host),
 * "netphysin NAME INDEX" (its number inside, by which it is found whatever it is called by then);
 * and see altname.c.
 */
#include "base/fd.h"
#include "parts/network/nic.h"

#include <linux/if_link.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define PIN "net"

struct lent { /* an interface as it was at home */
	char name[IFNAMSIZ];
	char address[HWADDR_TEXT];
	unsigned mtu, up;
};

/* An interface of a wireless card moves with its card alone, by nl80211, and comes back as it likes. */
static bool is_wireless(const char *name)
{
	autofree char *path = str_printf("/sys/class/net/%s/phy80211", name);

	return path && access(path, F_OK) == 0;
}

static int phys_check(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	struct nic_where where;
	struct link link;
	int found;

	if (!c->link[0])
		return error_set(err, EINVAL,
				 "an interface of type phys is one of the host, and none is "
				 "named (lxc.net.%u.link)",
				 c->index);
	nic_where(site->boot->conf, c, "link", &where);
	found = link_find(site->nl, c->link, &link, err);
	if (found < 0)
		return -1;
	if (!found)
		return error_set(err, ENODEV, "interface \"%s\" does not exist (%s)", c->link,
				 where.text);
	if (link.flags & IFF_LOOPBACK)
		return error_set(err, EINVAL, "the loopback cannot be given away (%s)", where.text);
	if (is_wireless(link.name)) {
		error_set(err, ENOTSUP,
			  "\"%s\" is wireless: the kernel moves it only together with its card and "
			  "all that the card has, which is not supported (%s)",
			  c->link, where.text);
		return error_mend(err,
				  "lxc.net.%u.type = veth      (in mode router; the host keeps \"%s\")",
				  c->index, c->link);
	}
	return gateway_check(site, c, false, err);
}

static int phys_prepare(struct boot *b, const struct nic_conf *c, struct nic *nic,
			struct error *err)
{
	struct link l;
	int found = link_find(&b->network->nl, c->link, &l, err);

	if (found < 0)
		return -1;
	if (!found)
		return error_set(err, ENODEV, "interface \"%s\" is gone (lxc.net.%u.link)", c->link,
				 c->index);
	nic->link_index = l.index;
	nic->mtu = c->mtu;
	if (!c->name[0])
		strcpy(nic->name, l.name); /* 'link' may be one of its further names */
	return 0;
}

/* ---- the namespace, held and visited ---- */

static int pin_namespace(struct boot *b, struct error *err)
{
	char source[32], target[48];
	autoclose int fd = -1;

	if (b->network->pinned)
		return 0;
	if (journal_record(&b->journal, "netpin", PIN, err) < 0)
		return -1;
	fd = openat(b->rundir, PIN, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	snprintf(source, sizeof(source), "/proc/%d/ns/net", b->init.pid);
	snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
	if (fd < 0 || mount(source, target, NULL, MS_BIND, NULL) < 0)
		return error_sys(err, "cannot hold the network namespace in %s", b->dir);
	b->network->pinned = true;
	return 0;
}

static void unpin_namespace(int rundir)
{
	char target[48];

	snprintf(target, sizeof(target), "/proc/self/fd/%d/" PIN, rundir);
	umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
	unlinkat(rundir, PIN, 0);
}

/* A socket in the held namespace; setns(2) moves this thread alone, and back it comes. */
static int open_inside(int rundir, struct netlink *nl)
{
	autoclose int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	autoclose int pin = openat(rundir, PIN, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int result;

	if (home < 0 || pin < 0 || setns(pin, CLONE_NEWNET) < 0)
		return -1;
	result = netlink_open(nl, NULL);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* in the wrong network anything that follows would do harm */
	return result;
}

/* ---- there ---- */

static int move_in(const struct boot *b, const struct nic_conf *c, const struct nic *nic)
{
	struct ifinfomsg info = {.ifi_index = nic->link_index};
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put_text(&m, IFLA_IFNAME, nic->name);
	netlink_put_u32(&m, IFLA_NET_NS_PID, (uint32_t)b->init.pid);
	if (c->hwaddr[0])
		netlink_put(&m, IFLA_ADDRESS, nic->mac, sizeof(nic->mac));
	if (nic->mtu)
		netlink_put_u32(&m, IFLA_MTU, nic->mtu);
	return netlink_ask(&b->network->nl, &m);
}

static int record_home(struct boot *b, const struct nic_conf *c, char ret_name[IFNAMSIZ],
		       struct error *err)
{
	char line[IFNAMSIZ + HWADDR_TEXT + 32];
	struct link l;

	if (link_find(&b->network->nl, c->link, &l, err) <= 0)
		return error_set(err, ENODEV, "interface \"%s\" is gone (lxc.net.%u.link)", c->link,
				 c->index);
	strcpy(ret_name, l.name);
	/* First: 'netphys' tells a rescuer that all is there. */
	if (altnames_record(b, l.index, l.name, err) < 0)
		return -1;
	snprintf(line, sizeof(line), "%s %02x:%02x:%02x:%02x:%02x:%02x %u %d", l.name, l.mac[0],
		 l.mac[1], l.mac[2], l.mac[3], l.mac[4], l.mac[5], l.mtu, l.flags & IFF_UP ? 1 : 0);
	return journal_record(&b->journal, "netphys", line, err);
}

static int record_inside(struct boot *b, const char *home, const struct nic *nic, struct error *err)
{
	autonetlink struct netlink inside = NETLINK_CLOSED;
	char line[IFNAMSIZ + 16];

	if (open_inside(b->rundir, &inside) < 0)
		return error_sys(err, "cannot visit the container's network namespace");
	snprintf(line, sizeof(line), "%s %d", home, link_index(&inside, nic->name));
	return journal_record(&b->journal, "netphysin", line, err);
}

static int phys_connect(struct boot *b, const struct nic_conf *c, struct nic *nic,
			struct error *err)
{
	char home[IFNAMSIZ];

	if (pin_namespace(b, err) < 0 || record_home(b, c, home, err) < 0)
		return -1;
	if (move_in(b, c, nic) < 0)
		return error_set(err, errno,
				 "cannot move interface \"%s\" into the container: %s "
				 "(lxc.net.%u)",
				 c->link, b->network->nl.reason, nic->index);
	return record_inside(b, home, nic, err);
}

/* ---- and back again ---- */

static bool parse_lent(const char *line, struct lent *ret)
{
	return sscanf(line, "%15s %17s %u %u", ret->name, ret->address, &ret->mtu, &ret->up) == 4;
}

/* Its number inside as recorded; 0 when the supervisor did not come that far. */
static int recorded_index(const struct journal *j, const char *name)
{
	const char *line = NULL;
	char other[IFNAMSIZ];
	int index;

	while ((line = journal_previous(j, "netphysin", line)))
		if (sscanf(line, "%15s %d", other, &index) == 2 && strcmp(other, name) == 0)
			return index;
	return 0;
}

struct search {
	int index;                     /* 0: by address */
	uint8_t address[HWADDR_BYTES]; /* of a device of its own, not of what stands on it */
	int found;
};

static int look_at(void *data, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *info = netlink_head(answer, sizeof(*info));
	const struct nlattr *tb[IFLA_LINKINFO + 1];
	struct search *s = data;

	if (!info || answer->nlmsg_type != RTM_NEWLINK)
		return 0;
	netlink_attributes(answer, sizeof(*info), tb, IFLA_LINKINFO);
	if (s->index ? info->ifi_index == s->index
		     : !tb[IFLA_LINKINFO] && netlink_size(tb[IFLA_ADDRESS]) == HWADDR_BYTES &&
			       memcmp(netlink_value(tb[IFLA_ADDRESS]), s->address, HWADDR_BYTES) ==
				       0)
		s->found = info->ifi_index;
	return 0;
}

static int search(struct netlink *nl, int index, const struct lent *l)
{
	struct search s = {.index = index};
	struct ifinfomsg info = {0};
	struct netlink_message m;

	hwaddr_resolve(l->address, 0, s.address);
	netlink_begin(&m, RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
	netlink_put_u32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_each(nl, &m, look_at, &s) < 0 ? 0 : s.found;
}

static int send_home(struct netlink *inside, int index, const char *name)
{
	autoclose int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct ifinfomsg info = {.ifi_index = index};
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put_text(&m, IFLA_IFNAME, name);
	netlink_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)home);
	return netlink_ask(inside, &m);
}

/* At home: as it was, whatever it was called and set to meanwhile. */
static void restore(struct netlink *nl, int index, const struct lent *l)
{
	struct ifinfomsg info = {.ifi_index = index};
	uint8_t address[HWADDR_BYTES];
	struct netlink_message m;

	hwaddr_resolve(l->address, 0, address);
	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put_text(&m, IFLA_IFNAME, l->name);
	netlink_put(&m, IFLA_ADDRESS, address, sizeof(address));
	netlink_put_u32(&m, IFLA_MTU, l->mtu);
	netlink_ask(nl, &m);
	if (l->up)
		link_up(nl, index);
}

static void fetch(const struct release *r, struct netlink *inside, struct netlink *home,
		  const struct lent *l)
{
	int index = 0;

	if (inside->fd >= 0)
		index = search(inside, recorded_index(r->journal, l->name), l);
	/* Names that it was given inside could stand in its way. */
	if (index)
		altnames_forget(inside, index, r->journal, l->name);
	/* Its old names may be taken; any name is better than to be lost. */
	if (index && send_home(inside, index, l->name) < 0) {
		altnames_forget(inside, index, NULL, l->name);
		send_home(inside, index, "phys%d");
	}
	index = link_index(home, l->name);
	if (!index)
		index = search(home, 0, l);
	if (!index)
		return;
	restore(home, index, l);
	altnames_restore(home, index, r->journal, l->name);
}

static void phys_release(const struct release *r)
{
	autonetlink struct netlink inside = NETLINK_CLOSED, home = NETLINK_CLOSED;
	const char *line = NULL;
	struct lent l;

	if (!journal_previous(r->journal, "netpin", NULL))
		return;
	open_inside(r->rundir, &inside);
	while ((line = journal_previous(r->journal, "netphys", line)))
		if (parse_lent(line, &l) && (home.fd >= 0 || netlink_open(&home, NULL) == 0))
			fetch(r, &inside, &home, &l);
	unpin_namespace(r->rundir);
}

const struct nic_type nic_phys = {
	.word = "phys",
	.check = phys_check,
	.prepare = phys_prepare,
	.connect = phys_connect,
	.release = phys_release,
};
