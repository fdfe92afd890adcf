/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving the network back.
 *
 * A veth goes with its namespace, and that with its last process, but in the kernel's own time; and
 * not at all while somebody else holds the namespace.  Removing it by request makes the one who
 * asks wait for 30 to 60 ms.  So at an ordinary stop a process that nobody waits for asks, at once,
 * because until then the dead container still answers on the bridge for its address; and asks by
 * the interface's number, which is never given twice, so that it cannot hit a new one of the same
 * name.
 *
 * After a failed start, and when a supervisor was killed, we ask and wait: whoever looks then shall
 * find the host as it was.  By then only the name is known, and it is ours if its hardware address
 * is the one that veth.c gave it.
 */
#include "base/fd.h"
#include "parts/network/nic.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

void network_free(struct network_boot **network)
{
	if (!*network)
		return;
	netlink_close(&(*network)->nl);
	close_fd(&(*network)->ns);
	free(steal_ptr(network));
}

/* The host's end of interface N if its script.down is owed, else NULL. */
static const char *owed(const struct journal *j, unsigned index)
{
	const char *line = NULL;
	char start[16];

	snprintf(start, sizeof(start), "%u ", index);
	while ((line = journal_previous(j, "netup", line)))
		if (str_starts(line, start))
			return line + strlen(start);
	return NULL;
}

static void run_scripts(const struct release *r)
{
	const struct network_conf *net = r->conf ? conf_of(r->conf, &network_section) : NULL;
	int ns = r->boot && r->boot->network ? r->boot->network->ns : -1;

	for (size_t i = 0; net && i < net->n; i++) {
		const char *host = owed(r->journal, net->v[i]->index);

		if (host && net->v[i]->type)
			script_down(r, net->v[i], host, ns);
	}
}

static void remove_recorded(const struct release *r)
{
	autonetlink struct netlink nl = NETLINK_CLOSED;
	const char *line = NULL;

	while ((line = journal_previous(r->journal, "netdev", line))) {
		uint8_t mine[HWADDR_BYTES];
		char name[IFNAMSIZ];
		struct link link;

		if (sscanf(line, "%15s", name) != 1)
			continue;
		if (nl.fd < 0 && netlink_open(&nl, NULL) < 0)
			return;
		if (link_find(&nl, name, &link, NULL) <= 0)
			continue;
		hwaddr_host(network_hash(r->lxcpath, r->name, name), mine);
		if (strcmp(link.kind, "veth") == 0 && memcmp(link.mac, mine, sizeof(mine)) == 0)
			link_delete(&nl, link.index);
	}
}

/* In a copy of the supervisor, which may have had threads: nothing but system calls. */
static _Noreturn void remove_and_end(const struct network_boot *n)
{
	struct netlink nl;

	if (netlink_open(&nl, NULL) == 0)
		for (size_t i = 0; i < n->n; i++)
			if (n->v[i].host_index)
				link_delete(&nl, n->v[i].host_index);
	_exit(0);
}

/*
 * Between the supervisor and the one who removes: so that nobody has to reap that one, and it does
 * not hold the container's lock or sockets, not for a moment after remove_later() has returned.
 */
static int detach(void *network)
{
	long pid;

	close_range(0, ~0U, 0);
	/* Not fork(3), whose bookkeeping would be done in the supervisor's memory. */
	pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		remove_and_end(network);
	_exit(pid < 0);
}

/* False when there is nobody to do it. */
static bool remove_later(struct network_boot *n)
{
	_Alignas(16) unsigned char stack[16384];
	/* Sharing memory until it ends, this first step copies nothing; the second does.  No
	 * signal tells of its end, which the caller of the library would be puzzled by. */
	pid_t pid = clone(detach, stack + sizeof(stack), CLONE_VM | CLONE_VFORK, n);
	int status = -1;

	if (pid < 0)
		return false;
	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return status == 0;
}

static bool any_device(const struct network_boot *n)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].host_index)
			return true;
	return false;
}

void network_release(const struct release *r)
{
	struct network_boot *n = r->boot ? r->boot->network : NULL;

	if (r->boot && !n)
		return; /* done before, or never begun */
	run_scripts(r);
	for (size_t i = 0; nic_types[i]; i++)
		if (nic_types[i]->release)
			nic_types[i]->release(r);
	if (!n || !n->built)
		remove_recorded(r);
	else if (any_device(n) && !remove_later(n))
		remove_recorded(r);
	if (r->boot)
		network_free(&r->boot->network);
}
