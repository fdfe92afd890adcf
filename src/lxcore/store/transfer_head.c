/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The head of an archive: lines 'WORD VALUE' that say where the container comes from. */
#include "base/error.h"
#include "store/transfer.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define FIRST_LINE "lxc-export 1"
#define FIRST_WORD "lxc-export "

static const struct word {
	const char *word;
	size_t offset;
	bool number, must;
} words[] = {
	{"name", offsetof(struct transfer_head, name), false, true},
	{"dir", offsetof(struct transfer_head, dir), false, true},
	{"config-dir", offsetof(struct transfer_head, configdir), false, false},
	{"hook-dir", offsetof(struct transfer_head, hookdir), false, false},
	{"bytes", offsetof(struct transfer_head, bytes), true, false},
	{"files", offsetof(struct transfer_head, files), true, false},
};

static void *field(const struct transfer_head *h, const struct word *w)
{
	return (char *)(uintptr_t)h + w->offset;
}

int transfer_head_write(const struct transfer_head *h, struct buf *out)
{
	time_t now = time(NULL);
	struct tm utc;
	char when[32];

	buf_puts(out, FIRST_LINE "\n");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const void *value = field(h, &words[i]);

		if (words[i].number)
			buf_addf(out, "%s %" PRIu64 "\n", words[i].word, *(const uint64_t *)value);
		else
			buf_addf(out, "%s %s\n", words[i].word, *(char *const *)value);
	}
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	buf_addf(out, "created %s\nprogram lxcore %s\n", when, LXCORE_VERSION);
	return out->failed ? -1 : 0;
}

static int read_line(char *line, struct transfer_head *h)
{
	size_t n = strcspn(line, " ");
	const char *value = line[n] ? line + n + 1 : "";
	unsigned long long number;

	line[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		void *at = field(h, &words[i]);

		if (strcmp(line, words[i].word) != 0)
			continue;
		if (words[i].number) {
			if (str_to_u64(value, &number))
				*(uint64_t *)at = number;
			continue;
		}
		free(*(char **)at);
		*(char **)at = strdup(value);
		if (!*(char **)at)
			return -1;
	}
	return 0;
}

static int check(const char *text, struct error *err)
{
	size_t n = strlen(FIRST_LINE);

	if (strncmp(text, FIRST_LINE, n) == 0 && (text[n] == '\n' || !text[n]))
		return 0;
	if (!str_starts(text, FIRST_WORD))
		return error_set(err, EINVAL, "this is no archive of lxc-export(1)");
	error_set(err, ENOTSUP, "this archive is of another version (\"%.20s\") than this program "
		  "knows (\"" FIRST_LINE "\")", text);
	return error_mend(err, "a newer lxcore reads it");
}

int transfer_head_read(const char *text, struct transfer_head *ret, struct error *err)
{
	autostrv struct strv lines = {0};
	struct transfer_head h = {0};
	bool failed = strv_split(&lines, text, "\n") < 0;

	if (check(text, err) < 0)
		return -1;
	for (size_t i = 1; i < lines.n && !failed; i++)
		failed = read_line(lines.v[i], &h) < 0;
	if (failed)
		error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(words) && !failed; i++) {
		failed = words[i].must && !*(char **)field(&h, &words[i]);
		if (failed)
			error_set(err, EINVAL, "the archive does not tell the container's %s",
				  words[i].word);
	}
	if (failed) {
		transfer_head_free(&h);
		return -1;
	}
	*ret = h;
	return 0;
}

void transfer_head_free(struct transfer_head *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!words[i].number)
			free(steal_ptr((char **)field(h, &words[i])));
}
