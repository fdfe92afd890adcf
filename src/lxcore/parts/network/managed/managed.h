/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The managed network: the bridge that this program makes itself, with addresses, names and a way
 * out for the containers on it.  lxc-net(1) handles it, and a start that needs it brings it up.
 *
 *     settings.c  what SYSCONFDIR/default/lxc-net says
 *     up.c        making it and taking it down again, journaled
 *     rules.c     our nftables table, written whole each time from what is known
 *     dnsmasq.c   the server of addresses and names
 *     leases.c    which container has which address
 *     names.c     the names of running containers
 *     publish.c   ports of the host that lead to containers
 *     listener.c  who listens on a port of this host
 *     check.c     what stands in the way
 *     face.c      lxcore_net_*()
 *
 * What it knows of itself is in RUNDIR/lxc-net:
 *
 *     lock       held by who changes anything of the below
 *     journal    what was made on this host (base/journal.h)
 *     settings   those that it is up with; there while it is up
 *     published  the ports that lead to containers, a line each
 *     hosts/     names for dnsmasq, a file for each interface of a running container
 *
 * and, as other programs know it, RUNDIR/lxc/network_up and RUNDIR/lxc/dnsmasq.pid.  Addresses that
 * were given stay: LOCALSTATEDIR/lib/lxc-net.
 */
#ifndef LXCORE_PARTS_NETWORK_MANAGED_MANAGED_H
#define LXCORE_PARTS_NETWORK_MANAGED_MANAGED_H

#include "base/buf.h"
#include "base/journal.h"
#include "base/netlink.h"
#include "parts/network/address.h"

#include <net/if.h>
#include <sys/types.h>

#define MANAGED_RUN LXCORE_RUNDIR "/lxc-net"
#define MANAGED_SETTINGS MANAGED_RUN "/settings"
#define MANAGED_PUBLISHED MANAGED_RUN "/published"
#define MANAGED_HOSTS MANAGED_RUN "/hosts"
#define MANAGED_UP LXCORE_RUNDIR "/lxc/network_up"
#define MANAGED_PIDFILE LXCORE_RUNDIR "/lxc/dnsmasq.pid"
#define MANAGED_LEASES LXCORE_STATEDIR "/lib/lxc-net"
#define MANAGED_RESERVED MANAGED_LEASES "/addresses"

/* ---- settings.c ---- */

struct managed {
	bool enabled;        /* USE_LXC_BRIDGE */
	char *enabled_where; /* FILE:LINE of it, or NULL */
	char bridge[IFNAMSIZ];
	uint8_t mac[HWADDR_BYTES];
	struct address address;     /* of the bridge, with prefix and broadcast */
	struct address network;     /* prefix and no host bits */
	struct address first, last; /* of the DHCP range */
	unsigned dhcp_max;
	bool dhcp_ping;
	char *dhcp_conf, *domain;          /* "" when unset */
	struct address address6, network6; /* family 0: no IPv6 */
	bool nat6;
	const char *why_no_ipv6; /* NULL: there is, or it is not wanted */
};
#define MANAGED_INIT ((struct managed){0})

/* Read and check the settings; what is wrong is said with file and line. */
int managed_read(struct managed *ret, struct error *err);
/* Settings from text; 'file' is a name for messages. */
int managed_parse(struct managed *ret, const char *text, const char *file, struct error *err);
void managed_text(const struct managed *m, struct buf *out);
/* Those that the network is up with.  1; 0: it is not up; -1. */
int managed_current(struct managed *ret, struct error *err);
void managed_free(struct managed *m);
#define automanaged __attribute__((cleanup(managed_free)))

/* ---- up.c ---- */

/*
 * Both may be repeated at any time, and put right what a killed one left.  'notes': sentences that
 * a person should read.
 */
int managed_up(const struct managed *m, struct strv *notes, struct error *err);
int managed_down(struct strv *notes, struct error *err);
/* The lock of all that is written here; -1 with the error after a while. */
int managed_lock(struct error *err);

/* ---- rules.c ---- */

/* Write our table anew: the managed network's rules when 'm' is not NULL, and those of the ports
 * that are published.  The caller holds the lock. */
int rules_apply(const struct managed *m, struct error *err);
int rules_remove(struct error *err);
bool rules_exist(void);
/* The text that nft would be given; "" removes. */
void rules_text(struct buf *out, const struct managed *m, const char *published);

/* ---- dnsmasq.c ---- */

int dnsmasq_start(const struct managed *m, struct strv *notes, struct error *err);
/* Ours, by its pid file and its command line; -1: it does not run.  *ret_pid may be NULL. */
int dnsmasq_find(pid_t *ret_pid);
void dnsmasq_stop(void);
void dnsmasq_reload(void);

/* ---- leases.c ---- */

struct lease_owner {
	const char *lxcpath, *name;
	unsigned index; /* N of lxc.net.N */
};
/* The address of this interface, the same each time; dnsmasq gives it to 'mac' only. */
int lease_take(const struct managed *m, const struct lease_owner *owner,
	       const uint8_t mac[HWADDR_BYTES], struct address *ret, struct error *err);
/* All addresses of a container, which is no more. */
void lease_forget(const char *lxcpath, const char *name);
/* Walk the addresses that are taken. */
struct lease {
	char address[INET6_ADDRSTRLEN];
	char hwaddr[HWADDR_TEXT];
	unsigned index;
	char *name, *lxcpath; /* freed by the walk */
};
int lease_each(int (*visit)(void *data, const struct lease *lease), void *data);
/* Its IPv6 address, if the network has such. */
bool lease_ipv6(const struct managed *m, const struct lease_owner *owner, struct address *ret);

/* ---- names.c ---- */

/* A running container's name for an address or two; the file's name is for the journal. */
void name_file(const struct lease_owner *owner, char ret[64]);
int name_add(const struct managed *m, const char *file, const char *name,
	     const struct address *ipv4, const struct address *ipv6, struct error *err);
void name_remove(const char *file);
bool name_is_valid(const char *name);

/* ---- listener.c ---- */

struct listener {
	pid_t pid;     /* 0: it could not be told */
	char comm[32]; /* "" */
};
/*
 * Has someone a port?  'at' NULL: of any address.  'device': only what stands in the way there (an
 * interface that may be still to be made), or NULL.
 */
bool listener_find(bool tcp, const struct address *at, uint16_t port, const char *device,
		   struct listener *ret);
/* "dnsmasq (process 812)" or "some process". */
const char *listener_text(const struct listener *l, char text[64]);

/* ---- check.c ---- */

/* Calls 'say' for each subject; the number of those that stand in the way. */
typedef void managed_say(void *data, const char *subject, const struct error *objection);
int managed_check(managed_say *say, void *data);

#endif
