/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses as people write them.  See address.h. */
#include "parts/network/address.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool address_parse_plain(struct address *ret, int family, const char *text)
{
	struct address a = {.family = family, .prefix = family == AF_INET ? 32 : 128};

	if (inet_pton(family, text, a.bytes) != 1)
		return false;
	*ret = a;
	return true;
}

size_t address_size(const struct address *a)
{
	return a->family == AF_INET ? 4 : 16;
}

const char *address_text(const struct address *a, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(a->family, a->bytes, text, INET6_ADDRSTRLEN) ? text : "?";
}

bool address_same(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, address_size(a)) == 0;
}

static uint8_t mask_byte(unsigned prefix, size_t i)
{
	unsigned bits = prefix > 8 * i ? prefix - 8 * (unsigned)i : 0;

	return bits >= 8 ? 0xff : (uint8_t)(0xff00u >> bits);
}

bool address_covers(const struct address *a, const struct address *other)
{
	if (a->family != other->family)
		return false;
	for (size_t i = 0; i < address_size(a); i++)
		if ((a->bytes[i] ^ other->bytes[i]) & mask_byte(a->prefix, i))
			return false;
	return true;
}

bool address_is_link_local(const struct address *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* Networks of classes A, B and C: what an address without a prefix meant before there were any. */
static uint8_t class_prefix(uint8_t first)
{
	return first < 128 ? 8 : first < 192 ? 16 : first < 224 ? 24 : 32;
}

static int parse_prefix(struct address *a, const char *text, struct error *err)
{
	unsigned long long n, max = a->family == AF_INET ? 32 : 128;

	if (!str_to_u64(text, &n) || n > max)
		return error_set(err, EINVAL, "has no prefix between 0 and %llu behind the '/'",
				 max);
	a->prefix = (uint8_t)n;
	return 0;
}

static int parse_broadcast(struct address *a, const char *text, struct error *err)
{
	if (a->family != AF_INET || inet_pton(AF_INET, text, a->broadcast) != 1)
		return error_set(err, EINVAL, "has a broadcast address \"%s\" that is none", text);
	return 0;
}

static void default_broadcast(struct address *a)
{
	if (a->family != AF_INET || a->prefix > 30) /* RFC 3021: two hosts need none */
		return;
	for (size_t i = 0; i < 4; i++)
		a->broadcast[i] = a->bytes[i] | (uint8_t)~mask_byte(a->prefix, i);
}

bool address_is_host(const struct address *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, address_size(a)) != 0 &&
	       (a->family == AF_INET ? a->bytes[0] < 224 : a->bytes[0] != 0xff);
}

static int parse_with_prefix(struct address *a, int family, char *text, bool *ret_has_prefix,
			     struct error *err)
{
	char *slash = strchr(text, '/');

	*ret_has_prefix = slash != NULL;
	if (slash)
		*slash++ = '\0';
	if (!address_parse_plain(a, family, text))
		return error_set(err, EINVAL, "is no IPv%d address", family == AF_INET ? 4 : 6);
	return slash ? parse_prefix(a, slash, err) : 0;
}

int address_parse(struct address *ret, int family, const char *text, struct error *err)
{
	autostrv struct strv words = {0};
	struct address a;
	bool has_prefix;

	if (strv_split(&words, text, " \t") < 0)
		return error_set(err, ENOMEM, "cannot be kept: out of memory");
	if (words.n < 1 || words.n > 2)
		return error_set(err, EINVAL, "is not 'ADDRESS[/PREFIX]%s'",
				 family == AF_INET ? " [BROADCAST]" : "");
	if (parse_with_prefix(&a, family, words.v[0], &has_prefix, err) < 0)
		return -1;
	if (!address_is_host(&a))
		return error_set(err, EINVAL, "is not the address of a host");
	if (!has_prefix)
		a.prefix = family == AF_INET ? class_prefix(a.bytes[0]) : 64;
	default_broadcast(&a);
	if (words.n == 2 && parse_broadcast(&a, words.v[1], err) < 0)
		return -1;
	*ret = a;
	return 0;
}

int address_parse_route(struct address *ret, int family, const char *text, struct error *err)
{
	char copy[INET6_ADDRSTRLEN + 5], shown[INET6_ADDRSTRLEN];
	struct address a;
	bool has_prefix;

	if (strlen(text) >= sizeof(copy))
		return error_set(err, EINVAL, "is not 'NETWORK/PREFIX'");
	strcpy(copy, text);
	if (parse_with_prefix(&a, family, copy, &has_prefix, err) < 0)
		return -1;
	if (!has_prefix)
		return error_set(err, EINVAL, "has no '/PREFIX'");
	for (size_t i = 0; i < address_size(&a); i++) {
		if (!(a.bytes[i] & ~mask_byte(a.prefix, i)))
			continue;
		for (; i < address_size(&a); i++)
			a.bytes[i] &= mask_byte(a.prefix, i);
		return error_set(err, EINVAL, "is no network: that would be %s/%u",
				 address_text(&a, shown), a.prefix);
	}
	*ret = a;
	return 0;
}

int addresses_add(struct addresses *list, const struct address *a, struct error *err)
{
	struct address *v;

	/* The same once more asks for nothing more. */
	for (size_t i = 0; i < list->n; i++)
		if (address_same(&list->v[i], a) && list->v[i].prefix == a->prefix)
			return 0;
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v)
		return error_set(err, ENOMEM, "cannot be kept: out of memory");
	list->v = v;
	list->v[list->n++] = *a;
	return 0;
}

void addresses_free(struct addresses *list)
{
	free(list->v);
	*list = (struct addresses){0};
}

/* ---- the link layer ---- */

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static bool is_template(char c)
{
	return c == 'x' || c == 'X';
}

int hwaddr_check(const char *text, struct error *err)
{
	bool zero = true;

	if (strlen(text) != HWADDR_TEXT - 1)
		return error_set(err, EINVAL, "is no hardware address such as 10:66:6a:xx:xx:xx");
	for (size_t i = 0; i < HWADDR_TEXT - 1; i++) {
		bool fine = i % 3 == 2 ? text[i] == ':'
				       : isxdigit((unsigned char)text[i]) || is_template(text[i]);

		if (!fine)
			return error_set(err, EINVAL,
					 "is no hardware address such as 10:66:6a:xx:xx:xx");
		zero = zero && (text[i] == '0' || text[i] == ':');
	}
	if (zero)
		return error_set(err, EINVAL, "is the address of nobody");
	if (!is_template(text[1]) && hex(text[1]) & 1)
		return error_set(err, EINVAL, "is the address of a group (its first byte is odd)");
	return 0;
}

void hwaddr_resolve(const char *text, uint64_t digits, uint8_t ret[HWADDR_BYTES])
{
	for (size_t i = 0; i < 2 * HWADDR_BYTES; i++) {
		char c = text[i / 2 * 3 + i % 2];
		uint8_t nibble = (uint8_t)(is_template(c) ? digits & 0xf : (uint64_t)hex(c));

		if (is_template(c))
			digits >>= 4;
		if (is_template(c) && i == 1) /* bit 0 is that of groups */
			nibble &= 0xe;
		ret[i / 2] = (uint8_t)(i % 2 ? ret[i / 2] | nibble : nibble << 4);
	}
}

void hwaddr_host(uint64_t digits, uint8_t ret[HWADDR_BYTES])
{
	/* A bridge takes the lowest address of its ports for its own, unless it was told one; a
	 * high first byte keeps the bridge's address from changing with each container. */
	ret[0] = 0xfe;
	for (size_t i = 1; i < HWADDR_BYTES; i++, digits >>= 8)
		ret[i] = (uint8_t)digits;
}
