/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rtnetlink(7): a socket to the kernel's network configuration of the caller's network namespace,
 * messages built into a buffer of fixed size, and readers that believe no length they were given.
 *
 * Building never writes past the end: what does not fit sets 'overflow', and a message that
 * overflowed is refused when it is sent (EMSGSIZE).  Reading never looks past the end: an attribute
 * or message that claims more than there is ends the walk; one that is too short for what is asked
 * of it counts as absent.
 *
 * The kernel works on a request inside the sender's send(2), so when that returns the answer waits
 * already; the limit on receiving is there for a kernel that behaves otherwise.
 */
#ifndef LXCORE_BASE_NETLINK_H
#define LXCORE_BASE_NETLINK_H

#include "error.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink {
	int fd;           /* -1: closed */
	uint32_t seq;     /* of the last request */
	char reason[128]; /* of the last failure: the kernel's own words, or those for errno */
};
#define NETLINK_CLOSED ((struct netlink){.fd = -1})

int netlink_open(struct netlink *nl, struct error *err);
void netlink_close(struct netlink *nl);
#define autonetlink __attribute__((cleanup(netlink_close)))

/* ---- building ---- */

#define NETLINK_MESSAGE_MAX 1024

struct netlink_message {
	size_t len;
	bool overflow;
	_Alignas(NLMSG_ALIGNTO) unsigned char bytes[NETLINK_MESSAGE_MAX];
};

/* Begin a request; 'head' is the fixed struct of its type (ifinfomsg, ifaddrmsg, rtmsg ...). */
void netlink_begin(struct netlink_message *m, int type, int flags, const void *head, size_t n);
void netlink_put(struct netlink_message *m, int attribute, const void *value, size_t n);
void netlink_put_u8(struct netlink_message *m, int attribute, uint8_t value);
void netlink_put_u16(struct netlink_message *m, int attribute, uint16_t value);
void netlink_put_u32(struct netlink_message *m, int attribute, uint32_t value);
void netlink_put_text(struct netlink_message *m, int attribute, const char *text);
/* Bytes without an attribute's head, such as the ifinfomsg that opens VETH_INFO_PEER. */
void netlink_put_bytes(struct netlink_message *m, const void *bytes, size_t n);
/* An attribute that holds the ones put until netlink_nest_end(), which takes the value returned. */
size_t netlink_nest(struct netlink_message *m, int attribute);
void netlink_nest_end(struct netlink_message *m, size_t nest);

/* ---- asking ---- */

/* Send one request and wait for its acknowledgement; 0, or -1 with errno and nl->reason. */
int netlink_ask(struct netlink *nl, struct netlink_message *m);
/*
 * The same for a question (RTM_GET..., with NLM_F_DUMP or without): 'visit' sees each answer, and
 * ends the walk early by returning something else than 0, which is then returned (after that no
 * further dump on this socket: the kernel has not finished the first).
 */
typedef int netlink_visit(void *data, const struct nlmsghdr *answer);
int netlink_each(struct netlink *nl, struct netlink_message *m, netlink_visit *visit, void *data);

/* ---- reading ---- */

/* The next whole message of a buffer; begin with *offset = 0; NULL at the end. */
const struct nlmsghdr *netlink_next(const void *bytes, size_t n, size_t *offset);
/* The fixed struct that opens an answer, or NULL when it is shorter than 'n'. */
const void *netlink_head(const struct nlmsghdr *answer, size_t n);
/* Find the attributes 0..max behind that struct, or inside a nest; absent ones are NULL. */
void netlink_attributes(const struct nlmsghdr *answer, size_t head, const struct nlattr **ret,
			size_t max);
void netlink_nested(const struct nlattr *nest, const struct nlattr **ret, size_t max);
/* The next attribute among 'n' bytes, for lists; begin with *offset = 0; NULL at the end. */
const struct nlattr *netlink_next_attribute(const void *bytes, size_t n, size_t *offset);

const void *netlink_value(const struct nlattr *a);
size_t netlink_size(const struct nlattr *a); /* 0 for NULL */
bool netlink_u16(const struct nlattr *a, uint16_t *ret);
bool netlink_u32(const struct nlattr *a, uint32_t *ret);
const char *netlink_text(const struct nlattr *a); /* NULL unless it ends in NUL */

#endif
