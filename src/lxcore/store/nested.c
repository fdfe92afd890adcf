/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers in containers, from the side of who asks; see nested.h. */
#include "store/nested.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/reread.h"
#include "life/container.h"
#include "store/inside.h"
#include "store/store.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define DEPTH 5
#define MOST_DEPTH 32 /* of pid namespaces, pid_namespaces(7) */
#define LIMIT_MS 3000
#define KILLED_MS 200

/* Somebody who looks, and what he told us. */
struct nesting {
	struct lxcore_container *c;
	unsigned depth;
	pid_t pid;
	int pidfd, pipe;
	struct lxcore_summary *v;
	int n, room;
	struct strv way; /* the names of those that are looked into, from c down */
};

/* ---- rows ---- */

static int add(struct nesting *k, const struct nested_row *row)
{
	struct lxcore_summary s = {
		.state = row->state, .init_pid = row->init, .defined = row->defined,
		.depth = row->depth, .memory = -1, .swap = -1,
	};

	if (k->n == k->room) {
		int room = k->room ? k->room * 2 : 16;
		struct lxcore_summary *more = realloc(k->v, (size_t)room * sizeof(*more));

		if (!more)
			return -1;
		k->v = more;
		k->room = room;
	}
	s.name = strdup(row->name);
	s.outer = strdup(k->way.v[k->way.n - 1]);
	k->v[k->n++] = s;
	return s.name && s.outer ? 0 : -1;
}

/* The way to what is in the one that was told last, or further up. */
static int go(struct nesting *k, unsigned depth)
{
	const struct lxcore_summary *last = k->n ? &k->v[k->n - 1] : NULL;

	while (k->way.n > depth)
		strv_remove(&k->way, k->way.n - 1);
	if (k->way.n == depth)
		return 0;
	return last && k->way.n + 1 == depth ?
		       strv_take(&k->way, str_printf("%s/%s", last->outer, last->name)) : -1;
}

static int no_full_list(struct nesting *k, const struct nested_row *row, struct error *err)
{
	const char *where = row->depth < k->way.n ? k->way.v[row->depth] : k->c->name;

	if (row->what == NESTED_CUT)
		return error_set(err, E2BIG, "not all that is in %s is listed: it is too much", where);
	errno = row->code;
	error_sys(err, "cannot look into what is in %s", where);
	return reread_lacked_descriptors(row->code) ?
		       error_mend(err, "ulimit -n 1024      (more open files)") : -1;
}

/* He is our own, but what he says he has from others. */
static int take(struct nesting *k, const struct nested_row *row, struct error *err)
{
	if (row->what != NESTED_ROW)
		return no_full_list(k, row, err);
	if (!memchr(row->name, '\0', sizeof(row->name)) || path_check_name(row->name, NULL) < 0 ||
	    row->depth < 1 || row->depth > k->depth || lxcore_state_name(row->state) == NULL ||
	    go(k, row->depth) < 0)
		return error_set(err, EPROTO, "cannot understand what is in it");
	return add(k, row) < 0 ? error_set(err, ENOMEM, "out of memory") : 0;
}

/* ---- his process ---- */

static _Noreturn void be_looker(struct nesting *k, int root, ino_t ns, int out)
{
	/* Nobody is left behind who waits for an enemy. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(nested_look(root, ns, k->depth, out) < 0);
}

static int send_somebody(struct nesting *k, int root, ino_t ns, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	k->pipe = ends[0];
	k->pid = fork();
	if (k->pid == 0)
		be_looker(k, root, ns, ends[1]);
	close(ends[1]);
	k->pidfd = k->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, k->pid, 0);
	return k->pid < 0 ? error_sys(err, "cannot make a process") : 0;
}

/* One row; 0 at the end.  A pipe may give it in parts. */
static int hear_row(struct nesting *k, struct nested_row *row, long long until, struct error *err)
{
	char *at = (char *)row;
	size_t have = 0;

	while (have < sizeof(*row)) {
		long long left = until - clock_ms();
		int ready = left > 0 ? fd_wait(k->pipe, (int)left) : 0;
		ssize_t n = ready > 0 ? read(k->pipe, at + have, sizeof(*row) - have) : ready;

		if (ready == 0)
			return error_set(err, ETIMEDOUT, "cannot tell what is in it: its files do not "
					 "answer");
		if (n < 0)
			return error_sys(err, "cannot hear what is in it");
		if (n == 0)
			return have ? error_set(err, EPIPE, "cannot hear what is in it") : 0;
		have += (size_t)n;
	}
	return 1;
}

/* All that comes, though something could not be told; the first such thing is the error. */
static int hear_all(struct nesting *k, int limit_ms, struct error *err)
{
	const long long until = clock_ms() + limit_ms;
	struct nested_row row;
	int result = 0, heard;

	while ((heard = hear_row(k, &row, until, result < 0 ? NULL : err)) > 0) {
		if (take(k, &row, result < 0 ? NULL : err) == 0)
			continue;
		result = -1;
		if (row.what == NESTED_ROW)
			break;
	}
	return heard < 0 ? -1 : result;
}

/*
 * A request that a filesystem has begun to answer cannot be broken off (FUSE): then he ends when that
 * ends, and is not waited for.
 */
static int dismiss(struct nesting *k, bool at_once)
{
	int status = 0;

	if (k->pid <= 0)
		return 0;
	if (at_once)
		kill(k->pid, SIGKILL);
	if (k->pidfd < 0 || proc_wait_end(k->pidfd, KILLED_MS) == 1)
		waitpid(k->pid, &status, 0);
	close_fd(&k->pidfd);
	return status;
}

static int ask(struct nesting *k, int root, int limit_ms, struct error *err)
{
	ino_t ns = nested_pid_namespace(lxcore_init_pid(k->c));
	int result;

	if (!ns)
		return error_sys(err, "cannot tell which processes are in it");
	if (strv_add(&k->way, k->c->name) < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (send_somebody(k, root, ns, err) < 0)
		return -1;
	result = hear_all(k, limit_ms, err);
	if (dismiss(k, result < 0) && result == 0)
		return error_set(err, ECHILD, "cannot tell what is in it: who looked has failed");
	return result;
}

/* ---- the door ---- */

static int look(struct nesting *k, const struct lxcore_nesting *how, struct error *err)
{
	struct conf *conf = NULL;
	autoclose int root = -1;

	k->depth = how->depth ? how->depth : DEPTH;
	if (k->depth > MOST_DEPTH)
		return error_set(err, EINVAL, "cannot look for containers more than %d deep",
				 MOST_DEPTH);
	root = inside_open(k->c, &conf, err);
	conf_free(conf);
	return root < 0 ? -1 : ask(k, root, how->limit_ms > 0 ? how->limit_ms : LIMIT_MS, err);
}

int lxcore_nested(lxcore_container *c, const struct lxcore_nesting *how,
		  struct lxcore_summary **ret, int *ret_n, lxcore_error *err)
{
	struct nesting k = {.c = c, .pidfd = -1, .pipe = -1};
	int result = look(&k, how, err);

	close_fd(&k.pipe);
	strv_free(&k.way);
	*ret = k.v;
	*ret_n = k.n;
	if (how->want & LXCORE_WANT_INTERFACES &&
	    list_add_interfaces(k.v, k.n, result < 0 ? NULL : err) < 0)
		result = -1;
	return result < 0 ? error_within(err, "%s", c->name) : 0;
}
