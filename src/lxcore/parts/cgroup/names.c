/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the cgroups of a container are called: lxc.payload.NAME, unless the container's own keys
 * (lxc.cgroup.dir...) or the host's lxc.conf (lxc.cgroup.pattern) say otherwise.
 */
#include "parts/cgroup/room.h"

#include "base/buf.h"
#include "config/global.h"

#include <string.h>

bool cgroup_stays_inside(const char *path)
{
	if (!*path || *path == '/' || strchr(path, '\n'))
		return false;
	while (*path) {
		size_t n = strcspn(path, "/");

		if ((n == 1 && path[0] == '.') || (n == 2 && strncmp(path, "..", 2) == 0))
			return false;
		path += n + strspn(path + n, "/");
	}
	return true;
}

/* "%n" is the container's name; slashes around are cut, as the pattern is below the base. */
static char *expand(const char *pattern, const char *name, const char *tail)
{
	autobuf struct buf out = BUF_INIT;

	for (pattern += strspn(pattern, "/"); *pattern; pattern++) {
		if (pattern[0] == '%' && pattern[1] == 'n') {
			buf_puts(&out, name);
			pattern++;
		} else if (pattern[0] != '/' || (pattern[1] && pattern[1] != '/')) {
			buf_add(&out, pattern, 1);
		}
	}
	buf_addf(&out, "%s%s", out.len ? "/" : "", tail);
	return buf_steal(&out);
}

int cgroup_names_of(struct cgroup_names *ret, const struct cgroup_conf *c, const char *name,
		    struct error *err)
{
	autofree char *pattern = NULL;

	if (global_get("lxc.cgroup.pattern", &pattern, err) < 0)
		return -1;
	*ret = (struct cgroup_names){.monitor = c->dir_monitor, .pivot = c->dir_pivot};
	if (c->dir_container) {
		ret->exact = true;
		ret->inner = c->dir_inner;
		ret->payload = strdup(c->dir_container);
	} else if (c->dir) {
		ret->payload = str_printf("%s/lxc.payload.%s", c->dir, name);
	} else if (pattern && *pattern) {
		ret->payload = expand(pattern, name, "lxc.payload");
	} else {
		ret->payload = str_printf("lxc.payload.%s", name);
	}
	if (!ret->payload)
		return error_set(err, ENOMEM, "cannot name the cgroup: out of memory");
	if (cgroup_stays_inside(ret->payload))
		return 0;
	error_set(err, EINVAL, "cannot use the cgroup name \"%s\": it leads out of its hierarchy "
		  "(lxc.cgroup.pattern, lxc.conf)", ret->payload);
	free(steal_ptr(&ret->payload));
	return -1;
}
