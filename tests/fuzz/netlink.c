/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers of rtnetlink: no reader looks beyond what there is, however deep the nests are said to be. */
#include "fuzz.h"
#include "base/netlink.h"

#include <linux/if_link.h>

static void look_at(const struct nlattr *a, const uint8_t *bytes, size_t n)
{
	const uint8_t *value = netlink_value(a);
	const char *text = netlink_text(a);
	uint32_t u32;
	uint16_t u16;

	netlink_u32(a, &u32);
	netlink_u16(a, &u16);
	if (a && (value < bytes || value + netlink_size(a) > bytes + n ||
		  (text && text + strlen(text) >= (const char *)bytes + n)))
		abort();
}

static void walk_nest(const struct nlattr *nest, const uint8_t *bytes, size_t n, int depth)
{
	const struct nlattr *a, *tb[64];
	size_t offset = 0;

	look_at(nest, bytes, n);
	if (!nest || depth == 0)
		return;
	netlink_nested(nest, tb, 63);
	for (size_t i = 0; i < 64; i++)
		look_at(tb[i], bytes, n);
	while ((a = netlink_next_attribute(netlink_value(nest), netlink_size(nest), &offset)))
		walk_nest(a, bytes, n, depth - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	/* As a buffer is that is received into: aligned, and of its exact size. */
	autofree uint8_t *bytes = malloc(n ? n : 1);
	const struct nlattr *tb[64];
	const struct nlmsghdr *h;
	size_t offset = 0;

	memcpy(bytes, input, n);
	while ((h = netlink_next(bytes, n, &offset))) {
		if ((const uint8_t *)h + h->nlmsg_len > bytes + n)
			abort();
		netlink_head(h, sizeof(struct ifinfomsg));
		netlink_attributes(h, sizeof(struct ifinfomsg), tb, 63);
		for (size_t i = 0; i < 64; i++)
			walk_nest(tb[i], bytes, n, 3);
	}
	return 0;
}
