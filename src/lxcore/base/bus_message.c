/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * D-Bus messages (the D-Bus Specification, 'Marshaling'): every value is aligned to its size,
 * counted from the beginning of the message; since header and body both begin at a multiple of 8,
 * from the beginning of either.
 *
 * Written and read in this machine's byte order; a bus passes on messages as they came, so one of
 * another order does not come from this machine, and is refused.
 */
#include "base/bus_inner.h"

#include "base/auto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIXED 16 /* bytes before the header's fields */
#define MOST (1UL << 27)
static const char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B';

enum field { FIELD_PATH = 1, FIELD_INTERFACE, FIELD_MEMBER, FIELD_ERROR, FIELD_REPLY,
	     FIELD_DESTINATION, FIELD_SENDER, FIELD_SIGNATURE };

/* ---- writing ---- */

static void align_to(struct buf *b, size_t align)
{
	static const char zeros[8];

	buf_add(b, zeros, (align - b->len % align) % align);
}

void bus_put_u32(struct buf *args, uint32_t value)
{
	align_to(args, 4);
	buf_add(args, &value, sizeof(value));
}

void bus_put_bool(struct buf *args, bool value)
{
	bus_put_u32(args, value);
}

void bus_put_string(struct buf *args, const char *text)
{
	size_t n = strlen(text);

	bus_put_u32(args, (uint32_t)n);
	buf_add(args, text, n + 1);
}

void bus_put_signature(struct buf *args, const char *signature)
{
	char n = (char)strlen(signature);

	buf_add(args, &n, 1);
	buf_add(args, signature, (size_t)n + 1);
}

void bus_put_struct(struct buf *args)
{
	align_to(args, 8);
}

struct bus_array bus_begin_array(struct buf *args, size_t align)
{
	struct bus_array array;

	bus_put_u32(args, 0);
	array.length = args->len - 4;
	align_to(args, align);
	array.start = args->len;
	return array;
}

void bus_end_array(struct buf *args, struct bus_array array)
{
	uint32_t n = (uint32_t)(args->len - array.start);

	if (!args->failed)
		memcpy(args->s + array.length, &n, sizeof(n));
}

static void put_field(struct buf *out, enum field field, char type, const char *value)
{
	const char code = (char)field, signature[] = {type, '\0'};

	if (!value || !*value)
		return;
	bus_put_struct(out);
	buf_add(out, &code, 1);
	bus_put_signature(out, signature);
	if (type == 'g')
		bus_put_signature(out, value);
	else
		bus_put_string(out, value);
}

void bus_message_write(struct buf *out, const struct bus_call *call, uint32_t serial)
{
	const char head[4] = {order, BUS_CALL, 0, 1};
	size_t n = call->args ? call->args->len : 0;
	struct bus_array fields;

	buf_add(out, head, sizeof(head));
	bus_put_u32(out, (uint32_t)n);
	bus_put_u32(out, serial);
	fields = bus_begin_array(out, 8);
	put_field(out, FIELD_PATH, 'o', call->path);
	put_field(out, FIELD_INTERFACE, 's', call->interface);
	put_field(out, FIELD_MEMBER, 's', call->member);
	put_field(out, FIELD_DESTINATION, 's', call->destination);
	put_field(out, FIELD_SIGNATURE, 'g', call->signature);
	bus_end_array(out, fields);
	align_to(out, 8);
	if (n)
		buf_add(out, call->args->s, n);
	out->failed |= call->args && call->args->failed;
}

/* ---- reading ---- */

static uint32_t u32_at(const char *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static size_t rounded(size_t n, size_t align)
{
	return (n + align - 1) / align * align;
}

long bus_message_length(const char *bytes, size_t n)
{
	size_t fields, body;

	if (n < FIXED)
		return 0;
	if (bytes[0] != order || bytes[3] != 1)
		return -1;
	body = u32_at(bytes + 4);
	fields = u32_at(bytes + 12);
	if (body > MOST || fields > MOST)
		return -1;
	return (long)(rounded(FIXED + fields, 8) + body);
}

static bool get_u32(const char *bytes, size_t n, size_t *at, uint32_t *ret)
{
	size_t start = rounded(*at, 4);

	if (start + 4 > n)
		return false;
	*ret = u32_at(bytes + start);
	*at = start + 4;
	return true;
}

/* 'length_size' is 4 for strings and paths, 1 for signatures. */
static bool get_text(const char *bytes, size_t n, size_t *at, bool is_signature, const char **ret)
{
	uint32_t length;

	if (is_signature) {
		if (*at >= n)
			return false;
		length = (unsigned char)bytes[(*at)++];
	} else if (!get_u32(bytes, n, at, &length)) {
		return false;
	}
	if (length >= n - *at || bytes[*at + length] || strlen(bytes + *at) != length)
		return false;
	*ret = bytes + *at;
	*at += length + 1;
	return true;
}

static bool read_field(struct bus_message *m, size_t end, size_t *at)
{
	const char *signature, *text = "";
	uint32_t number = 0;
	unsigned char code;

	*at = rounded(*at, 8);
	if (*at >= end)
		return false;
	code = (unsigned char)m->bytes[(*at)++];
	if (!get_text(m->bytes, end, at, true, &signature) || strlen(signature) != 1)
		return false;
	switch (*signature) {
	case 's':
	case 'o':
	case 'g':
		if (!get_text(m->bytes, end, at, *signature == 'g', &text))
			return false;
		break;
	case 'u':
		if (!get_u32(m->bytes, end, at, &number))
			return false;
		break;
	default: /* no field has another type */
		return false;
	}
	switch (code) {
	case FIELD_PATH: m->path = text; break;
	case FIELD_INTERFACE: m->interface = text; break;
	case FIELD_MEMBER: m->member = text; break;
	case FIELD_ERROR: m->error = text; break;
	case FIELD_REPLY: m->reply_to = number; break;
	case FIELD_SENDER: m->sender = text; break;
	case FIELD_SIGNATURE: m->signature = text; break;
	default: break;
	}
	return true;
}

int bus_message_read(const char *bytes, size_t n, struct bus_message *ret)
{
	automessage struct bus_message m = {
		.path = "", .interface = "", .member = "", .error = "", .signature = "",
		.sender = "",
	};
	size_t at = FIXED, end, body;

	errno = EPROTO;
	if (bus_message_length(bytes, n) != (long)n || bytes[1] < BUS_CALL || bytes[1] > BUS_SIGNAL)
		return -1;
	m.bytes = malloc(n + 1);
	if (!m.bytes)
		return -1;
	memcpy(m.bytes, bytes, n);
	m.bytes[n] = '\0';
	m.type = (enum bus_type)bytes[1];
	end = FIXED + u32_at(bytes + 12);
	body = rounded(end, 8);
	while (at < end)
		if (!read_field(&m, end, &at)) {
			errno = EPROTO;
			return -1;
		}
	m.body = m.bytes + body;
	m.n = n - body;
	*ret = m;
	m.bytes = NULL;
	return 0;
}

void bus_message_free(struct bus_message *m)
{
	free(m->bytes);
	m->bytes = NULL;
}

bool bus_get_u32(const struct bus_message *m, size_t *at, uint32_t *ret)
{
	return get_u32(m->body, m->n, at, ret);
}

bool bus_get_string(const struct bus_message *m, size_t *at, const char **ret)
{
	return get_text(m->body, m->n, at, false, ret);
}
