/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing the limits of a container, while it runs and in its configuration: all of it, or nothing.
 *
 * What cannot be is told before anything is changed.  Then the limits are put into force, then written
 * where a reboot takes its configuration from, then kept; when one of these fails, those before it are
 * undone.
 */
#include "base/error.h"
#include "base/fd.h"
#include "parts/cgroup/cgroup.h"
#include "parts/rootfs_disk.h"
#include "store/hold.h"

#include <string.h>

struct update {
	struct lxcore_container *c;
	const struct lxcore_update *how;
	struct running running;  /* rundir -1: it is stopped */
	struct conf *now, *then; /* what it runs with, and will */
	struct conf *was;        /* its configuration, as it is on the disk */
	struct journal journal;
	struct cgroup_running at;
	struct cgroup_undo undo;
	bool named;              /* the error says whose it is already */
};

static void update_free(struct update *u)
{
	running_close(&u->running);
	conf_free(u->now);
	conf_free(u->then);
	conf_free(u->was);
	journal_close(&u->journal);
	cgroup_undo_free(&u->undo);
}
#define autoupdate __attribute__((cleanup(update_free)))

static int set_all(struct conf *conf, const struct lxcore_update *how, struct error *err)
{
	for (const char *const *s = how->settings; s && *s; s++) {
		const char *equals = strchr(*s, '=');
		autofree char *key = equals ? strndup(*s, (size_t)(equals - *s)) : NULL;

		if (!equals)
			return error_set(err, EINVAL, "\"%.80s\" is not KEY=VALUE", *s);
		if (!key)
			return error_set(err, ENOMEM, "out of memory");
		if (cgroup_put_limit(conf, key, equals + 1, err) < 0)
			return -1;
	}
	return 0;
}

/* The new settings in its configuration, which is not written yet. */
static int prepare_kept(struct update *u, struct error *err)
{
	struct conf *conf = container_conf(u->c, err);

	u->was = conf ? conf_new(u->c->sections.v) : NULL;
	if (!u->was || conf_load_text(u->was, conf_text(conf), conf_file(conf), err) < 0 ||
	    set_all(conf, u->how, err) < 0 || cgroup_check_limits(conf, u->c->name, err) < 0)
		return -1;
	return rootfs_disk_check(conf, err);
}

static int prepare_running(struct update *u, struct error *err)
{
	enum lxcore_state state = u->running.state.state;

	if (state != LXCORE_RUNNING && state != LXCORE_FROZEN)
		return error_set(err, EBUSY, "it is %s: try again when it runs",
				 lxcore_state_name(state));
	u->now = container_running_conf(u->c, u->running.rundir, err);
	u->then = u->now ? container_running_conf(u->c, u->running.rundir, err) : NULL;
	if (!u->then || set_all(u->then, u->how, err) < 0 ||
	    cgroup_check_limits(u->then, u->c->name, err) < 0 ||
	    rootfs_disk_check(u->then, err) < 0)
		return -1;
	return running_cgroups(&u->running, &u->journal, &u->at, err);
}

/* ---- what a reboot takes its configuration from ---- */

static int write_text(int rundir, const char *file, const struct conf *conf, struct error *err)
{
	if (file_replace(rundir, file, conf_text(conf), 0600) == 0)
		return 0;
	return error_sys(err, "cannot write the configuration that it runs with");
}

/* Where a hook changed it for this boot, what was before that is changed as well. */
static int write_running(struct update *u, struct error *err)
{
	int rundir = u->running.rundir;
	autobuf struct buf text = BUF_INIT;
	struct conf *written;
	int result;

	if (file_replace(rundir, RUNDIR_UPDATED, "", 0600) < 0)
		return error_sys(err, "cannot write the run directory");
	if (write_text(rundir, RUNDIR_CONFIG, u->then, err) < 0)
		return -1;
	if (file_read(rundir, RUNDIR_CONFIG_WRITTEN, &text) < 0)
		return 0;
	written = conf_new(u->c->sections.v);
	result = !written ? error_set(err, ENOMEM, "out of memory") :
		 conf_load_text(written, text.s, RUNDIR_CONFIG_WRITTEN, err) < 0 ||
		 set_all(written, u->how, err) < 0 ? -1 :
		 write_text(rundir, RUNDIR_CONFIG_WRITTEN, written, err);
	conf_free(written);
	if (result < 0)
		write_text(rundir, RUNDIR_CONFIG, u->now, NULL);
	return result;
}

/* ---- all together ---- */

static int apply(struct update *u, struct error *err)
{
	struct error why = {0};

	u->undo.rundir = u->running.rundir;
	u->undo.name = u->c->name;
	if (cgroup_change_limits(&u->at, u->now, u->then, &u->undo, err) < 0)
		return -1;
	if (write_running(u, err) == 0)
		return 0;
	cgroup_undo_limits(&u->at, &u->undo, &why);
	return -1;
}

/* It lies beside what runs, so that it is changed whether anything does. */
static int change_disk(struct update *u, bool back, struct error *err)
{
	bool running = u->running.rundir >= 0;
	const struct conf *from = running ? u->now : u->was, *to = running ? u->then : u->c->conf;

	return rootfs_disk_change(back ? to : from, back ? from : to, running, err);
}

static void take_back(struct update *u)
{
	change_disk(u, true, NULL);
	if (u->running.rundir < 0)
		return;
	cgroup_undo_limits(&u->at, &u->undo, NULL);
	write_text(u->running.rundir, RUNDIR_CONFIG, u->now, NULL);
}

static int update(struct update *u, struct error *err)
{
	if (!u->how->runtime && prepare_kept(u, err) < 0)
		return -1;
	if (u->running.rundir >= 0 && (prepare_running(u, err) < 0 || apply(u, err) < 0))
		return -1;
	if (change_disk(u, false, err) < 0) {
		take_back(u);
		return -1;
	}
	if (u->how->runtime || lxcore_save(u->c, NULL, err) == 0)
		return 0;
	u->named = true;
	take_back(u);
	return -1;
}

/* It runs and stays so, or it is stopped and cannot be started meanwhile. */
static int find(struct update *u, struct hold *h, struct error *err)
{
	struct error why = {0};

	if (running_find(u->c, &u->running, &why) == 0)
		return 0;
	if (why.code != ESRCH || u->how->runtime) {
		u->named = true;
		if (err)
			*err = why;
		return -1;
	}
	if (hold_stopped(h, err) == 0)
		return 0;
	/* It was started just now. */
	error_clear(err);
	if (running_find(u->c, &u->running, err) == 0)
		return 0;
	u->named = true;
	return -1;
}

int lxcore_update(lxcore_container *c, const struct lxcore_update *how, lxcore_error *err)
{
	autohold struct hold h = HOLD_INIT;
	autoupdate struct update u = {
		.c = c, .how = how, .running = {.rundir = -1, .init_pidfd = -1}, .journal = {.fd = -1},
	};
	int result = -1;

	if ((how->runtime && !lxcore_is_defined(c)) || hold_take(c, HOLD_ALONE, &h, err) == 0)
		result = find(&u, &h, err);
	if (result == 0)
		result = update(&u, err);
	/* What was set and not kept is no part of this handle's configuration. */
	if (result < 0 && !c->rcfile) {
		conf_free(c->conf);
		c->conf = NULL;
	}
	return result < 0 && !u.named ? error_within(err, "%s", c->name) : result;
}
