/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening a container: a name and a place become a handle, and what a killed command left of it is
 * put right before anything else happens.
 */
#include "base/error.h"
#include "store/store.h"
#include "base/path.h"
#include "config/global.h"
#include "life/events.h"
#include "life/rescue.h"

#include <string.h>

static int find_lxcpath(const char *lxcpath, char **ret, struct error *err)
{
	autofree char *global = NULL;

	if (!lxcpath) {
		if (global_get("lxc.lxcpath", &global, err) < 0)
			return -1;
		lxcpath = global;
	}
	if (!lxcpath || !*lxcpath)
		return error_set(err, EINVAL, "cannot use an empty path for containers (-P)");
	*ret = path_absolute(lxcpath);
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}

char *store_lxcpath(const char *lxcpath, struct error *err)
{
	char *found = NULL;

	return find_lxcpath(lxcpath, &found, err) < 0 ? NULL : found;
}

lxcore_monitor *lxcore_monitor_open(const char *const *lxcpaths, lxcore_error *err)
{
	bool given = lxcpaths && *lxcpaths;
	autostrv struct strv paths = {0};
	size_t i = 0;

	do {
		char *path = store_lxcpath(given ? lxcpaths[i] : NULL, err);

		if (!path)
			return NULL;
		if (strv_take(&paths, path) < 0) {
			error_set(err, ENOMEM, "cannot watch containers: out of memory");
			return NULL;
		}
	} while (given && lxcpaths[++i]);
	return events_listen((const char *const *)paths.v, err);
}

lxcore_container *lxcore_open(const char *lxcpath, const char *name, lxcore_error *err)
{
	lxcore_container *c;

	if (path_check_name(name, err) < 0)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c || find_lxcpath(lxcpath, &c->lxcpath, err) < 0) {
		free(c);
		return NULL;
	}
	c->name = strdup(name);
	c->dir = str_printf("%s/%s", c->lxcpath, name);
	c->config_file = str_printf("%s/%s/config", c->lxcpath, name);
	boot_list_sections(&c->sections);
	c->remove_ephemeral = store_remove_passing;
	if (!c->name || !c->dir || !c->config_file) {
		lxcore_close(c);
		error_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	/* What cannot be put right now is met again, with words, by whoever needs it. */
	rescue(c, NULL);
	store_tidy(c);
	return c;
}

void lxcore_close(lxcore_container *c)
{
	if (!c)
		return;
	conf_free(c->conf);
	free(c->name);
	free(c->lxcpath);
	free(c->dir);
	free(c->config_file);
	free(c->rcfile);
	free(c);
}
