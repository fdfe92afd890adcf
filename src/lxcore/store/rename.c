/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving a container another name.  Its configuration names its directory, and both cannot change at
 * once: the new configuration lies ready in the directory when that gets its new name, and then takes
 * the old one's place.  Whoever comes by in between finishes it, or, before, throws it away.
 */
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "life/events.h"
#include "parts/network/network.h"
#include "parts/rootfs.h"
#include "store/clone.h"
#include "store/graph.h"
#include "store/identity.h"
#include "store/mapped.h"
#include "store/layers.h"

#include <stdio.h>
#include <string.h>

/* The first lines of the file that lies ready: for which directory, and which it was. */
#define READY_FOR "# for "
#define READY_FROM "# from "

static char *ready_path(const char *dir)
{
	return str_printf("%s/" STORE_RENAMED, dir);
}

/* ---- finishing ---- */

/* Storage outside of the directory gets its name last, and may have it already. */
static int rename_storage(lxcore_container *c, struct conf *conf, const char *old, struct error *err)
{
	const char *path = rootfs_conf_of(conf)->path;
	const struct storage_new new = {.name = c->name, .dir = c->dir};
	autofree char *source = NULL, *rootfs = NULL;
	struct storage s;

	if (!path || !rootfs_conf_of(conf)->managed || storage_parse(path, &s, err) < 0)
		return path && rootfs_conf_of(conf)->managed ? -1 : 0;
	if (!s.driver->rename)
		return 0;
	if (s.driver->rename(s.source, &new, &source, err) < 0)
		return error_within(err, "cannot rename its storage (it was %s)", old);
	rootfs = str_printf("%s:%s", s.driver->name, source);
	return rootfs ? conf_set(conf, "lxc.rootfs.path", rootfs, err) :
			error_set(err, ENOMEM, "out of memory");
}

/* Its range of ids is its own under the new name, too. */
static int rename_ids(lxcore_container *c, const char *from, struct error *err)
{
	autofree char *old = str_starts(from, READY_FROM) ?
		strndup(from + strlen(READY_FROM), strcspn(from + strlen(READY_FROM), "\n")) : NULL;

	return old ? idmap_rename(c->lxcpath, old, c->lxcpath, c->name, err) : 0;
}

int rename_tidy(lxcore_container *c, struct error *err)
{
	autofree char *path = ready_path(c->dir), *first = str_printf(READY_FOR "%s\n", c->dir);
	autobuf struct buf text = BUF_INIT;
	struct conf *conf;
	int result;

	if (!path || !first || file_read(AT_FDCWD, path, &text) < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot read \"%s\"", STORE_RENAMED);
	/* The directory never got that name. */
	if (!str_starts(text.s, first))
		return unlink(path) < 0 ? error_sys(err, "cannot remove \"%s\"", path) : 0;
	conf = conf_new(c->sections.v);
	result = conf ? conf_load_text(conf, text.s + strlen(first), c->config_file, err) :
			error_set(err, ENOMEM, "out of memory");
	if (result == 0)
		result = rename_ids(c, text.s + strlen(first), err);
	if (result == 0)
		result = rename_storage(c, conf, c->name, err);
	if (result == 0 && (file_replace(AT_FDCWD, c->config_file, conf_text(conf), 0640) < 0 ||
			    unlink(path) < 0))
		result = error_sys(err, "cannot write \"%s\"", c->config_file);
	conf_free(conf);
	return result;
}

/* ---- beginning ---- */

static int check_rename(lxcore_container *c, const char *name, struct error *err)
{
	autostrv struct strv users = {0};
	struct lxcore_snapshot *all = NULL;
	int n = lxcore_snapshots(c, &all, err);

	if (n < 0 || path_check_name(name, err) < 0)
		return -1;
	lxcore_snapshots_free(all, n);
	if (n) {
		error_set(err, ENOTEMPTY, "cannot rename it: it has %d snapshot%s", n,
			  n == 1 ? "" : "s");
		return error_mend(err, "lxc-copy -n %s -N %s      (a copy), or lxc-snapshot -n %s "
				  "-d ALL      (without its snapshots)", c->name, name, c->name);
	}
	if (graph_users(c->dir, &users) < 0)
		return error_sys(err, "cannot read who needs it");
	if (users.n)
		return error_set(err, ENOTEMPTY, "cannot rename it: \"%s\"%s was cloned from it",
				 users.v[0], users.n > 1 ? ", among others," : "");
	return 0;
}

/* What the configuration will be, as text. */
static int make_ready(struct clone *k, struct error *err)
{
	autofree char *path = ready_path(k->from->dir);
	autofree char *text = NULL;

	if (clone_conf_make(k, err) < 0)
		return -1;
	text = str_printf(READY_FOR "%s\n" READY_FROM "%s\n%s", k->to->dir, k->from->name,
			  conf_text(k->to->conf));
	if (!path || !text || file_replace(AT_FDCWD, path, text, 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", path ? path : STORE_RENAMED);
	return 0;
}

static int move_directory(struct clone *k, struct error *err)
{
	if (renameat2(AT_FDCWD, k->from->dir, AT_FDCWD, k->to->dir, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EEXIST)
		return error_sys(err, "cannot rename \"%s\" to \"%s\"", k->from->dir, k->to->dir);
	error_set(err, EEXIST, "cannot rename it to %s: there is one of that name already",
		  k->to->name);
	return error_mend(err, "use another name, or lxc-destroy -n %s", k->to->name);
}

/* The containers in which its contents lie hear of the new name before it has it. */
static int tell_owners(struct clone *k, struct error *err)
{
	autostrv struct strv owners = {0};

	if (graph_owners(k->from->dir, &owners) < 0)
		return error_sys(err, "cannot read whom it needs");
	return graph_tell_owners(&owners, k->to->dir, err);
}

struct renamed {
	struct clone *k;
	const char *old;
};

/* Only what a person sees of the name; a failure changes nothing about the container. */
static int rename_files(void *data, struct error *err)
{
	const struct renamed *r = data;
	const char *path = rootfs_conf_of(r->k->to->conf)->path;
	autoclose int root = -1;
	struct storage s;
	int result;

	if (!path || storage_parse(path, &s, err) < 0)
		return path ? -1 : 0;
	root = s.driver->look(s.source, err);
	result = root < 0 ? -1 : identity_rename(root, r->old, r->k->to->name, err);
	close_fd(&root);
	return result == 0 && s.driver->disconnect ? s.driver->disconnect(s.source, err) : result;
}

static int rename_inside(struct clone *k, const char *old, struct error *err)
{
	struct renamed r = {k, old};

	return mapped_do(rename_files, &r, err);
}

static int rename_held(struct clone *k, struct error *err)
{
	autofree char *ready = ready_path(k->from->dir);
	struct conf *old = container_conf(k->from, err);
	autobuf struct buf name = BUF_INIT;

	if (!old || conf_get(old, "lxc.uts.name", &name, err) < 0 ||
	    check_rename(k->from, k->to->name, err) < 0 || make_ready(k, err) < 0)
		return -1;
	if (tell_owners(k, err) < 0 || move_directory(k, err) < 0) {
		if (ready)
			unlink(ready);
		return -1;
	}
	network_forget(k->from->lxcpath, k->from->name);
	rundir_forget_exit(k->from->lxcpath, k->from->name);
	if (rename_tidy(k->to, err) < 0)
		return -1;
	conf_free(steal_ptr(&k->to->conf));
	return container_conf(k->to, err) ?
		       rename_inside(k, name.len ? name.s : k->from->name, err) : -1;
}

/* The handle is the new one's. */
static void take_over(lxcore_container *c, lxcore_container *other)
{
	lxcore_container old = *c;

	*c = *other;
	*other = old;
}

/* Neither name may be started meanwhile, and nobody else finishes what goes on. */
static int rename_locked(struct clone *k, struct error *err)
{
	autohold struct hold hold = HOLD_INIT;
	autoclose int lock = -1, rundir = -1;
	int result;

	if (hold_take(k->from, HOLD_ALONE, &hold, err) < 0 || hold_stopped(&hold, err) < 0)
		return -1;
	rundir = rundir_lock(k->to->lxcpath, k->to->name, 0, &lock, err);
	if (rundir < 0)
		return error_within(err, "%s", k->to->name);
	result = rename_held(k, err);
	rundir_remove(k->to->lxcpath, k->to->name, rundir);
	return result;
}

int lxcore_rename(lxcore_container *c, const char *name, lxcore_error *err)
{
	const struct lxcore_copy how = {.size = sizeof(how), .keep_mac = true};
	lxcore_container *to = lxcore_open(c->lxcpath, name, err);
	struct clone k = {.from = c, .to = to, .how = &how, .home = strdup(c->dir)};
	int result = to && k.home ? rename_locked(&k, err) : -1;

	free(k.home);
	if (result == 0)
		events_tell(c->lxcpath, c->name, LXCORE_EVENT_RENAME, name);
	if (result < 0)
		error_within(err, "%s", c->name);
	else
		take_over(c, to);
	lxcore_close(to);
	return result;
}
