/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in the way of the managed network: each subject is looked at on its own, so that a
 * person sees all of it at once, with what mends it.  Nothing is changed.
 */
#include "base/fd.h"
#include "base/proc.h"
#include "parts/network/managed/managed.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

#define NET_FILE LXCORE_SYSCONFDIR "/default/lxc-net"

struct check {
	const struct managed *m;
	bool up, runs; /* the network; its dnsmasq */
	struct netlink nl;
};

static int check_use(struct check *c, struct error *err)
{
	if (c->m->enabled)
		return 0;
	error_set(err, ENOTSUP, "it is switched off: USE_LXC_BRIDGE=false (%s)",
		  c->m->enabled_where ? c->m->enabled_where : NET_FILE);
	return error_mend(err, "write USE_LXC_BRIDGE=true into " NET_FILE ", then lxc-net start");
}

static int check_bridge(struct check *c, struct error *err)
{
	const char *name = c->m->bridge;
	struct link link;
	int found = link_find(&c->nl, name, &link, err);

	if (found < 0)
		return -1;
	if (found && strcmp(link.kind, "bridge") != 0) {
		error_set(err, EEXIST, "interface \"%s\" is none (LXC_BRIDGE)", name);
		return error_mend(err, "choose another name for LXC_BRIDGE in " NET_FILE);
	}
	if (c->up && !found) {
		error_set(err, ENODEV, "bridge \"%s\" is gone", name);
		return error_mend(err, "lxc-net restart");
	}
	return 0;
}

/* ---- who else has the addresses ---- */

struct overlap {
	const struct address *network;
	int own;   /* our bridge */
	int other; /* found: an interface */
	struct address with;
};

static int look_at_route(void *data, const struct nlmsghdr *answer)
{
	const struct rtmsg *route = netlink_head(answer, sizeof(*route));
	const struct nlattr *tb[RTA_OIF + 1];
	struct overlap *o = data;
	struct address to = {0};
	uint32_t out = 0;

	if (!route || answer->nlmsg_type != RTM_NEWROUTE || route->rtm_dst_len == 0 ||
	    route->rtm_table != RT_TABLE_MAIN || route->rtm_family != o->network->family)
		return 0;
	netlink_attributes(answer, sizeof(*route), tb, RTA_OIF);
	to.family = route->rtm_family;
	to.prefix = route->rtm_dst_len;
	if (netlink_size(tb[RTA_DST]) != address_size(&to))
		return 0;
	memcpy(to.bytes, netlink_value(tb[RTA_DST]), address_size(&to));
	netlink_u32(tb[RTA_OIF], &out);
	if ((int)out == o->own ||
	    (!address_covers(o->network, &to) && !address_covers(&to, o->network)))
		return 0;
	o->other = (int)out;
	o->with = to;
	return 1;
}

static int check_network(struct check *c, const struct address *network, struct error *err)
{
	struct rtmsg head = {.rtm_family = (unsigned char)network->family};
	struct overlap o = {.network = network, .own = link_index(&c->nl, c->m->bridge)};
	char ours[INET6_ADDRSTRLEN], theirs[INET6_ADDRSTRLEN], name[IF_NAMESIZE] = "?";
	autonetlink struct netlink nl = NETLINK_CLOSED;
	struct netlink_message msg;

	/* A walk that ends early spoils its socket. */
	if (netlink_open(&nl, err) < 0)
		return -1;
	netlink_begin(&msg, RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));
	if (netlink_each(&nl, &msg, look_at_route, &o) != 1)
		return 0;
	if_indextoname((unsigned)o.other, name);
	error_set(err, EADDRINUSE, "%s/%u is in use: interface \"%s\" leads to %s/%u",
		  address_text(network, ours), network->prefix, name, address_text(&o.with, theirs),
		  o.with.prefix);
	return error_mend(err, "choose another %s in " NET_FILE,
			  network->family == AF_INET ? "LXC_ADDR" : "LXC_IPV6_PREFIX");
}

static int check_addresses(struct check *c, struct error *err)
{
	if (check_network(c, &c->m->network, err) < 0)
		return -1;
	return c->m->network6.family ? check_network(c, &c->m->network6, err) : 0;
}

/* ---- programs and ports ---- */

static int check_nft(struct check *c, struct error *err)
{
	autofree char *nft = proc_find_program("nft");

	if (nft)
		return 0;
	error_set(err, ENOENT, "there is no nft on this host, which makes the way out");
	return error_mend(err, "apt install nftables      (or your distribution's package)");
}

static int check_dnsmasq(struct check *c, struct error *err)
{
	autofree char *dnsmasq = proc_find_program("dnsmasq");

	if (!dnsmasq) {
		error_set(err, ENOENT, "there is no dnsmasq on this host: no DHCP, no names");
		return error_mend(err,
				  "apt install dnsmasq-base      (or your distribution's package)\n"
				  "without it: lxc.net.0.ipv4.address = auto");
	}
	if (!c->up || c->runs)
		return 0;
	error_set(err, ESRCH, "it should run and does not");
	return error_mend(err, "lxc-net start");
}

static int check_ports(struct check *c, struct error *err)
{
	static const struct {
		const char *what;
		bool tcp;
		uint16_t port;
	} ports[] = {{"udp 53", false, 53}, {"tcp 53", true, 53}, {"udp 67", false, 67}};
	char who[64], address[INET6_ADDRSTRLEN];

	for (size_t i = 0; !c->runs && i < ARRAY_SIZE(ports); i++) {
		const struct address *at = ports[i].port == 53 ? &c->m->address : NULL;
		struct listener l;

		if (!listener_find(ports[i].tcp, at, ports[i].port, c->m->bridge, &l))
			continue;
		error_set(err, EADDRINUSE, "%s of %s is taken by %s", ports[i].what,
			  address_text(&c->m->address, address), listener_text(&l, who));
		return error_mend(err,
				  "stop that program, or let it listen on other addresses only");
	}
	return 0;
}

/* ---- forwarding, and who prevents it ---- */

static bool is_on(const char *path)
{
	autobuf struct buf value = BUF_INIT;

	return file_read(AT_FDCWD, path, &value) == 0 && value.s && value.s[0] != '0';
}

static int check_forwarding(struct check *c, struct error *err)
{
	/* A start switches it on. */
	if (!c->up)
		return 0;
	if (!is_on("/proc/sys/net/ipv4/ip_forward")) {
		error_set(err, ENETUNREACH, "this host forwards no IPv4: somebody switched it off");
		return error_mend(err, "sysctl -w net.ipv4.ip_forward=1");
	}
	if (c->m->address6.family && !is_on("/proc/sys/net/ipv6/conf/all/forwarding")) {
		error_set(err, ENETUNREACH, "this host forwards no IPv6: somebody switched it off");
		return error_mend(err, "sysctl -w net.ipv6.conf.all.forwarding=1");
	}
	return 0;
}

/* Reading what 'nft list ruleset' prints, line by line. */
struct firewall {
	const char *bridge;
	char table[80], chain[64];          /* where we are: "ip filter", "FORWARD" */
	bool forward, input, drops, opened; /* of this chain */
	char found[160];                    /* the chain that drops: "ip filter FORWARD" */
	bool found_input;
};

static bool drops_all(const char *line)
{
	if (str_starts(line, "counter packets "))
		line = strstr(line, "bytes ") ? strchr(strstr(line, "bytes ") + 6, ' ') : "";
	line = line ? line + strspn(line, " ") : "";
	return strcmp(line, "drop") == 0 || strcmp(line, "reject") == 0 ||
	       str_starts(line, "reject with ");
}

static void end_chain(struct firewall *f)
{
	if ((f->forward || f->input) && f->drops && !f->opened && !*f->found) {
		snprintf(f->found, sizeof(f->found), "%s %s", f->table, f->chain);
		f->found_input = f->input;
	}
	f->forward = f->input = f->drops = f->opened = false;
}

static void read_rule(struct firewall *f, char *line)
{
	line += strspn(line, "\t ");
	if (str_starts(line, "table ")) {
		snprintf(f->table, sizeof(f->table), "%.*s", (int)strcspn(line + 6, "{") - 1,
			 line + 6);
	} else if (str_starts(line, "chain ")) {
		snprintf(f->chain, sizeof(f->chain), "%.*s", (int)strcspn(line + 6, " {"),
			 line + 6);
	} else if (str_starts(line, "type filter hook ")) {
		f->forward = str_starts(line, "type filter hook forward ");
		f->input = str_starts(line, "type filter hook input ");
		f->drops = strstr(line, "policy drop") != NULL;
	} else if (*line == '}') {
		end_chain(f);
	} else if (strstr(line, f->bridge) && strstr(line, "accept")) {
		f->opened = true;
	} else if (drops_all(line)) {
		f->drops = true;
	}
}

static bool run_reader(const char *const *argv, struct buf *output)
{
	struct proc_run how = {.argv = argv, .timeout_ms = 10000};

	return argv[0] && proc_run(&how, output, NULL) == 0 && output->s;
}

static int say_firewall(const struct firewall *f, struct error *err)
{
	error_set(err, EACCES, "another firewall drops packets of containers: chain \"%s\" %s",
		  f->found,
		  f->found_input ? "keeps them from DHCP and names" : "lets nothing through");
	if (f->found_input)
		return error_mend(err,
				  "nft insert rule %s iifname \"%s\" udp dport '{ 53, 67 }' accept",
				  f->found, f->bridge);
	return error_mend(err,
			  "nft insert rule %s iifname \"%s\" accept\n"
			  "nft insert rule %s oifname \"%s\" accept",
			  f->found, f->bridge, f->found, f->bridge);
}

/* The old tables of iptables, which nft does not show. */
static int check_legacy(struct check *c, struct error *err)
{
	autofree char *program = proc_find_program("iptables-legacy");
	const char *argv[] = {program, "-S", "FORWARD", NULL};
	autobuf struct buf output = BUF_INIT, names = BUF_INIT;

	/* Asking would make the tables when there are none. */
	if (file_read(AT_FDCWD, "/proc/self/net/ip_tables_names", &names) < 0 || !names.s ||
	    !strstr(names.s, "filter") || !run_reader(argv, &output))
		return 0;
	if (!str_starts(output.s, "-P FORWARD DROP") || strstr(output.s, c->m->bridge))
		return 0;
	error_set(err, EACCES,
		  "another firewall drops packets of containers: the old iptables' chain "
		  "FORWARD lets nothing through");
	return error_mend(err,
			  "iptables-legacy -I FORWARD -i %s -j ACCEPT\n"
			  "iptables-legacy -I FORWARD -o %s -j ACCEPT",
			  c->m->bridge, c->m->bridge);
}

static int check_firewall(struct check *c, struct error *err)
{
	autofree char *nft = proc_find_program("nft");
	const char *argv[] = {nft, "list", "ruleset", NULL};
	struct firewall f = {.bridge = c->m->bridge};
	autobuf struct buf output = BUF_INIT;
	char *rest, *line;

	if (run_reader(argv, &output))
		for (rest = output.s; (line = strsep(&rest, "\n"));)
			read_rule(&f, line);
	return *f.found ? say_firewall(&f, err) : check_legacy(c, err);
}

/* ---- all of it ---- */

static const struct {
	const char *subject;
	int (*look)(struct check *, struct error *);
} subjects[] = {
	{"use", check_use},
	{"bridge", check_bridge},
	{"addresses", check_addresses},
	{"forwarding", check_forwarding},
	{"nft", check_nft},
	{"firewall", check_firewall},
	{"dnsmasq", check_dnsmasq},
	{"ports", check_ports},
};

int managed_check(managed_say *say, void *data)
{
	automanaged struct managed m = MANAGED_INIT;
	struct check c = {.m = &m, .nl = NETLINK_CLOSED};
	struct error err = {0};
	int objections = 0, current;
	autoclose int dnsmasq = dnsmasq_find(NULL);

	current = managed_current(&m, NULL);
	if ((current != 1 && managed_read(&m, &err) < 0) || netlink_open(&c.nl, &err) < 0) {
		say(data, "settings", &err);
		return 1;
	}
	say(data, "settings", NULL);
	c.up = current == 1;
	c.runs = dnsmasq >= 0;
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		struct error objection = {0};
		bool bad = subjects[i].look(&c, &objection) < 0;

		objections += bad;
		say(data, subjects[i].subject, bad ? &objection : NULL);
	}
	netlink_close(&c.nl);
	return objections;
}
