/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether an init has finished starting what it was to start.  Each shows it in a way of its own: by
 * what it waits for, by the notes that it keeps, by the child that it has.  It is read from outside;
 * nothing is executed.  What the container's files say is only believed about the container itself.
 */
#include "parts/init.h"
#include "parts/init_facts.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/path.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <utmp.h>

#define MOST_BYTES (256 << 10)

struct look {
	const struct init_facts *facts;
	pid_t pid;
	int root;   /* its root directory */
	bool young; /* it may not have come to what it does later */
};

static int not_yet(struct error *err, const char *format, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), format, what);
	return error_set(err, EAGAIN, "%s", text);
}

/* A plain file below its root: pipes and devices are for others to wait for. */
static int read_inside(const struct look *l, const char *path, struct buf *into)
{
	autoclose int fd = path_open_in(l->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return fd_read_all(fd, into, MOST_BYTES);
}

/* Has it a child that goes by that name?  -1: this host does not tell. */
static int has_child(const struct look *l, const char *name)
{
	autofree char *path = str_printf("/proc/%d/task/%d/children", l->pid, l->pid);
	autobuf struct buf pids = BUF_INIT;
	autostrv struct strv list = {0};

	if (!path || file_read(AT_FDCWD, path, &pids) < 0 || strv_split(&list, pids.s, " ") < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++) {
		autofree char *file = str_printf("/proc/%s/comm", list.v[i]);
		autobuf struct buf comm = BUF_INIT;

		if (!*list.v[i] || !file || file_read(AT_FDCWD, file, &comm) < 0)
			continue;
		comm.s[strcspn(comm.s, "\n")] = '\0';
		if (strcmp(comm.s, name) == 0)
			return 1;
	}
	return 0;
}

static int unknown(const struct init_facts *f, struct error *err)
{
	return error_set(err, ENOTSUP, "its init (%.60s) does not tell when it is ready, as systemd, "
			 "sysvinit, OpenRC, busybox and runit do", f->program);
}

static int needs_children(struct error *err)
{
	return error_set(err, ENOTSUP, "this kernel does not tell the children of a process "
			 "(CONFIG_PROC_CHILDREN)");
}

/* ---- busybox ---- */

/*
 * Its entries sysinit and wait are waited for one by one, with SIGCHLD blocked; behind them it waits
 * for any signal.  Before version 1.34 it did neither.
 */
static int busybox_is_ready(const struct look *l, struct error *err)
{
	const struct init_facts *f = l->facts;

	if (f->waits)
		return 0;
	if ((f->blocked >> (SIGCHLD - 1)) & 1 || l->young)
		return not_yet(err, "%s", "entries sysinit and wait of its inittab have not all ended");
	return error_set(err, ENOTSUP, "its busybox is older than version 1.34 and does not show when "
			 "it has started all");
}

/* ---- sysvinit ---- */

/* What it noted of the entry with that id, or of its runlevel (id NULL); NULL: nothing. */
static const struct utmp *find_record(const struct buf *notes, const char *id)
{
	const struct utmp *all = (const void *)notes->s, *found = NULL;

	for (size_t i = 0; i < notes->len / sizeof(*all); i++) {
		if (id && (all[i].ut_type == DEAD_PROCESS || all[i].ut_type == INIT_PROCESS) &&
		    strncmp(all[i].ut_id, id, sizeof(all[i].ut_id)) == 0)
			found = &all[i];
		if (!id && all[i].ut_type == RUN_LVL)
			found = &all[i];
	}
	return found;
}

/* The next field of an inittab's line; never NULL. */
static const char *cut_field(char **line)
{
	const char *field = strsep(line, ":");

	return field ? field : "";
}

/* An entry of the inittab, ID:LEVELS:ACTION:COMMAND: 0, or it is waited for and has not ended. */
static int entry_has_ended(char *line, char level, const struct buf *notes, struct error *err)
{
	const char *id = cut_field(&line), *levels = cut_field(&line), *action = cut_field(&line);
	const struct utmp *record;

	if (*id == '#' || strcmp(action, "wait") != 0 || (*levels && !strchr(levels, level)))
		return 0;
	record = find_record(notes, id);
	if (record && record->ut_type == DEAD_PROCESS)
		return 0;
	return not_yet(err, "\"%s\" of its inittab has not ended", line ? line : "");
}

/*
 * It shows its runlevel in its title and in utmp(5), and there, too, which entries of its inittab have
 * ended; those with action 'wait' start the services.
 */
static int sysvinit_is_ready(const struct look *l, struct error *err)
{
	autobuf struct buf notes = BUF_INIT, inittab = BUF_INIT;
	autostrv struct strv lines = {0};
	const struct utmp *record;

	if (read_inside(l, "/etc/inittab", &inittab) < 0 || strv_split(&lines, inittab.s, "\n") < 0)
		return errno == ENOENT ? unknown(l->facts, err) :
		       error_set(err, ENOTSUP, "its /etc/inittab cannot be read");
	if (!strstr(l->facts->title, "init ["))
		return not_yet(err, "%s", "it has not reached its runlevel");
	if (read_inside(l, "/run/utmp", &notes) < 0 || !find_record(&notes, NULL)) {
		buf_free(&notes);
		if (read_inside(l, "/var/run/utmp", &notes) < 0)
			return error_set(err, ENOTSUP, "its sysvinit has no file /run/utmp to keep "
					 "notes in");
	}
	record = find_record(&notes, NULL);
	if (!record)
		return not_yet(err, "%s", "it has not noted its runlevel in utmp");
	for (size_t i = 0; i < lines.n; i++)
		if (entry_has_ended(lines.v[i], (char)(record->ut_pid & 0x7f), &notes, err) < 0)
			return -1;
	return 0;
}

static bool is_sysvinit(const struct init_facts *f)
{
	return strcmp(f->program, "init") == 0;
}

/* ---- OpenRC ---- */

/* A child starts one runlevel after the other, each noted when it begins. */
static int openrc_is_ready(const struct look *l, struct error *err)
{
	autobuf struct buf level = BUF_INIT;
	int starts;

	if (read_inside(l, "/run/openrc/softlevel", &level) < 0)
		return not_yet(err, "%s", "OpenRC has not begun with a runlevel");
	level.s[strcspn(level.s, "\n")] = '\0';
	if (strcmp(level.s, "sysinit") == 0 || strcmp(level.s, "boot") == 0)
		return not_yet(err, "OpenRC is in runlevel %s", level.s);
	starts = has_child(l, "openrc");
	if (starts < 0)
		return needs_children(err);
	return starts ? not_yet(err, "OpenRC starts runlevel %s", level.s) : 0;
}

/* ---- runit ---- */

/* Stage 2 ends by becoming the program that keeps the services running. */
static int runit_is_ready(const struct look *l, struct error *err)
{
	int reached = has_child(l, "runsvdir");

	if (reached < 0)
		return needs_children(err);
	return reached ? 0 : not_yet(err, "%s", "runit has not come to supervise its services");
}

/* ---- which one ---- */

static const struct {
	bool (*is)(const struct init_facts *f);
	int (*is_ready)(const struct look *l, struct error *err);
} inits[] = {
	{init_is_busybox, busybox_is_ready}, {init_is_openrc, openrc_is_ready},
	{init_is_runit, runit_is_ready},     {is_sysvinit, sysvinit_is_ready},
};

int init_is_ready(struct proc_id init, struct error *err)
{
	autofree char *path = str_printf("/proc/%d/root", init.pid);
	autoclose int root = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	struct init_facts facts;
	struct look l = {.facts = &facts, .pid = init.pid, .root = root,
			 .young = init_is_young(init)};

	/* Looked at after its root was opened: it is still the one that was meant. */
	if (!init_look(init, &facts))
		return error_set(err, ESRCH, "it ended");
	if (root < 0)
		return error_sys(err, "cannot look into its root filesystem");
	for (size_t i = 0; i < ARRAY_SIZE(inits); i++)
		if (inits[i].is(&facts))
			return inits[i].is_ready(&l, err);
	if (l.young && strstr(facts.path, "memfd:"))
		return not_yet(err, "%s", "its init is about to be executed");
	return unknown(&facts, err);
}
