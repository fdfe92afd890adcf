/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of this room share; nobody else includes it.
 *
 *     keys.c     lxc.net.*
 *     values.c   the types of its values
 *     address.c  addresses as text
 *     link.c     what the kernel knows of an interface of the host
 *     veth.c, macvlan.c, plain.c ...  one file for each type, behind struct nic_type
 *     upper.c    what macvlan, ipvlan and vlan have in common
 *     ovs.c      ports of Open vSwitch
 *     lend.c     interfaces of the host that are lent, and altname.c: their further names
 *     wildcard.c 'eth+' of type phys
 *     gateway.c  gateways 'auto'
 *     proxy.c    l2proxy
 *     user.c     veth for those who may not make one, by lxc-user-nic
 *     inside.c   addresses and routes, set from inside
 *     script.c   script.up and script.down
 *     network.c  the doors of the part
 *     release.c  giving it all back
 *     status.c   interfaces of running containers, for listings
 *     managed/   the network that we make ourselves: lxc-net, addresses 'auto', published ports
 */
#ifndef LXCORE_PARTS_NETWORK_NIC_H
#define LXCORE_PARTS_NETWORK_NIC_H

#include "base/netlink.h"
#include "parts/network/address.h"
#include "parts/network/managed/publish.h"
#include "parts/part.h"

#include <net/if.h>

/* ---- as configured ---- */

struct gateway {
	enum { GATEWAY_NONE, GATEWAY_ADDRESS, GATEWAY_AUTO, GATEWAY_DEV } how;
	struct address address;
};

/* The first of each is what counts when nothing is set. */
enum { VETH_BRIDGE, VETH_ROUTER };
enum { MACVLAN_IS_PRIVATE, MACVLAN_IS_VEPA, MACVLAN_IS_BRIDGE, MACVLAN_IS_PASSTHRU };
enum { IPVLAN_IS_L3, IPVLAN_IS_L3S, IPVLAN_IS_L2 };
enum { IPVLAN_MAY_MEET, IPVLAN_IS_PRIVATE, IPVLAN_IS_VEPA };

struct vlan {
	bool given;
	int id; /* -1: none */
};
struct vlans {
	uint16_t *v;
	size_t n;
};

struct nic_conf { /* one lxc.net.N */
	unsigned index;
	unsigned long long given;    /* bit i: keys.c's row i was set */
	const struct nic_type *type; /* NULL: not set (yet) */
	bool up, l2proxy;
	char link[IFNAMSIZ], name[IFNAMSIZ];
	char hwaddr[HWADDR_TEXT]; /* "": derived; may hold x for derived digits */
	unsigned mtu;             /* 0: as the link's */
	struct addresses ipv4, ipv6;
	struct gateway ipv4_gateway, ipv6_gateway;
	char *script_up, *script_down;
	struct {
		int mode;
		char pair[IFNAMSIZ];
		unsigned n_rxqueues, n_txqueues;
		struct addresses ipv4_route, ipv6_route;
		struct vlan vlan;
		struct vlans tagged;
	} veth;
	int macvlan_mode, ipvlan_mode, ipvlan_isolation;
	unsigned vlan_id; /* of type vlan */
	struct publish publish;
};

struct network_conf {
	struct nic_conf **v; /* sorted by index */
	size_t n;
};

extern const struct conf_section network_section;

/* "lxc.net.0.link, FILE:LINE" for the end of a message. */
struct nic_where {
	char text[320];
};
const char *nic_where(const struct conf *conf, const struct nic_conf *nic, const char *sub,
		      struct nic_where *text);

/* ---- as it is made ---- */

struct nic {            /* one interface of a container that boots */
	unsigned index; /* N of lxc.net.N */
	const struct nic_type *type;
	char name[IFNAMSIZ]; /* inside */
	char host[IFNAMSIZ]; /* of its other end on the host; "": none */
	int host_index;      /* its number, once it is made */
	int link_index;      /* of lxc.net.N.link */
	bool on_switch;      /* that is one of Open vSwitch */
	bool by_helper;      /* lxc-user-nic makes it, with an address of its own choice */
	unsigned mtu;
	uint8_t mac[HWADDR_BYTES], host_mac[HWADDR_BYTES];
	struct address gateway4, gateway6; /* 'auto' as it turned out */
	bool own_gateway4, own_gateway6;   /* ... which came with an address 'auto' */
	struct address lease4, lease6; /* of the managed network; lease4 also when DHCP will give it */
};

struct network_boot {
	bool own;    /* there is a network namespace of the container's own */
	bool built;  /* init was let go: what stays behind may go by itself */
	int ns;      /* that namespace, kept for script.down; -1: not needed */
	struct netlink nl;
	size_t n;
	struct nic v[];
};

/* What check doors work with. */
struct nic_site {
	const struct boot *boot;
	struct netlink *nl;
};

struct nic_type {
	const char *word;
	bool plain; /* makes nothing: none, empty */
	int (*check)(const struct nic_site *, const struct nic_conf *, struct error *);
	/* Supervisor, before the container exists: choose names and numbers. */
	int (*prepare)(struct boot *, const struct nic_conf *, struct nic *, struct error *);
	/* Restorer: tell criu how it is made again.  NULL, with a 'connect': it cannot. */
	int (*offer)(struct boot *, const struct nic *, struct error *);
	/* Supervisor: make it, in the namespace of the first process; or take what criu made. */
	int (*connect)(struct boot *, const struct nic_conf *, struct nic *, struct error *);
	/* From the journal, whatever the configuration is by now; or NULL. */
	void (*release)(const struct release *);
};
extern const struct nic_type nic_none, nic_empty, nic_veth;
extern const struct nic_type nic_macvlan, nic_ipvlan, nic_vlan, nic_phys;
const struct nic_type *nic_type_find(const char *word);
extern const struct nic_type *const nic_types[]; /* ended by NULL */

/* ---- link.c ---- */

struct link {
	int index;
	unsigned flags, mtu;
	char name[IFNAMSIZ];
	char kind[16]; /* "bridge", "veth" ...; "": a device of its own */
	uint8_t mac[HWADDR_BYTES];
	bool vlan_filtering; /* of a bridge */
	uint16_t default_pvid;
};
/* 1: found; 0: there is none of that name; -1. */
int link_find(struct netlink *nl, const char *name, struct link *ret, struct error *err);
/* Its number by name in the namespace of the socket; 0: none.  Cheaper than link_find. */
int link_index(const struct netlink *nl, const char *name);
/* How many interfaces are on a bridge. */
int link_ports(struct netlink *nl, int bridge);
int link_up(struct netlink *nl, int index);
int link_set_address(struct netlink *nl, int index, const uint8_t mac[HWADDR_BYTES]);
int link_delete(struct netlink *nl, int index);
/* The first address of a family that an interface has, one that is not link-local if it can be;
 * 1, 0 when it has none, -1. */
int link_address(struct netlink *nl, int index, int family, struct address *ret, struct error *err);
/* Add an address; without duplicate-address detection. */
int link_add_address(struct netlink *nl, int index, const struct address *a);
/* Route 'to' (NULL: default) over an interface, by a gateway or (NULL) directly. */
int link_add_route(struct netlink *nl, int index, const struct address *to, int family,
		   const struct address *gateway);
int link_remove_route(struct netlink *nl, int index, const struct address *to);
/* RTM_NEWNEIGH: answer on an interface when someone asks who has 'a'; RTM_DELNEIGH: no more. */
int link_proxy(struct netlink *nl, int type, int index, const struct address *a);
/* Letters and digits that no name here has yet, at the X of a template such as "vethXXXXXX". */
void link_random_name(char name[IFNAMSIZ]);
/* A number that stays the same for this host, container and word; its addresses are made of it. */
uint64_t network_hash(const char *lxcpath, const char *name, const char *word);

/* ---- gateway.c: gateways 'auto' ---- */

/* 'can': this interface has a link whose address can be the gateway. */
int gateway_check(const struct nic_site *site, const struct nic_conf *c, bool can,
		  struct error *err);
int gateway_prepare(struct netlink *nl, const struct nic_conf *c, struct nic *nic,
		    struct error *err);

/* ---- proxy.c: l2proxy ---- */

/* 'routed': the host routes to this interface, so it can answer for it. */
int proxy_check(const struct nic_site *site, const struct nic_conf *c, bool routed,
		struct error *err);
int proxy_connect(struct boot *b, const struct nic_conf *c, const struct nic *nic,
		  struct error *err);
void proxy_release(const struct release *r);

/* ---- user.c: veth by lxc-user-nic ---- */

bool user_makes(void); /* is it an ordinary user who starts the container? */
int user_check(const struct nic_site *site, const struct nic_conf *c, struct error *err);
int user_prepare(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err);
int user_connect(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err);

/* ---- ovs.c: Open vSwitch ---- */

/* Is that link a switch?  1, 0, -1. */
int ovs_find(const struct link *link, const char *where, struct error *err);
int ovs_check(const struct boot *b, const struct nic_conf *c, struct error *err);
int ovs_connect(struct boot *b, const struct nic_conf *c, const struct nic *nic, struct error *err);
void ovs_release(const struct release *r);

/* ---- wildcard.c ---- */

int wildcards_expand(const struct nic_site *site, struct network_conf *net, struct error *err);

/* ---- upper.c ---- */

/* errno, 'also' included, says that something is taken that a container's end may be about to free:
 * pause, and true until patience ends.  Begin with *pauses = 0. */
bool nic_try_again(int *pauses, int also);

/* ---- inside.c ---- */
int inside_configure(struct boot *b, struct error *err);

/* ---- script.c ---- */
/* Is there anything to be run when this interface comes or goes? */
bool script_wanted(const struct conf *conf, const struct nic_conf *c, bool down);
int script_up(struct boot *b, const struct nic_conf *c, const struct nic *nic, struct error *err);
/* 'host' is the host's end, or ""; 'ns' a descriptor of the network namespace, or -1. */
void script_down(const struct release *r, const struct nic_conf *c, const char *host, int ns);

/* ---- release.c ---- */
void network_release(const struct release *r);
void network_free(struct network_boot **network);

#endif
