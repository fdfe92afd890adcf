/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our nftables table, `inet lxc`: the way out of the managed network (masquerading), and the ports
 * of the host that lead to containers (maps, with a lookup of the same cost however many there
 * are).
 *
 * The table is never changed piecemeal.  Each time it is written whole from what is known and
 * replaces the old one in one transaction (nft(8), -f), so there is no moment without it, nothing
 * can pile up in it, and after a crash the next write is right again.  Connections that are
 * established are kept: they are the connection tracker's.
 *
 * It holds no rule that merely accepts: in nftables a packet passes only when every table lets it
 * pass, so an 'accept' here could not open what another firewall closes; check.c looks for such.
 */
#include "base/fd.h"
#include "base/proc.h"
#include "parts/network/managed/managed.h"

#include <stdio.h>
#include <string.h>

#define NFT_TIMEOUT_MS 20000
#define TABLE "inet lxc"

/* ---- the text ---- */

/* One line of the file 'published', publish.c. */
struct line {
	char proto[8], host[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN];
	unsigned host_port, port;
};

static bool read_one(const char *text, struct line *l)
{
	return sscanf(text, "%7s %45s %u %45s %u", l->proto, l->host, &l->host_port, l->address,
		      &l->port) == 5;
}

static void add_map(struct buf *out, const char *published, bool v6, bool any)
{
	const char *type = v6 ? "ipv6_addr" : "ipv4_addr", *comma = "";
	struct line l;

	buf_addf(out, "\tmap %s%d {\n\t\ttype %s%sinet_proto . inet_service : %s . inet_service\n",
		 any ? "any" : "at", v6 ? 6 : 4, any ? "" : type, any ? "" : " . ", type);
	for (const char *at = published; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (!read_one(at, &l) || (strchr(l.address, ':') != NULL) != v6 ||
		    (strcmp(l.host, "*") == 0) != any)
			continue;
		buf_addf(out, "%s%s%s%s . %u : %s . %u", *comma ? comma : "\t\telements = { ",
			 any ? "" : l.host, any ? "" : " . ", l.proto, l.host_port, l.address,
			 l.port);
		comma = ", ";
	}
	buf_addf(out, "%s\t}\n", *comma ? " }\n" : "");
}

/* Where a connection to this host goes; 'guard' says what is left out. */
static void add_lookups(struct buf *out, const char *guard4, const char *guard6)
{
	buf_addf(out,
		 "\t\tmeta nfproto ipv4 dnat ip to ip daddr . meta l4proto . th dport map @at4\n"
		 "\t\tmeta nfproto ipv6 dnat ip6 to ip6 daddr . meta l4proto . th dport map @at6\n"
		 "\t\tmeta nfproto ipv4 %sfib daddr type local dnat ip to "
		 "meta l4proto . th dport map @any4\n"
		 "\t\tmeta nfproto ipv6 %sfib daddr type local dnat ip6 to "
		 "meta l4proto . th dport map @any6\n",
		 guard4, guard6);
}

static void add_ports(struct buf *out, const struct managed *m, const char *published)
{
	add_map(out, published, false, true);
	add_map(out, published, false, false);
	add_map(out, published, true, true);
	add_map(out, published, true, false);
	buf_puts(out, "\tchain ports_from_outside {\n"
		      "\t\ttype nat hook prerouting priority dstnat; policy accept;\n");
	add_lookups(out, "", "");
	/* From the host itself; its loopback works where up.c allowed that on the bridge. */
	buf_puts(out, "\t}\n\tchain ports_from_here {\n"
		      "\t\ttype nat hook output priority -100; policy accept;\n");
	add_lookups(out, m ? "" : "ip daddr != 127.0.0.0/8 ", "ip6 daddr != ::1 ");
	buf_puts(out, "\t}\n");
}

static void add_way_out(struct buf *out, const struct managed *m)
{
	char network[INET6_ADDRSTRLEN];
	unsigned prefix = m->network.prefix;

	address_text(&m->network, network);
	buf_addf(out,
		 "\tchain way_out {\n"
		 "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
		 "\t\tip saddr %s/%u ip daddr != %s/%u masquerade\n",
		 network, prefix, network, prefix);
	/* A published port used from the same network: the answer must come back this way. */
	buf_addf(out, "\t\tct status dnat ip saddr %s/%u ip daddr %s/%u masquerade\n", network,
		 prefix, network, prefix);
	buf_addf(out, "\t\tip saddr 127.0.0.0/8 oifname \"%s\" masquerade\n", m->bridge);
	if (m->address6.family && m->nat6) {
		address_text(&m->network6, network);
		prefix = m->network6.prefix;
		buf_addf(out, "\t\tip6 saddr %s/%u ip6 daddr != %s/%u masquerade\n", network,
			 prefix, network, prefix);
	}
	if (m->address6.family) {
		address_text(&m->network6, network);
		prefix = m->network6.prefix;
		buf_addf(out, "\t\tct status dnat ip6 saddr %s/%u ip6 daddr %s/%u masquerade\n",
			 network, prefix, network, prefix);
	}
	/* The other half of route_localnet (up.c): no container reaches the host's own loopback
	 * over the bridge (the class of CVE-2020-8558). */
	buf_addf(out,
		 "\t}\n\tchain no_loopback {\n"
		 "\t\ttype filter hook prerouting priority raw; policy accept;\n"
		 "\t\tiifname \"%s\" ip daddr 127.0.0.0/8 drop\n\t}\n",
		 m->bridge);
}

void rules_text(struct buf *out, const struct managed *m, const char *published)
{
	bool ports = published && *published;

	/* Naming the table first makes it exist, so that its removal cannot fail. */
	buf_puts(out, "table " TABLE "\ndelete table " TABLE "\n");
	if (!m && !ports)
		return;
	buf_puts(out, "table " TABLE " {\n");
	if (ports)
		add_ports(out, m, published);
	if (m)
		add_way_out(out, m);
	buf_puts(out, "}\n");
}

/* ---- nft ---- */

static int run_nft(const char *const *words, const char *input, struct buf *output,
		   struct error *err)
{
	autofree char *nft = proc_find_program("nft");
	const char *argv[8] = {nft};
	struct proc_run how = {.argv = argv, .input = input, .timeout_ms = NFT_TIMEOUT_MS};

	if (!nft) {
		error_set(err, ENOENT,
			  "cannot write the rules of the managed network: there is no "
			  "nft on this host");
		return error_mend(err,
				  "apt install nftables      (or your distribution's package)");
	}
	for (size_t i = 0; words[i] && i < ARRAY_SIZE(argv) - 2; i++)
		argv[i + 1] = words[i];
	return proc_run(&how, output, err);
}

static int apply(const char *text, struct error *err)
{
	const char *const words[] = {"-f", "-", NULL};
	autobuf struct buf output = BUF_INIT;
	char how[64];
	int status = run_nft(words, text, &output, err);

	if (status <= 0)
		return status;
	return error_set(err, EIO, "cannot write the rules of the managed network: nft: %s, %.300s",
			 proc_status_text(status, how), output.s ? output.s : "");
}

int rules_apply(const struct managed *m, struct error *err)
{
	autobuf struct buf published = BUF_INIT, text = BUF_INIT;

	if (file_read(AT_FDCWD, MANAGED_PUBLISHED, &published) < 0 && errno != ENOENT)
		return error_sys(err, "cannot read \"%s\"", MANAGED_PUBLISHED);
	rules_text(&text, m, published.s);
	return text.failed ? error_set(err, ENOMEM, "out of memory") : apply(text.s, err);
}

int rules_remove(struct error *err)
{
	return apply("table " TABLE "\ndelete table " TABLE "\n", err);
}

bool rules_exist(void)
{
	const char *const words[] = {"list", "table", "inet", "lxc", NULL};

	return run_nft(words, NULL, NULL, NULL) == 0;
}
