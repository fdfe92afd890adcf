/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The managed network: its settings, its rules, names, and SHA-256 beneath. */
#include "unit.h"

#include "base/sha256.h"
#include "parts/network/managed/managed.h"

#include <stdio.h>
#include <string.h>

static void sums_are_those_of_the_standard(void)
{
	static const struct {
		const char *text, *sum;
	} cases[] = {
		/* FIPS 180-4, examples; and lengths around the end of a block */
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"0123456789012345678901234567890123456789012345678901234567890123",
		 "9674d9e078535b7cec43284387a6ee39956188e735a85452b0050b55341cda56"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t sum[SHA256_BYTES];
		char text[2 * SHA256_BYTES + 1];

		sha256(cases[i].text, strlen(cases[i].text), sum);
		for (size_t k = 0; k < SHA256_BYTES; k++)
			snprintf(text + 2 * k, 3, "%02x", sum[k]);
		SAME(text, cases[i].sum);
	}
}

static void settings_say_what_they_mean(void)
{
	struct managed m;
	char text[INET6_ADDRSTRLEN];

	CU_ASSERT_EQUAL_FATAL(managed_parse(&m, "# none\n\n", "f", NULL), 0);
	CU_ASSERT_TRUE(m.enabled);
	SAME(m.bridge, "lxcbr0");
	SAME(address_text(&m.address, text), "10.0.3.1");
	CU_ASSERT_EQUAL(m.address.prefix, 24);
	CU_ASSERT_EQUAL(m.address.broadcast[3], 255);
	SAME(address_text(&m.first, text), "10.0.3.2");
	SAME(address_text(&m.last, text), "10.0.3.254");
	SAME(m.domain, "lxc");
	managed_free(&m);

	CU_ASSERT_EQUAL_FATAL(managed_parse(&m,
					    "export LXC_BRIDGE='br1' # a comment\n"
					    "BASE=10.9\n"
					    "LXC_ADDR=\"${BASE}.8.65\"\n"
					    "LXC_NETMASK=255.255.255.192\n"
					    "LXC_DOMAIN=\n"
					    "LXC_IPV6_ADDR=fd00:1::1\n"
					    "OPTIONS='-a -A'\n"
					    "USE_LXC_BRIDGE=\"false\"",
					    "f", NULL),
			      0);
	CU_ASSERT_FALSE(m.enabled);
	SAME(m.enabled_where, "f:8");
	SAME(m.bridge, "br1");
	SAME(address_text(&m.network, text), "10.9.8.64");
	CU_ASSERT_EQUAL(m.network.prefix, 26);
	SAME(address_text(&m.first, text), "10.9.8.66");
	SAME(address_text(&m.last, text), "10.9.8.126");
	SAME(m.domain, "");
	managed_free(&m);
}

static void settings_that_are_kept_are_read_the_same(void)
{
	struct managed m, again;
	struct buf first = BUF_INIT, second = BUF_INIT;

	CU_ASSERT_EQUAL_FATAL(
		managed_parse(&m, "LXC_ADDR=10.9.8.1\nLXC_IPV6_PREFIX=fd00:2:3:4\n", "f", NULL), 0);
	managed_text(&m, &first);
	CU_ASSERT_EQUAL_FATAL(managed_parse(&again, first.s, "g", NULL), 0);
	managed_text(&again, &second);
	SAME(first.s, second.s);
	managed_free(&m);
	managed_free(&again);
	buf_free(&first);
	buf_free(&second);
}

static void settings_that_are_wrong_are_refused(void)
{
	static const char *const wrong[] = {
		"USE_LXC_BRIDGE=yes",
		"LXC_BRIDGE=",
		"LXC_BRIDGE=a/b",
		"LXC_BRIDGE=sixteen-letters-",
		"LXC_BRIDGE_MAC=01:00:00:00:00:00",
		"LXC_ADDR=10.0.3.256",
		"LXC_ADDR=10.0.3.0",
		"LXC_ADDR=10.0.3.255",
		"LXC_ADDR=224.0.0.1",
		"LXC_NETMASK=255.255.0.255",
		"LXC_NETMASK=255.255.255.255",
		"LXC_NETWORK=10.0.3.0",
		"LXC_NETWORK=10.0.0.0/16",
		"LXC_DHCP_RANGE=10.0.3.9,10.0.3.8",
		"LXC_DHCP_RANGE=10.0.3.9",
		"LXC_DHCP_MAX=0",
		"LXC_DHCP_CONFILE=/nonexistent",
		"LXC_DOMAIN=a/b",
		"LXC_USE_NFT=false",
		"LXC_DHCP_PING=1",
		"LXC_IPV6_MASK=129\nLXC_IPV6_ADDR=fd00::1",
		"LXC_IPV6_ADDR=10.0.0.1",
		"LXC_IPV6_PREFIX=nonsense",
		"LXC_ADDR=$(echo 10.0.3.1)",
		"LXC_ADDR=`a`",
		"LXC_ADDR='10.0.3.1",
		"LXC_ADDR=10.0.3.1; rm -rf x",
		"rm -rf x",
		"LXC_ADDR = 1",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct error err = {0};
		struct managed m;

		CU_ASSERT_EQUAL(managed_parse(&m, wrong[i], "f", &err), -1);
		if (!strstr(err.text, "f:"))
			printf("\n%s: %s\n", wrong[i], err.text);
		HAS(err.text, "f:");
	}
}

static void rules_are_those_of_what_is_known(void)
{
	struct managed m;
	struct buf text = BUF_INIT;

	rules_text(&text, NULL, "");
	SAME(text.s, "table inet lxc\ndelete table inet lxc\n");
	buf_free(&text);

	CU_ASSERT_EQUAL_FATAL(managed_parse(&m, "LXC_IPV6_ENABLE=false\n", "f", NULL), 0);
	rules_text(&text, &m, NULL);
	HAS(text.s, "ip saddr 10.0.3.0/24 ip daddr != 10.0.3.0/24 masquerade");
	CU_ASSERT_PTR_NULL(strstr(text.s, "map"));
	CU_ASSERT_PTR_NULL(strstr(text.s, "ip6"));
	buf_free(&text);

	rules_text(&text, NULL,
		   "tcp * 8080 10.0.3.5 80 web /var/lib/my containers\n"
		   "udp 192.0.2.1 53 10.0.3.6 5353 dns /var/lib/lxc\n"
		   "tcp * 8080 fd00::5 80 web /var/lib/my containers\n"
		   "nonsense\n");
	HAS(text.s, "elements = { tcp . 8080 : 10.0.3.5 . 80 }");
	HAS(text.s, "elements = { 192.0.2.1 . udp . 53 : 10.0.3.6 . 5353 }");
	HAS(text.s, "elements = { tcp . 8080 : fd00::5 . 80 }");
	CU_ASSERT_PTR_NULL(strstr(text.s, "masquerade"));
	buf_free(&text);
	managed_free(&m);
}

static void names_are_labels(void)
{
	CU_ASSERT_TRUE(name_is_valid("web-1"));
	CU_ASSERT_TRUE(name_is_valid("0"));
	CU_ASSERT_FALSE(name_is_valid(""));
	CU_ASSERT_FALSE(name_is_valid("a_b"));
	CU_ASSERT_FALSE(name_is_valid("a.b"));
	CU_ASSERT_FALSE(name_is_valid("web-"));
	CU_ASSERT_FALSE(name_is_valid("x23456789012345678901234567890123456789012345678901234567890"
				      "1234"));
}

static const struct unit_test tests[] = {
	{"SHA-256 is that of the standard", sums_are_those_of_the_standard},
	{"settings of the managed network say what they mean", settings_say_what_they_mean},
	{"settings that are kept are read the same", settings_that_are_kept_are_read_the_same},
	{"settings that are wrong are refused by file and line",
	 settings_that_are_wrong_are_refused},
	{"rules are those of what is known", rules_are_those_of_what_is_known},
	{"names are labels", names_are_labels},
	{NULL, NULL},
};

void suite_managed(void)
{
	unit_suite("managed", tests);
}
