/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a container out of another one, from the first check to the last mark; see clone.h. */
#include "store/clone.h"
#include "base/error.h"
#include "base/fd.h"
#include "parts/rootfs.h"
#include "store/first.h"
#include "store/graph.h"
#include "store/layers.h"
#include "store/still.h"

#include <string.h>

static int check_source(struct clone *k, struct error *err)
{
	bool locked;

	if (store_is_partial(k->from, &locked) && locked)
		return error_set(err, EBUSY, "another command is creating it");
	k->running = lxcore_state(k->from) != LXCORE_STOPPED;
	if (!k->running || k->how->allow_running)
		return 0;
	error_set(err, EBUSY, "cannot copy it: it is running");
	return error_mend(err, "lxc-stop -n %s, or copy it as it runs (-a)", k->from->name);
}

/* A snapshot's configuration names files of the container whose it is. */
static char *home_of(const struct lxcore_container *c)
{
	return str_ends(c->lxcpath, "/snaps") ?
		       strndup(c->lxcpath, strlen(c->lxcpath) - strlen("/snaps")) : strdup(c->dir);
}

/* Layers do not change any more from here on, and what they are is known. */
static int seal_source(struct clone *k, struct error *err)
{
	struct conf *conf;

	if (k->way != WAY_LAYERS)
		return 0;
	/* A copy of its own layer will lie beside that: nobody else may choose the same name. */
	if (k->running)
		return k->same ? hold_change(&k->hold, HOLD_ALONE, err) : 0;
	if (layers_seal(&k->hold, err) < 0)
		return -1;
	conf = container_conf(k->from, err);
	free(k->text);
	k->text = conf ? strdup(rootfs_conf_of(conf)->path) : NULL;
	return k->text ? storage_parse(k->text, &k->source, err) : -1;
}

/* ---- who needs whom ---- */

static int find_owners(struct clone *k, struct strv *owners, struct error *err)
{
	autooverlay struct overlay o = {0};

	if (k->way == WAY_LAYERS) {
		if (overlay_parse(k->place, &o, err) < 0)
			return -1;
		return graph_owners_of_layers(&o.lower, k->to->dir, owners);
	}
	if (k->way == WAY_DRIVER && k->driver->depends &&
	    k->driver->depends(k->source.source))
		return strv_add(owners, k->home);
	return 0;
}

/* What lies in the container itself needs nobody else. */
static void leave_out(struct strv *owners, const char *dir)
{
	size_t n = strlen(dir);

	for (size_t i = owners->n; i-- > 0;)
		if (strncmp(owners->v[i], dir, n) == 0 && (!owners->v[i][n] || owners->v[i][n] == '/'))
			strv_remove(owners, i);
}

static int write_dependence(struct clone *k, struct error *err)
{
	autostrv struct strv owners = {0};
	autofree char *to_home = home_of(k->to);

	if (!k->driver)
		return 0;
	if (!to_home || find_owners(k, &owners, err) < 0)
		return error_set(err, ENOMEM, "out of memory");
	leave_out(&owners, to_home);
	if (graph_tell_owners(&owners, k->to->dir, err) < 0)
		return -1;
	return graph_write_owners(&owners, k->to->dir, err);
}

/* ---- the steps ---- */

static int choose_place(struct clone *k, struct error *err)
{
	autofree char *rootfs = NULL;

	if (!k->driver)
		return 0;
	if (contents_place(k, err) < 0)
		return -1;
	rootfs = str_printf("%s:%s", k->driver->name, k->place);
	if (!rootfs || conf_set(k->to->conf, "lxc.rootfs.path", rootfs, err) < 0)
		return -1;
	return birth_makes(&k->birth, rootfs, err);
}

static int write_conf(struct clone *k, struct error *err)
{
	if (file_replace(AT_FDCWD, k->to->config_file, conf_text(k->to->conf), 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", k->to->config_file);
	return 0;
}

static int make_contents(void *data, struct error *err)
{
	return contents_make(data, err);
}

/* lxc.idmap = auto: a clone has ids of its own; a snapshot has those of its container. */
static int claim_ids(struct clone *k, struct error *err)
{
	const char *name = strrchr(k->home, '/') + 1;
	autofree char *lxcpath = strndup(k->home, (size_t)(name - k->home) - 1);
	struct conf *from = container_conf(k->from, err);

	if (!lxcpath)
		return error_set(err, ENOMEM, "out of memory");
	if (!from || idmap_claim(from, lxcpath, name, err) < 0)
		return -1;
	return k->same ? idmap_claim(k->to->conf, lxcpath, name, err) :
			 idmap_claim(k->to->conf, k->to->lxcpath, k->to->name, err);
}

static int fill(struct clone *k, struct error *err)
{
	if (clone_conf_make(k, err) < 0 || claim_ids(k, err) < 0 || choose_place(k, err) < 0 ||
	    write_conf(k, err) < 0 || write_dependence(k, err) < 0 ||
	    still_do(k->from, make_contents, k, &k->done.pause_us, err) < 0)
		return -1;
	/* A copy is still what was created, with what changed since. */
	if (!k->same && (first_take_along(k->home, k->to->dir, err) < 0 ||
			 clone_conf_files(k, err) < 0 || clone_identity(k, err) < 0))
		return -1;
	return k->last ? k->last(k, err) : 0;
}

/* Devices that were connected for us; those of a running container are its supervisor's. */
static int give_back(struct clone *k, struct error *err)
{
	const struct storage_driver *d = k->source.driver;

	if (k->driver && k->driver->disconnect && k->driver->disconnect(k->place, err) < 0)
		return -1;
	return d && d->disconnect && !k->running ? d->disconnect(k->source.source, err) : 0;
}

static int born(struct clone *k, struct error *err)
{
	if (birth_begin(k->to, &k->birth, err) < 0)
		return error_within(err, "%s", k->to->name);
	if (fill(k, err) == 0 && give_back(k, err) == 0)
		return birth_finish(&k->birth, err);
	birth_abandon(&k->birth);
	return -1;
}

static void clean_up(struct clone *k)
{
	hold_release(&k->hold);
	free(steal_ptr(&k->home));
	free(steal_ptr(&k->text));
	free(steal_ptr(&k->place));
	free(steal_ptr(&k->layer));
}

int clone_make(struct clone *k, struct error *err)
{
	int result = -1;

	k->hold = (struct hold)HOLD_INIT;
	k->home = home_of(k->from);
	if (!k->home)
		return error_set(err, ENOMEM, "out of memory");
	if (hold_take(k->from, HOLD_SHARED, &k->hold, err) == 0 && check_source(k, err) == 0 &&
	    contents_plan(k, err) == 0 && seal_source(k, err) == 0)
		result = born(k, err);
	clean_up(k);
	return result;
}
