/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standing still; see still.h. */
#include "base/error.h"
#include "store/still.h"
#include "base/fd.h"

#include <signal.h>
#include <sys/wait.h>

#define LIMIT 10 /* seconds, for freezing and for thawing */

/* Somebody who lets it run again if we are killed: he lives until our end of the pipe is closed. */
struct guard {
	int pipe;
	pid_t pid;
};

static int guard_begin(struct guard *g, struct lxcore_container *c, struct error *err)
{
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	g->pid = fork();
	if (g->pid == 0) {
		close(ends[1]);
		signal(SIGINT, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		/* A byte: all went well. */
		if (read(ends[0], &byte, 1) != 1)
			lxcore_unfreeze(c, LIMIT, NULL);
		_exit(0);
	}
	close(ends[0]);
	g->pipe = ends[1];
	if (g->pid >= 0)
		return 0;
	close_fd(&g->pipe);
	return error_sys(err, "cannot make a process");
}

/* Without the byte he does once more what could not be done. */
static void guard_end(struct guard *g, bool all_well)
{
	if (all_well && write(g->pipe, "", 1) < 0)
		all_well = false; /* he is gone; so is what he was for */
	close_fd(&g->pipe);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int still_do(struct lxcore_container *c, int (*work)(void *data, struct error *err), void *data,
	     unsigned *ret_pause_us, struct error *err)
{
	struct guard guard = {.pipe = -1};
	long long began = clock_us();
	int result, thawed;

	*ret_pause_us = 0;
	if (lxcore_state(c) != LXCORE_RUNNING)
		return work(data, err);
	if (guard_begin(&guard, c, err) < 0)
		return -1;
	result = lxcore_freeze(c, LIMIT, err);
	if (result == 0)
		result = work(data, err);
	thawed = lxcore_unfreeze(c, LIMIT, result < 0 ? NULL : err);
	*ret_pause_us = (unsigned)(clock_us() - began);
	guard_end(&guard, thawed == 0);
	return result < 0 || thawed < 0 ? -1 : 0;
}
