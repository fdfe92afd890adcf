/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys lxc.net.*, and addresses as people write them. */
#include "unit.h"
#include "config/conf.h"
#include "parts/network/address.h"
#include "parts/network/network.h"

#include <stdio.h>
#include <string.h>

static struct conf *fresh(void)
{
	static const struct conf_section *sections[2];

	sections[0] = part_network.section;
	return conf_new(sections);
}

static void shows(const struct conf *c, const char *key, const char *expected)
{
	autobuf struct buf out = BUF_INIT;

	buf_puts(&out, "");
	SAME_NUMBER(conf_get(c, key, &out, NULL), 0);
	SAME(out.s, expected);
}

/* ---- values ---- */

struct value_case {
	const char *sub, *value;
	const char *shown;   /* NULL: it is refused */
	const char *refusal; /* with these words */
};

static const struct value_case values[] = {
	{"flags", "up", "up"},
	{"flags", "down", NULL, "is not 'up'"},
	{"link", "lxcbr0", "lxcbr0"},
	{"link", "abcdefghijklmno", "abcdefghijklmno"},
	{"link", "abcdefghijklmnop", NULL,
	 "too long for an interface's name: 16 characters, 15 at"},
	{"link", "a/b", NULL, "cannot name an interface"},
	{"link", "a b", NULL, "cannot name an interface"},
	{"name", "eth%d", NULL, "cannot name an interface"},
	{"name", "..", NULL, "cannot name an interface"},
	{"name", "lan", "lan"},
	{"hwaddr", "10:66:6a:00:00:01", "10:66:6a:00:00:01"},
	{"hwaddr", "11:66:6a:00:00:01", NULL, "address of a group"},
	{"hwaddr", "00:00:00:00:00:00", NULL, "address of nobody"},
	{"hwaddr", "10:66:6a:00:00", NULL, "no hardware address"},
	{"hwaddr", "10-66-6a-00-00-01", NULL, "no hardware address"},
	{"hwaddr", "10:66:6a:00:00:0g", NULL, "no hardware address"},
	{"mtu", "1400", "1400"},
	{"mtu", "67", NULL, "not a number between 68 and 65535"},
	{"mtu", "65536", NULL, "not a number between 68 and 65535"},
	{"mtu", "big", NULL, "not a number"},
	{"ipv4.address", "10.0.3.5/24", "10.0.3.5/24"},
	{"ipv4.address", "10.0.3.5", "10.0.3.5/8"},
	{"ipv4.address", "172.16.0.1", "172.16.0.1/16"},
	{"ipv4.address", "192.168.1.1", "192.168.1.1/24"},
	{"ipv4.address", "10.0.3.5/24 10.0.3.255", "10.0.3.5/24"},
	{"ipv4.address", "10.0.3.5/24 x", NULL, "broadcast"},
	{"ipv4.address", "10.0.3.5/33", NULL, "no prefix between 0 and 32"},
	{"ipv4.address", "10.0.3.5/", NULL, "no prefix"},
	{"ipv4.address", "10.0.3.5/-1", NULL, "no prefix"},
	{"ipv4.address", "10.0.3", NULL, "is no IPv4 address"},
	{"ipv4.address", "fd00::1", NULL, "is no IPv4 address"},
	{"ipv4.address", "0.0.0.0", NULL, "not the address of a host"},
	{"ipv4.address", "224.0.0.1/4", NULL, "not the address of a host"},
	{"ipv6.address", "fd00::5", "fd00::5/64"},
	{"ipv6.address", "fd00::5/48", "fd00::5/48"},
	{"ipv6.address", "fd00::5/129", NULL, "no prefix between 0 and 128"},
	{"ipv6.address", "10.0.3.5", NULL, "is no IPv6 address"},
	{"ipv4.gateway", "10.0.3.1", "10.0.3.1"},
	{"ipv4.gateway", "auto", "auto"},
	{"ipv4.gateway", "dev", "dev"},
	{"ipv4.gateway", "fe80::1", NULL, "neither an IPv4 address nor 'auto' nor 'dev'"},
	{"ipv4.gateway", "224.0.0.1", NULL, "is not the address of a host"},
	{"ipv6.gateway", "fe80::1", "fe80::1"},
	{"ipv6.gateway", "Auto", NULL, "neither an IPv6 address"},
	{"script.up", "/bin/true a b", "/bin/true a b"},
	{"veth.mode", "router", "router"},
	{"veth.mode", "bond", NULL, "\"bond\""},
	{"veth.pair", "web0", "web0"},
	{"veth.n_rxqueues", "4", "4"},
	{"veth.n_txqueues", "0", NULL, "between 1 and 4096"},
	{"veth.ipv4.route", "10.1.0.0/16", "10.1.0.0/16"},
	{"veth.ipv4.route", "10.1.0.0", NULL, "has no '/PREFIX'"},
	{"veth.ipv4.route", "10.1.2.3/16", NULL, "is no network: that would be 10.1.0.0/16"},
	{"veth.ipv6.route", "fd00::/48", "fd00::/48"},
	{"veth.ipv6.route", "fd00::1/48", NULL, "is no network: that would be fd00::/48"},
	{"veth.vlan.id", "7", "7"},
	{"veth.vlan.id", "none", "-1"},
	{"veth.vlan.id", "4095", NULL, "neither a VLAN id"},
	{"veth.vlan.tagged.id", "4094", "4094"},
	{"veth.vlan.tagged.id", "none", NULL, "no VLAN id"},
	{"nosuch", "1", NULL, "no key \"nosuch\""},
	{"type", "vetth", NULL, "no type of interface; there are veth"},
};

static void try_value(const struct value_case *v)
{
	struct conf *c = fresh();
	struct error err = {0};
	char key[64];
	int result;

	snprintf(key, sizeof(key), "lxc.net.0.%s", v->sub);
	SAME_NUMBER(conf_set(c, "lxc.net.0.type", "veth", NULL), 0);
	result = conf_set(c, key, v->value, &err);
	SAME_NUMBER(result, v->shown ? 0 : -1);
	if (v->shown) {
		shows(c, key, v->shown);
		SAME_NUMBER(conf_unset(c, key, NULL), 0);
		shows(c, key, strcmp(v->sub, "veth.mode") == 0 ? "bridge" : "");
	} else {
		HAS(err.text, v->refusal);
		if (!strstr(v->sub, "nosuch"))
			shows(c, key,
			      strcmp(v->sub, "veth.mode") == 0 ? "bridge"
			      : strcmp(v->sub, "type") == 0    ? "veth"
							       : "");
	}
	conf_free(c);
}

static void test_values(void)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		try_value(&values[i]);
}

/* ---- the family ---- */

struct text_case {
	const char *text, *refusal; /* NULL: it is taken */
};

static const struct text_case texts[] = {
	{"lxc.net.0.type = veth\nlxc.net.7.type = empty\n", NULL},
	{"lxc.net.0.link = br0\nlxc.net.0.type = veth\n", NULL}, /* in any order */
	{"lxc.net.0.link = br0\nlxc.net.0.type = none\n",
	 "lxc.net.0.link does not fit an interface of "
	 "type none"},
	{"lxc.net.0.type = empty\nlxc.net.0.ipv4.address = 10.0.0.2/24\n", "does not fit"},
	{"lxc.net.0.type = empty\nlxc.net.0.flags = up\nlxc.net.0.script.up = x\n", NULL},
	{"lxc.net.0.type = macvlan\nlxc.net.0.veth.pair = x\n",
	 "does not fit an interface of type mac"},
	{"lxc.net.0.type = veth\nlxc.net.0.macvlan.mode = bridge\n", "does not fit"},
	{"lxc.net.0.type = ipvlan\nlxc.net.0.hwaddr = 02:00:00:00:00:01\n", "does not fit"},
	{"lxc.net.0.type = ipvlan\nlxc.net.0.ipvlan.mode = l2\n", NULL},
	{"lxc.net.0.type = ipvlan\nlxc.net.0.ipvlan.mode = l4\n", "\"l4\""},
	{"lxc.net.0.type = vlan\nlxc.net.0.vlan.id = 4095\n", "between 1 and 4094"},
	{"lxc.net.0.publish = tcp:80\n", "is not PROTO:"},
	{"lxc.net.0.publish = tcp:80:0\n", "is not PROTO:"},
	{"lxc.net.0.publish = sctp:80:80\n", "is not PROTO:"},
	{"lxc.net.0.publish = tcp:80-82:80-81\n", "is not PROTO:"},
	{"lxc.net.0.publish = tcp:nowhere:80:80\n", "is not PROTO:"},
	{"lxc.net.0.type = macvlan\nlxc.net.0.publish = tcp:80:80\n", "does not fit"},
	{"lxc.net.0.type = vlan\nlxc.net.0.l2proxy = 1\n", "does not fit"},
	{"lxc.net.0.type = ipvlan\nlxc.net.0.l2proxy = 1\n", NULL},
	{"lxc.net.0.type = veth\nlxc.net.0.l2proxy = 2\n", "neither 0 nor 1"},
	{"lxc.net = veth\n", "takes no value"},
	{"lxc.net.0 = veth\n", "takes no value"},
	{"lxc.net.x.type = veth\n", "no interface of a container"},
	{"lxc.net.-1.type = veth\n", "no interface of a container"},
	{"lxc.net.100000.type = veth\n", "no interface of a container"},
	{"lxc.net.99999999999999999999.type = veth\n", "no interface of a container"},
	{"lxc.net.0..type = veth\n", "no key"},
};

static void test_texts(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct conf *c = fresh();
		struct error err = {0};
		int result = conf_load_text(c, texts[i].text, "config", &err);

		if (result != (texts[i].refusal ? -1 : 0))
			SAME(texts[i].text, err.text);
		if (texts[i].refusal) {
			HAS(err.text, texts[i].refusal);
			HAS(err.text, "config");
		}
		conf_free(c);
	}
}

static void load(struct conf *c, const char *text)
{
	struct error err = {0};

	if (conf_load_text(c, text, "config", &err) < 0)
		SAME(err.text, "");
}

static void test_family(void)
{
	struct conf *c = fresh();

	load(c, "lxc.net.3.type = empty\nlxc.net.0.type = veth\nlxc.net.0.link = br0\n"
		"lxc.net.0.ipv4.address = 10.0.0.2/24\nlxc.net.0.ipv4.address = 10.0.0.3/24\n"
		"lxc.net.0.ipv4.address = 10.0.0.2/24\n");
	shows(c, "lxc.net", "veth\nempty\n");
	shows(c, "lxc.net.0.ipv4.address", "10.0.0.2/24\n10.0.0.3/24");
	shows(c, "lxc.net.3.type", "empty");
	shows(c, "lxc.net.4.type", "");
	/* The type once more: what the interface was is forgotten. */
	load(c, "lxc.net.0.type = veth\nlxc.net.0.flags = up\n");
	shows(c, "lxc.net.0.link", "");
	shows(c, "lxc.net.0.ipv4.address", "");
	shows(c, "lxc.net.0.flags", "up");
	/* A bad key leaves no interface behind. */
	SAME_NUMBER(conf_set(c, "lxc.net.9.mtu", "1", NULL), -1);
	shows(c, "lxc.net", "veth\nempty\n");
	load(c, "lxc.net.0.link = br0\nlxc.net.0.link =\n");
	shows(c, "lxc.net.0.link", "");
	load(c, "lxc.net.3 =\n");
	shows(c, "lxc.net", "veth\n");
	load(c, "lxc.net.5.type = none\nlxc.net.0.type =\n");
	shows(c, "lxc.net", "none\n");
	load(c, "lxc.net =\n");
	shows(c, "lxc.net", "");
	conf_free(c);
}

static void test_namespace(void)
{
	static const struct {
		const char *text;
		bool wanted;
	} cases[] = {
		{"", true},
		{"lxc.net.0.type = none\n", false},
		{"lxc.net.0.type = none\nlxc.net.1.type = none\n", false},
		{"lxc.net.0.type = none\nlxc.net.1.type = veth\n", true},
		{"lxc.net.0.type = empty\n", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf *c = fresh();

		load(c, cases[i].text);
		SAME_NUMBER(network_wants_namespace(c), cases[i].wanted);
		conf_free(c);
	}
}

/* ---- what the settings together mean ---- */

static const struct text_case checks[] = {
	{"", NULL},
	{"lxc.net.0.type = empty\n", NULL},
	{"lxc.net.0.type = veth\nlxc.net.0.flags = up\nlxc.net.0.ipv4.address = 10.0.0.2/24\n"
	 "lxc.net.0.ipv4.gateway = 10.0.0.1\n",
	 NULL},
	{"lxc.net.0.type = veth\nlxc.net.0.flags = up\nlxc.net.0.ipv6.gateway = fe80::1\n", NULL},
	{"lxc.net.0.flags = up\n", "lxc.net.0 has no type"},
	{"lxc.net.0.type = none\nlxc.net.1.type = empty\n", "does not go together"},
	{"lxc.net.0.type = macvlan\n", "none is named (lxc.net.0.link)"},
	{"lxc.net.0.type = ipvlan\nlxc.net.0.link = lxtnosuch\n",
	 "interface \"lxtnosuch\" does not exist (lxc.net.0.link, config:2)"},
	{"lxc.net.0.type = macvlan\nlxc.net.0.link = lo\nlxc.net.0.macvlan.mode = vepa\n", NULL},
	{"lxc.net.0.type = veth\nlxc.net.0.l2proxy = 1\n", "needs veth.mode = router and a link"},
	{"lxc.net.0.type = phys\n", "none is named (lxc.net.0.link)"},
	{"lxc.net.0.type = phys\nlxc.net.0.link = lo\n", "the loopback cannot be given away"},
	{"lxc.net.0.type = phys\nlxc.net.0.link = lxtnosuch+\n",
	 "no interface left whose name begins with \"lxtnosuch\" (lxc.net.0.link, config:2)"},
	{"lxc.net.0.type = ipvlan\nlxc.net.0.link = lo\nlxc.net.0.l2proxy = 1\n",
	 "needs ipvlan.mode = l3s and a link (lxc.net.0.l2proxy, config:3)"},
	{"lxc.net.0.type = vlan\nlxc.net.0.link = lo\n", "needs an id (lxc.net.0.vlan.id)"},
	{"lxc.net.0.type = vlan\nlxc.net.0.link = lo\nlxc.net.0.vlan.id = 7\n", NULL},
	{"lxc.net.0.type = veth\nlxc.net.0.link = lxtnosuch\n",
	 "bridge \"lxtnosuch\" does not exist (lxc.net.0.link, config:2)"},
	{"lxc.net.0.type = veth\nlxc.net.0.link = lo\n", "interface \"lo\" is no bridge"},
	{"lxc.net.0.type = veth\nlxc.net.0.veth.pair = lo\n", "\"lo\" exists already"},
	{"lxc.net.0.type = veth\nlxc.net.0.name = lo\n", "name of the loopback"},
	{"lxc.net.0.type = veth\nlxc.net.0.ipv4.address = 10.0.0.2/24\n"
	 "lxc.net.0.ipv4.gateway = 10.0.0.1\n",
	 "needs an interface that is up"},
	{"lxc.net.0.type = veth\nlxc.net.0.flags = up\nlxc.net.0.ipv4.gateway = 10.0.0.1\n",
	 "needs an address of its family"},
	{"lxc.net.0.type = veth\nlxc.net.0.flags = up\nlxc.net.0.ipv6.gateway = fd00::1\n",
	 "needs an address of its family"},
	{"lxc.net.0.type = veth\nlxc.net.0.flags = up\nlxc.net.0.ipv4.address = 10.0.0.2/24\n"
	 "lxc.net.0.ipv4.gateway = auto\n",
	 "needs a link on which the host has an address"},
	{"lxc.net.0.type = veth\nlxc.net.0.mtu = 1000\nlxc.net.0.ipv6.address = fd00::2\n",
	 "too small for IPv6"},
	{"lxc.net.0.type = veth\nlxc.net.0.name = a\nlxc.net.1.type = veth\nlxc.net.1.name = a\n",
	 "two interfaces are to be named \"a\" (lxc.net.1.name, config:4)"},
	{"lxc.net.0.type = veth\nlxc.net.0.veth.pair = a\nlxc.net.1.type = veth\n"
	 "lxc.net.1.veth.pair = a\n",
	 "two interfaces are to be named \"a\" on the host"},
	{"lxc.net.0.type = veth\nlxc.net.0.hwaddr = 02:00:00:00:00:0a\nlxc.net.1.type = veth\n"
	 "lxc.net.1.hwaddr = 02:00:00:00:00:0A\n",
	 "two interfaces are to have the address"},
	{"lxc.net.0.type = veth\nlxc.net.0.veth.vlan.id = 5\n", "VLAN ids need a bridge"},
};

static void test_checks(void)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct boot b = {.name = "web", .lxcpath = "/nowhere", .conf = fresh()};
		struct error err = {0};
		int result;

		load(b.conf, checks[i].text);
		result = part_network.check(&b, &err);
		if (result != (checks[i].refusal ? -1 : 0))
			SAME(checks[i].text, err.text);
		if (checks[i].refusal)
			HAS(err.text, checks[i].refusal);
		conf_free(b.conf);
	}
}

/* ---- addresses ---- */

static void test_broadcast(void)
{
	static const struct {
		const char *text;
		uint8_t broadcast[4];
	} cases[] = {
		{"10.0.3.5/24", {10, 0, 3, 255}},    {"10.0.3.5/30", {10, 0, 3, 7}},
		{"10.0.3.5/31", {0, 0, 0, 0}},       {"10.0.3.5/32", {0, 0, 0, 0}},
		{"10.0.3.5/8", {10, 255, 255, 255}}, {"10.0.3.5/24 10.0.3.9", {10, 0, 3, 9}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address a = {0};

		SAME_NUMBER(address_parse(&a, AF_INET, cases[i].text, NULL), 0);
		CU_ASSERT(memcmp(a.broadcast, cases[i].broadcast, 4) == 0);
	}
}

static void test_covers(void)
{
	static const struct {
		int family;
		const char *network, *other;
		bool covered;
	} cases[] = {
		{AF_INET, "10.0.3.5/24", "10.0.3.1", true},
		{AF_INET, "10.0.3.5/24", "10.0.4.1", false},
		{AF_INET, "10.0.3.5/32", "10.0.3.5", true},
		{AF_INET, "10.0.3.5/32", "10.0.3.4", false},
		{AF_INET, "10.0.3.5/0", "192.0.2.1", true},
		{AF_INET, "10.0.3.5/23", "10.0.2.1", true},
		{AF_INET6, "fd00::5/64", "fd00::1", true},
		{AF_INET6, "fd00::5/64", "fd00:0:0:1::1", false},
		{AF_INET6, "fd00::5/65", "fd00::8000:0:0:1", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address a = {0}, other = {0};

		SAME_NUMBER(address_parse(&a, cases[i].family, cases[i].network, NULL), 0);
		CU_ASSERT(address_parse_plain(&other, cases[i].family, cases[i].other));
		if (address_covers(&a, &other) != cases[i].covered)
			SAME(cases[i].network, cases[i].other);
	}
}

static void test_hwaddr(void)
{
	static const struct {
		const char *text;
		uint64_t digits;
		uint8_t expected[HWADDR_BYTES];
	} cases[] = {
		{"10:66:6a:00:00:01", 0xffffffff, {0x10, 0x66, 0x6a, 0, 0, 1}},
		{"10:66:6A:xx:XX:x1", 0x12345, {0x10, 0x66, 0x6a, 0x54, 0x32, 0x11}},
		{"xx:00:00:00:00:00", 0xff, {0xfe, 0, 0, 0, 0, 0}}, /* never that of a group */
	};
	uint8_t got[HWADDR_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SAME_NUMBER(hwaddr_check(cases[i].text, NULL), 0);
		hwaddr_resolve(cases[i].text, cases[i].digits, got);
		CU_ASSERT(memcmp(got, cases[i].expected, sizeof(got)) == 0);
	}
	hwaddr_host(0x0102030405, got);
	SAME_NUMBER(got[0], 0xfe);
	SAME_NUMBER(got[5], 1);
}

/* Random text is taken or refused, and what is taken is shown in a form that is taken again. */
static void test_random_text(void)
{
	static const char letters[] = "0123456789abcdef:./ x-";
	char text[64], shown[INET6_ADDRSTRLEN];

	srandom(7);
	for (int round = 0; round < 50000; round++) {
		int family = round % 2 ? AF_INET : AF_INET6;
		size_t n = (size_t)random() % (sizeof(text) - 1);
		struct error err = {0};
		struct address a;

		for (size_t i = 0; i < n; i++)
			text[i] = letters[(size_t)random() % (sizeof(letters) - 1)];
		text[n] = '\0';
		hwaddr_check(text, &err);
		address_parse_route(&a, family, text, &err);
		if (address_parse(&a, family, text, &err) == 0)
			CU_ASSERT(address_parse_plain(&a, family, address_text(&a, shown)));
	}
}

void suite_network(void)
{
	static const struct unit_test tests[] = {
		{"values are taken or refused with words", test_values},
		{"an interface's keys fit its type, in any order", test_texts},
		{"interfaces come, start afresh and go", test_family},
		{"only type none stays in the host's network", test_namespace},
		{"settings that contradict each other or the host are refused", test_checks},
		{"broadcast addresses follow from the prefix", test_broadcast},
		{"a network covers its addresses", test_covers},
		{"hardware addresses are checked and filled in", test_hwaddr},
		{"random text does no harm", test_random_text},
		{NULL, NULL},
	};

	unit_suite("network", tests);
}
