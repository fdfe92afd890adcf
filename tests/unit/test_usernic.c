/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lxc-user-nic understands and grants: its words alone (policy.c). */
#include "unit.h"
#include "user-nic/user-nic.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- requests ---- */

struct request_case {
	const char *words; /* parted by '|' */
	bool good;
};

static const struct request_case requests[] = {
	{"create|/p|c|17|veth|br0", true},
	{"create|/p|c|17|veth|br0|eth0", true},
	{"create|/p|c|17|phys|br0", true}, /* a request, though one that is refused */
	{"delete|/p|c|/proc/17/ns/net|veth|br0|veth1000_abcd", true},
	{"", false},
	{"create|/p|c|17|veth", false},
	{"create|/p|c|17|veth|br0|eth0|more", false},
	{"cre|/p|c|17|veth|br0", false},
	{"create|p|c|17|veth|br0", false},
	{"create||c|17|veth|br0", false},
	{"create|/p||17|veth|br0", false},
	{"create|/p x|c|17|veth|br0", false},
	{"create|/p|a\nb|17|veth|br0", false},
	{"create|/p|c|0|veth|br0", false},
	{"create|/p|c|-1|veth|br0", false},
	{"create|/p|c|+1|veth|br0", false},
	{"create|/p|c| 1|veth|br0", false},
	{"create|/p|c|1x|veth|br0", false},
	{"create|/p|c|4294967297|veth|br0", false},
	{"create|/p|c|17|veth|", false},
	{"create|/p|c|17|veth|br/0", false},
	{"create|/p|c|17|veth|sixteenletters16", false},
	{"create|/p|c|17|veth|br0|eth%d", false},
	{"create|/p|c|17|veth|br0|..", false},
	{"create|/p|c|17|veth|br0|", false},
	{"create|/p|c|17|veth|br0|a b", false},
	{"delete|/p|c|/proc/17/ns/net|veth|br0", false},
	{"delete|/p|c|17|veth|br0|veth1", false},
	{"delete|/p|c|/etc/shadow|veth|br0|veth1", false},
	{"delete|/p|c|/proc/17/ns/mnt|veth|br0|veth1", false},
	{"delete|/p|c|/proc/17/../1/ns/net|veth|br0|veth1", false},
	{"delete|/p|c|/proc/self/ns/net|veth|br0|veth1", false},
	{"delete|/p|c|/proc//ns/net|veth|br0|veth1", false},
	{"delete|/p|c|/proc/17/ns/net/|veth|br0|veth1", false},
};

static int split(char *text, char **argv, int max)
{
	int argc = 0;

	argv[argc++] = (char *)"lxc-user-nic";
	for (char *rest = *text ? text : NULL; rest && argc < max; argc++)
		argv[argc] = strsep(&rest, "|");
	return argc;
}

static void test_requests(void)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		char text[128], *argv[12];
		struct request r;

		snprintf(text, sizeof(text), "%s", requests[i].words);
		if (request_parse(split(text, argv, 12), argv, &r) != requests[i].good)
			SAME(requests[i].words, requests[i].good ? "is one" : "is none");
	}
}

/* ---- what is granted ---- */

static bool is_in(const char *group)
{
	return strcmp(group, "staff") == 0;
}

static const struct caller alice = {"alice", is_in};

struct policy_case {
	const char *usernet, *record, *bridge;
	const char *account; /* NULL: refused */
};

#define LINE(owner, nic) owner " veth br0 " nic " 1000 fe:1:2:3:4:5 /p c\n"

static const struct policy_case policies[] = {
	{"alice veth br0 1\n", "", "br0", "alice"},
	{"alice veth br0 1\n", "", "br1", NULL},
	{"alice veth br0 1", LINE("alice", "a"), "br0", NULL},
	{"alice veth br0 2", LINE("alice", "a"), "br0", "alice"},
	{"alice veth br0 1\nalice veth br0 1\n", LINE("alice", "a"), "br0", "alice"},
	{"alice veth br0 1\nalice veth br0 1\n", LINE("alice", "a") LINE("alice", "b"), "br0", NULL},
	{"alice veth br0 1\n", LINE("bob", "a"), "br0", "alice"},
	{"alice veth br0 1\n", "alice veth br1 a 1000 fe:1:2:3:4:5 /p c\n", "br0", "alice"},
	{"alice veth br0 1\n", "alice veth br0 a\n", "br0", NULL}, /* a line of LXC's counts */
	{"alice veth br0 1\n@staff veth br0 5\n", LINE("alice", "a"), "br0", "@staff"},
	{"@staff veth br0 5\nalice veth br0 1\n", "", "br0", "@staff"},
	{"@other veth br0 5\n", "", "br0", NULL},
	{"@alice veth br0 5\nstaff veth br0 5\n", "", "br0", NULL},
	{"alice veth none 1\n", "", "none", "alice"},
	{"alice veth br0 0\n", "", "br0", NULL},
	{"alice veth br0 -1\nalice veth br0 x\nalice veth br0 99999999999999999999\n", "", "br0", NULL},
	{"alice veth br0\nalice veth br0 1 1\n# alice veth br0 1\nalice phys br0 1\n", "", "br0", NULL},
	{" \t alice\tveth  br0 \t1 \r\n", "", "br0", "alice"},
	{"alicf veth br0 1\nalic veth br0 1\nalicee veth br0 1\n", "", "br0", NULL},
	{"", "", "br0", NULL},
};

static void test_policies(void)
{
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct entry nic = {{[TYPE] = "veth", [BRIDGE] = policies[i].bridge}};
		autofree char *usernet = strdup(policies[i].usernet);
		autofree char *text = strdup(policies[i].record);
		struct record record = {0};
		const char *account;

		SAME_NUMBER(record_parse(&record, text), 0);
		account = policy_account(usernet, &record, &alice, &nic);
		if (!account != !policies[i].account ||
		    (account && strcmp(account, policies[i].account) != 0))
			SAME(policies[i].usernet, account ? account : "(refused)");
		free(record.v);
	}
}

/* ---- the record ---- */

/* A deletion must fit in every word, and each of them alone stands in its way. */
static void test_tuple(void)
{
	static const struct entry made = {
		{"alice", "veth", "br0", "veth1000_abcd", "1000", "fe:1:2:3:4:5", "/p", "c"},
	};
	struct entry asked = made;

	asked.w[OWNER] = asked.w[MAC] = NULL;
	CU_ASSERT_TRUE(entry_is(&made, &asked));
	for (size_t w = TYPE; w < N_WORDS; w++) {
		struct entry other = asked;

		if (w == MAC)
			continue;
		other.w[w] = "x";
		CU_ASSERT_FALSE(entry_is(&made, &other));
		other.w[w] = NULL;
		CU_ASSERT_FALSE(entry_is(&made, &other));
	}
	asked = made;
	for (size_t w = UID; w < N_WORDS; w++) /* as LXC writes it */
		asked.w[w] = NULL;
	CU_ASSERT_FALSE(entry_is(&asked, &made));
}

static void test_record(void)
{
	char text[] = LINE("alice", "veth1") "bob veth br0 veth2\n\nbroken line\n"
		LINE("alice", "veth/3") "a b c d e\n" LINE("@staff", "veth4");
	struct record record = {0};
	autobuf struct buf out = BUF_INIT;

	SAME_NUMBER(record_parse(&record, text), 0);
	SAME_NUMBER(record.n, 3);
	record_text(&record, &out);
	SAME(out.s, LINE("alice", "veth1") "bob veth br0 veth2\n" LINE("@staff", "veth4"));
	free(record.v);
}

/* ---- anything ---- */

static uint64_t dice;

static unsigned roll(unsigned below)
{
	dice ^= dice >> 12;
	dice ^= dice << 25;
	dice ^= dice >> 27;
	return (unsigned)((dice * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

/* A text in a block of exactly its size, so that a sanitizer sees each step beyond it. */
static char *garble(const char *seed)
{
	static const char letters[] = "alice veth br0 1\n\t@%/:.-0123456789x\r\xc3\x01";
	size_t n = strlen(seed);
	char *text = malloc(n + 1);

	memcpy(text, seed, n + 1);
	for (unsigned i = roll(6); n && i > 0; i--)
		text[roll((unsigned)n)] = letters[roll(sizeof(letters) - 1)];
	if (n && roll(4) == 0)
		text[roll((unsigned)n)] = '\0';
	return text;
}

static bool try_text(const char *usernet_seed, const char *record_seed)
{
	struct entry nic = {{[TYPE] = "veth", [BRIDGE] = "br0"}};
	char *usernet = garble(usernet_seed), *text = garble(record_seed);
	struct record record = {0}, again = {0};
	autobuf struct buf out = BUF_INIT, once_more = BUF_INIT;
	const char *account;
	bool good;

	good = record_parse(&record, text) == 0;
	account = policy_account(usernet, &record, &alice, &nic);
	good = good && (!account || strcmp(account, "alice") == 0 || strcmp(account, "@staff") == 0);
	record_text(&record, &out);
	buf_puts(&once_more, out.s);
	good = good && record_parse(&again, once_more.s) == 0 && again.n == record.n;
	free(record.v);
	free(again.v);
	free(usernet);
	free(text);
	return good;
}

static bool try_request(const char *seed)
{
	char *text = garble(seed), *argv[12];
	struct request r;
	bool good = true;

	if (request_parse(split(text, argv, 12), argv, &r))
		good = r.pid > 0 && strlen(r.nic.w[BRIDGE]) < IFNAMSIZ && *r.nic.w[PATH] == '/' &&
		       (r.create || r.nic.w[NIC]) &&
		       (!r.nic.w[NIC] || (strlen(r.nic.w[NIC]) < IFNAMSIZ && *r.nic.w[NIC] &&
					  !strpbrk(r.nic.w[NIC], "/ %\n")));
	free(text);
	return good;
}

static void test_garbled(void)
{
	unsigned bad = 0;

	dice = 0x5eed0004;
	for (unsigned i = 0; i < 60000; i++) {
		const struct policy_case *p = &policies[roll(sizeof(policies) / sizeof(policies[0]))];

		bad += !try_text(p->usernet, p->record);
		bad += !try_request(requests[roll(sizeof(requests) / sizeof(requests[0]))].words);
	}
	SAME_NUMBER(bad, 0);
}

void suite_usernic(void)
{
	static const struct unit_test tests[] = {
		{"requests are taken word by word, and no path is", test_requests},
		{"accounts have what lxc-usernet grants them", test_policies},
		{"a deletion must fit in every word", test_tuple},
		{"the record keeps what it understands", test_record},
		{"garbled words do no harm", test_garbled},
		{NULL, NULL},
	};

	unit_suite("usernic", tests);
}
