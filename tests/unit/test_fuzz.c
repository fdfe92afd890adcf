/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Input that nobody meant: the same every time, so that what it finds can be found again.  Built
 * with sanitizers (--enable-sanitizers) each step outside of a block ends the test.
 */
#include "unit.h"
#include "base/netlink.h"
#include "config/conf.h"
#include "parts/network/network.h"

#include <linux/if_link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES 60000

/* xorshift64*: not random(3), whose numbers are the C library's to change. */
static uint64_t dice;

static unsigned roll(unsigned below)
{
	dice ^= dice >> 12;
	dice ^= dice << 25;
	dice ^= dice >> 27;
	return (unsigned)((dice * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

/* ---- what the kernel might answer ---- */

static const struct ifinfomsg nobody;

/* An answer such as RTM_GETLINK gets, with nests three deep. */
static void make_answer(struct netlink_message *m)
{
	uint8_t mac[6] = {2, 1, 2, 3, 4, 5};
	struct nlmsghdr h;
	size_t info, data, list;

	netlink_begin(m, RTM_NEWLINK, 0, &nobody, sizeof(nobody));
	netlink_put_text(m, IFLA_IFNAME, "eth0");
	netlink_put(m, IFLA_ADDRESS, mac, sizeof(mac));
	netlink_put_u32(m, IFLA_MTU, 1500);
	info = netlink_nest(m, IFLA_LINKINFO);
	netlink_put_text(m, IFLA_INFO_KIND, "bridge");
	data = netlink_nest(m, IFLA_INFO_DATA);
	netlink_put_u8(m, IFLA_BR_VLAN_FILTERING, 1);
	netlink_put_u16(m, IFLA_BR_VLAN_DEFAULT_PVID, 7);
	netlink_nest_end(m, data);
	netlink_nest_end(m, info);
	list = netlink_nest(m, IFLA_PROP_LIST);
	netlink_put_text(m, IFLA_ALT_IFNAME, "a-name-that-is-rather-long");
	netlink_put_text(m, IFLA_ALT_IFNAME, "another");
	netlink_nest_end(m, list);
	memcpy(&h, m->bytes, sizeof(h));
	h.nlmsg_len = (uint32_t)m->len;
	memcpy(m->bytes, &h, sizeof(h));
}

/* Look at an attribute in every way there is; what is outside of 'bytes' must not be touched. */
static bool look_at(const struct nlattr *a, const unsigned char *bytes, size_t n)
{
	const unsigned char *value = netlink_value(a);
	const char *text = netlink_text(a);
	uint32_t u32;
	uint16_t u16;

	netlink_u32(a, &u32);
	netlink_u16(a, &u16);
	return !a || (value >= bytes && value + netlink_size(a) <= bytes + n &&
		      (!text || text + strlen(text) < (const char *)bytes + n));
}

static bool walk_nest(const struct nlattr *nest, const unsigned char *bytes, size_t n, int depth)
{
	const struct nlattr *a, *tb[IFLA_BR_VLAN_DEFAULT_PVID + 1];
	size_t offset = 0;
	bool good = look_at(nest, bytes, n);

	if (!nest || depth == 0)
		return good;
	netlink_nested(nest, tb, IFLA_BR_VLAN_DEFAULT_PVID);
	for (size_t i = 0; i <= IFLA_BR_VLAN_DEFAULT_PVID; i++)
		good = look_at(tb[i], bytes, n) && good;
	while ((a = netlink_next_attribute(netlink_value(nest), netlink_size(nest), &offset)))
		good = walk_nest(a, bytes, n, depth - 1) && good;
	return good;
}

static bool walk(const unsigned char *bytes, size_t n)
{
	const struct nlattr *tb[IFLA_PROP_LIST + 1];
	const struct nlmsghdr *h;
	size_t offset = 0;
	bool good = true;

	while ((h = netlink_next(bytes, n, &offset))) {
		good = good && (const unsigned char *)h + h->nlmsg_len <= bytes + n;
		if (netlink_head(h, sizeof(nobody)))
			good = good && ((const struct ifinfomsg *)NLMSG_DATA(h))->ifi_index >= INT32_MIN;
		netlink_attributes(h, sizeof(nobody), tb, IFLA_PROP_LIST);
		for (size_t i = 0; i <= IFLA_PROP_LIST; i++)
			good = walk_nest(tb[i], bytes, n, 3) && good;
	}
	return good;
}

/* Change some bytes of a good answer, cut it or let it go on. */
static void test_answers(void)
{
	struct netlink_message m;
	unsigned bad = 0;

	dice = 0x5eed0001;
	make_answer(&m);
	CU_ASSERT_FATAL(!m.overflow && walk(m.bytes, m.len));
	for (unsigned round = 0; round < CASES; round++) {
		size_t n = roll(4) ? m.len : roll((unsigned)m.len + 40);
		unsigned char *bytes = malloc(n ? n : 1); /* its exact size: sanitizers see beyond */
		unsigned changes = roll(8);

		memset(bytes, 0, n);
		memcpy(bytes, m.bytes, n < m.len ? n : m.len);
		for (unsigned i = 0; n && i < changes; i++) {
			size_t at = roll((unsigned)n);

			/* Lengths are the first byte of four often enough. */
			bytes[roll(2) ? at & ~3U : at] = (unsigned char)(roll(2) ? roll(256) : roll(12));
		}
		bad += !walk(bytes, n);
		free(bytes);
	}
	SAME_NUMBER(bad, 0);
}

/* ---- what might be asked of the kernel ---- */

static void test_builder(void)
{
	struct {
		unsigned char before[16];
		struct netlink_message m;
		unsigned char behind[16];
	} g;
	static const unsigned char value[NETLINK_MESSAGE_MAX + 64];
	unsigned bad = 0, fitted = 0;

	dice = 0x5eed0002;
	memset(g.before, 0xa5, sizeof(g.before));
	memset(g.behind, 0xa5, sizeof(g.behind));
	for (unsigned round = 0; round < CASES / 2; round++) {
		unsigned steps = 1 + roll(60), most = 1 + roll(roll(10) ? 40 : 1080);
		size_t nests[8], n_nests = 0;

		netlink_begin(&g.m, RTM_NEWLINK, 0, &nobody, sizeof(nobody));
		for (unsigned i = 0; i < steps; i++) {
			if (n_nests < 8 && roll(4) == 0)
				nests[n_nests++] = netlink_nest(&g.m, (int)roll(64));
			else if (n_nests && roll(4) == 0)
				netlink_nest_end(&g.m, nests[--n_nests]);
			else
				netlink_put(&g.m, (int)roll(64), value, roll(most));
		}
		while (n_nests)
			netlink_nest_end(&g.m, nests[--n_nests]);
		bad += g.m.len > NETLINK_MESSAGE_MAX;
		if (!g.m.overflow) {
			struct nlmsghdr *h = (void *)g.m.bytes;

			h->nlmsg_len = (uint32_t)g.m.len;
			bad += !walk(g.m.bytes, g.m.len);
			fitted++;
		}
	}
	for (size_t i = 0; i < sizeof(g.before); i++)
		bad += g.before[i] != 0xa5 || g.behind[i] != 0xa5;
	SAME_NUMBER(bad, 0);
	CU_ASSERT(fitted > CASES / 20 && fitted < CASES / 2); /* both ways were gone */
}

/* ---- what might be written in a configuration ---- */

static const char *const subs[] = {
	"flags", "link", "name", "hwaddr", "mtu", "ipv4.address", "ipv4.gateway", "ipv6.address",
	"ipv6.gateway", "script.up", "veth.mode", "veth.pair", "veth.n_rxqueues", "veth.ipv4.route",
	"veth.ipv6.route", "veth.vlan.id", "veth.vlan.tagged.id", "l2proxy", "type", "",
};

/* Something near what is right is more likely to find a way than noise. */
static const char *const seeds[] = {
	"up", "eth0", "10:66:6a:xx:xx:xx", "1500", "10.0.3.5/24 10.0.3.255", "10.0.3.1", "auto",
	"fd00:1:2::5/64", "fe80::1", "router", "192.168.0.0/16", "fd00::/48", "4094", "none", "0",
	"::ffff:1.2.3.4/128", "255.255.255.255/32", "veth", "phys", "99999999999999999999", "",
};

static size_t make_value(char *value, size_t size)
{
	static const char letters[] = "0123456789abcdefxX:./ +-%\t\"'\\=#\xc3\xa9\x01";
	size_t n = (size_t)snprintf(value, size, "%s", seeds[roll(sizeof(seeds) / sizeof(seeds[0]))]);
	unsigned changes = roll(6);

	for (unsigned i = 0; i < changes; i++) {
		size_t at = roll((unsigned)n + 1);

		if (roll(3) == 0 && n + 1 < size) { /* one more */
			memmove(value + at + 1, value + at, n - at + 1);
			value[at] = letters[roll(sizeof(letters) - 1)];
			n++;
		} else if (roll(2) && n) { /* one less */
			at = at < n ? at : n - 1;
			memmove(value + at, value + at + 1, n - at);
			n--;
		} else if (at < n) {
			value[at] = letters[roll(sizeof(letters) - 1)];
		}
	}
	return n;
}

static char *shown(const struct conf *c, const char *key)
{
	struct buf out = BUF_INIT;

	buf_puts(&out, "");
	conf_get(c, key, &out, NULL);
	return buf_steal(&out);
}

/* What is taken is shown in a form that is taken again and means the same. */
static bool try_value(struct conf *c, const char *key, const char *value)
{
	autofree char *first = NULL, *second = NULL;
	struct error err = {0};

	if (conf_define(c, key, value, "fuzz", &err) < 0)
		return err.text[0] != '\0' && err.code != 0;
	first = shown(c, key);
	if (!*first || strchr(first, '\n'))
		return true;
	if (strcmp(first, "-1") == 0) /* 'none', which LXC shows so */
		return true;
	if (conf_define(c, key, "", "fuzz", NULL) < 0 || conf_define(c, key, first, "fuzz", NULL) < 0)
		return false;
	second = shown(c, key);
	return strcmp(first, second) == 0;
}

static void test_values(void)
{
	const struct conf_section *sections[] = {part_network.section, NULL};
	static const char *const types[] = {"veth", "veth", "veth", "phys", "ipvlan", "empty"};
	struct conf *c = NULL;
	char key[64], value[96];
	unsigned bad = 0;

	dice = 0x5eed0003;
	for (unsigned round = 0; round < CASES; round++) {
		const char *sub = subs[roll(sizeof(subs) / sizeof(subs[0]))];

		if (round % 16 == 0) {
			conf_free(c);
			c = conf_new(sections);
			conf_define(c, "lxc.net.0.type", types[roll(6)], "fuzz", NULL);
		}
		snprintf(key, sizeof(key), "lxc.net.%u%s%s", roll(20) ? 0 : roll(200000), *sub ? "." : "",
			 sub);
		if (roll(50) == 0)
			key[roll((unsigned)strlen(key))] = (char)('!' + roll(90));
		make_value(value, sizeof(value));
		if (!try_value(c, key, value)) {
			fprintf(stderr, "\nround %u: %s = [%s]\n", round, key, value);
			bad++;
		}
	}
	conf_free(c);
	SAME_NUMBER(bad, 0);
}

void suite_fuzz(void)
{
	static const struct unit_test tests[] = {
		{"broken answers of the kernel are read inside their bounds", test_answers},
		{"whatever is put into a message stays in it and can be read", test_builder},
		{"values of interfaces mean what they are shown as", test_values},
		{NULL, NULL},
	};

	unit_suite("fuzz", tests);
}
