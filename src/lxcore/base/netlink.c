/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtnetlink: transport, building and reading of messages.  See netlink.h. */
#include "netlink.h"
#include "auto.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif

#define ANSWER_SECONDS 10
#define DUMP_BUFFER 32768 /* the most that the kernel puts into one datagram of a dump */

static void want(int fd, int option)
{
	int on = 1;

	/* Comforts: without them answers are longer or have no words, nothing worse. */
	setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on));
}

int netlink_open(struct netlink *nl, struct error *err)
{
	struct timeval limit = {.tv_sec = ANSWER_SECONDS};

	*nl = NETLINK_CLOSED;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (nl->fd < 0)
		return error_sys(err, "cannot open a netlink socket");
	want(nl->fd, NETLINK_EXT_ACK);
	want(nl->fd, NETLINK_CAP_ACK);
	want(nl->fd, NETLINK_GET_STRICT_CHK);
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

void netlink_close(struct netlink *nl)
{
	close_fd(&nl->fd);
}

/* ---- building ---- */

/* Room for n bytes, aligned and zeroed; NULL when there is none. */
static unsigned char *grow(struct netlink_message *m, size_t n)
{
	size_t aligned = NLMSG_ALIGN(n);
	unsigned char *at = m->bytes + m->len;

	if (m->overflow || aligned < n || aligned > sizeof(m->bytes) - m->len) {
		m->overflow = true;
		return NULL;
	}
	memset(at, 0, aligned);
	m->len += aligned;
	return at;
}

void netlink_put_bytes(struct netlink_message *m, const void *bytes, size_t n)
{
	unsigned char *at = grow(m, n);

	if (at && n)
		memcpy(at, bytes, n);
}

void netlink_begin(struct netlink_message *m, int type, int flags, const void *head, size_t n)
{
	struct nlmsghdr h = {
		.nlmsg_type = (uint16_t)type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
	};

	m->len = 0;
	m->overflow = false;
	netlink_put_bytes(m, &h, sizeof(h));
	netlink_put_bytes(m, head, n);
}

void netlink_put(struct netlink_message *m, int attribute, const void *value, size_t n)
{
	struct nlattr a = {.nla_type = (uint16_t)attribute};
	unsigned char *at;

	if (n > sizeof(m->bytes)) { /* also keeps the sum below from wrapping */
		m->overflow = true;
		return;
	}
	at = grow(m, NLA_HDRLEN + n);
	if (!at)
		return;
	a.nla_len = (uint16_t)(NLA_HDRLEN + n);
	memcpy(at, &a, sizeof(a));
	if (n)
		memcpy(at + NLA_HDRLEN, value, n);
}

void netlink_put_u8(struct netlink_message *m, int attribute, uint8_t value)
{
	netlink_put(m, attribute, &value, sizeof(value));
}

void netlink_put_u16(struct netlink_message *m, int attribute, uint16_t value)
{
	netlink_put(m, attribute, &value, sizeof(value));
}

void netlink_put_u32(struct netlink_message *m, int attribute, uint32_t value)
{
	netlink_put(m, attribute, &value, sizeof(value));
}

void netlink_put_text(struct netlink_message *m, int attribute, const char *text)
{
	netlink_put(m, attribute, text, strlen(text) + 1);
}

size_t netlink_nest(struct netlink_message *m, int attribute)
{
	size_t at = m->len;

	netlink_put(m, attribute | NLA_F_NESTED, NULL, 0);
	return at;
}

void netlink_nest_end(struct netlink_message *m, size_t nest)
{
	struct nlattr a;

	if (m->overflow)
		return;
	memcpy(&a, m->bytes + nest, sizeof(a));
	a.nla_len = (uint16_t)(m->len - nest);
	memcpy(m->bytes + nest, &a, sizeof(a));
}

/* ---- asking ---- */

static int fail(struct netlink *nl, int code)
{
	snprintf(nl->reason, sizeof(nl->reason), "%s", strerror(code));
	errno = code;
	return -1;
}

static int send_message(struct netlink *nl, struct netlink_message *m)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct nlmsghdr h;
	ssize_t n;

	if (m->overflow || m->len < sizeof(h))
		return fail(nl, EMSGSIZE);
	memcpy(&h, m->bytes, sizeof(h));
	h.nlmsg_len = (uint32_t)m->len;
	h.nlmsg_seq = ++nl->seq;
	memcpy(m->bytes, &h, sizeof(h));
	do
		n = sendto(nl->fd, m->bytes, m->len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? fail(nl, errno) : 0;
}

static ssize_t receive(struct netlink *nl, void *bytes, size_t size)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = bytes, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	for (;;) {
		msg.msg_name = &from;
		msg.msg_namelen = sizeof(from);
		n = recvmsg(nl->fd, &msg, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(nl, errno == EAGAIN ? ETIMEDOUT : errno);
		if (msg.msg_flags & MSG_TRUNC)
			return fail(nl, EMSGSIZE);
		/* Another process can address our port too; only port 0 is the kernel. */
		if (msg.msg_namelen == sizeof(from) && from.nl_pid == 0)
			return n;
	}
}

/* An acknowledgement: 0 or the errno in it; the kernel's words for a refusal go to nl->reason. */
static int acknowledged(struct netlink *nl, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = netlink_head(h, sizeof(*e));
	const struct nlattr *tb[NLMSGERR_ATTR_MSG + 1];
	const char *words;

	if (!e)
		return fail(nl, EBADMSG);
	if (e->error == 0)
		return 0;
	fail(nl, -e->error);
	/* With NETLINK_CAP_ACK the refused request is not repeated, but for its header. */
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) || !(h->nlmsg_flags & NLM_F_CAPPED))
		return -1;
	netlink_attributes(h, sizeof(*e), tb, NLMSGERR_ATTR_MSG);
	words = netlink_text(tb[NLMSGERR_ATTR_MSG]);
	if (words && words[0])
		snprintf(nl->reason, sizeof(nl->reason), "%s", words);
	errno = -e->error;
	return -1;
}

/* The code that ends a dump is an int; with strict checking it tells of an interrupted dump. */
static int dump_done(struct netlink *nl, const struct nlmsghdr *h)
{
	const int *code = netlink_head(h, sizeof(*code));

	return code && *code < 0 ? fail(nl, -*code) : 0;
}

/* Look at one datagram; true when the conversation has come to its end, with *ret its result. */
static bool datagram(struct netlink *nl, const void *bytes, size_t n, netlink_visit *visit,
		     void *data, int *ret)
{
	const struct nlmsghdr *h;
	size_t offset = 0;

	while ((h = netlink_next(bytes, n, &offset))) {
		if (h->nlmsg_seq != nl->seq) /* the rest of an earlier question's answers */
			continue;
		if (h->nlmsg_type == NLMSG_ERROR) {
			*ret = acknowledged(nl, h);
			return true;
		}
		if (h->nlmsg_type == NLMSG_DONE) {
			*ret = dump_done(nl, h);
			return true;
		}
		if (h->nlmsg_type < NLMSG_MIN_TYPE || !visit)
			continue;
		*ret = visit(data, h);
		if (*ret != 0)
			return true;
	}
	return false;
}

static int conversation(struct netlink *nl, void *bytes, size_t size, netlink_visit *visit,
			void *data)
{
	int result = 0;
	ssize_t n;

	do {
		n = receive(nl, bytes, size);
		if (n < 0)
			return -1;
	} while (!datagram(nl, bytes, (size_t)n, visit, data, &result));
	return result;
}

int netlink_ask(struct netlink *nl, struct netlink_message *m)
{
	_Alignas(NLMSG_ALIGNTO) unsigned char bytes[1024];

	if (send_message(nl, m) < 0)
		return -1;
	return conversation(nl, bytes, sizeof(bytes), NULL, NULL);
}

int netlink_each(struct netlink *nl, struct netlink_message *m, netlink_visit *visit, void *data)
{
	autofree void *bytes = malloc(DUMP_BUFFER);

	if (!bytes)
		return fail(nl, ENOMEM);
	if (send_message(nl, m) < 0)
		return -1;
	return conversation(nl, bytes, DUMP_BUFFER, visit, data);
}

/* ---- reading ---- */

const struct nlmsghdr *netlink_next(const void *bytes, size_t n, size_t *offset)
{
	const struct nlmsghdr *h;

	if (*offset > n || n - *offset < sizeof(*h))
		return NULL;
	h = (const void *)((const unsigned char *)bytes + *offset);
	if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n - *offset)
		return NULL;
	*offset += NLMSG_ALIGN((size_t)h->nlmsg_len);
	return h;
}

const void *netlink_head(const struct nlmsghdr *answer, size_t n)
{
	if (answer->nlmsg_len < NLMSG_HDRLEN || answer->nlmsg_len - NLMSG_HDRLEN < n)
		return NULL;
	return (const unsigned char *)answer + NLMSG_HDRLEN;
}

const struct nlattr *netlink_next_attribute(const void *bytes, size_t n, size_t *offset)
{
	const struct nlattr *a;

	if (*offset > n || n - *offset < sizeof(*a))
		return NULL;
	a = (const void *)((const unsigned char *)bytes + *offset);
	if (a->nla_len < NLA_HDRLEN || a->nla_len > n - *offset)
		return NULL;
	*offset += NLA_ALIGN((size_t)a->nla_len);
	return a;
}

static void sort_out(const void *bytes, size_t n, const struct nlattr **ret, size_t max)
{
	const struct nlattr *a;
	size_t offset = 0;

	memset(ret, 0, (max + 1) * sizeof(*ret));
	while ((a = netlink_next_attribute(bytes, n, &offset))) {
		size_t type = a->nla_type & NLA_TYPE_MASK;

		if (type <= max)
			ret[type] = a;
	}
}

void netlink_attributes(const struct nlmsghdr *answer, size_t head, const struct nlattr **ret,
			size_t max)
{
	size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(head);
	size_t n = answer->nlmsg_len > skip ? answer->nlmsg_len - skip : 0;

	sort_out((const unsigned char *)answer + (n ? skip : 0), n, ret, max);
}

void netlink_nested(const struct nlattr *nest, const struct nlattr **ret, size_t max)
{
	sort_out(netlink_value(nest), netlink_size(nest), ret, max);
}

const void *netlink_value(const struct nlattr *a)
{
	return a ? (const unsigned char *)a + NLA_HDRLEN : NULL;
}

size_t netlink_size(const struct nlattr *a)
{
	return a ? (size_t)a->nla_len - NLA_HDRLEN : 0;
}

bool netlink_u16(const struct nlattr *a, uint16_t *ret)
{
	if (netlink_size(a) < sizeof(*ret))
		return false;
	memcpy(ret, netlink_value(a), sizeof(*ret));
	return true;
}

bool netlink_u32(const struct nlattr *a, uint32_t *ret)
{
	if (netlink_size(a) < sizeof(*ret))
		return false;
	memcpy(ret, netlink_value(a), sizeof(*ret));
	return true;
}

const char *netlink_text(const struct nlattr *a)
{
	size_t n = netlink_size(a);
	const char *text = netlink_value(a);

	return n && text[n - 1] == '\0' ? text : NULL;
}
