/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks at the moments of a container on disk: what they change in its configuration is kept. */
#include "base/error.h"
#include "store/store.h"
#include "base/fd.h"
#include "parts/hooks.h"
#include "parts/idmap.h"

int store_run_hooks(struct lxcore_container *c, enum hook_moment moment,
		    const struct store_moment *m, struct error *err)
{
	struct conf *conf = container_conf(c, err);
	const bool may_change = moment == HOOK_CREATE || moment == HOOK_CLONE;
	bool changed = false;
	struct hook_call call = {
		.conf = conf, .name = c->name, .lxcpath = c->lxcpath, .env = m ? m->env : NULL,
		.args = m ? m->args : NULL, .root = m ? m->root : NULL,
		.state = lxcore_state_name(lxcore_state(c)), .change = may_change ? conf : NULL,
		.keep = true, .ret_changed = &changed,
	};

	/* It is locked for this, which looks like a start. */
	if (may_change || moment == HOOK_DESTROY)
		call.state = lxcore_state_name(LXCORE_STOPPED);
	call.pid = moment == HOOK_SNAPSHOT || moment == HOOK_READY ? lxcore_init_pid(c) : 0;
	/* With lxc.idmap = auto its files are of ids that are known by now. */
	if (conf)
		idmap_look(conf, c->lxcpath, c->name, NULL);
	if (!conf || hooks_run(moment, &call, err) < 0)
		return -1;
	if (!changed)
		return 0;
	if (file_replace(AT_FDCWD, c->config_file, conf_text(conf), 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", c->config_file);
	return lxcore_load(c, NULL, err);
}
