/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting a container: everything that can be told before a process is born is told by the
 * caller's process; then a supervisor is forked away from it, and the caller waits for its news.
 *
 * The caller takes the container's lock and the supervisor inherits it (an open file description
 * lock, fcntl(2)), so there is no moment at which nobody holds it.
 */
#include "base/error.h"
#include "life/again.h"
#include "life/container.h"
#include "life/rescue.h"
#include "life/revive.h"
#include "life/supervise.h"
#include "life/terminal.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "parts/label/label.h"
#include "parts/cgroup/cgroup.h"
#include "parts/idmap.h"
#include "parts/network/network.h"
#include "parts/start.h"

#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What launching needs besides the container and the caller's wishes. */
struct launch {
	struct lxcore_container *container;
	const struct lxcore_start *how;
	struct boot boot;
	struct revival revival;
	char *dir;
	int lock;
	int news[2]; /* ours, the supervisor's */
	char *pidfile; /* absolute, or NULL */
	bool scope;    /* a cgroup is to be asked for; the launcher waits for it */
};

static void launch_free(struct launch *l)
{
	strv_free(&l->boot.hook_env);
	revival_free(&l->revival);
	close_fd(&l->boot.rundir);
	close_fd(&l->boot.journal.fd);
	close_fd(&l->lock);
	close_fd(&l->news[0]);
	close_fd(&l->news[1]);
	free(l->dir);
	free(l->pidfile);
}
#define autolaunch __attribute__((cleanup(launch_free)))

static void fill_boot(struct launch *l, struct conf *conf)
{
	const struct lxcore_start *how = l->how;
	struct boot *b = &l->boot;

	boot_init(b);
	b->name = l->container->name;
	b->lxcpath = l->container->lxcpath;
	b->dir = l->dir;
	b->conf = conf;
	b->command = (char *const *)how->command;
	b->execute = how->execute;
	b->foreground = how->foreground;
	if (how->foreground)
		memcpy(b->std_fds, how->std_fds, sizeof(b->std_fds));
}

/* ---- the supervisor's side of the fork ---- */

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* A library's caller may have anything open: keep what is ours, close the rest. */
static void close_all_but(int *keep, size_t n)
{
	unsigned next = 3;

	qsort(keep, n, sizeof(int), compare_ints);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)next)
			continue;
		if ((unsigned)keep[i] > next)
			syscall(SYS_close_range, next, keep[i] - 1, 0);
		next = (unsigned)keep[i] + 1;
	}
	syscall(SYS_close_range, next, ~0U, 0);
}

static void stand_alone(struct launch *l)
{
	struct boot *b = &l->boot;
	sigset_t all;
	int null = -1;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* The command's own three descriptors move out of the way of ours. */
	for (int i = 0; i < 3; i++)
		if (b->std_fds[i] >= 0)
			b->std_fds[i] = fcntl(b->std_fds[i], F_DUPFD_CLOEXEC, 3);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; null >= 0 && i < 3; i++)
		dup2(null, i);
	if (null > 2)
		close(null);
	if (chdir("/") < 0)
		_exit(1);
	umask(022);
	int keep[] = {b->rundir, l->lock, l->news[1], log_fd(LOG_TO_FILE), log_fd(LOG_TO_SYSLOG),
		      b->std_fds[0], b->std_fds[1], b->std_fds[2]};

	close_all_but(keep, ARRAY_SIZE(keep));
}

static _Noreturn void be_supervisor(struct launch *l)
{
	struct supervisor s = {
		.container = l->container, .boot = &l->boot, .lock = l->lock, .starter = l->news[1],
		.timed = l->how->timing != NULL, .pidfile = l->pidfile,
		.has_viewer = l->boot.foreground && l->how->terminal >= 0,
	};

	prctl(PR_SET_NAME, "lxc-monitor");
	supervise(&s);
}

__attribute__((noinline)) static _Noreturn void fail_launch(struct launch *l, const struct error *err)
{
	struct launch_news failed = {.what = NEWS_FAILED, .error = *err};

	fd_send(l->news[1], &failed, sizeof(failed), NULL, 0);
	_exit(1);
}

/* The caller says whether there is one.  Without its corner of it the supervisor goes on, where
 * it is: then what needs a cgroup says why it has none. */
static void enter_scope(struct launch *l)
{
	int there = 0;

	if (fd_receive(l->news[1], &there, sizeof(there), NULL, NULL) != sizeof(there))
		_exit(1);
	if (there)
		cgroup_scope_enter_leaf(NULL);
}

/* Between the caller and the supervisor: so that the supervisor is nobody's child, and is born in
 * its own cgroup (joining one later waits for the whole machine, cgroups(7) and facts of RCU). */
static _Noreturn void be_launcher(struct launch *l)
{
	struct error err = {0};
	struct clone_args args = {.exit_signal = SIGCHLD};
	autoclose int cgroup = -1;
	long pid;

	setsid();
	stand_alone(l);
	if (l->scope)
		enter_scope(l);
	cgroup = cgroup_monitor_birthplace(&l->boot);
	args.flags = cgroup >= 0 ? CLONE_INTO_CGROUP : 0;
	args.cgroup = cgroup >= 0 ? (unsigned)cgroup : 0;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && cgroup >= 0) {
		/* It was a wish: where the host does not allow it, the launcher's cgroup will
		 * do. */
		args.flags = 0;
		pid = syscall(SYS_clone3, &args, sizeof(args));
	}
	if (pid == 0) {
		close_fd(&cgroup);
		be_supervisor(l);
	}
	if (pid < 0) {
		error_sys(&err, "cannot make its supervisor");
		fail_launch(l, &err);
	}
	_exit(0);
}

/* ---- the caller's side ---- */

static void hand_timings(const struct lxcore_start *how, const struct boot_timings *t)
{
	for (size_t i = 0; how->timing && i < t->n && i < ARRAY_SIZE(t->v); i++) {
		struct lxcore_timing one = {
			.part = boot_parts[t->v[i].part]->name,
			.door = door_names[t->v[i].door],
			.microseconds = t->v[i].us,
		};

		how->timing(how->timing_data, &one);
	}
}

/* The next news that decides something; -1 with the error when the start failed. */
static int wait_for_news(struct launch *l, struct launch_news *news, struct error *err)
{
	const struct lxcore_start *how = l->how;
	long long end = clock_ms() + how->timeout * 1000LL;

	for (;;) {
		long long left = how->timeout > 0 ? end - clock_ms() : -1;
		int ready = fd_wait(l->news[0], how->timeout > 0 && left < 0 ? 0 : (int)left);
		ssize_t n;

		if (ready == 0)
			return error_set(err, ETIMEDOUT, "it was not running after %d seconds",
					 how->timeout);
		n = ready < 0 ? -1 : fd_receive(l->news[0], news, sizeof(*news), NULL, NULL);
		if (n <= 0)
			return error_set(err, ECHILD, "its supervisor was killed");
		if (news->what == NEWS_FAILED) {
			if (err)
				*err = news->error;
			return -1;
		}
		if (news->what != NEWS_TIMINGS)
			return 0;
		hand_timings(how, &news->timings);
	}
}

/* A supervisor that was killed while it started left things behind: put them right at once. */
static int failed_start(struct launch *l, int log, time_t began, struct error *err)
{
	label_add_denials(l->boot.conf, l->container->name, l->container->lxcpath, log, began,
			  err);
	close_fd(&l->news[0]);
	close_fd(&l->lock);
	rescue(l->container, NULL);
	return error_within(err, "%s", l->container->name);
}

static int see_to_the_end(struct launch *l, int *ret_status, struct error *err)
{
	struct launch_news news = {0};
	int reason = terminal_stay(l->container, l->how->terminal, l->news[0], err);

	if (reason < 0)
		return -1;
	if (fd_receive(l->news[0], &news, sizeof(news), NULL, NULL) <= 0)
		return error_set(err, ECHILD, "its supervisor was killed");
	if (news.what == NEWS_FAILED) {
		if (err)
			*err = news.error;
		return -1;
	}
	if (ret_status)
		*ret_status = news.what == NEWS_ENDED ? news.status : W_EXITCODE(1, 0);
	return 0;
}

/* Its pid, or -1. */
static pid_t fork_launcher(struct launch *l, struct error *err)
{
	pid_t pid;

	if (fd_socketpair(l->news) < 0)
		return error_sys(err, "cannot make a socket");
	pid = fork();
	if (pid == 0) {
		close(l->news[0]);
		be_launcher(l);
	}
	close_fd(&l->news[1]);
	close_fd(&l->lock);
	if (pid < 0)
		return error_sys(err, "cannot make a process");
	return pid;
}

static void go_without_cgroup(struct conf *conf, const struct error *why)
{
	autofree char *text = str_printf("it runs without a cgroup of its own, so it cannot be "
					 "limited, frozen or measured (%s): " CGROUP_HELP
					 " gives it one", why->text);

	if (text)
		conf_notice(conf, text);
}

/* An ordinary user's container gets its cgroup from the user's systemd, where there is one. */
static void give_scope(struct launch *l, pid_t launcher)
{
	struct error why = {0};
	int there = cgroup_scope_make(l->container->name, launcher, &why) == 0;

	if (!there && cgroup_is_out_of_reach(l->boot.conf))
		go_without_cgroup(l->boot.conf, &why);
	/* Whether it lives, its news will tell. */
	fd_send(l->news[0], &there, sizeof(there), NULL, 0);
}

/* It ended long ago; to wait for it before the news came would be one hand-over more. */
static void reap_launcher(pid_t launcher)
{
	while (launcher > 0 && waitpid(launcher, NULL, 0) < 0 && errno == EINTR)
		;
}

/*
 * The managed network outlives the container, so it is made here: a server started by the
 * supervisor would be in the container's own cgroup and keep it from being removed.
 */
static int bring_up_network(struct launch *l, struct error *err)
{
	autostrv struct strv notes = {0};
	int result = network_bring_up(&l->boot, &notes, err);

	for (size_t i = 0; result == 0 && i < notes.n; i++)
		conf_notice(l->boot.conf, notes.v[i]);
	return result < 0 ? error_within(err, "network") : 0;
}

/* The first start of a container with automatic ids: recorded before, as what outlives a process
 * is. */
static int claim_ids(struct launch *l, struct error *err)
{
	struct lxcore_container *c = l->container;

	if (!idmap_of(l->boot.conf)->automatic || idmap_of(l->boot.conf)->n)
		return 0;
	if (journal_open(&l->boot.journal, l->boot.rundir, err) < 0 ||
	    journal_record(&l->boot.journal, IDMAP_JOURNAL, "auto", err) < 0)
		return error_within(err, "idmap");
	close_fd(&l->boot.journal.fd);
	return idmap_claim(l->boot.conf, c->lxcpath, c->name, err) < 0 ? error_within(err, "idmap") : 0;
}

static int find_checkpoint(struct launch *l, struct error *err)
{
	if (!l->how->checkpoint)
		return 0;
	l->boot.revival = &l->revival;
	return revival_prepare(&l->revival, l->how->checkpoint, l->boot.conf, l->dir, err);
}

static void running_already(struct lxcore_container *c, struct error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};

	if (running_find(c, &r, NULL) < 0 || again_is_waiting(&r.state, c->name, err) ||
	    r.state.state == LXCORE_STOPPED)
		return;
	error_set(err, EBUSY, "it is running already");
	error_mend(err, "lxc-attach -n %s      (runs a command in it)\n"
		   "lxc-restart -n %s      (stops and starts it)", c->name, c->name);
}

static int prepare_launch(struct launch *l, struct error *err)
{
	struct boot_timings timings = {0};
	struct lxcore_container *c = l->container;
	struct conf *conf = container_conf(c, err);

	if (!conf)
		return -1;
	if (!c->rcfile && !lxcore_is_defined(c)) {
		error_set(err, ENOENT, "cannot start it: there is no such container in \"%s\"",
			  c->lxcpath);
		return error_mend(err, "lxc-create -n %s -t TEMPLATE", c->name);
	}
	l->dir = rundir_path(c->lxcpath, c->name);
	if (l->how->pidfile && !(l->pidfile = path_absolute(l->how->pidfile)))
		return error_sys(err, "cannot write the pid file \"%s\"", l->how->pidfile);
	fill_boot(l, conf);
	if (start_open_log(conf, c->name, err) < 0)
		return -1;
	rescue(c, NULL);
	l->boot.rundir = rundir_lock(c->lxcpath, c->name, 0, &l->lock, err);
	if (l->boot.rundir < 0) {
		running_already(c, err);
		return -1;
	}
	if (boot_check(&l->boot, l->how->timing ? &timings : NULL, err) < 0) {
		rundir_remove(c->lxcpath, c->name, l->boot.rundir);
		return -1;
	}
	hand_timings(l->how, &timings);
	if (claim_ids(l, err) < 0 || find_checkpoint(l, err) < 0 || bring_up_network(l, err) < 0) {
		if (!lxcore_is_defined(c))
			idmap_forget(c->lxcpath, c->name);
		rundir_remove(c->lxcpath, c->name, l->boot.rundir);
		return -1;
	}
	return boot_write_conf(&l->boot, err);
}

int lxcore_start(lxcore_container *c, const struct lxcore_start *how, int *ret_status,
		 lxcore_error *err)
{
	autolaunch struct launch l = {.container = c, .how = how, .lock = -1, .news = {-1, -1}};
	autoclose int log = label_watch_log();
	const time_t began = time(NULL);
	struct launch_news news;
	pid_t launcher;
	int result;

	boot_init(&l.boot);
	if (prepare_launch(&l, err) < 0) {
		if (err)
			log_write(LOG_ERROR, "start", "%s", err->text);
		return error_within(err, "%s", c->name);
	}
	l.scope = cgroup_scope_is_wanted(l.boot.conf, how->foreground);
	launcher = fork_launcher(&l, err);
	if (l.scope && launcher > 0)
		give_scope(&l, launcher);
	result = launcher < 0 ? -1 : wait_for_news(&l, &news, err);
	reap_launcher(launcher);
	if (result < 0)
		return failed_start(&l, log, began, err);
	if (!how->foreground)
		return 0;
	result = news.what == NEWS_ENDED ? 0 : see_to_the_end(&l, ret_status, err);
	if (news.what == NEWS_ENDED && ret_status)
		*ret_status = news.status;
	return result < 0 ? error_within(err, "%s", c->name) : 0;
}

/* ---- what a start would do ---- */

int lxcore_check(lxcore_container *c,
		 void (*say)(void *data, const char *part, const lxcore_error *objection), void *data,
		 lxcore_error *err)
{
	static const struct lxcore_start how = LXCORE_START_INIT;
	autolaunch struct launch l = {.container = c, .how = &how, .lock = -1, .news = {-1, -1}};
	struct conf *conf = container_conf(c, err);
	int objections = 0;

	boot_init(&l.boot);
	if (!conf)
		return error_within(err, "%s", c->name);
	l.dir = rundir_path(c->lxcpath, c->name);
	fill_boot(&l, conf);
	for (size_t i = 0; boot_parts[i]; i++) {
		struct error objection = {0};
		bool bad;

		if (!boot_parts[i]->check)
			continue;
		bad = boot_parts[i]->check(&l.boot, &objection) < 0;
		objections += bad;
		if (say)
			say(data, boot_parts[i]->name, bad ? &objection : NULL);
	}
	return objections;
}

/* Those that a start opens: going on from a checkpoint has others. */
static void list_doors(const struct part *p, struct buf *doors)
{
	for (enum door d = DOOR_CHECK; d < N_DOORS; d++)
		if (d != DOOR_OFFER && d != DOOR_ADOPT && boot_part_has_door(p, d))
			buf_addf(doors, "%s%s", doors->len ? " " : "", door_names[d]);
}

/* The settings of a part, 'key = value' a line, values of lists each on their own. */
static void list_settings(const struct part *p, const struct conf *conf, struct buf *out)
{
	for (const struct conf_key *k = p->section ? p->section->keys : NULL; k && k->name; k++) {
		autostrv struct strv set = {0};

		if (conf_list_keys(conf, k->name, &set) < 0)
			continue;
		for (size_t i = 0; i < set.n; i++) {
			autobuf struct buf value = BUF_INIT;
			autostrv struct strv lines = {0};

			/* 'lxc.net' also lists what its family 'lxc.net.' shows. */
			if (!str_ends(k->name, ".") && strcmp(set.v[i], k->name) != 0)
				continue;
			if (!conf_where(conf, set.v[i]) || conf_get(conf, set.v[i], &value, NULL) < 0 ||
			    !value.len)
				continue;
			strv_split(&lines, value.s, "\n");
			for (size_t j = 0; j < lines.n; j++)
				buf_addf(out, "%s = %s\n", set.v[i], lines.v[j]);
		}
	}
}

int lxcore_explain(lxcore_container *c,
		   void (*say)(void *data, const char *part, const char *doors, const char *settings),
		   void *data, lxcore_error *err)
{
	struct conf *conf = container_conf(c, err);

	if (!conf)
		return error_within(err, "%s", c->name);
	for (size_t i = 0; boot_parts[i]; i++) {
		autobuf struct buf doors = BUF_INIT, settings = BUF_INIT;

		list_doors(boot_parts[i], &doors);
		list_settings(boot_parts[i], conf, &settings);
		buf_add(&settings, "", 0);
		buf_add(&doors, "", 0);
		say(data, boot_parts[i]->name, doors.s, settings.s);
	}
	return 0;
}
