/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * D-Bus, as much of it as a client of one service needs: connect, call, read the answer, wait for a
 * signal (the D-Bus Specification's 'Message Protocol' and 'Authentication Protocol').
 *
 * Everything has one limit in time, given at the beginning; what comes from the other side is read
 * within bounds and refused when it is not as it must be.
 */
#ifndef LXCORE_BASE_BUS_H
#define LXCORE_BASE_BUS_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

struct bus {
	int fd;
	uint32_t serial;    /* of the last message sent */
	long long until;    /* clock_ms() at which all patience ends */
	struct buf in;      /* received, not taken yet */
};
#define BUS_CLOSED ((struct bus){.fd = -1})

/* 'address' as in DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/1000/bus;unix:abstract=x"; the
 * first that answers. */
int bus_open(struct bus *b, const char *address, int timeout_ms, struct error *err);
/* The same on a socket that is connected, which it takes. */
int bus_open_socket(struct bus *b, int fd, int timeout_ms, struct error *err);
void bus_close(struct bus *b);
#define autobus __attribute__((cleanup(bus_close)))

/* ---- arguments: appended to a buffer, in the order of the signature ---- */

void bus_put_u32(struct buf *args, uint32_t value);
void bus_put_bool(struct buf *args, bool value);
void bus_put_string(struct buf *args, const char *text);
void bus_put_signature(struct buf *args, const char *signature);
void bus_put_struct(struct buf *args);
/* An array whose elements are aligned to so many bytes; what is put until the end is in it. */
struct bus_array { size_t length, start; };
struct bus_array bus_begin_array(struct buf *args, size_t align);
void bus_end_array(struct buf *args, struct bus_array array);

struct bus_call {
	const char *destination, *path, *interface, *member;
	const char *signature; /* of 'args'; "": none */
	const struct buf *args;
};

/* ---- what was received ---- */

enum bus_type { BUS_CALL = 1, BUS_RETURN, BUS_ERROR, BUS_SIGNAL };
struct bus_message {
	enum bus_type type;
	uint32_t reply_to; /* serial of the call that is answered */
	/* Into 'bytes'; "" where they are not given. */
	const char *path, *interface, *member, *error, *signature, *sender;
	const char *body; /* aligned to 8 */
	size_t n;         /* bytes of it */
	char *bytes;
};
void bus_message_free(struct bus_message *m);
#define automessage __attribute__((cleanup(bus_message_free)))

/* Arguments of a message, one after the other; 'at' begins at 0.  false: there is none such. */
bool bus_get_u32(const struct bus_message *m, size_t *at, uint32_t *ret);
bool bus_get_string(const struct bus_message *m, size_t *at, const char **ret);

/* Call and have the answer.  An error that the other side returns fails with its words; its
 * name, which decides what to do next, is the answer's 'error' then. */
int bus_call(struct bus *b, const struct bus_call *call, struct bus_message *ret,
	     struct error *err);
/*
 * Signals come between answers: each is given to 'see' until it says that it has what it wanted
 * (true), now and in the next bus_wait().  So a signal may be awaited that comes before the answer.
 */
struct bus_watch {
	bool (*see)(void *data, const struct bus_message *signal);
	void *data;
	bool seen;
};
int bus_call_watching(struct bus *b, const struct bus_call *call, struct bus_watch *watch,
		      struct bus_message *ret, struct error *err);
int bus_wait(struct bus *b, struct bus_watch *watch, struct error *err);

#endif
