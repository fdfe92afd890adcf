/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The D-Bus client: byte for byte what it said to a real bus and systemd when it asked for a scope,
 * against what these answered; and answers that are not as they must be.
 */
#include "unit.h"
#include "base/bus_inner.h"
#include "base/fd.h"
#include "bus_recorded.h"
#include "parts/cgroup/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND_MS 1000

/* A socket from which comes what a bus said; *ret_far is its other end. */
static int bus_that_says(const char *bytes, size_t n, int *ret_far)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    fd_write_all(pair[1], bytes, n) < 0)
		CU_FAIL_FATAL("no socket");
	*ret_far = pair[1];
	return pair[0];
}

/* All that was said to it. */
static void heard(int far, struct buf *into)
{
	shutdown(far, SHUT_WR);
	CU_ASSERT(fd_read_all(far, into, 1 << 20) == 0);
	close(far);
}

static const struct bus_call ping = {
	.destination = "org.freedesktop.systemd1", .path = "/org/freedesktop/systemd1",
	.interface = "org.freedesktop.DBus.Peer", .member = "Ping", .signature = "",
};

/* Ours begins with the number of the user that runs the test. */
static void test_recorded(void)
{
	autobuf struct buf said = BUF_INIT, expected = BUF_INIT;
	struct bus_message answer = {0};
	struct error err = {0};
	struct bus b;
	char uid[24];
	int far, fd = bus_that_says(recorded_bus, sizeof(recorded_bus) - 1, &far);

	SAME_NUMBER(bus_open_socket(&b, fd, SECOND_MS, &err), 0);
	SAME_NUMBER(bus_call(&b, &ping, &answer, &err), 0);
	bus_message_free(&answer);
	SAME_NUMBER(cgroup_scope_ask(&b, RECORDED_NAME, RECORDED_PID, &err), 0);
	SAME(err.text, "");
	bus_close(&b);
	heard(far, &said);
	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	buf_add(&expected, "", 1);
	buf_puts(&expected, "AUTH EXTERNAL ");
	for (const char *at = uid; *at; at++)
		buf_addf(&expected, "%02x", (unsigned char)*at);
	buf_puts(&expected, "\r\n");
	buf_add(&expected, recorded_us, sizeof(recorded_us) - 1);
	SAME_NUMBER(said.len, expected.len);
	CU_ASSERT(said.len == expected.len && memcmp(said.s, expected.s, said.len) == 0);
}

/* Wherever it breaks off, that is an error and no wait. */
static void test_cut(void)
{
	for (size_t n = 0; n < sizeof(recorded_bus) - 1; n += 7) {
		autobuf struct buf said = BUF_INIT;
		struct bus_message answer = {0};
		struct error err = {0};
		struct bus b;
		int far, fd = bus_that_says(recorded_bus, n, &far);

		shutdown(far, SHUT_WR);
		if (bus_open_socket(&b, fd, SECOND_MS, &err) == 0) {
			if (bus_call(&b, &ping, &answer, &err) == 0)
				SAME_NUMBER(cgroup_scope_ask(&b, RECORDED_NAME, RECORDED_PID,
							     &err), -1);
			bus_message_free(&answer);
			bus_close(&b);
		}
		CU_ASSERT(err.code != 0);
		close(far);
	}
}

/* Nothing that comes is believed: every byte wrong in two ways, and what is read stays inside. */
static void test_hostile(void)
{
	static const char masks[] = {(char)0xff, 0x41};
	const char *message = memmem(recorded_bus, sizeof(recorded_bus), "l\x02\x01\x01", 4);
	long n = message ? bus_message_length(message, sizeof(recorded_bus)) : 0;

	CU_ASSERT_FATAL(n > 0);
	for (long i = 0; i < n * 2; i++) {
		char *copy = malloc((size_t)n);
		struct bus_message m = {0};
		const char *text;
		uint32_t number;
		size_t at = 0;

		memcpy(copy, message, (size_t)n);
		copy[i / 2] ^= masks[i % 2];
		if (bus_message_read(copy, (size_t)n, &m) == 0) {
			CU_ASSERT(strlen(m.member) + strlen(m.sender) < (size_t)n);
			while (bus_get_string(&m, &at, &text))
				CU_ASSERT(strlen(text) < (size_t)n);
			at = 0;
			while (bus_get_u32(&m, &at, &number))
				CU_ASSERT(at <= m.n);
			bus_message_free(&m);
		}
		free(copy);
	}
}

static void test_refusals(void)
{
	static const struct {
		const char *address, *words;
	} table[] = {
		{"", "is empty"},
		{"tcp:host=localhost,port=1", "cannot use the bus address"},
		{"unix:dir=/tmp", "cannot use the bus address"},
		{"unix:path=/nonexistent/bus", "No such file"},
		{"unix:path=%zz", "cannot use the bus address"},
		{"unix:path=/a%00b", "cannot use the bus address"},
		{"unix:guid=1,path=/nonexistent/bus", "No such file"},
		{"tcp:x;unix:path=/nonexistent%2fother", "nonexistent%2fother"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct error err = {0};
		struct bus b;

		SAME_NUMBER(bus_open(&b, table[i].address, SECOND_MS, &err), -1);
		HAS(err.text, table[i].words);
	}
}

/* Who is silent is left alone when the time is over. */
static void test_silence(void)
{
	struct error err = {0};
	struct bus b;
	int far, fd = bus_that_says("OK 0\r\n", 6, &far);

	SAME_NUMBER(bus_open_socket(&b, fd, 20, &err), -1);
	SAME_NUMBER(err.code, ETIMEDOUT);
	close(far);
}

static const struct unit_test tests[] = {
	{"what was said to a real bus is said again", test_recorded},
	{"an answer that breaks off is an error", test_cut},
	{"an answer with wrong bytes is read within its bounds", test_hostile},
	{"addresses that lead nowhere are told", test_refusals},
	{"a silent bus is left when the time is over", test_silence},
	{NULL, NULL},
};

/* The recorded ones are little-endian. */
void suite_bus(void)
{
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return;
	unit_suite("bus", tests);
}
