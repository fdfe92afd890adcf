/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses as people write them: IPv4 and IPv6 with a prefix, and those of the link layer. Reading
 * is strict; what is wrong is said in words that fit behind the value.
 */
#ifndef LXCORE_PARTS_NETWORK_ADDRESS_H
#define LXCORE_PARTS_NETWORK_ADDRESS_H

#include "base/buf.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HWADDR_BYTES 6
#define HWADDR_TEXT 18 /* "10:66:6a:xx:xx:xx" and its NUL */

struct address {
	int family; /* AF_INET or AF_INET6; 0: none */
	uint8_t bytes[16];
	uint8_t broadcast[4]; /* IPv4; all zero: none */
	uint8_t prefix;
};
struct addresses {
	struct address *v;
	size_t n;
	bool automatic; /* 'auto': and one of the managed network */
};

/* "ADDRESS", family given; false when it is none. */
bool address_parse_plain(struct address *ret, int family, const char *text);
/* "ADDRESS[/PREFIX]", IPv4 also with " BROADCAST"; -1 with what is wrong. */
int address_parse(struct address *ret, int family, const char *text, struct error *err);
/* "NETWORK/PREFIX" */
int address_parse_route(struct address *ret, int family, const char *text, struct error *err);
size_t address_size(const struct address *a); /* 4 or 16 */
const char *address_text(const struct address *a, char text[INET6_ADDRSTRLEN]);
bool address_same(const struct address *a, const struct address *b); /* prefix not compared */
/* 'other' lies in the network that 'a' with its prefix stands for. */
bool address_covers(const struct address *a, const struct address *other);
bool address_is_link_local(const struct address *a);
/* Neither 'any' nor that of a group. */
bool address_is_host(const struct address *a);

int addresses_add(struct addresses *list, const struct address *a, struct error *err);
void addresses_free(struct addresses *list);

/* Six hexadecimal pairs; 'x' stands for a digit that is chosen later. */
int hwaddr_check(const char *text, struct error *err);
/* Make it bytes; digits x are taken from 'digits'. The text was checked. */
void hwaddr_resolve(const char *text, uint64_t digits, uint8_t ret[HWADDR_BYTES]);
/* An address for the host's end of a pair: fe: and five bytes of 'digits'. */
void hwaddr_host(uint64_t digits, uint8_t ret[HWADDR_BYTES]);

#endif
