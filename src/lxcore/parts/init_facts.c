/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be seen of an init from outside: all of it in /proc, nothing of it asked of init itself. */
#include "parts/init_facts.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static bool hex_line(const char *text, const char *name, uint64_t *ret)
{
	const char *line = strstr(text, name);
	unsigned long long value;

	if (!line || sscanf(line + strlen(name), "%llx", &value) != 1)
		return false;
	*ret = value;
	return true;
}

static bool is_in_sigwait(pid_t pid)
{
	autofree char *path = str_printf("/proc/%d/wchan", pid);
	autobuf struct buf where = BUF_INIT;

	return path && file_read(AT_FDCWD, path, &where) == 0 &&
	       str_starts(where.s, "do_sigtimedwait");
}

/* "NSpid:  4711  1": the last number is the pid in the innermost namespace. */
static bool is_first(const char *text)
{
	const char *line = strstr(text, "\nNSpid:"), *end;

	if (!line)
		return true;
	end = strchr(line + 1, '\n');
	return end && end[-1] == '1' && end[-2] == '\t';
}

static void read_called(pid_t pid, char called[64], char title[32])
{
	autofree char *path = str_printf("/proc/%d/cmdline", pid);
	autobuf struct buf words = BUF_INIT;
	const char *slash;

	if (!path || file_read(AT_FDCWD, path, &words) < 0)
		return;
	snprintf(title, 32, "%s", words.s);
	slash = strrchr(words.s, '/');
	snprintf(called, 64, "%s", slash ? slash + 1 : words.s);
	/* busybox overwrites its arguments with blanks. */
	called[strcspn(called, " ")] = '\0';
}

static bool is_called_init(const struct init_facts *f)
{
	return strcmp(f->called, "init") == 0 || strcmp(f->called, "linuxrc") == 0;
}

/* A hard link to busybox shows itself under its own name: it is the file that counts. */
static bool is_file_of_busybox(pid_t pid, const char *exe)
{
	autofree char *path = str_printf("/proc/%d/root", pid);
	autoclose int root = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	autoclose int fd = root < 0 ? -1 : path_open_in(root, "/bin/busybox", O_PATH, 0);
	struct stat busybox, init;

	return fd >= 0 && fstat(fd, &busybox) == 0 && stat(exe, &init) == 0 &&
	       busybox.st_dev == init.st_dev && busybox.st_ino == init.st_ino;
}

bool init_look(struct proc_id init, struct init_facts *f)
{
	autofree char *status = str_printf("/proc/%d/status", init.pid);
	autofree char *exe = str_printf("/proc/%d/exe", init.pid);
	autobuf struct buf text = BUF_INIT;
	autoclose int pidfd = proc_open(init);
	const char *slash;
	ssize_t n;

	*f = (struct init_facts){0};
	if (pidfd < 0 || !status || !exe || file_read(AT_FDCWD, status, &text) < 0)
		return false;
	n = readlink(exe, f->path, sizeof(f->path) - 1);
	f->path[n > 0 ? n : 0] = '\0';
	slash = strrchr(f->path, '/');
	f->program = slash ? slash + 1 : f->path;
	f->first = is_first(text.s);
	read_called(init.pid, f->called, f->title);
	f->busybox = is_called_init(f) && is_file_of_busybox(init.pid, exe);
	f->waits = is_in_sigwait(init.pid);
	/* Still the one that was meant when its pid was looked up? */
	return sscanf(text.s, "Name:\t%31[^\n]", f->name) == 1 &&
	       hex_line(text.s, "\nSigBlk:", &f->blocked) &&
	       hex_line(text.s, "\nSigCgt:", &f->caught) && proc_signal(pidfd, 0) == 0;
}

bool init_is_young(struct proc_id init)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (unsigned long long)now.tv_sec < init.start / (unsigned long)sysconf(_SC_CLK_TCK) + 2;
}

bool init_is_busybox(const struct init_facts *f)
{
	return f->busybox || (str_starts(f->program, "busybox") && is_called_init(f));
}

bool init_is_program(const struct init_facts *f, const char *name)
{
	return strcmp(f->program, name) == 0 || strcmp(f->name, name) == 0;
}

bool init_is_openrc(const struct init_facts *f)
{
	return init_is_program(f, "openrc-init");
}

bool init_is_runit(const struct init_facts *f)
{
	return init_is_program(f, "runit") || init_is_program(f, "runit-init");
}
