/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-user-nic: a veth on a bridge of the host for users who may not make one, as far as
 * lxc-usernet(5) grants it.  It is installed setuid root, so it is small, links nothing but libc and
 * a few objects of src/lxcore/base, and stands on these rules:
 *
 *   - No word of the caller's is a path that is opened.  The namespace is given by a process id, opened
 *     with the caller's own rights, and verified through its descriptor: it is one of a network, its
 *     user namespace is not ours, and the caller owns that (CVE-2017-5985, CVE-2018-6556).
 *   - There is one answer to all that is refused, so it tells nothing (CVE-2022-47952); the system's
 *     log gets the reason.
 *   - A deletion must name the whole of a recorded line - who, which container, bridge, device - and
 *     the device must still be the one that was made (CVE-2026-39402).
 *   - A line is written before a device is made, under a lock, and the file is replaced as a whole.
 *   - While it works its real uid is 0, so its caller can neither stop nor kill it.
 *
 * main.c: who asks, and what is done; policy.c: words alone; links.c: namespaces and devices.
 */
#ifndef LXC_USER_NIC_H
#define LXC_USER_NIC_H

#include "base/buf.h"
#include "base/netlink.h"

#include <net/if.h>
#include <sys/types.h>

/* A line of the record.  LXC writes the first four words; whose such a line is, is not known. */
enum { OWNER, TYPE, BRIDGE, NIC, UID, MAC, PATH, NAME, N_WORDS };
struct entry {
	const char *w[N_WORDS]; /* OWNER is a user's name or that of an @group; absent ones are NULL */
};
struct record {
	struct entry *v;
	size_t n;
};

/* ---- policy.c ---- */

struct request {
	bool create;
	unsigned pid;     /* whose network */
	struct entry nic; /* NIC on create: in the container, NULL: the first that is free */
};
/* 'argv' as main() has it; false: that is no request. */
bool request_parse(int argc, char *const *argv, struct request *ret);

struct caller {
	const char *user;
	bool (*is_in)(const char *group);
};
/* On whose account one more is made; NULL: nobody's.  Cuts 'usernet' into words. */
const char *policy_account(char *usernet, const struct record *record, const struct caller *who,
			   const struct entry *nic);
/* Add the lines of 'text', which is cut into words and must stay; -1: no memory. */
int record_parse(struct record *record, char *text);
int record_add(struct record *record, const struct entry *e);
void record_text(const struct record *record, struct buf *out);
bool entry_is(const struct entry *e, const struct entry *other); /* in all but owner and address */

/* ---- links.c ---- */

int namespace_open(unsigned pid, uid_t uid); /* if it is the caller's; -1 */
bool namespace_is_hosts(void);               /* are we where the bridges are? */
unsigned bridge_find(struct netlink *nl, const char *name, uint32_t *ret_mtu); /* 0: none */
bool veth_is_there(struct netlink *nl, const struct entry *e);
int veth_make(struct netlink *nl, int ns, const struct entry *e, unsigned bridge, uint32_t mtu,
	      const char *inside);
void veth_print(struct netlink *nl, int ns, const struct entry *e);
int veth_delete(struct netlink *nl, const struct entry *e);

#endif
