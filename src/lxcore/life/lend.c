/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces of the host that come and go while a container runs.  They are written into its
 * journal like those of its configuration, so its supervisor, which hears nothing of it, gives them
 * back at the end, and so does whoever finds it dead.
 */
#include "base/error.h"
#include "base/fd.h"
#include "life/container.h"
#include "parts/network/lend.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct visit {
	struct running running;
	struct journal journal; /* to write in */
	struct netlink nl;
	char *dir;
	int ns;
};
#define VISIT_INIT {.running = {.rundir = -1, .init_pidfd = -1}, .journal = {.fd = -1}, \
	.nl = NETLINK_CLOSED, .ns = -1}

static void visit_end(struct visit *v)
{
	running_close(&v->running);
	journal_close(&v->journal);
	netlink_close(&v->nl);
	free(v->dir);
	close_fd(&v->ns);
}
#define autovisit __attribute__((cleanup(visit_end)))

static bool shares(pid_t pid, const char *ns)
{
	char ours[32], theirs[40];
	struct stat a, b;

	snprintf(ours, sizeof(ours), "/proc/self/ns/%s", ns);
	snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", pid, ns);
	return stat(ours, &a) == 0 && stat(theirs, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

static bool init_lives(const struct visit *v)
{
	return v->running.init_pidfd >= 0 && fd_wait(v->running.init_pidfd, 0) == 0;
}

static int open_namespace(struct visit *v, struct error *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", v->running.state.init.pid);
	v->ns = open(path, O_RDONLY | O_CLOEXEC);
	if (v->ns < 0 && errno != ENOENT)
		return error_sys(err, "cannot open its network namespace");
	/* Looked at after the opening: then it was init's, and nobody's who has its number since. */
	if (v->ns < 0 || !init_lives(v))
		return error_set(err, EAGAIN, "its init does not run");
	return 0;
}

static int begin(struct visit *v, struct lxcore_container *c, struct error *err)
{
	const struct run_state *state = &v->running.state;

	if (running_find(c, &v->running, err) < 0 || open_namespace(v, err) < 0)
		return -1;
	if (shares(state->init.pid, "net"))
		return error_set(err, EINVAL, "it shares the host's network (lxc.net.0.type = none)");
	/* Its supervisor must find what we do, and an interface must come back to where it was. */
	if (!shares(state->supervisor.pid, "mnt") || !shares(state->supervisor.pid, "net"))
		return error_set(err, EXDEV, "it was started in another network or mount namespace "
				 "than this one");
	v->dir = rundir_path(c->lxcpath, c->name);
	if (!v->dir)
		return error_set(err, ENOMEM, "out of memory");
	if (journal_open(&v->journal, v->running.rundir, err) < 0)
		return -1;
	return netlink_open(&v->nl, err);
}

static struct lender lender_of(struct visit *v)
{
	return (struct lender){.journal = &v->journal, .rundir = v->running.rundir, .dir = v->dir,
			       .ns = v->ns, .nl = &v->nl};
}

static int take_back(struct visit *v, const char *inside, const char *name, struct error *err)
{
	const struct lender lender = lender_of(v);
	struct journal past;
	int result;

	if (!journal_load(&past, v->running.rundir))
		return error_set(err, ENOENT, "its journal cannot be read");
	result = lend_take_back(&lender, &past, inside, name, err);
	journal_close(&past);
	return result;
}

static int check_name(const char *name, struct error *err)
{
	size_t n = strlen(name);

	if (n > 0 && n < IFNAMSIZ && !strpbrk(name, "/:% \t\n") && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0)
		return 0;
	return error_set(err, EINVAL, "\"%.80s\" cannot name an interface%s", name,
			 n >= IFNAMSIZ ? ": it is longer than 15 characters" : "");
}

static int add(struct visit *v, const char *name, const char *inside, struct error *err)
{
	const struct lender lender = lender_of(v);
	const struct lending what = {.link = name, .inside = inside};

	if (lend(&lender, &what, err) < 0)
		return -1;
	if (init_lives(v))
		return 0;
	/* Its supervisor may have been through the journal already. */
	take_back(v, inside, NULL, NULL);
	return error_set(err, ESRCH, "it ended meanwhile");
}

/* What was said before it was found names the container. */
static int said(const struct visit *v, struct lxcore_container *c, int result, struct error *err)
{
	return result == 0 || v->running.rundir < 0 ? result : error_within(err, "%s", c->name);
}

int lxcore_interface_add(lxcore_container *c, const char *name, const char *inside,
			 lxcore_error *err)
{
	autovisit struct visit v = VISIT_INIT;

	if (!inside)
		inside = name;
	if (check_name(name, err) < 0 || check_name(inside, err) < 0)
		return -1;
	return said(&v, c, begin(&v, c, err) < 0 ? -1 : add(&v, name, inside, err), err);
}

int lxcore_interface_remove(lxcore_container *c, const char *inside, const char *name,
			    lxcore_error *err)
{
	autovisit struct visit v = VISIT_INIT;

	if (check_name(inside, err) < 0 || (name && check_name(name, err) < 0))
		return -1;
	return said(&v, c, begin(&v, c, err) < 0 ? -1 : take_back(&v, inside, name, err), err);
}
