/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Netlink messages: the builder never writes past its end, the readers never look past theirs. */
#include "unit.h"
#include "base/netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const struct ifinfomsg nobody;

static void begin(struct netlink_message *m)
{
	netlink_begin(m, RTM_NEWLINK, NLM_F_CREATE, &nobody, sizeof(nobody));
}

static void test_build_and_read(void)
{
	struct netlink_message m;
	const struct nlattr *tb[IFLA_LINKINFO + 1], *in[IFLA_INFO_DATA + 1];
	struct nlmsghdr *h = (void *)m.bytes;
	uint32_t mtu = 0;
	size_t nest;

	begin(&m);
	netlink_put_text(&m, IFLA_IFNAME, "eth0");
	nest = netlink_nest(&m, IFLA_LINKINFO);
	netlink_put_text(&m, IFLA_INFO_KIND, "veth");
	netlink_nest_end(&m, nest);
	netlink_put_u32(&m, IFLA_MTU, 1400);
	CU_ASSERT_FALSE(m.overflow);
	SAME_NUMBER(h->nlmsg_type, RTM_NEWLINK);
	SAME_NUMBER(h->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE);
	h->nlmsg_len = (uint32_t)m.len;
	netlink_attributes(h, sizeof(nobody), tb, IFLA_LINKINFO);
	SAME(netlink_text(tb[IFLA_IFNAME]), "eth0");
	CU_ASSERT(netlink_u32(tb[IFLA_MTU], &mtu));
	SAME_NUMBER(mtu, 1400);
	netlink_nested(tb[IFLA_LINKINFO], in, IFLA_INFO_DATA);
	SAME(netlink_text(in[IFLA_INFO_KIND]), "veth");
	CU_ASSERT_PTR_NULL(in[IFLA_INFO_DATA]);
	CU_ASSERT_PTR_NULL(tb[IFLA_ADDRESS]);
}

/* Whatever is put, the message stays inside its bytes, and one that overflowed is not sent. */
static void test_overflow(void)
{
	struct {
		struct netlink_message m;
		unsigned char behind[64];
	} guarded;
	struct netlink nl = NETLINK_CLOSED;
	unsigned char big[2 * NETLINK_MESSAGE_MAX] = {0};

	memset(guarded.behind, 0xa5, sizeof(guarded.behind));
	for (size_t n = 0; n < sizeof(big); n += 7) {
		begin(&guarded.m);
		for (int i = 0; i < 40; i++) {
			size_t nest = netlink_nest(&guarded.m, IFLA_LINKINFO);

			netlink_put(&guarded.m, IFLA_ADDRESS, big, n);
			netlink_put_u8(&guarded.m, 1, 1);
			netlink_nest_end(&guarded.m, nest);
		}
		CU_ASSERT(guarded.m.len <= NETLINK_MESSAGE_MAX);
		CU_ASSERT(guarded.m.overflow == (n > 8)); /* 40 times 16 bytes and n rounded up */
	}
	for (size_t i = 0; i < sizeof(guarded.behind); i++)
		SAME_NUMBER(guarded.behind[i], 0xa5);
	SAME_NUMBER(netlink_ask(&nl, &guarded.m), -1);
	SAME_NUMBER(errno, EMSGSIZE);
	begin(&guarded.m); /* a new message forgets it */
	CU_ASSERT_FALSE(guarded.m.overflow);
	netlink_put(&guarded.m, 1, big, (size_t)-1);
	CU_ASSERT_TRUE(guarded.m.overflow);
}

/* An exact fit is one; a byte more is not. */
static void test_exact_fit(void)
{
	unsigned char big[NETLINK_MESSAGE_MAX] = {0};
	struct netlink_message m;
	size_t room;

	begin(&m);
	room = NETLINK_MESSAGE_MAX - m.len - NLA_HDRLEN;
	netlink_put(&m, 1, big, room);
	CU_ASSERT_FALSE(m.overflow);
	SAME_NUMBER(m.len, NETLINK_MESSAGE_MAX);
	begin(&m);
	netlink_put(&m, 1, big, room + 1);
	CU_ASSERT_TRUE(m.overflow);
	begin(&m);
	netlink_put(&m, 1, big, room);
	netlink_put_bytes(&m, big, 1);
	CU_ASSERT_TRUE(m.overflow);
}

static void test_short_values(void)
{
	/* The last text has no end inside its attribute. */
	static const unsigned char bytes[] = {
		6, 0, 1, 0, 1,   2,   0,   0, /* type 1, two bytes */
		4, 0, 2, 0,                   /* type 2, none */
		7, 0, 3, 0, 'a', 'b', 'c', 0,
	};
	const struct nlattr *a, *tb[4] = {NULL};
	_Alignas(4) unsigned char aligned[sizeof(bytes)];
	size_t offset = 0, n = 0;
	uint32_t u32;
	uint16_t u16;

	memcpy(aligned, bytes, sizeof(bytes));
	while ((a = netlink_next_attribute(aligned, sizeof(aligned), &offset)))
		tb[++n] = a;
	SAME_NUMBER(n, 3);
	CU_ASSERT_FALSE(netlink_u32(tb[1], &u32));
	CU_ASSERT_TRUE(netlink_u16(tb[1], &u16));
	CU_ASSERT_FALSE(netlink_u16(tb[2], &u16));
	CU_ASSERT_FALSE(netlink_u32(NULL, &u32));
	SAME_NUMBER(netlink_size(NULL), 0);
	CU_ASSERT_PTR_NULL(netlink_text(tb[2]));
	CU_ASSERT_PTR_NULL(netlink_text(tb[3]));
	CU_ASSERT_PTR_NULL(netlink_text(NULL));
}

static void test_false_lengths(void)
{
	_Alignas(4) unsigned char bytes[32] = {0};
	struct nlmsghdr *h = (void *)bytes;
	size_t offset;
	static const struct {
		uint32_t claimed;
		bool taken;
	} cases[] = {
		{0, false}, {15, false}, {16, true}, {32, true}, {33, false}, {UINT32_MAX, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		offset = 0;
		h->nlmsg_len = cases[i].claimed;
		CU_ASSERT((netlink_next(bytes, sizeof(bytes), &offset) != NULL) == cases[i].taken);
	}
	offset = 64; /* beyond the end */
	CU_ASSERT_PTR_NULL(netlink_next(bytes, sizeof(bytes), &offset));
	h->nlmsg_len = 20;
	CU_ASSERT_PTR_NULL(netlink_head(h, 5));
	CU_ASSERT_PTR_NOT_NULL(netlink_head(h, 4));
}

/* Random bytes, in a block of exactly their size so that a sanitizer sees each step beyond it. */
static void walk(unsigned char *bytes, size_t n)
{
	const struct nlattr *tb[IFLA_LINKINFO + 1], *in[IFLA_INFO_DATA + 1];
	const struct nlmsghdr *h;
	size_t offset = 0;
	uint32_t u32;
	uint16_t u16;

	while ((h = netlink_next(bytes, n, &offset))) {
		CU_ASSERT((const unsigned char *)h + h->nlmsg_len <= bytes + n);
		netlink_attributes(h, sizeof(nobody), tb, IFLA_LINKINFO);
		netlink_nested(tb[IFLA_LINKINFO], in, IFLA_INFO_DATA);
		for (size_t i = 0; i <= IFLA_LINKINFO; i++) {
			const char *text = netlink_text(tb[i]);

			netlink_u32(tb[i], &u32);
			netlink_u16(tb[i], &u16);
			if (text)
				CU_ASSERT((const unsigned char *)text + strlen(text) < bytes + n);
		}
	}
}

static void test_random_bytes(void)
{
	srandom(5);
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)random() % 200;
		unsigned char *bytes = malloc(n ? n : 1);

		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(random() % (i % 4 ? 4 : 64));
		if (n >= 4 && round % 2) { /* half of them begin with a length that holds */
			uint32_t len = (uint32_t)n;

			memcpy(bytes, &len, sizeof(len));
		}
		walk(bytes, n);
		free(bytes);
	}
}

/* The kernel's words for a refusal come back, and a question gets its answer. */
static int see_loopback(void *data, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *info = netlink_head(answer, sizeof(*info));

	if (info && info->ifi_flags & IFF_LOOPBACK)
		++*(int *)data;
	return 0;
}

static void test_kernel(void)
{
	autonetlink struct netlink nl = NETLINK_CLOSED;
	struct ifinfomsg head = {0};
	struct netlink_message m;
	int seen = 0;

	SAME_NUMBER(netlink_open(&nl, NULL), 0);
	netlink_begin(&m, RTM_GETLINK, NLM_F_DUMP, &head, sizeof(head));
	SAME_NUMBER(netlink_each(&nl, &m, see_loopback, &seen), 0);
	SAME_NUMBER(seen, 1);
	netlink_begin(&m, RTM_GETLINK, 0, &head, sizeof(head));
	netlink_put_text(&m, IFLA_IFNAME, "lo");
	SAME_NUMBER(netlink_each(&nl, &m, see_loopback, &seen), 0);
	SAME_NUMBER(seen, 2);
	netlink_begin(&m, RTM_GETLINK, 0, &head, sizeof(head));
	netlink_put_text(&m, IFLA_IFNAME, "nosuchinterface");
	SAME_NUMBER(netlink_each(&nl, &m, see_loopback, &seen), -1);
	SAME_NUMBER(errno, ENODEV);
	CU_ASSERT(nl.reason[0] != '\0');
}

void suite_netlink(void)
{
	static const struct unit_test tests[] = {
		{"what is built can be read", test_build_and_read},
		{"too much sets overflow and writes nothing beyond", test_overflow},
		{"an exact fit fits", test_exact_fit},
		{"values that are too short count as absent", test_short_values},
		{"lengths that claim too much end the walk", test_false_lengths},
		{"random bytes are read inside their bounds", test_random_bytes},
		{"the kernel answers, and refuses with words", test_kernel},
		{NULL, NULL},
	};

	unit_suite("netlink", tests);
}
