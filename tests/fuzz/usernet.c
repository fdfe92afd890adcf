/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-user-nic: its request, the administrator's file, and the record; parted by an empty line.  What is
 * granted is granted to who asks, and the record that is written is read as it was meant.
 */
#include "fuzz.h"
#include "user-nic/user-nic.h"

static bool in_no_group(const char *name)
{
	return *name == 's';
}

static char *part(char **rest)
{
	char *at = *rest, *end = at ? strstr(at, "\n\n") : NULL;

	if (!at)
		return (char *)"";
	*rest = end ? end + 2 : NULL;
	if (end)
		*end = '\0';
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	autofree char *text = fuzz_text(bytes, n);
	char *rest = text, *request = part(&rest), *usernet = part(&rest), *lines = part(&rest);
	char *argv[12] = {(char *)"lxc-user-nic"}, *word;
	const struct caller who = {.user = "alice", .is_in = in_no_group};
	struct request r;
	struct record record = {0};
	int argc = 1;

	if (memchr(bytes, 0, n))
		return 0;
	while (argc < 11 && (word = strsep(&request, "\n")))
		argv[argc++] = word;
	if (record_parse(&record, lines) == 0 && request_parse(argc, argv, &r)) {
		autobuf struct buf out = BUF_INIT;

		if (r.create && !r.pid)
			abort();
		policy_account(usernet, &record, &who, &r.nic);
		for (size_t i = 0; i < record.n; i++)
			entry_is(&record.v[i], &r.nic);
		record_text(&record, &out);
	}
	free(record.v);
	return 0;
}
