/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * veth for ordinary users, who may make no interface on the host: lxc-user-nic, which is setuid root,
 * makes it, as far as lxc-usernet(5) grants it, and puts one end on the bridge.
 *
 * It gets the pid of the first process and sees for itself that the network namespace is the caller's.
 * With that namespace both ends go, and its account of them with the ends; so there is nothing to be
 * given back.  What it cannot do is refused by name rather than left out.
 */
#include "base/fd.h"
#include "parts/network/nic.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELPER LXCORE_LIBEXECDIR "/lxc-user-nic"
#define HELPER_LIMIT_MS 20000 /* it may wait for its own lock for half of that */

bool user_makes(void)
{
	return geteuid() != 0;
}

/* What only root of the host can do; NULL: nothing of that is asked for. */
static const char *beyond(const struct nic_conf *c)
{
	const struct {
		bool asked;
		const char *sub;
	} all[] = {
		{c->veth.mode == VETH_ROUTER, "veth.mode"},
		{c->veth.pair[0], "veth.pair"},
		{c->mtu, "mtu"},
		{c->veth.n_rxqueues, "veth.n_rxqueues"},
		{c->veth.n_txqueues, "veth.n_txqueues"},
		{c->veth.ipv4_route.n, "veth.ipv4.route"},
		{c->veth.ipv6_route.n, "veth.ipv6.route"},
		{c->veth.vlan.given, "veth.vlan.id"},
		{c->veth.tagged.n, "veth.vlan.tagged.id"},
		{c->l2proxy, "l2proxy"},
		{c->ipv4.automatic, "ipv4.address"},
		{c->ipv6.automatic, "ipv6.address"},
		{c->publish.n, "publish"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].asked)
			return all[i].sub;
	return NULL;
}

static int check_helper(struct error *err)
{
	struct stat st;

	if (stat(HELPER, &st) < 0) {
		error_sys(err, "cannot find " HELPER ", which makes interfaces for ordinary users");
		return error_mend(err, "install it, or use lxc.net.0.type = empty");
	}
	if (st.st_uid == 0 && st.st_mode & S_ISUID)
		return 0;
	error_set(err, EPERM, HELPER " is not setuid root, so it can make no interface");
	return error_mend(err, "as root: chown root " HELPER " && chmod u+s " HELPER);
}

int user_check(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	const char *sub = beyond(c);
	struct nic_where where;
	struct link link;
	int found;

	if (sub)
		return error_set(err, EPERM, "only root of the host can do that for an interface (%s)",
				 nic_where(site->boot->conf, c, sub, &where));
	if (check_helper(err) < 0)
		return -1;
	if (!c->link[0])
		return 0;
	found = link_find(site->nl, c->link, &link, err);
	if (found < 0 || (found > 0 && strcmp(link.kind, "bridge") == 0))
		return found < 0 ? -1 : gateway_check(site, c, true, err);
	nic_where(site->boot->conf, c, "link", &where);
	if (found)
		return error_set(err, EINVAL, "interface \"%s\" is no bridge (%s)", c->link,
				 where.text);
	error_set(err, ENODEV, "bridge \"%s\" does not exist (%s)", c->link, where.text);
	return error_mend(err, "as root: lxc-net start      (makes the default bridge)");
}

int user_prepare(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err)
{
	struct netlink *nl = &b->network->nl;

	/* The hardware address is then set from inside. */
	nic->by_helper = true;
	nic->link_index = c->link[0] ? link_index(nl, c->link) : 0;
	return gateway_prepare(nl, c, nic, err);
}

static int denied(const struct nic_conf *c, const char *said, struct error *err)
{
	const char *bridge = c->link[0] ? c->link : "none";
	const struct passwd *pw = getpwuid(getuid());

	error_set(err, EPERM, "lxc-user-nic made no interface on \"%s\" (lxc.net.%u): %.*s", bridge,
		  c->index, (int)strcspn(said, "\n"), said);
	return error_mend(err, "as root: echo '%s veth %s 10' >>" LXCORE_SYSCONFDIR "/lxc/lxc-usernet",
			  pw ? pw->pw_name : "USER", bridge);
}

/* 'CONTAINER-NIC:INDEX:HOST-NIC:INDEX' */
static bool read_answer(const char *text, struct nic *nic)
{
	return sscanf(text, "%*15[^:]:%*u:%15[^:]:%*u", nic->host) == 1;
}

int user_connect(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err)
{
	autofree char *pid = str_printf("%d", b->init.pid);
	const char *argv[] = {HELPER, "create", b->lxcpath, b->name, pid, "veth",
			      c->link[0] ? c->link : "none", nic->name, NULL};
	struct proc_run run = {.argv = argv, .timeout_ms = HELPER_LIMIT_MS};
	autobuf struct buf said = BUF_INIT;
	char line[IFNAMSIZ + 16];
	int status = pid ? proc_run(&run, &said, err) : error_set(err, ENOMEM, "out of memory");

	if (status < 0)
		return -1;
	if (status != 0 || !said.s || !read_answer(said.s, nic))
		return denied(c, said.s ? said.s : "", err);
	snprintf(line, sizeof(line), "%s %u", nic->host, nic->index);
	return journal_record(&b->journal, "netdev", line, err);
}
