/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making the managed network and taking it down again.
 *
 * What is changed on this host is written into a journal first, so that a later start or stop puts
 * right what a killed one left.  The journal's lines:
 *
 *     host BOOT-ID NETNS             where the following holds
 *     bridge NAME                    we made it
 *     address NAME ADDRESS/PREFIX    we added it
 *     sysctl PATH OLD NEW            we changed it; NEW *: others of our changes change it
 *     rules, dnsmasq                 there may be
 *
 * Starting what is up makes what is missing of it and harms nothing.
 */
#include "base/fd.h"
#include "base/proc.h"
#include "base/path.h"
#include "parts/network/managed/managed.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOCK_TIMEOUT_MS 30000
#define PORTS_GO_MS 2000

struct up {
	const struct managed *m;
	struct strv *notes;
	struct netlink nl;
	int dir;
	struct journal old; /* as it was found */
	struct journal journal;
	struct link bridge;
};

static void up_close(struct up *u)
{
	netlink_close(&u->nl);
	journal_close(&u->old);
	close_fd(&u->journal.fd);
	close_fd(&u->dir);
}
#define autoup __attribute__((cleanup(up_close)))

int managed_lock(struct error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	long long end = clock_ms() + LOCK_TIMEOUT_MS;
	autoclose int fd = -1;

	/* Everybody may read there: dnsmasq does, as a user of its own. */
	if (path_make_dirs(MANAGED_HOSTS, 0755) < 0)
		return error_sys(err, "cannot make \"%s\"", MANAGED_HOSTS);
	fd = open(MANAGED_RUN "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_sys(err, "cannot open \"%s\"", MANAGED_RUN "/lock");
	while (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return error_sys(err, "cannot lock \"%s\"", MANAGED_RUN "/lock");
		if (clock_ms() >= end)
			return error_set(err, EBUSY,
					 "another command is at work on the managed network");
		usleep(2000);
	}
	return steal_fd(&fd);
}

static void note(struct up *u, char *text)
{
	if (text && u->notes)
		strv_take(u->notes, text);
	else
		free(text);
}

/* ---- the journal ---- */

static char *this_host(void)
{
	autobuf struct buf id = BUF_INIT;
	struct stat ns;

	if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &id) < 0 ||
	    stat("/proc/self/ns/net", &ns) < 0)
		return NULL;
	return str_printf("%.36s %llu", id.s ? id.s : "", (unsigned long long)ns.st_ino);
}

static bool recorded(const struct up *u, const char *kind, const char *value)
{
	const char *line = NULL;

	while ((line = journal_previous(&u->old, kind, line)))
		if (strcmp(line, value) == 0)
			return true;
	return false;
}

static int record(struct up *u, const char *kind, const char *value, struct error *err)
{
	return recorded(u, kind, value) ? 0 : journal_record(&u->journal, kind, value, err);
}

/*
 * Read what an earlier start wrote.  After the host was booted, or in another network namespace, it
 * means nothing, unless the network is in use there.
 */
static int open_journal(struct up *u, struct error *err)
{
	autofree char *host = this_host();
	const char *was;

	u->dir = open(MANAGED_RUN, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (u->dir < 0)
		return error_sys(err, "cannot open \"%s\"", MANAGED_RUN);
	if (!host)
		return error_sys(err, "cannot tell which host this is");
	was = journal_load(&u->old, u->dir) ? journal_previous(&u->old, "host", NULL) : NULL;
	if (was && strcmp(was, host) != 0) {
		autoclose int other = dnsmasq_find(NULL);

		if (other >= 0)
			return error_set(err, EBUSY,
					 "the managed network is up in another network "
					 "namespace, with the same files in " MANAGED_RUN);
		journal_close(&u->old);
		u->old = (struct journal){.fd = -1};
		journal_remove(u->dir);
		unlink(MANAGED_SETTINGS);
		unlink(MANAGED_PUBLISHED);
	}
	if (journal_open(&u->journal, u->dir, err) < 0)
		return -1;
	return record(u, "host", host, err);
}

/* ---- settings of the kernel ---- */

static int read_setting(const char *path, char ret[16])
{
	autobuf struct buf value = BUF_INIT;

	if (file_read(AT_FDCWD, path, &value) < 0 || !value.s)
		return -1;
	snprintf(ret, 16, "%.*s", (int)strcspn(value.s, " \t\n"), value.s);
	return 0;
}

static bool setting_recorded(const struct up *u, const char *path)
{
	const char *line = NULL;
	size_t n = strlen(path);

	while ((line = journal_previous(&u->old, "sysctl", line)))
		if (strncmp(line, path, n) == 0 && line[n] == ' ')
			return true;
	return false;
}

/* 'value' "*": only remember what it is. */
static int set(struct up *u, const char *path, const char *value, struct error *err)
{
	autofree char *line = NULL;
	char old[16];

	if (read_setting(path, old) < 0 || strcmp(old, value) == 0)
		return 0; /* this kernel has no such thing, or it is as it should be */
	line = str_printf("%s %s %s", path, old, value);
	if (!line)
		return error_set(err, ENOMEM, "out of memory");
	if (!setting_recorded(u, path) && journal_record(&u->journal, "sysctl", line, err) < 0)
		return -1;
	if (strcmp(value, "*") != 0 && file_write(AT_FDCWD, path, value) < 0)
		return error_sys(err, "cannot write %s to %s", value, path);
	return 0;
}

static int set_for_bridge(struct up *u, const char *dir, const char *what, const char *value,
			  struct error *err)
{
	autofree char *path = str_printf("/proc/sys/net/%s/conf/%s/%s", dir, u->m->bridge, what);

	return path ? set(u, path, value, err) : error_set(err, ENOMEM, "out of memory");
}

/*
 * The switch for all interfaces also sets each one's own (Documentation/networking/ip-sysctl):
 * those that were on before are remembered.  And an interface that forwards no longer listens to
 * routers unless it is told so: a host whose own way out was learnt from one must not lose it.
 */
static int care_for_each(struct up *u, const char *dir, bool v6, struct error *err)
{
	autodir DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		autofree char *forwards = str_printf("%s/%s/forwarding", dir, entry->d_name);
		autofree char *learns = str_printf("%s/%s/accept_ra", dir, entry->d_name);
		char value[16];

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "all") == 0 ||
		    strcmp(entry->d_name, u->m->bridge) == 0 || !forwards || !learns)
			continue;
		if (read_setting(forwards, value) == 0 && strcmp(value, "1") == 0 &&
		    set(u, forwards, "*", err) < 0)
			return -1;
		if (v6 && strcmp(entry->d_name, "default") != 0 &&
		    strcmp(entry->d_name, "lo") != 0 && read_setting(learns, value) == 0 &&
		    strcmp(value, "1") == 0 && set(u, learns, "2", err) < 0)
			return -1;
	}
	return 0;
}

static int forward(struct up *u, const char *dir, const char *all, bool v6, struct error *err)
{
	char value[16];

	if (read_setting(all, value) < 0 || strcmp(value, "0") != 0)
		return 0;
	return care_for_each(u, dir, v6, err) < 0 ? -1 : set(u, all, "1", err);
}

/* Newest first: that is the order in which they undo each other. */
static void restore_settings(const struct journal *j)
{
	const char *line = NULL;

	while ((line = journal_previous(j, "sysctl", line))) {
		char path[256], old[16], new[16], now[16];

		if (sscanf(line, "%255s %15s %15s", path, old, new) != 3 ||
		    !str_starts(path, "/proc/sys/net/") || read_setting(path, now) < 0)
			continue;
		/* What somebody else has changed since is his. */
		if (strcmp(new, "*") == 0 || strcmp(now, new) == 0)
			file_write(AT_FDCWD, path, old);
	}
}

/* ---- the bridge ---- */

static int make_bridge(struct up *u, struct error *err)
{
	struct ifinfomsg head = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	const struct managed *m = u->m;
	struct netlink_message msg;
	size_t info;

	if (record(u, "bridge", m->bridge, err) < 0)
		return -1;
	netlink_begin(&msg, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	netlink_put_text(&msg, IFLA_IFNAME, m->bridge);
	netlink_put(&msg, IFLA_ADDRESS, m->mac, sizeof(m->mac));
	info = netlink_nest(&msg, IFLA_LINKINFO);
	netlink_put_text(&msg, IFLA_INFO_KIND, "bridge");
	netlink_nest_end(&msg, info);
	if (netlink_ask(&u->nl, &msg) < 0)
		return error_set(err, errno, "cannot make bridge \"%s\": %s (LXC_BRIDGE)",
				 m->bridge, u->nl.reason);
	return link_find(&u->nl, m->bridge, &u->bridge, err) < 0 ? -1 : 0;
}

static int have_bridge(struct up *u, struct error *err)
{
	int found = link_find(&u->nl, u->m->bridge, &u->bridge, err);

	if (found < 0)
		return -1;
	if (!found)
		return make_bridge(u, err);
	if (strcmp(u->bridge.kind, "bridge") == 0)
		return 0;
	error_set(err, EEXIST,
		  "cannot make bridge \"%s\": there is an interface of that name that is "
		  "none (LXC_BRIDGE)",
		  u->m->bridge);
	return error_mend(err, "choose another name for LXC_BRIDGE in " LXCORE_SYSCONFDIR
			       "/default/lxc-net");
}

static int has_address(struct up *u, const struct address *a)
{
	struct address got;

	return link_address(&u->nl, u->bridge.index, a->family, &got, NULL) == 1 &&
	       address_same(&got, a);
}

static int add_address(struct up *u, const struct address *a, struct error *err)
{
	char text[INET6_ADDRSTRLEN], line[IFNAMSIZ + INET6_ADDRSTRLEN + 8];

	if (!a->family || has_address(u, a))
		return 0;
	snprintf(line, sizeof(line), "%s %s/%u", u->m->bridge, address_text(a, text), a->prefix);
	if (record(u, "address", line, err) < 0)
		return -1;
	if (link_add_address(&u->nl, u->bridge.index, a) == 0 || errno == EEXIST)
		return 0;
	return error_set(err, errno, "cannot add address %s/%u to bridge \"%s\": %s", text,
			 a->prefix, u->m->bridge, u->nl.reason);
}

static void remove_address(struct netlink *nl, const char *line)
{
	char name[IFNAMSIZ], text[INET6_ADDRSTRLEN + 4];
	struct ifaddrmsg head = {0};
	struct netlink_message msg;
	struct address a;

	if (sscanf(line, "%15s %49s", name, text) != 2 ||
	    address_parse(&a, strchr(text, ':') ? AF_INET6 : AF_INET, text, NULL) < 0)
		return;
	head.ifa_family = (uint8_t)a.family;
	head.ifa_prefixlen = a.prefix;
	head.ifa_index = (uint32_t)link_index(nl, name);
	if (!head.ifa_index)
		return;
	netlink_begin(&msg, RTM_DELADDR, 0, &head, sizeof(head));
	netlink_put(&msg, IFA_LOCAL, a.bytes, address_size(&a));
	netlink_ask(nl, &msg);
}

/* ---- up ---- */

static int configure_bridge(struct up *u, struct error *err)
{
	/* Addresses are ours to give: they are usable at once, and routers have no say here.
	 * route_localnet lets the host use published ports by its loopback (rules.c guards it). */
	if (set_for_bridge(u, "ipv6", "accept_dad", "0", err) < 0 ||
	    set_for_bridge(u, "ipv6", "accept_ra", "0", err) < 0 ||
	    set_for_bridge(u, "ipv6", "autoconf", "0", err) < 0 ||
	    set_for_bridge(u, "ipv4", "route_localnet", "1", err) < 0)
		return -1;
	if (add_address(u, &u->m->address, err) < 0 || add_address(u, &u->m->address6, err) < 0)
		return -1;
	if (link_up(&u->nl, u->bridge.index) < 0)
		return error_set(err, errno, "cannot switch on bridge \"%s\": %s", u->m->bridge,
				 u->nl.reason);
	return 0;
}

static int start_dnsmasq(struct up *u, struct error *err)
{
	autofree char *program = proc_find_program("dnsmasq");
	autoclose int runs = dnsmasq_find(NULL);

	if (runs >= 0)
		return 0;
	if (!program) {
		note(u, strdup("there is no dnsmasq, so containers get no address by DHCP and no "
			       "names; "
			       "lxc.net.N.ipv4.address = auto works without"));
		return 0;
	}
	if (record(u, "dnsmasq", "", err) < 0)
		return -1;
	return dnsmasq_start(u->m, u->notes, err);
}

static int make_directories(struct error *err)
{
	static const char *const dirs[] = {MANAGED_RUN, MANAGED_HOSTS, MANAGED_LEASES,
					   MANAGED_RESERVED, MANAGED_LEASES "/owners"};

	if (path_make_dirs(LXCORE_RUNDIR "/lxc", 0700) < 0)
		return error_sys(err, "cannot make \"%s\"", LXCORE_RUNDIR "/lxc");
	/* Whatever the caller's umask(2) is: dnsmasq reads there. */
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (path_make_dirs(dirs[i], 0755) < 0 || chmod(dirs[i], 0755) < 0)
			return error_sys(err, "cannot make \"%s\"", dirs[i]);
	return 0;
}

static int mark_up(const struct managed *m, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	managed_text(m, &text);
	if (text.failed)
		return error_set(err, ENOMEM, "out of memory");
	if (file_replace(AT_FDCWD, MANAGED_SETTINGS, text.s, 0644) < 0)
		return error_sys(err, "cannot write \"%s\"", MANAGED_SETTINGS);
	if (file_replace(AT_FDCWD, MANAGED_UP, "", 0644) < 0)
		return error_sys(err, "cannot write \"%s\"", MANAGED_UP);
	return 0;
}

static int bring_up(struct up *u, struct error *err)
{
	const struct managed *m = u->m;

	if (make_directories(err) < 0 || netlink_open(&u->nl, err) < 0)
		return -1;
	if (have_bridge(u, err) < 0 || configure_bridge(u, err) < 0)
		return -1;
	if (forward(u, "/proc/sys/net/ipv4/conf", "/proc/sys/net/ipv4/ip_forward", false, err) < 0)
		return -1;
	if (m->address6.family && forward(u, "/proc/sys/net/ipv6/conf",
					  "/proc/sys/net/ipv6/conf/all/forwarding", true, err) < 0)
		return -1;
	if (record(u, "rules", "", err) < 0 || rules_apply(m, err) < 0 || start_dnsmasq(u, err) < 0)
		return -1;
	return mark_up(m, err);
}

/* ---- down ---- */

/* With everything of it gone but a bridge that is in use, only that is remembered. */
static void keep_bridge(struct up *u, const char *bridge, int n)
{
	autofree char *host = this_host();
	autofree char *text = str_printf("host %s\nbridge %s\n", host ? host : "", bridge);

	if (text)
		file_replace(u->dir, "journal", text, 0600);
	note(u, str_printf("bridge %s stays, without addresses, for %d %s on it", bridge, n,
			   n == 1 ? "interface is" : "interfaces are"));
}

/*
 * Of a container that has just stopped the interface may be there for a moment yet (release.c), and
 * would keep the bridge.  Nothing is taken down so far: those that run notice nothing of this.
 */
static void let_ports_go(struct netlink *nl, int bridge)
{
	long long end = clock_ms() + PORTS_GO_MS;

	while (link_ports(nl, bridge) && clock_ms() < end)
		usleep(10000);
}

static int take_down(struct up *u, struct error *err)
{
	const struct journal *j = &u->old;
	const char *bridge = journal_previous(j, "bridge", NULL), *line = NULL;
	int index, ports;

	if (netlink_open(&u->nl, err) < 0)
		return -1;
	index = bridge ? link_index(&u->nl, bridge) : 0;
	if (index)
		let_ports_go(&u->nl, index);
	unlink(MANAGED_UP);
	unlink(MANAGED_SETTINGS);
	if (journal_previous(j, "dnsmasq", NULL))
		dnsmasq_stop();
	if (journal_previous(j, "rules", NULL) && rules_apply(NULL, err) < 0)
		return -1;
	while ((line = journal_previous(j, "address", line)))
		remove_address(&u->nl, line);
	restore_settings(j);
	ports = index ? link_ports(&u->nl, index) : 0;
	if (ports) {
		keep_bridge(u, bridge, ports);
		return 0;
	}
	if (index && link_delete(&u->nl, index) < 0 && errno != ENODEV)
		return error_set(err, errno, "cannot remove bridge \"%s\": %s", bridge,
				 u->nl.reason);
	journal_remove(u->dir);
	return 0;
}

#define UP_INIT                                                                                    \
	{                                                                                          \
		.nl = NETLINK_CLOSED, .dir = -1, .old = {.fd = -1}, .journal = {.fd = -1 }         \
	}

/* The caller holds the lock.  1: there was something to take down; 0; -1. */
static int down_locked(struct strv *notes, struct error *err)
{
	autoup struct up u = UP_INIT;

	u.notes = notes;
	if (open_journal(&u, err) < 0)
		return -1;
	if (!journal_previous(&u.old, "host", NULL)) {
		journal_remove(u.dir);
		return 0;
	}
	return take_down(&u, err) < 0 ? -1 : 1;
}

/* It is up with other settings than those that are asked for now. */
static bool is_other(const struct managed *m)
{
	autobuf struct buf wanted = BUF_INIT, has = BUF_INIT;

	if (file_read(AT_FDCWD, MANAGED_SETTINGS, &has) < 0)
		return false;
	managed_text(m, &wanted);
	return wanted.s && strcmp(wanted.s, has.s ? has.s : "") != 0;
}

int managed_up(const struct managed *m, struct strv *notes, struct error *err)
{
	autoclose int lock = managed_lock(err);
	autoup struct up u = UP_INIT;
	bool was_up;

	if (lock < 0)
		return -1;
	if (is_other(m) && down_locked(notes, err) < 0)
		return -1;
	u.m = m;
	u.notes = notes;
	was_up = access(MANAGED_SETTINGS, F_OK) == 0;
	if (open_journal(&u, err) < 0)
		return -1;
	if (bring_up(&u, err) == 0)
		return 0;
	/* Of a start that fails nothing stays; what was up before is not made worse. */
	if (!was_up)
		down_locked(NULL, NULL);
	return -1;
}

int managed_down(struct strv *notes, struct error *err)
{
	autoclose int lock = managed_lock(err);

	return lock < 0 ? -1 : down_locked(notes, err);
}
