/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of a running container; see inside.h. */
#include "store/inside.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"

static int not_now(const struct lxcore_container *c, enum lxcore_state state, struct error *err)
{
	error_set(err, EBUSY, "it is neither up nor stopped (%s)", lxcore_state_name(state));
	return error_mend(err, "lxc-wait -n %s -s 'RUNNING|STOPPED'", c->name);
}

/* Its first process has the host's root until it is RUNNING. */
static bool is_up(enum lxcore_state state)
{
	return state == LXCORE_RUNNING || state == LXCORE_FREEZING || state == LXCORE_FROZEN ||
	       state == LXCORE_THAWED;
}

static int root_of_init(const struct running *r, struct error *err)
{
	autofree char *path = str_printf("/proc/%d/root", r->state.init.pid);
	autoclose int root = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	struct run_state now;

	if (root < 0)
		return error_sys(err, "cannot open the root of its init");
	/* It is that process's if it still lives, and the container's if that did not begin anew. */
	if (r->init_pidfd < 0 || proc_wait_end(r->init_pidfd, 0) == 1 ||
	    !rundir_read_state(r->rundir, &now) || !is_up(now.state) || now.boot != r->state.boot)
		return error_set(err, ESRCH, "it has just ended");
	return steal_fd(&root);
}

int inside_open(struct lxcore_container *c, struct conf **ret_conf, struct error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	int root;

	if (running_find(c, &r, err) < 0)
		return -1;
	if (!is_up(r.state.state))
		return not_now(c, r.state.state, err);
	*ret_conf = container_running_conf(c, r.rundir, err);
	if (!*ret_conf)
		return -1;
	root = root_of_init(&r, err);
	if (root < 0) {
		conf_free(*ret_conf);
		*ret_conf = NULL;
	}
	return root;
}
