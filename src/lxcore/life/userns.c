/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands in a user namespace that maps ids of one's choice, without a container around them. */
#include "base/error.h"
#include "lxcore.h"
#include "base/auto.h"
#include "base/proc.h"
#include "parts/idmap.h"

#include <string.h>

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "cannot keep the id maps: out of memory");
}

static int make_maps(const struct lxcore_userns *how, struct idmaps *ret, struct error *err)
{
	autoidmaps struct idmaps given = {0};
	uid_t uid;
	gid_t gid;

	if (!how->n_maps && idmaps_first(&given, err) < 0)
		return -1;
	for (size_t i = 0; i < how->n_maps; i++) {
		const struct lxcore_idmap *m = &how->maps[i];

		if (m->kind != 'u' && m->kind != 'g')
			return error_set(err, EINVAL, "'%c' is neither u nor g", m->kind);
		if (idmaps_add(&given, m->kind, m->inside, m->outside, m->count) < 0)
			return no_memory(err);
	}
	if (!how->map_self) {
		*ret = given;
		given = (struct idmaps){0};
		return 0;
	}
	return idmaps_with_caller(&given, ret, &uid, &gid) < 0 ? no_memory(err) : 0;
}

static int run_command(void *data, struct error *err)
{
	static const char *const shell[] = {"/bin/sh", NULL};
	const struct lxcore_userns *how = data;
	const struct proc_run run = {
		.argv = how->command ? how->command : shell,
		.own_output = true, .own_input = true, .dies_with_us = true,
	};

	return proc_run(&run, NULL, err);
}

static int check_id(const struct idmaps *maps, char kind, unsigned long id, struct error *err)
{
	unsigned long host;

	if (idmap_to_host(maps, kind, id, &host))
		return 0;
	error_set(err, EINVAL, "cannot become %s %lu: no id of the host stands for it",
		  kind == 'u' ? "user" : "group", id);
	return error_mend(err, "add a map: %c:%lu:HOST:1", kind, id);
}

int lxcore_userns_run(const struct lxcore_userns *how, int *ret_status, lxcore_error *err)
{
	autoidmaps struct idmaps maps = {0};
	const struct idmap_call call = {
		.maps = &maps, .uid = how->uid, .gid = how->gid, .mounts = true,
		.act = run_command, .data = (void *)how,
	};
	int status;

	if (make_maps(how, &maps, err) < 0 || check_id(&maps, 'u', how->uid, err) < 0 ||
	    check_id(&maps, 'g', how->gid, err) < 0)
		return -1;
	status = idmap_do(&call, err);
	if (status < 0)
		return -1;
	if (ret_status)
		*ret_status = status;
	return 0;
}
