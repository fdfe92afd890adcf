/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checkpoint: criu writes the processes of a running container to files.  What it needs to be told -
 * where the cgroups are, which terminals' other ends are ours - is in the run directory and in /proc.
 */
#include "life/checkpoint.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "life/again.h"
#include "life/criu.h"
#include "parts/cgroup/cgroup.h"

#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DUMP_MS (3600 * 1000)
#define END_MS 15000           /* for the supervisor to give everything back */
#define IMAGES "inventory.img" /* what each directory with images has */

struct dump {
	struct lxcore_container *container;
	const struct lxcore_checkpoint *how;
	const struct running *running;
	const char *action; /* of criu */
	char *dir;
	struct strv argv;
};

static void dump_free(struct dump *d)
{
	free(d->dir);
	strv_free(&d->argv);
}
#define autodump __attribute__((cleanup(dump_free)))

static int add(struct dump *d, const char *word, struct error *err)
{
	return strv_add(&d->argv, word) < 0 ? error_set(err, ENOMEM, "out of memory") : 0;
}

static int add_two(struct dump *d, const char *option, const char *value, struct error *err)
{
	return add(d, option, err) < 0 || add(d, value, err) < 0 ? -1 : 0;
}

/* ---- before ---- */

static void keep_first(void *data, const struct lxcore_diagnosis *d)
{
	struct error *first = data;

	if (d->verdict != LXCORE_WRONG || first->code)
		return;
	error_set(first, ENOTSUP, "%s: %s", d->subject, d->found);
	if (*d->mend)
		error_mend(first, "%s", d->mend);
}

static int check(struct lxcore_container *c, struct error *err)
{
	struct error first = {0};
	int wrong = lxcore_checkpoint_check(c, keep_first, &first, err);

	if (wrong <= 0)
		return wrong;
	if (err)
		*err = first;
	return error_within(err, "%s: cannot make a checkpoint", c->name);
}

/* Pre-dumps are about which memory was written to since, and not every kernel says so (criu(8)). */
static int check_tracking(const struct lxcore_checkpoint *how, struct error *err)
{
	static const char *const words[] = {"check", "--feature", "mem_dirty_track", NULL};
	autobuf struct buf said = BUF_INIT;
	int status = how->pre_dump || how->predump_dir ? criu_ask(words, &said, err) : 0;

	if (status <= 0)
		return status;
	error_set(err, ENOTSUP, "cannot write memory beforehand: this kernel does not tell which of it "
		  "has changed (CONFIG_MEM_SOFT_DIRTY)");
	return error_mend(err, "without -p and --predump-dir");
}

/* Memory of processes is nobody else's to read. */
static int make_dir(struct dump *d, struct error *err)
{
	autofree char *images = NULL;
	struct stat st;

	d->dir = path_absolute(d->how->dir);
	images = d->dir ? str_printf("%s/" IMAGES, d->dir) : NULL;
	if (!images)
		return error_sys(err, "cannot make \"%s\"", d->how->dir);
	if (lstat(images, &st) == 0) {
		error_set(err, EEXIST, "cannot make a checkpoint in \"%s\": it has one already",
			  d->dir);
		return error_mend(err, "another directory, or: rm -r %s", d->dir);
	}
	if (path_make_dirs(d->dir, 0700) < 0)
		return error_sys(err, "cannot make \"%s\"", d->dir);
	return 0;
}

/* ---- what criu is told ---- */

/*
 * Of where a process is, "/lxc.payload.web/init.scope", the length of what is the container's own
 * cgroup, "/sys/fs/cgroup/memory/lxc.payload.web"; 0: it is not in there.
 */
static size_t length_of_own(const char *place, const char *cgroup)
{
	for (const char *tail = cgroup; (tail = strchr(tail, '/')); tail++) {
		size_t n = strlen(tail);

		if (strncmp(place, tail, n) == 0 && (place[n] == '/' || !place[n]))
			return n;
	}
	return 0;
}

/* The same for whichever of the container's cgroups it is in. */
static size_t length_of_root(const char *place, const struct cgroup_running *at)
{
	const char *inner = at->inner ? at->inner : "";
	size_t longest = at->v2 ? length_of_own(place, at->v2) : 0;

	for (size_t i = 0; i < at->n_v1; i++) {
		size_t n = length_of_own(place, at->v1[i]);

		longest = n > longest ? n : longest;
	}
	if (longest && *inner && place[longest] == '/' &&
	    strncmp(place + longest + 1, inner, strlen(inner)) == 0)
		longest += 1 + strlen(inner);
	return longest;
}

/* "7:memory:/lxc.payload.web": the container's place in each hierarchy, as its root there. */
static int add_cgroup_roots(struct dump *d, const struct cgroup_running *at, struct error *err)
{
	autofree char *path = str_printf("/proc/%d/cgroup", d->running->state.init.pid);
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	if (!path || file_read(AT_FDCWD, path, &text) < 0 || strv_split(&lines, text.s, "\n") < 0)
		return error_sys(err, "cannot read in which cgroups it is");
	for (size_t i = 0; i < lines.n; i++) {
		char *controllers = strchr(lines.v[i], ':');
		char *place = controllers ? strchr(controllers + 1, ':') : NULL;
		size_t n = place ? length_of_root(place + 1, at) : 0;

		if (!n)
			continue;
		place[1 + n] = '\0';
		/* The v2 hierarchy has no controllers in its line: it is the default. */
		if (add_two(d, "--cgroup-root", controllers + 1 == place ? place + 1 : controllers + 1,
			    err) < 0)
			return -1;
	}
	return 0;
}

/* Where all of it can be made to stand still: the v1 freezer, else the v2 cgroup. */
static int add_freezer(struct dump *d, const struct cgroup_running *at, struct error *err)
{
	const char *freezer = at->v2;

	for (size_t i = 0; i < at->n_v1; i++)
		if (strstr(at->v1[i], "/freezer/"))
			freezer = at->v1[i];
	return freezer ? add_two(d, "--freeze-cgroup", freezer, err) : 0;
}

static int add_cgroups(struct dump *d, struct error *err)
{
	struct cgroup_running at;
	struct journal j;
	int result = running_cgroups(d->running, &j, &at, err);

	if (result == 0)
		result = add_cgroup_roots(d, &at, err);
	if (result == 0)
		result = add_freezer(d, &at, err);
	journal_close(&j);
	return result;
}

static int add_external(struct dump *d, char *what, struct error *err)
{
	int bad = strv_add(&d->argv, "--external") < 0;

	return strv_take(&d->argv, what) < 0 || bad ? error_set(err, ENOMEM, "out of memory") : 0;
}

/* The name goes into a word that criu takes apart, and the container's root chose it. */
static bool is_plain(const char *path)
{
	return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			   "/._-")] == '\0';
}

/* The other ends of its terminals are the supervisor's: these, and what shows them, are left out, and
 * new ones are given to criu by the same names when it makes it again. */
static int add_terminals(struct dump *d, unsigned long long *ret_devpts, struct error *err)
{
	struct pts_mounts pts;

	if (checkpoint_find_pts(d->running->state.init.pid, &pts, err) < 0)
		return -1;
	*ret_devpts = pts.device;
	for (size_t i = 0; i < pts.n; i++) {
		const char *at = pts.v[i].at;
		int n = pts.v[i].number;

		if (!is_plain(at)) {
			error_set(err, EINVAL, "a terminal of it is mounted on \"%s\"", at);
			return error_mend(err, "lxc-attach -n %s -- umount \"%s\"",
					  d->container->name, at);
		}
		if (add_external(d, n < 0 ? str_printf("mnt[%s]:" REVIVAL_PTS, at) :
				 str_printf("mnt[%s]:" REVIVAL_PTS ".%d", at, n), err) < 0)
			return -1;
		if (n >= 0 && add_external(d, str_printf("tty[%llx:%llx]",
			(unsigned long long)makedev(UNIX98_PTY_SLAVE_MAJOR, (unsigned)n), pts.device),
					   err) < 0)
			return -1;
	}
	return 0;
}

static int add_wishes(struct dump *d, struct error *err)
{
	const struct lxcore_checkpoint *how = d->how;

	if (how->predump_dir && (add_two(d, "--prev-images-dir", how->predump_dir, err) < 0))
		return -1;
	if ((how->predump_dir || how->pre_dump) && add(d, "--track-mem", err) < 0)
		return -1;
	if (how->pre_dump)
		return 0;
	if (add(d, "--skip-in-flight", err) < 0)
		return -1;
	/* Who is to end is ended by criu itself, which lets no packet of its connections out. */
	return how->stop ? 0 : add(d, "--leave-running", err);
}

static int tell_criu(struct dump *d, unsigned long long *ret_devpts, struct error *err)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", d->running->state.init.pid);
	if (criu_begin(&d->argv, d->action, d->dir, d->how->verbose, d->how->action_script, err) < 0)
		return -1;
	return add_two(d, "-t", pid, err) < 0 || add_cgroups(d, err) < 0 ||
	       add_terminals(d, ret_devpts, err) < 0 || add_wishes(d, err) < 0 ? -1 : 0;
}

/* ---- the dump ---- */

static int write_facts(struct dump *d, unsigned long long devpts, struct error *err)
{
	struct conf *conf = container_running_conf(d->container, d->running->rundir, err);
	int result = conf ? checkpoint_write_facts(d->dir, conf, devpts, err) : -1;

	conf_free(conf);
	return result;
}

static int run(struct dump *d, struct error *err)
{
	autobuf struct buf said = BUF_INIT;
	struct proc_run run = {.argv = (const char *const *)d->argv.v, .timeout_ms = DUMP_MS,
			       .umask = 077};
	int status = proc_run(&run, &said, err);

	if (status < 0)
		return -1;
	return status ? criu_failed(d->action, d->dir, status, err) : 0;
}

/* Criu ends the container, which its supervisor shall not take for an end to be followed by a start. */
static int run_and_end(struct dump *d, struct error *err)
{
	const struct proc_id id = d->running->state.supervisor;
	autoclose int supervisor = proc_open(id);

	if (supervisor < 0)
		return error_sys(err, "cannot find its supervisor (pid %d)", id.pid);
	proc_signal(supervisor, AGAIN_NO_MORE);
	if (run(d, err) < 0) {
		proc_signal(supervisor, AGAIN_AS_SET);
		return -1;
	}
	if (proc_wait_end(supervisor, END_MS) == 1)
		return 0;
	error_set(err, ETIMEDOUT, "it was written, and has ended, but its supervisor (pid %d) does not",
		  id.pid);
	return error_mend(err, "lxc-stop -k -n %s", d->container->name);
}

static int dump(struct dump *d, struct error *err)
{
	unsigned long long devpts = 0;

	d->action = d->how->pre_dump ? "pre-dump" : "dump";
	if (check_tracking(d->how, err) < 0 || make_dir(d, err) < 0 || tell_criu(d, &devpts, err) < 0)
		return -1;
	if (d->how->pre_dump)
		return run(d, err);
	/* Before: what came after might find no room any more for what is gone by then. */
	if (write_facts(d, devpts, err) < 0)
		return -1;
	return d->how->stop ? run_and_end(d, err) : run(d, err);
}

int lxcore_checkpoint(lxcore_container *c, const struct lxcore_checkpoint *how, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	autodump struct dump d = {.container = c, .how = how, .running = &r};

	if (check(c, err) < 0)
		return -1;
	if (running_find(c, &r, err) < 0)
		return -1;
	return dump(&d, err) < 0 ? error_within(err, "%s", c->name) : 0;
}
