/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal: one line for each thing that a boot is about to make.  See journal.h. */
#include "journal.h"
#include "fd.h"

#include <stdio.h>
#include <string.h>

#define JOURNAL "journal"

int journal_open(struct journal *j, int rundir, struct error *err)
{
	*j = (struct journal){.fd = -1};
	j->fd = openat(rundir, JOURNAL, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0)
		return error_sys(err, "cannot open the container's journal");
	return 0;
}

int journal_record(struct journal *j, const char *kind, const char *value, struct error *err)
{
	char line[4608];
	int n = snprintf(line, sizeof(line), "%s %s\n", kind, value);

	if (n < 0 || (size_t)n >= sizeof(line) || strchr(value, '\n'))
		return error_set(err, EINVAL, "cannot record %s \"%s\" in the journal", kind, value);
	if (fd_write_all(j->fd, line, (size_t)n) < 0)
		return error_sys(err, "cannot record %s \"%s\" in the journal", kind, value);
	return 0;
}

bool journal_load(struct journal *j, int rundir)
{
	struct buf text = BUF_INIT;

	*j = (struct journal){.fd = -1};
	/* All that a boot left would be forgotten with it: what fails once may pass. */
	for (int tries = 0; file_read(rundir, JOURNAL, &text) < 0; tries++) {
		bool absent = errno == ENOENT;

		buf_free(&text);
		if (absent || tries == 2)
			return false;
	}
	j->size = text.len;
	j->text = buf_steal(&text);
	for (size_t i = 0; i < j->size; i++)
		if (j->text[i] == '\n')
			j->text[i] = '\0';
	return true;
}

const char *journal_previous(const struct journal *j, const char *kind, const char *after)
{
	size_t n = strlen(kind), end = after ? (size_t)(after - j->text) - n - 1 : j->size;

	/* Lines are walked from the last; 'end' is where the line behind the wanted one begins. */
	while (end > 0) {
		size_t start = end - 1;

		while (start > 0 && j->text[start - 1] != '\0')
			start--;
		if (strncmp(j->text + start, kind, n) == 0 && j->text[start + n] == ' ')
			return j->text + start + n + 1;
		end = start;
	}
	return NULL;
}

void journal_close(struct journal *j)
{
	close_fd(&j->fd);
	free(steal_ptr(&j->text));
	j->size = 0;
}

void journal_remove(int rundir)
{
	unlinkat(rundir, JOURNAL, 0);
}
