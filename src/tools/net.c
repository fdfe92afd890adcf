/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-net: the network that containers are on when nobody says otherwise. */
#include "cli.h"
#include "json.h"
#include "table.h"
#include "tools.h"

#include <string.h>

#define NOT_UP 3   /* of 'status', as service scripts have it (LSB 5.0, iniscrptact) */
#define BAD_VERB 2

static void say_notes(const struct cli *cli, char **notes)
{
	for (char **note = notes; note && *note; note++)
		cli_say(cli, "%s", *note);
	lxcore_names_free(notes);
}

static int start(struct cli *cli)
{
	char **notes = NULL;

	if (lxcore_net_start(&notes, cli->err) < 0)
		return cli_fail(cli);
	say_notes(cli, notes);
	return 0;
}

static int stop(struct cli *cli)
{
	char **notes = NULL;

	if (lxcore_net_stop(&notes, cli->err) < 0)
		return cli_fail(cli);
	say_notes(cli, notes);
	return 0;
}

/* That interfaces stay on the bridge meanwhile is no news. */
static int restart(struct cli *cli)
{
	char **notes = NULL;

	if (lxcore_net_stop(&notes, cli->err) < 0)
		return cli_fail(cli);
	lxcore_names_free(notes);
	return start(cli);
}

/* ---- status ---- */

static char *path_in(const char *which, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", lxcore_install_dir(which), name) < 0)
		path = NULL;
	return must_have(path);
}

static void status_json(const struct lxcore_net_status *s)
{
	struct json j = {.out = stdout};
	autofree char *settings = path_in("sysconf", "default/lxc-net");
	autofree char *run_dir = path_in("run", "lxc-net");
	autofree char *addresses = path_in("state", "lib/lxc-net");

	json_object(&j, NULL);
	json_bool(&j, "up", s->up);
	json_bool(&j, "enabled", s->enabled);
	json_text(&j, "bridge", s->bridge);
	json_known(&j, "ports", s->ports);
	json_text(&j, "ipv4", s->ipv4);
	json_text(&j, "ipv6", s->ipv6);
	json_text(&j, "dhcp_range", s->dhcp_range);
	json_text(&j, "domain", s->domain);
	json_bool(&j, "rules", s->rules);
	json_known(&j, "dnsmasq", s->dnsmasq ? s->dnsmasq : -1);
	json_texts(&j, "published", (const char *const *)s->published);
	json_text(&j, "settings_file", settings);
	json_text(&j, "run_directory", run_dir);
	json_text(&j, "address_directory", addresses);
	json_rows(&j, "addresses");
	for (int i = 0; i < s->n_leases; i++) {
		const struct lxcore_net_lease *l = &s->leases[i];

		json_object(&j, NULL);
		json_text(&j, "address", l->address);
		json_text(&j, "hwaddr", l->hwaddr);
		json_text(&j, "name", l->name);
		json_text(&j, "lxcpath", l->lxcpath);
		json_number(&j, "index", l->index);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
}

static void line(const char *label, const char *value)
{
	printf("%-13s ", label);
	text_print(stdout, value);
	putchar('\n');
}

static void status_lines(const struct lxcore_net_status *s)
{
	struct table t = {.columns = 4, .gap = 2};
	autofree char *settings = path_in("sysconf", "default/lxc-net");
	char text[48];

	line("Network:", s->up ? "up" : s->enabled ? "down" : "switched off (USE_LXC_BRIDGE=false)");
	line("Bridge:", s->bridge);
	snprintf(text, sizeof(text), "%d", s->ports);
	line("Ports:", s->ports < 0 ? "(there is no bridge)" : text);
	line("IPv4:", s->ipv4);
	line("IPv6:", s->ipv6 ? s->ipv6 : "none");
	line("Rules:", s->rules ? "there" : "none");
	snprintf(text, sizeof(text), "process %d", (int)s->dnsmasq);
	line("dnsmasq:", s->dnsmasq ? text : "does not run");
	line("DHCP range:", s->dhcp_range);
	line("Domain:", s->domain ? s->domain : "none");
	line("Settings:", settings);
	for (char **p = s->published; p && *p; p++)
		line("Published:", *p);
	if (!s->n_leases)
		return;
	putchar('\n');
	table_add(&t, "ADDRESS");
	table_add(&t, "HWADDR");
	table_add(&t, "CONTAINER");
	table_add(&t, "PATH");
	for (int i = 0; i < s->n_leases; i++) {
		table_add(&t, s->leases[i].address);
		table_add(&t, s->leases[i].hwaddr);
		table_add(&t, s->leases[i].name);
		table_add(&t, s->leases[i].lxcpath);
	}
	table_print(&t, stdout);
}

static int status(struct cli *cli)
{
	struct lxcore_net_status s;
	int code;

	if (lxcore_net_status(&s, cli->err) < 0)
		return cli_fail(cli);
	if (cli->json)
		status_json(&s);
	else
		status_lines(&s);
	code = !s.up ? NOT_UP : s.ports >= 0 && s.rules ? 0 : 1;
	lxcore_net_status_free(&s);
	return code;
}

/* ---- check ---- */

static void say_subject(void *data, const char *subject, const lxcore_error *objection)
{
	const char *mend;

	(void)data;
	printf("%-11s ", subject);
	if (!objection) {
		puts("ok");
		return;
	}
	text_print(stdout, lxcore_error_text(objection));
	putchar('\n');
	for (mend = lxcore_error_mend(objection); *mend;) {
		size_t n = strcspn(mend, "\n");
		autofree char *one = must_have(strndup(mend, n));

		printf("%-11s   to mend it: ", "");
		text_print(stdout, one);
		putchar('\n');
		mend += n + (mend[n] == '\n');
	}
}

static void json_subject(void *data, const char *subject, const lxcore_error *objection)
{
	struct json *j = data;

	json_object(j, NULL);
	json_text(j, "subject", subject);
	json_bool(j, "ok", !objection);
	json_text(j, "text", objection ? lxcore_error_text(objection) : NULL);
	json_text(j, "mend", objection && *lxcore_error_mend(objection)
				     ? lxcore_error_mend(objection)
				     : NULL);
	json_end(j, '}');
}

static int check(struct cli *cli)
{
	struct json j = {.out = stdout};
	int objections;

	if (!cli->json)
		return lxcore_net_check(say_subject, NULL) ? 1 : 0;
	json_rows(&j, NULL);
	objections = lxcore_net_check(json_subject, &j);
	json_end(&j, ']');
	return objections ? 1 : 0;
}

/* ---- the tool ---- */

static int run(struct cli *cli, const void *options)
{
	static const struct {
		const char *word;
		int (*act)(struct cli *);
	} verbs[] = {
		{"start", start}, {"stop", stop}, {"restart", restart}, {"reload", restart},
		{"force-reload", restart}, {"status", status}, {"check", check},
	};

	(void)options;
	for (size_t i = 0; cli->words.n && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(cli->words.v[0], verbs[i].word) == 0)
			return verbs[i].act(cli);
	if (cli->words.n)
		cli_error(cli, "there is no \"%s\" to do: start, stop, restart, status or check",
			  cli->words.v[0]);
	else
		cli_error(cli, "it is not said what to do: start, stop, restart, status or check");
	return BAD_VERB;
}

static const struct manual manual = {
	.description =
	"Handles the network that containers are on when nobody says otherwise: a bridge with an "
	"address, a server of addresses and names (dnsmasq) on it, and a way out by address "
	"translation.\n\n"
	"`start` makes it, and what is missing of it when it is there already; `stop` takes it "
	"down and puts the host back as it was, forwarding included; `restart` (also `reload`, "
	"`force-reload`) does both, and running containers stay on it. `status` shows it, and which "
	"container has which address. `check` changes nothing and tells what stands in its way and "
	"how to mend that: a firewall that drops, a port that is taken, a range that is in use.\n\n"
	"Nobody needs to start it: a container that wants its bridge brings it up, and lxc-start says "
	"so.\n\n"
	"A container on its bridge gets an address that stays its own until it is destroyed, and is "
	"known by its name and as `NAME.lxc` to all that ask the bridge's address, as long as it runs. "
	"Its DHCP client is given that address; with `lxc.net.0.ipv4.address = auto` it is set before "
	"init runs, with the gateway, and without any DHCP. The server of names is then the gateway: "
	"`nameserver 10.0.3.1` in the container's resolv.conf; lxc-start writes nothing there.\n\n"
	"`lxc.net.0.publish = tcp:8080:80` leads a port of the host to the container.",
	.exits = (const struct meaning[]){
		{"1", "it failed; with `status`: it is up, but something of it is missing; with "
		      "`check`: something stands in the way"},
		{"2", "there is no such thing to do"},
		{"3", "with `status`: it is not up"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-net start", "Make the network now."},
		{"lxc-net check", "See why containers do not reach the world."},
		{"lxc-net status --json", "For programs."},
		{0}},
	.notes =
	"Settings are variables in the file `default/lxc-net` below the configuration directory (on "
	"most systems /etc), read after `default/lxc`: USE_LXC_BRIDGE (true), LXC_BRIDGE (lxcbr0), "
	"LXC_BRIDGE_MAC (10:66:6a:00:00:00), LXC_ADDR (10.0.3.1), LXC_NETMASK (255.255.255.0), "
	"LXC_NETWORK, LXC_DHCP_RANGE (10.0.3.2,10.0.3.254), LXC_DHCP_MAX (253), LXC_DHCP_CONFILE, "
	"LXC_DHCP_PING (true), LXC_DOMAIN (lxc), LXC_USE_NFT (true), LXC_IPV6_ENABLE (true), "
	"LXC_IPV6_PREFIX (derived from the machine's id), LXC_IPV6_ADDR, LXC_IPV6_MASK (64), "
	"LXC_IPV6_NETWORK, LXC_IPV6_NAT (true). They are plain assignments, not a program. LXC_ADDR "
	"alone, with LXC_NETMASK, is enough: the network and its range follow from it. Changes count "
	"from the next start or restart on.\n\n"
	"Addresses outside of the DHCP range are given to containers first; inside of it they are "
	"reserved with dnsmasq, and those that it has leased already are left alone. An address "
	"that is set by hand is known to neither, so take such from another network.\n\n"
	"The nftables table `inet lxc` is ours: it is written whole whenever something changes, "
	"so what others put into it is lost.",
	.differences =
	"`start` of what is up and `stop` of what is not are no failures; LXC ends with 1.\n\n"
	"LXC_DOMAIN is `lxc` unless it is set; in LXC it is empty, and names have no domain. "
	"LXC_USE_NFT=false is refused: there are no rules for iptables.\n\n"
	"`stop` switches forwarding off again if `start` switched it on; LXC leaves it on. `status`, "
	"`check` and `--json` are new.",
	.see_also = "lxc-start lxc.container.conf lxc.net.conf lxc-services",
};

static const struct option_row rows[] = {{0}};

const struct tool tool_net = {
	.name = "lxc-net",
	.purpose = "handle the default network of containers",
	.synopsis = "start | stop | restart | status | check",
	.traits = TOOL_READS | TOOL_NAMELESS | TOOL_OWN_OPTIONS,
	.max_words = 1,
	.options = rows,
	.run = run,
	.manual = &manual,
};
