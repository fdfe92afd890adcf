/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The supervisor's life: boot, wait, give back; again when init asked for a reboot, or when it ended
 * and lxc.start.restart wants it to run.
 *
 * While it waits it holds at most sixteen descriptors and allocates nothing: who is connected stands
 * in tables of a fixed size.
 */
#include "base/error.h"
#include "life/watch.h"
#include "base/fd.h"
#include "base/log.h"
#include "life/control.h"
#include "life/events.h"
#include "life/title.h"
#include "parts/hooks.h"
#include "parts/idmap.h"
#include "parts/init.h"
#include "parts/network/network.h"
#include "parts/start.h"
#include "parts/terminals.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define VIEWER_MS 2000

int watch_add(struct watch *w, int fd, unsigned events, enum watched what, unsigned index)
{
	struct epoll_event e = {
		.events = events, .data.u64 = (unsigned long long)what << 32 | index,
	};

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e);
}

static void set_state(struct watch *w, enum lxcore_state state)
{
	const struct lxcore_container *c = w->s->container;

	log_write(LOG_INFO, "state", "%s", lxcore_state_name(state));
	w->state.state = state;
	rundir_write_state(w->s->boot->rundir, &w->state);
	events_send(c->lxcpath, c->name, LXCORE_EVENT_STATE, (int)state);
}

static void tell_starter(struct supervisor *s, const struct launch_news *news, size_t body)
{
	if (s->starter >= 0)
		fd_send(s->starter, news, offsetof(struct launch_news, error) + body, NULL, 0);
}

/* ---- waiting ---- */

/* SIGTERM and its like ask us to end: pass it on to init as the request that it understands. */
static void on_signal(struct watch *w)
{
	struct signalfd_siginfo info;
	const char *why;

	if (read(w->signals, &info, sizeof(info)) != sizeof(info))
		return;
	w->again.asked = info.ssi_signo != AGAIN_AS_SET;
	if (info.ssi_signo != AGAIN_NO_MORE && info.ssi_signo != AGAIN_AS_SET &&
	    w->s->boot->init_pidfd >= 0)
		proc_signal(w->s->boot->init_pidfd,
			    init_halt_signal(w->s->boot->conf, w->state.init, &why));
}

/* The one who waits in the foreground is gone: nobody would ever see this container again. */
static void on_starter(struct watch *w)
{
	char byte;

	if (recv(w->s->starter, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN)
		return;
	close_fd(&w->s->starter);
	w->again.asked = true;
	if (w->s->boot->init_pidfd >= 0)
		proc_signal(w->s->boot->init_pidfd, SIGKILL);
}

/* Processes were killed for want of memory. */
static void tell_killed(struct watch *w, int64_t more)
{
	const struct lxcore_container *c = w->s->container;

	if (!more)
		return;
	rundir_write_oom(w->s->boot->rundir, w->oom.total);
	events_send(c->lxcpath, c->name, LXCORE_EVENT_OOM, (int)w->oom.total);
}

static void dispatch(struct watch *w, enum watched what, unsigned index, unsigned events)
{
	switch (what) {
	case WATCH_INIT:
		w->ended = true;
		break;
	case WATCH_SIGNALS:
		on_signal(w);
		break;
	case WATCH_STARTER:
		on_starter(w);
		break;
	case WATCH_CONTROL:
		serve_on_control(w);
		break;
	case WATCH_CONNECTION:
		serve_on_connection(w, index);
		break;
	case WATCH_CONSOLE:
		hub_on_master(&w->hub);
		break;
	case WATCH_CLIENT:
		hub_on_client(&w->hub, index);
		break;
	case WATCH_LISTENER:
		notify_on_call(&w->notify, index, !(events & EPOLLIN));
		break;
	case WATCH_PROXY:
		notify_on_answer(&w->notify);
		break;
	case WATCH_OOM:
		tell_killed(w, oom_on_event(&w->oom));
		break;
	}
}

__attribute__((noinline)) static void show_title(const struct boot *b)
{
	char title[4096];

	snprintf(title, sizeof(title), "[lxc monitor] %s %s", b->lxcpath, b->name);
	title_set(title);
}

/*
 * Give back to the kernel what only the boot needed: free pages of the heap, and the pages of the
 * stack below us that its deeper calls have touched.  A host has as many supervisors as containers.
 */
__attribute__((noinline)) static void give_memory_back(struct conf *conf)
{
	enum { PAGE = 4096, DEEPEST = 32 * PAGE };
	const uintptr_t below = ((uintptr_t)__builtin_frame_address(0) - PAGE) & ~(uintptr_t)(PAGE - 1);

	conf_forget_history(conf);
	malloc_trim(0);
	madvise((void *)(below - DEEPEST), DEEPEST, MADV_DONTNEED);
}

/* Calls that init made meanwhile wait. */
static void listen_to_filter(struct watch *w)
{
	struct boot *b = w->s->boot;

	notify_init(&w->notify, b->conf, w->epoll, (uint64_t)WATCH_LISTENER << 32,
		    (uint64_t)WATCH_PROXY << 32);
	w->notify.init = b->init.pid;
	if (b->listener >= 0)
		notify_add(&w->notify, steal_fd(&b->listener));
}

static void watch_memory(struct watch *w)
{
	oom_begin(&w->oom, w->s->boot->rundir);
	if (w->oom.fd >= 0)
		watch_add(w, w->oom.fd, w->oom.events, WATCH_OOM, 0);
}

/* Milliseconds until something has to be done unasked; -1: nothing has. */
static int next_time(const struct watch *w)
{
	int a = notify_timeout(&w->notify), b = oom_timeout(&w->oom);

	return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* Deal with what comes within that time; -1: however long it takes. */
static void watch_once(struct watch *w, int ms)
{
	struct epoll_event events[8];
	int n = epoll_wait(w->epoll, events, ARRAY_SIZE(events), ms);

	for (int i = 0; i < n; i++)
		dispatch(w, (enum watched)(events[i].data.u64 >> 32), (unsigned)events[i].data.u64,
			 events[i].events);
}

/* A short command may have said all before the one who started it has come to see it. */
static void wait_for_viewer(struct watch *w)
{
	long long limit = clock_ms() + VIEWER_MS, left;

	epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->s->boot->init_pidfd, NULL);
	while (w->s->has_viewer && w->s->starter >= 0 && !w->viewed &&
	       (left = limit - clock_ms()) > 0)
		watch_once(w, (int)left);
}

/* Wait until init has ended; its wait status. */
static int wait_for_end(struct watch *w)
{
	struct boot *b = w->s->boot;
	int console = terminals_console(b), status;

	hub_set_master(&w->hub, console);
	listen_to_filter(w);
	watch_memory(w);
	if (console >= 0)
		watch_add(w, console, EPOLLIN | EPOLLOUT | EPOLLET, WATCH_CONSOLE, 0);
	/* Where nothing can be watched for it is waited for alone. */
	w->ended = watch_add(w, b->init_pidfd, EPOLLIN, WATCH_INIT, 0) < 0 &&
		   proc_wait_end(b->init_pidfd, -1) >= 0;
	show_title(b);
	give_memory_back(b->conf);
	while (!w->ended) {
		watch_once(w, next_time(w));
		notify_on_time(&w->notify);
		tell_killed(w, oom_on_time(&w->oom));
	}
	hub_on_master(&w->hub);
	wait_for_viewer(w);
	hub_set_master(&w->hub, -1);
	notify_close(&w->notify);
	status = proc_reap(b->init_pidfd);
	close_fd(&b->init_pidfd);
	return status;
}

/* ---- one boot after the other ---- */

__attribute__((noinline)) static void release_all(struct watch *w, bool reboot, bool stays)
{
	struct boot *b = w->s->boot;
	struct journal j;
	struct release r = {
		.name = b->name, .lxcpath = b->lxcpath, .dir = b->dir, .rundir = b->rundir,
		.journal = &j, .conf = b->conf, .target = reboot ? "reboot" : "stop",
		.stays = stays, .boot = b, .init = b->init,
	};

	serve_drop_ttys(w);
	/* What cannot be given back now is left, with its journal, to the next command's rescue. */
	w->left_behind = !journal_load(&j, b->rundir);
	if (w->left_behind)
		return;
	boot_release(&r);
	journal_close(&j);
	journal_remove(b->rundir);
}

__attribute__((noinline)) static void tell_timings(struct supervisor *s, const struct boot_timings *t)
{
	struct launch_news news = {.what = NEWS_TIMINGS, .timings = *t};

	tell_starter(s, &news, sizeof(news.timings));
}

/*
 * Has init ended already?  One that the user named himself is watched until it first waits for
 * something, which tells that it has come up: so a wrong option or a missing file shows, and a good
 * one costs a fraction of a millisecond.
 */
static bool ended_at_once(const struct boot *b)
{
	enum { LOOKS = 80, PAUSE_NS = 250000 };
	struct pollfd p = {.fd = b->init_pidfd, .events = POLLIN};

	for (int i = 0; init_is_custom(b) && i < LOOKS && proc_state(b->init.pid) != 'S'; i++)
		if (ppoll(&p, 1, &(struct timespec){.tv_nsec = PAUSE_NS}, NULL) == 1)
			return true;
	return poll(&p, 1, 0) == 1;
}

static bool was_killed_for_memory(const struct boot *b, int status)
{
	struct oom o;
	int64_t kills;

	oom_begin(&o, b->rundir);
	return oom_end(&o, status, false, &kills);
}

static bool failed_at_once(struct watch *w, struct error *err)
{
	struct boot *b = w->s->boot;
	char text[64];
	siginfo_t info = {0};

	if (b->foreground || !ended_at_once(b))
		return false;
	if (waitid(P_PIDFD, (id_t)b->init_pidfd, &info, WEXITED | WNOWAIT | __WALL) < 0 ||
	    info.si_status == 0 || (info.si_code == CLD_KILLED &&
				    (info.si_status == SIGHUP || info.si_status == SIGINT)))
		return false;
	if (info.si_code == CLD_KILLED && was_killed_for_memory(b, info.si_status)) {
		error_set(err, ENOMEM, "its init ended at once: it ran out of memory");
		return error_mend(err, "raise lxc.limit.memory (or lxc.cgroup2.memory.max) in its "
				  "configuration"), true;
	}
	proc_status_text(info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0) : info.si_status,
			 text);
	error_set(err, ECHILD, "its init ended at once: %s", text);
	error_mend(err, "lxc-start -F -n %s      (shows what it prints)", b->name);
	return true;
}

static int write_pidfile(const struct watch *w, const char *path, struct error *err)
{
	char text[16];

	if (journal_record(&w->s->boot->journal, JOURNAL_PIDFILE, path, err) < 0)
		return -1;
	snprintf(text, sizeof(text), "%d", w->state.supervisor.pid);
	if (file_replace(AT_FDCWD, path, text, 0600) < 0)
		return error_sys(err, "cannot write the pid file \"%s\"", path);
	return 0;
}

/* Not inlined, like others below: what its frame holds must not stay on the stack while we wait. */
__attribute__((noinline)) static int boot_once(struct watch *w, struct error *err)
{
	struct supervisor *s = w->s;
	struct boot_timings timings = {0};
	struct boot *b = s->boot;
	struct launch_news news = {.what = NEWS_RUNNING};
	bool first = !w->state.boot;

	w->state.boot++;
	w->state.next = 0;
	w->state.init = (struct proc_id){0};
	set_state(w, LXCORE_STARTING);
	if (journal_open(&b->journal, b->rundir, err) < 0)
		return -1;
	if (boot_up(b, s->timed ? &timings : NULL, err) < 0)
		return -1;
	w->state.init = b->init;
	if (s->pidfile && write_pidfile(w, s->pidfile, err) < 0) {
		proc_signal(b->init_pidfd, SIGKILL);
		return 1;
	}
	set_state(w, LXCORE_RUNNING);
	if (first && failed_at_once(w, err))
		return 1;
	close_fd(&b->journal.fd);
	if (first && s->timed)
		tell_timings(s, &timings);
	if (first)
		tell_starter(s, &news, 0);
	if (!b->foreground)
		close_fd(&s->starter);
	w->ran = true;
	w->again.running = clock_ms();
	boot_drop_gifts(b);
	return 0;
}

static bool wants_reboot(int status)
{
	/* reboot(2) inside a pid namespace: RESTART shows as SIGHUP, halt and power-off as SIGINT
	 * (pid_namespaces(7)). */
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP;
}

static void set_up(struct watch *w, struct error *err, bool *ret_ok)
{
	static const int heard[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPWR, AGAIN_NO_MORE,
				    AGAIN_AS_SET};
	struct boot *b = w->s->boot;
	sigset_t signals;

	*ret_ok = false;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	sigemptyset(&signals);
	for (size_t i = 0; i < ARRAY_SIZE(heard); i++)
		sigaddset(&signals, heard[i]);
	w->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	w->control = fd_listen_at(b->rundir, CONTROL_SOCKET, SOCK_SEQPACKET | SOCK_NONBLOCK);
	if (w->epoll < 0 || w->signals < 0 || w->control < 0) {
		error_sys(err, "cannot set its supervisor up");
		return;
	}
	if (hub_open(&w->hub, b->conf, err) < 0)
		return;
	if (watch_add(w, w->signals, EPOLLIN, WATCH_SIGNALS, 0) < 0 ||
	    watch_add(w, w->control, EPOLLIN, WATCH_CONTROL, 0) < 0 ||
	    (b->foreground &&
	     watch_add(w, w->s->starter, EPOLLIN | EPOLLRDHUP, WATCH_STARTER, 0) < 0)) {
		error_sys(err, "cannot set its supervisor up");
		return;
	}
	*ret_ok = true;
}

/* Its automatic ids outlived each boot of a container that only a file given by the user defines. */
static void forget_ids(const struct supervisor *s)
{
	if (idmap_of(s->boot->conf)->automatic && !lxcore_is_defined(s->container))
		idmap_forget(s->container->lxcpath, s->container->name);
}

static _Noreturn void end(struct watch *w, const struct launch_news *news, size_t body)
{
	struct supervisor *s = w->s;
	struct lxcore_container *c = s->container;

	close_fd(&w->control);
	forget_ids(s);
	if (start_is_ephemeral(s->boot->conf) && w->ran && c->remove_ephemeral)
		c->remove_ephemeral(c, NULL);
	if (s->pidfile)
		unlink(s->pidfile);
	if (!w->left_behind)
		rundir_remove(c->lxcpath, c->name, s->boot->rundir);
	events_send(c->lxcpath, c->name, LXCORE_EVENT_STATE, LXCORE_STOPPED);
	hub_close(&w->hub);
	close_fd(&s->lock);
	tell_starter(s, news, body);
	_exit(0);
}

/*
 * For the next boot: the configuration as its user wrote it, with its history, for hooks may change it
 * again and lxc-update may have changed it.  When it cannot be read any more the one that we have must
 * do.
 */
__attribute__((noinline)) static void restore_conf(struct supervisor *s, struct conf **conf)
{
	struct lxcore_container *c = s->container;
	const char *file = conf_file(*conf);
	autobuf struct buf text = BUF_INIT;
	struct conf *fresh = NULL;

	renameat(s->boot->rundir, RUNDIR_CONFIG_WRITTEN, s->boot->rundir, RUNDIR_CONFIG);
	if (file_read(s->boot->rundir, RUNDIR_CONFIG, &text) == 0)
		fresh = conf_new(c->sections.v);
	if (!fresh || conf_load_text(fresh, text.s, file ? file : RUNDIR_CONFIG, NULL) < 0) {
		conf_free(fresh);
		return;
	}
	if (c->conf == *conf)
		c->conf = fresh;
	conf_free(*conf);
	*conf = fresh;
}

/* What has to be put right when we are killed while we wait: all else was given back. */
static void record_waiting(struct watch *w)
{
	struct boot *b = w->s->boot;
	bool ids = idmap_of(b->conf)->automatic;
	struct journal j;

	if ((!w->s->pidfile && !ids) || journal_open(&j, b->rundir, NULL) < 0)
		return;
	if (w->s->pidfile)
		journal_record(&j, JOURNAL_PIDFILE, w->s->pidfile, NULL);
	if (ids)
		journal_record(&j, IDMAP_JOURNAL, "auto", NULL);
	journal_close(&j);
}

/* Whoever wants to know what goes on or to end it is served meanwhile.  False: it was ended. */
static bool wait_for_next_try(struct watch *w, int ms)
{
	const struct lxcore_container *c = w->s->container;
	long long left;

	record_waiting(w);
	w->state.next = clock_ms() + ms;
	w->state.init = (struct proc_id){0};
	w->state.state = LXCORE_STARTING;
	rundir_write_state(w->s->boot->rundir, &w->state);
	events_send(c->lxcpath, c->name, LXCORE_EVENT_RESTART, ms);
	log_write(LOG_INFO, "restart", "in %d.%d s", ms / 1000, ms % 1000 / 100);
	give_memory_back(w->s->boot->conf);
	while (!w->again.asked && (left = w->state.next - clock_ms()) > 0)
		watch_once(w, (int)left);
	if (w->again.asked)
		return false;
	w->state.restarts++;
	return true;
}

/* Milliseconds until it is booted again; -1: never. */
static int next_try(struct watch *w, bool failed)
{
	const struct start_conf *start = conf_of(w->s->boot->conf, &start_section);

	/* A command that lxc-execute runs is to be run once. */
	if (w->s->boot->execute || !w->ran)
		return -1;
	/* Whether its end was asked for has been said before it ended. */
	watch_once(w, 0);
	return again_after(&w->again, &start->restart, failed, clock_ms());
}

/* The next boot begins with what the first one had. */
static void begin_anew(struct watch *w, struct boot *fresh)
{
	if (hooks_any(fresh->conf, HOOK_PRE_START) ||
	    faccessat(w->s->boot->rundir, RUNDIR_UPDATED, F_OK, 0) == 0)
		restore_conf(w->s, &fresh->conf);
	strv_free(&w->s->boot->hook_env);
	fresh->stays = true;
	*w->s->boot = *fresh;
}

/* It was not running, or no longer: it is booted again, or that is its end. */
static bool try_again(struct watch *w, struct boot *fresh, int ms)
{
	if (ms < 0 || w->left_behind)
		return false;
	begin_anew(w, fresh);
	return wait_for_next_try(w, ms);
}

/* 0: it runs; 1: it ends at once; -1: it does not run; for the latter two *news tells why. */
__attribute__((noinline)) static int boot_or_tell(struct watch *w, struct launch_news *news)
{
	struct error err = {0};
	int result = boot_once(w, &err);

	if (result == 0)
		return 0;
	log_write(LOG_ERROR, "boot", "%s", err.text);
	*news = (struct launch_news){.what = NEWS_FAILED, .error = err};
	if (result < 0) {
		set_state(w, LXCORE_ABORTING);
		journal_remove(w->s->boot->rundir);
	}
	return result;
}

/* One boot and its end; true: it is booted again. */
static bool live_once(struct watch *w, struct boot *fresh, struct launch_news *news)
{
	struct supervisor *s = w->s;
	const char *lxcpath = s->container->lxcpath, *name = s->container->name;
	int result = boot_or_tell(w, news), status, ms;
	char text[64];
	bool reboot, out_of_memory;
	int64_t more;

	if (result < 0)
		return try_again(w, fresh, next_try(w, true));
	status = wait_for_end(w);
	reboot = result == 0 && wants_reboot(status);
	ms = reboot ? -1 : next_try(w, result || again_is_failure(status));
	/* Whether its end was asked for has been said before it ended. */
	watch_once(w, 0);
	out_of_memory = oom_end(&w->oom, status, w->again.asked, &more);
	tell_killed(w, more);
	events_send(lxcpath, name, LXCORE_EVENT_EXIT, status);
	set_state(w, LXCORE_STOPPING);
	release_all(w, reboot, reboot || ms >= 0);
	log_write(LOG_INFO, "init", "%s", proc_status_text(status, text));
	/* A container that only a file given by the user defines is forgotten whole. */
	if (lxcore_is_defined(s->container))
		rundir_keep_exit(lxcpath, name, &(struct run_exit){
			.status = status, .oom_kills = w->oom.total, .out_of_memory = out_of_memory,
		});
	if (result == 0) {
		news->what = NEWS_ENDED;
		news->status = status;
	}
	if (!reboot)
		return try_again(w, fresh, ms);
	w->again.asked = false;
	begin_anew(w, fresh);
	return true;
}

_Noreturn void supervise(struct supervisor *s)
{
	struct watch w = {.s = s, .state = {.supervisor = {getpid(), proc_start_time(getpid())}}};
	struct launch_news news = {.what = NEWS_FAILED};
	bool ok;

	serve_begin(&w);
	set_up(&w, &news.error, &ok);
	if (ok) {
		struct boot fresh = *s->boot;

		fresh.revival = NULL; /* what comes after that starts from init */
		while (live_once(&w, &fresh, &news))
			;
	}
	end(&w, &news, sizeof(news.error));
}
