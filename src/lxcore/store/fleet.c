/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fleets: one operation on many containers, so many of them at a time.
 *
 * Each job has a process of its own, so that one which fails, crashes or hangs does not touch the
 * others.  It speaks to us in whole messages over a socket: that it is alive, what it has to tell, how
 * it ended with its whole error.  One that is silent for too long is killed; what it was about is then
 * put right by the next command that meets that container, as after any crash.
 */
#include "base/error.h"
#include "store/store.h"
#include "base/fd.h"
#include "base/proc.h"

#include <fnmatch.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PATTERN_CHARACTERS "*?["
#define TICK_MS 100
#define MOST_JOBS 512

struct message {
	enum { ALIVE, ANSWER, FAILED, WORKED } type;
	size_t size; /* of an answer */
	union {
		struct error error;
		char answer[LXCORE_ANSWER_MAX];
	};
};

struct lxcore_job {
	int sock;
};

struct slot { /* one of those that are at work; pidfd -1: nobody is */
	int pidfd, sock;
	size_t index;
	long long began, heard; /* milliseconds */
	bool ended;             /* it said how */
};

struct fleet {
	const struct lxcore_fleet *how;
	const char *const *names;
	struct lxcore_outcome *outcomes;
	struct lxcore_fleet_progress p;
	struct slot *slots;
	struct pollfd *polled; /* two for each slot: its process, its socket */
	size_t n_slots, next;
	size_t most; /* at a time: n_slots, or what this host had processes for */
	long long began, shown;
	bool cancelled;
};

/* ---- which containers ------------------------------------------------------------------------ */

bool lxcore_is_pattern(const char *text)
{
	return strpbrk(text, PATTERN_CHARACTERS) != NULL;
}

static int keep_matching(char **names, const char *pattern)
{
	int kept = 0;

	for (char **name = names; *name; name++) {
		if (fnmatch(pattern, *name, 0) == 0)
			names[kept++] = *name;
		else
			free(*name);
	}
	names[kept] = NULL;
	return kept;
}

int lxcore_list_matching(const char *lxcpath, const char *pattern, char ***ret, lxcore_error *err)
{
	char **names = NULL;
	int n = lxcore_list_all(lxcpath, &names, err);

	if (n < 0)
		return -1;
	n = keep_matching(names, pattern);
	if (n > 0) {
		*ret = names;
		return n;
	}
	lxcore_names_free(names);
	error_set(err, ENOENT, "no container matches \"%s\"", pattern);
	if (lxcpath)
		return error_mend(err, "lxc-ls -P %s      (shows those that there are)", lxcpath);
	return error_mend(err, "lxc-ls      (shows those that there are)");
}

/* ---- in the job's process -------------------------------------------------------------------- */

static int tell(int sock, const struct message *m, size_t size)
{
	return fd_send(sock, m, size, NULL, 0) < 0 ? -1 : 0;
}

#define HEAD offsetof(struct message, error)

void lxcore_job_alive(lxcore_job *job)
{
	const struct message m = {.type = ALIVE};

	tell(job->sock, &m, HEAD);
}

int lxcore_job_answer(lxcore_job *job, const void *bytes, size_t n)
{
	struct message m = {.type = ANSWER, .size = n};

	if (n > sizeof(m.answer)) {
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(m.answer, bytes, n);
	return tell(job->sock, &m, HEAD + n);
}

static void close_others(const struct fleet *f)
{
	for (size_t i = 0; i < f->n_slots; i++) {
		close_fd(&f->slots[i].pidfd);
		close_fd(&f->slots[i].sock);
	}
}

static _Noreturn void be_job(const struct fleet *f, size_t index, int sock, pid_t parent)
{
	struct lxcore_job job = {.sock = sock};
	struct message m = {.type = WORKED};

	/* Whoever ends us ends what we began; it must not go on unseen. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	close_others(f);
	if (f->how->work(&job, f->names[index], f->how->data, &m.error) < 0)
		m.type = FAILED;
	_exit(tell(sock, &m, HEAD + sizeof(m.error)) < 0);
}

/* ---- beginning and ending -------------------------------------------------------------------- */

static void note_error(struct lxcore_outcome *o, const struct error *err)
{
	if (!o->error)
		o->error = lxcore_error_new();
	if (o->error)
		*o->error = *err;
}

static void note_end(struct fleet *f, const struct lxcore_outcome *o)
{
	f->p.done++;
	f->p.failed += o->error != NULL;
}

static void give_up(struct fleet *f, size_t index, int code, const char *why)
{
	struct error err = {0};

	error_set(&err, code, "%s", why);
	note_error(&f->outcomes[index], &err);
	note_end(f, &f->outcomes[index]);
}

static struct slot *free_slot(struct fleet *f)
{
	if (f->p.busy >= f->most)
		return NULL;
	for (size_t i = 0; i < f->n_slots; i++)
		if (f->slots[i].pidfd < 0)
			return &f->slots[i];
	return NULL;
}

/* The job's process, as a pidfd, and our end of its socket. */
static int make_process(const struct fleet *f, size_t index, int *ret_sock)
{
	int pair[2], pidfd;
	pid_t parent = getpid(), pid;

	if (fd_socketpair(pair) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		be_job(f, index, pair[1], parent);
	}
	close(pair[1]);
	pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0) {
		*ret_sock = pair[0];
		return pidfd;
	}
	close(pair[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return -1;
}

/* One more; where there is no room for another process it waits until one of ours has ended. */
static void begin(struct fleet *f, struct slot *s)
{
	int sock, pidfd = make_process(f, f->next, &sock);

	if (pidfd < 0 && f->p.busy > 0) {
		f->most = f->p.busy;
		return;
	}
	if (pidfd < 0) {
		give_up(f, f->next++, errno, "cannot make a process for it");
		return;
	}
	*s = (struct slot){.pidfd = pidfd, .sock = sock, .index = f->next++, .began = clock_ms()};
	s->heard = s->began;
	f->p.busy++;
}

static void keep_answer(struct lxcore_outcome *o, const struct message *m)
{
	void *copy = malloc(m->size + 1);

	if (!copy)
		return;
	free(o->answer);
	o->answer = memcpy(copy, m->answer, m->size);
	o->answer_size = m->size;
}

static void take_message(struct fleet *f, struct slot *s, const struct message *m, size_t got)
{
	struct lxcore_outcome *o = &f->outcomes[s->index];

	s->heard = clock_ms();
	if (m->type == ANSWER && m->size <= sizeof(m->answer) && got == HEAD + m->size)
		keep_answer(o, m);
	if ((m->type != FAILED && m->type != WORKED) || got != HEAD + sizeof(m->error))
		return;
	s->ended = true;
	lxcore_error_free(o->error);
	o->error = NULL;
	if (m->type == FAILED)
		note_error(o, &m->error);
}

static void hear(struct fleet *f, struct slot *s)
{
	struct message m;
	size_t none = 0;
	ssize_t n;

	while (s->sock >= 0 && fd_wait(s->sock, 0) > 0) {
		n = fd_receive(s->sock, &m, sizeof(m), NULL, &none);
		if (n < (ssize_t)HEAD)
			close_fd(&s->sock);
		else
			take_message(f, s, &m, (size_t)n);
	}
}

static void end(struct fleet *f, struct slot *s)
{
	struct lxcore_outcome *o = &f->outcomes[s->index];
	struct error err = {0};
	char text[64];
	int status;

	hear(f, s);
	status = proc_reap(s->pidfd);
	if (!s->ended && !o->error) {
		error_set(&err, ECHILD, "its process ended without a word: %s",
			  proc_status_text(status, text));
		note_error(o, &err);
	}
	o->milliseconds = (unsigned)(clock_ms() - s->began);
	close_fd(&s->pidfd);
	close_fd(&s->sock);
	f->p.busy--;
	note_end(f, o);
}

/* It is silent for too long; its process goes, and is met again when it has. */
static void end_silent(struct fleet *f, struct slot *s)
{
	struct error err = {0};

	if (!f->how->timeout || f->outcomes[s->index].error || s->ended ||
	    clock_ms() - s->heard < 1000LL * f->how->timeout)
		return;
	error_set(&err, ETIMEDOUT, "it was not done within %d seconds, and was given up",
		  f->how->timeout);
	note_error(&f->outcomes[s->index], &err);
	proc_signal(s->pidfd, SIGKILL);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void show(struct fleet *f, bool at_once)
{
	long long now = clock_ms();

	if (!f->how->progress || (!at_once && now - f->shown < TICK_MS))
		return;
	f->shown = now;
	f->p.milliseconds = (unsigned)(now - f->began);
	if (!f->how->progress(&f->p, f->how->data))
		f->cancelled = true;
}

static void wait_a_little(struct fleet *f)
{
	for (size_t i = 0; i < f->n_slots; i++) {
		f->polled[2 * i] = (struct pollfd){.fd = f->slots[i].pidfd, .events = POLLIN};
		f->polled[2 * i + 1] = (struct pollfd){.fd = f->slots[i].sock, .events = POLLIN};
	}
	poll(f->polled, 2 * f->n_slots, TICK_MS);
}

static void attend(struct fleet *f, struct slot *s)
{
	if (s->pidfd < 0)
		return;
	hear(f, s);
	if (proc_wait_end(s->pidfd, 0) == 1)
		end(f, s);
	else
		end_silent(f, s);
}

static void run_all(struct fleet *f)
{
	struct slot *s;

	show(f, true);
	while (f->p.busy > 0 || (f->next < f->p.total && !f->cancelled)) {
		while (f->next < f->p.total && !f->cancelled && (s = free_slot(f)))
			begin(f, s);
		if (f->p.busy > 0)
			wait_a_little(f);
		for (size_t i = 0; i < f->n_slots; i++)
			attend(f, &f->slots[i]);
		show(f, false);
	}
	while (f->next < f->p.total)
		give_up(f, f->next++, ECANCELED, "it was not begun: cancelled");
	show(f, true);
}

static size_t usual_jobs(void)
{
	cpu_set_t ours;

	return sched_getaffinity(0, sizeof(ours), &ours) < 0 ? 2 : 2 * (size_t)CPU_COUNT(&ours);
}

static int prepare(struct fleet *f, struct error *err)
{
	size_t n = 0, jobs = f->how->jobs ? f->how->jobs : usual_jobs();

	while (f->names[n])
		n++;
	f->p.total = n;
	jobs = jobs > n ? n : jobs;
	f->most = f->n_slots = jobs > MOST_JOBS ? MOST_JOBS : jobs;
	f->outcomes = calloc(n + 1, sizeof(*f->outcomes));
	f->slots = calloc(f->n_slots + 1, sizeof(*f->slots));
	f->polled = calloc(2 * f->n_slots + 1, sizeof(*f->polled));
	if (!f->outcomes || !f->slots || !f->polled)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (!(f->outcomes[i].name = strdup(f->names[i])))
			return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < f->n_slots; i++)
		f->slots[i].pidfd = f->slots[i].sock = -1;
	return 0;
}

int lxcore_fleet_run(const char *const *names, const struct lxcore_fleet *how,
		     struct lxcore_outcome **ret, lxcore_error *err)
{
	struct fleet f = {.how = how, .names = names, .began = clock_ms()};
	int result = prepare(&f, err);

	if (result == 0)
		run_all(&f);
	free(f.slots);
	free(f.polled);
	if (result < 0) {
		lxcore_outcomes_free(f.outcomes);
		return -1;
	}
	*ret = f.outcomes;
	return (int)f.p.failed;
}

void lxcore_outcomes_free(struct lxcore_outcome *list)
{
	for (struct lxcore_outcome *o = list; o && o->name; o++) {
		free(o->name);
		lxcore_error_free(o->error);
		free(o->answer);
	}
	free(list);
}
