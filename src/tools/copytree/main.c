/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-copytree FROM TO: the library's copier (base/copy.h) for templates, which are shell: the content
 * of the directory FROM into the empty directory TO, sharing blocks where the filesystem can.  At a
 * terminal it tells how far it is, once that takes more than a moment.
 */
#include "base/auto.h"
#include "base/copy.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define QUIET_USEC 1000000

static bool show_progress(const struct copy_progress *p, void *data)
{
	bool *shown = data;

	if (p->usec < QUIET_USEC || !p->total_bytes)
		return true;
	*shown = true;
	fprintf(stderr, "\r%3u %% of %llu MiB",
		(unsigned)(p->bytes * 100 / p->total_bytes),
		(unsigned long long)p->total_bytes >> 20);
	return true;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		fprintf(stderr, "lxc-copytree: cannot open \"%s\": %s\n", path, strerror(errno));
	return fd;
}

/* What a wrong word on the command line would otherwise fill; and its mode would change. */
static int check_empty(int fd, const char *path)
{
	autodir DIR *dir = fdopendir(dup(fd));
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "lost+found") != 0) {
			fprintf(stderr, "lxc-copytree: cannot copy to \"%s\": it is not empty (it "
				"has \"%s\")\n", path, entry->d_name);
			return -1;
		}
	if (!dir)
		fprintf(stderr, "lxc-copytree: cannot read \"%s\": %s\n", path, strerror(errno));
	return dir ? 0 : -1;
}

int main(int argc, char **argv)
{
	bool shown = false;
	struct copy_options how = {.data = &shown};
	struct error err = {0};
	autoclose int from = -1, to = -1;
	int result;

	if (argc != 3) {
		fputs("Usage: lxc-copytree FROM TO\n", stderr);
		return 2;
	}
	from = open_dir(argv[1]);
	to = from < 0 ? -1 : open_dir(argv[2]);
	if (to < 0 || check_empty(to, argv[2]) < 0)
		return 1;
	if (isatty(STDERR_FILENO)) {
		how.progress = show_progress;
		how.measure = true;
	}
	result = copy_tree(from, to, &how, NULL, &err);
	if (shown)
		fputs("\r\033[K", stderr);
	if (result < 0)
		fprintf(stderr, "lxc-copytree: cannot copy \"%s\" to \"%s\": %s\n", argv[1], argv[2],
			err.text);
	return result < 0;
}
