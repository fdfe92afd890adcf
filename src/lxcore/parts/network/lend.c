/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lending an interface of the host, and having it back.
 *
 * When a namespace ends the kernel sends real devices home under the name that they had inside, and
 * destroys virtual ones.  Neither may happen to what was lent; so the namespace is held by a bind
 * mount in the run directory, which also outlives a supervisor that was killed, and whoever
 * releases the container, the supervisor or a rescuer, fetches the interface out of it.
 *
 * Journal: "netpin net" (that mount), "netphys NAME ADDRESS MTU UP" (how it was on the host),
 * "netphysin NAME INDEX INSIDE" (its number inside, by which it is found whatever it is called by
 * then; 0, and its name there, before the move, in which a lender may be killed),
 * "netphysback NAME" (it is home; earlier lines on it do not count); and see altname.c.
 */
#include "parts/network/lend.h"
#include "parts/network/nic.h"
#include "base/fd.h"

#include <linux/if_link.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#define PIN "net"
#define MAX_PINS 8 /* of those who lend at the same moment */

struct lent { /* an interface as it was at home */
	char name[IFNAMSIZ];
	char address[HWADDR_TEXT];
	unsigned mtu, up;
};

/* ---- what can be lent ---- */

/* An interface of a wireless card moves with its card alone, by nl80211, and comes back as it likes. */
static bool is_wireless(const char *name)
{
	autofree char *path = str_printf("/sys/class/net/%s/phy80211", name);

	return path && access(path, F_OK) == 0;
}

int lend_check(const struct link *link, struct error *err)
{
	if (link->flags & IFF_LOOPBACK)
		return error_set(err, EINVAL, "the loopback cannot be given away");
	if (!is_wireless(link->name))
		return 0;
	error_set(err, ENOTSUP,
		  "\"%s\" is wireless: the kernel moves it only together with its card and all that "
		  "the card has, which is not supported",
		  link->name);
	return error_mend(err, "give the container a veth in mode router instead");
}

/* ---- the namespace, held and visited ---- */

static bool is_pin(int fd)
{
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

static int pin_namespace(const struct lender *l, struct error *err)
{
	char source[48], target[48];
	autoclose int fd = openat(l->rundir, PIN, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (is_pin(fd))
		return 0;
	close_fd(&fd);
	if (journal_record(l->journal, "netpin", PIN, err) < 0)
		return -1;
	fd = openat(l->rundir, PIN, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", l->ns);
	snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
	if (fd < 0 || mount(source, target, NULL, MS_BIND, NULL) < 0)
		return error_sys(err, "cannot hold the network namespace in %s", l->dir);
	return 0;
}

static void unpin_namespace(int rundir)
{
	char target[48];

	snprintf(target, sizeof(target), "/proc/self/fd/%d/" PIN, rundir);
	for (int i = 0; i < MAX_PINS; i++)
		if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			break;
	unlinkat(rundir, PIN, 0);
}

/* A socket in that namespace; setns(2) moves this thread alone, and back it comes. */
static int open_inside(int ns, struct netlink *nl)
{
	autoclose int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int result;

	if (home < 0 || setns(ns, CLONE_NEWNET) < 0)
		return -1;
	result = netlink_open(nl, NULL);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* in the wrong network anything that follows would do harm */
	return result;
}

/* ---- between the two ---- */

static int rename_link(struct netlink *nl, int index, const char *name)
{
	struct ifinfomsg info = {.ifi_index = index, .ifi_change = IFF_UP}; /* down: older kernels */
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put_text(&m, IFLA_IFNAME, name);
	return netlink_ask(nl, &m);
}

/*
 * Its number at home, 0 when it could not leave (nl->reason of 'inside').  It travels under a name
 * that nobody has on either side: the kernel moves first and renames then, so a name that is taken
 * would be found out half way, and the interface be somewhere under some name.
 */
static int send_home(struct netlink *inside, int index, struct netlink *nl)
{
	autoclose int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct ifinfomsg info = {.ifi_index = index};
	char name[IFNAMSIZ] = "lxcXXXXXXXX";
	struct netlink_message m;

	link_random_name(name);
	if (rename_link(inside, index, name) < 0)
		return 0;
	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)home);
	return netlink_ask(inside, &m) < 0 ? 0 : link_index(nl, name);
}

/* ---- there ---- */

static int move_in(const struct lender *l, const struct lending *what, int index)
{
	struct ifinfomsg info = {.ifi_index = index};
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put_text(&m, IFLA_IFNAME, what->inside);
	netlink_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)l->ns);
	if (what->address)
		netlink_put(&m, IFLA_ADDRESS, what->address, HWADDR_BYTES);
	if (what->mtu)
		netlink_put_u32(&m, IFLA_MTU, what->mtu);
	return netlink_ask(l->nl, &m);
}

static int record_home(const struct lender *l, const struct link *link, struct error *err)
{
	char line[IFNAMSIZ + HWADDR_TEXT + 32];
	const uint8_t *mac = link->mac;

	/* First: 'netphys' tells a rescuer that all is there. */
	if (altnames_record(l, link->index, link->name, err) < 0)
		return -1;
	snprintf(line, sizeof(line), "%s %02x:%02x:%02x:%02x:%02x:%02x %u %d", link->name, mac[0],
		 mac[1], mac[2], mac[3], mac[4], mac[5], link->mtu, link->flags & IFF_UP ? 1 : 0);
	return journal_record(l->journal, "netphys", line, err);
}

/* It was refused, but half way: moved, and not renamed. */
static void undo_move(const struct lender *l, struct netlink *inside, const struct link *link)
{
	int index = link_index(inside, link->name);

	if (link_index(l->nl, link->name) != link->index && index)
		index = send_home(inside, index, l->nl);
	if (index && link_index(l->nl, link->name) != link->index)
		rename_link(l->nl, index, link->name);
	/* Nobody shall put it back later to what it was now. */
	if (link_index(l->nl, link->name))
		journal_record(l->journal, "netphysback", link->name, NULL);
	if (link->flags & IFF_UP)
		link_up(l->nl, link_index(l->nl, link->name));
}

static int record_inside(const struct lender *l, const char *home, int index, const char *name,
			 struct error *err)
{
	char line[2 * IFNAMSIZ + 16];

	snprintf(line, sizeof(line), "%s %d %s", home, index, name);
	return journal_record(l->journal, "netphysin", line, err);
}

static int move(const struct lender *l, const struct lending *what, const struct link *link,
		struct netlink *inside, struct error *err)
{
	if (link_index(inside, what->inside))
		return error_set(err, EEXIST, "cannot move interface \"%s\" into the container: it has "
				 "a \"%s\" already", what->link, what->inside);
	if (record_home(l, link, err) < 0 ||
	    record_inside(l, link->name, 0, what->inside, err) < 0)
		return -1;
	if (move_in(l, what, link->index) < 0) {
		error_set(err, errno,
			  "cannot move interface \"%s\" into the container as \"%s\": %s",
			  what->link, what->inside, l->nl->reason);
		undo_move(l, inside, link);
		return -1;
	}
	return record_inside(l, link->name, link_index(inside, what->inside), what->inside, err);
}

int lend(const struct lender *l, const struct lending *what, struct error *err)
{
	autonetlink struct netlink inside = NETLINK_CLOSED;
	struct link link;
	int found = link_find(l->nl, what->link, &link, err);

	if (found < 0)
		return -1;
	if (!found)
		return error_set(err, ENODEV, "interface \"%s\" does not exist", what->link);
	if (lend_check(&link, err) < 0 || pin_namespace(l, err) < 0)
		return -1;
	if (open_inside(l->ns, &inside) < 0)
		return error_sys(err, "cannot visit the container's network namespace");
	return move(l, what, &link, &inside, err);
}

/* ---- what the journal says ---- */

static bool parse_lent(const char *line, struct lent *ret)
{
	return sscanf(line, "%15s %17s %u %u", ret->name, ret->address, &ret->mtu, &ret->up) == 4;
}

const char *lend_ended(const struct journal *j, const char *name)
{
	const char *line = NULL;

	while ((line = journal_previous(j, "netphysback", line)))
		if (strcmp(line, name) == 0)
			return line;
	return NULL;
}

/* Its number inside as recorded, 0 when the lender did not come that far; and its first name there. */
static int recorded_index(const struct journal *j, const char *name, char ret_inside[IFNAMSIZ])
{
	const char *line = NULL, *ended = lend_ended(j, name);
	char other[IFNAMSIZ], inside[IFNAMSIZ];
	int index;

	while ((line = journal_previous(j, "netphysin", line)) && line > ended) {
		if (sscanf(line, "%15s %d %15s", other, &index, inside) != 3 ||
		    strcmp(other, name) != 0)
			continue;
		if (ret_inside)
			strcpy(ret_inside, inside);
		return index;
	}
	return 0;
}

/* ---- and back again ---- */

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

/* At home: as it was, whatever it was set to meanwhile; -1 when its name is not to be had. */
static int restore(struct netlink *nl, int index, const struct lent *l, const char *name)
{
	struct ifinfomsg info = {.ifi_index = index};
	uint8_t address[HWADDR_BYTES];
	struct netlink_message m;
	int result, why;

	hwaddr_resolve(l->address, 0, address);
	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put(&m, IFLA_ADDRESS, address, sizeof(address));
	netlink_put_u32(&m, IFLA_MTU, l->mtu);
	netlink_ask(nl, &m);
	result = rename_link(nl, index, name);
	why = errno;
	if (l->up)
		link_up(nl, index);
	errno = why;
	return result;
}

/* The kernel has sent it home itself, or it never left. */
static int find_at_home(struct netlink *home, const struct lent *l)
{
	uint8_t address[HWADDR_BYTES];
	struct link link;

	hwaddr_resolve(l->address, 0, address);
	if (link_find(home, l->name, &link, NULL) == 1 &&
	    memcmp(link.mac, address, sizeof(address)) == 0)
		return link.index;
	return search(home, 0, l);
}

static int find_inside(struct netlink *inside, const struct netlink *home, const struct journal *j,
		       const struct lent *l)
{
	char name[IFNAMSIZ] = "";
	int index = recorded_index(j, l->name, name), found;

	if (index)
		return search(inside, index, l);
	/* Its lender was killed while the kernel moved it: it has the new name, or still the old. */
	found = name[0] ? link_index(inside, name) : 0;
	if (!found && !link_index(home, l->name))
		found = link_index(inside, l->name);
	return found ? found : search(inside, 0, l);
}

static void fetch(const struct release *r, struct netlink *inside, struct netlink *home,
		  const struct lent *l)
{
	int index = 0, here = 0;

	if (inside->fd >= 0)
		index = find_inside(inside, home, r->journal, l);
	/* Further names that it was given inside could stand in its way, and at worst its own. */
	if (index) {
		altnames_forget(inside, index, r->journal, l->name);
		here = send_home(inside, index, home);
	}
	if (index && !here) {
		altnames_forget(inside, index, NULL, l->name);
		here = send_home(inside, index, home);
	}
	if (!here)
		here = find_at_home(home, l);
	if (!here)
		return;
	/* Its name may be taken by now; any other is better than to be lost. */
	if (restore(home, here, l, l->name) < 0)
		restore(home, here, l, "phys%d");
	altnames_restore(home, here, r->journal, l->name);
}

void lend_release(const struct release *r)
{
	autonetlink struct netlink inside = NETLINK_CLOSED, home = NETLINK_CLOSED;
	const char *line = NULL;
	autoclose int pin = -1;
	struct lent l;

	if (!journal_previous(r->journal, "netpin", NULL))
		return;
	pin = openat(r->rundir, PIN, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (is_pin(pin))
		open_inside(pin, &inside);
	while ((line = journal_previous(r->journal, "netphys", line)))
		if (parse_lent(line, &l) && line > lend_ended(r->journal, l.name) &&
		    (home.fd >= 0 || netlink_open(&home, NULL) == 0))
			fetch(r, &inside, &home, &l);
	unpin_namespace(r->rundir);
}

/* ---- before the container ends ---- */

/* Was the interface with that number inside lent?  Then how it was at home. */
static bool find_lent(const struct journal *j, int index, struct lent *ret)
{
	const char *line = NULL;

	while ((line = journal_previous(j, "netphys", line)))
		if (parse_lent(line, ret) && line > lend_ended(j, ret->name) &&
		    recorded_index(j, ret->name, NULL) == index)
			return true;
	return false;
}

/* Its number at home, -1. */
static int leave(const struct lender *l, struct netlink *inside, int index, const char *name,
		 struct error *err)
{
	int here;

	if (link_index(l->nl, name))
		return error_set(err, EEXIST, "the host has an interface \"%s\" already", name);
	here = send_home(inside, index, l->nl);
	return here ? here
		    : error_set(err, errno, "cannot move the interface to the host: %s",
				inside->reason);
}

int lend_take_back(const struct lender *l, const struct journal *past, const char *inside,
		   const char *home, struct error *err)
{
	autonetlink struct netlink there = NETLINK_CLOSED;
	struct lent was;
	int index, here;
	bool lent;

	if (open_inside(l->ns, &there) < 0)
		return error_sys(err, "cannot visit the container's network namespace");
	index = link_index(&there, inside);
	if (!index)
		return error_set(err, ENODEV, "it has no interface \"%s\"", inside);
	if (strcmp(inside, "lo") == 0)
		return error_set(err, EINVAL, "the loopback cannot be taken away");
	lent = find_lent(past, index, &was);
	if (!home)
		home = lent ? was.name : inside;
	if (lent)
		altnames_forget(&there, index, past, was.name);
	here = leave(l, &there, index, home, err);
	if (here < 0)
		return -1;
	if ((lent ? restore(l->nl, here, &was, home) : rename_link(l->nl, here, home)) < 0)
		return error_set(err, errno, "cannot name the interface \"%s\" on the host: %s", home,
				 l->nl->reason);
	if (!lent)
		return 0;
	altnames_restore(l->nl, here, past, was.name);
	return journal_record(l->journal, "netphysback", was.name, err);
}
