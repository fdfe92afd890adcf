/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which cgroup hierarchies this host has, and below which of their directories containers go.
 *
 * /proc/PID/cgroup names every hierarchy of the kernel and the place of the process in it; what is
 * mounted below /sys/fs/cgroup under the usual names is what can be used.  So one small read tells
 * all; /proc/self/mountinfo, thousands of lines on a busy host, is not needed.  A v2 hierarchy on
 * /sys/fs/cgroup itself is the unified layout, whatever v1 hierarchies the kernel may have besides.
 */
#include "parts/cgroup/room.h"

#include "base/buf.h"
#include "base/fd.h"
#include "config/global.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

static bool is_filesystem(const char *path, long magic)
{
	struct statfs s;

	return statfs(path, &s) == 0 && (long)s.f_type == magic;
}

bool cgroup_lists(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (*(list += strspn(list, ", \t\n"))) {
		size_t length = strcspn(list, ", \t\n");

		if (length == n && strncmp(list, word, n) == 0)
			return true;
		list += length;
	}
	return false;
}

static bool try_dir(struct cgroup_hierarchy *h, const char *dir)
{
	char path[128];

	if ((size_t)snprintf(h->dir, sizeof(h->dir), "%s", dir) >= sizeof(h->dir))
		return false;
	snprintf(path, sizeof(path), CGROUP_ROOT "/%s", h->dir);
	return is_filesystem(path, CGROUP_SUPER_MAGIC);
}

/* The kernel lists 'cpuacct,cpu' where the directory is called 'cpu,cpuacct', or just 'cpu'. */
static bool find_v1_dir(struct cgroup_hierarchy *h)
{
	autostrv struct strv names = {0};
	char both[64];

	if (str_starts(h->controllers, "name="))
		return try_dir(h, h->controllers + 5);
	if (try_dir(h, h->controllers))
		return true;
	if (!strchr(h->controllers, ',') || strv_split(&names, h->controllers, ",") < 0)
		return false;
	snprintf(both, sizeof(both), "%s,%s", names.v[names.n - 1], names.v[0]);
	if (names.n == 2 && try_dir(h, both))
		return true;
	for (size_t i = 0; i < names.n; i++)
		if (try_dir(h, names.v[i]))
			return true;
	return false;
}

static bool is_wanted(const char *controllers, const char *use)
{
	autostrv struct strv names = {0};

	if (!use || cgroup_lists(use, "@all") || strv_split(&names, controllers, ",") < 0)
		return true;
	for (size_t i = 0; i < names.n; i++)
		if (cgroup_lists(use, names.v[i]) ||
		    (str_starts(names.v[i], "name=") && cgroup_lists(use, names.v[i] + 5)))
			return true;
	return false;
}

/* "ID:CONTROLLERS:/PATH" (cgroups(7)); true when the hierarchy can be used. */
static bool read_line(struct cgroup_layout *l, char *line, const char *use,
		      struct cgroup_hierarchy *ret)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return false;
	*controllers++ = *path++ = '\0';
	*ret = (struct cgroup_hierarchy){.controllers = controllers, .base = path + (*path == '/')};
	if (*controllers)
		return !l->unified && is_wanted(controllers, use) && find_v1_dir(ret);
	ret->v2 = true;
	strcpy(ret->dir, l->unified ? "" : "unified");
	return l->unified || is_filesystem(CGROUP_ROOT "/unified", CGROUP2_SUPER_MAGIC);
}

/* systemd keeps itself in a leaf of its own; containers go beside that, not into it. */
static void leave_init_scope(struct cgroup_layout *l)
{
	for (size_t i = 0; i < l->n; i++) {
		char *base = (char *)l->v[i].base;
		size_t n = strlen(base);

		l->v[i].init_scope = true;
		if (strcmp(base, "init.scope") == 0)
			*base = '\0';
		else if (str_ends(base, "/init.scope"))
			base[n - strlen("/init.scope")] = '\0';
		else
			l->v[i].init_scope = false;
	}
}

static int read_text(struct cgroup_layout *l, const char *file, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (file_read(AT_FDCWD, file, &text) < 0)
		return error_sys(err, "cannot read \"%s\"", file);
	l->text = buf_steal(&text);
	return l->text ? 0 : error_set(err, ENOMEM, "cannot read \"%s\": out of memory", file);
}

static void read_lines(struct cgroup_layout *l, const char *use)
{
	char *rest = l->text, *line;

	while ((line = strsep(&rest, "\n")) && l->n < CGROUP_MAX)
		if (read_line(l, line, use, &l->v[l->n]))
			l->n++;
}

int cgroup_layout_read_process(struct cgroup_layout *l, pid_t pid, struct error *err)
{
	autofree char *file = str_printf("/proc/%d/cgroup", pid);

	*l = (struct cgroup_layout){.unified = is_filesystem(CGROUP_ROOT, CGROUP2_SUPER_MAGIC)};
	if (!file || read_text(l, file, err) < 0)
		return -1;
	read_lines(l, NULL);
	return 0;
}

int cgroup_layout_read(struct cgroup_layout *l, enum cgroup_whose whose, const char *use,
		       struct error *err)
{
	*l = (struct cgroup_layout){.unified = is_filesystem(CGROUP_ROOT, CGROUP2_SUPER_MAGIC)};
	/* A process of another cgroup namespace shows as "/.." or "/../x": out of our reach. */
	if (whose == CGROUP_OF_INIT && (read_text(l, "/proc/1/cgroup", NULL) < 0 ||
					strstr(l->text, ":/.."))) {
		free(steal_ptr(&l->text));
		whose = CGROUP_OF_SELF;
	}
	if (!l->text && read_text(l, "/proc/self/cgroup", err) < 0)
		return -1;
	read_lines(l, use);
	return 0;
}

int cgroup_layout_of(struct cgroup_layout *l, const struct cgroup_conf *c, struct error *err)
{
	enum cgroup_whose whose = geteuid() || c->relative ? CGROUP_OF_SELF : CGROUP_OF_INIT;
	autofree char *use = NULL;

	if (global_get("lxc.cgroup.use", &use, err) < 0 ||
	    cgroup_layout_read(l, whose, use, err) < 0)
		return -1;
	leave_init_scope(l);
	cgroup_scope_leave_leaf(l);
	if (l->n)
		return 0;
	error_set(err, ENOENT, "cannot find cgroups: no hierarchy is mounted below " CGROUP_ROOT);
	return error_mend(err, "mount -t cgroup2 none " CGROUP_ROOT);
}

void cgroup_layout_free(struct cgroup_layout *l)
{
	free(steal_ptr(&l->text));
	l->n = 0;
}

char *cgroup_path(const struct cgroup_hierarchy *h, const char *tail)
{
	return str_printf(CGROUP_ROOT "%s%s%s%s%s%s", *h->dir ? "/" : "", h->dir,
			  *h->base ? "/" : "", h->base, *tail ? "/" : "", tail);
}

int cgroup_layout_roots(const struct cgroup_layout *l, struct cgroup_running *ret,
			struct strv *owner)
{
	*ret = (struct cgroup_running){0};
	for (size_t i = 0; i < l->n; i++) {
		const struct cgroup_hierarchy *h = &l->v[i];
		char *path = str_printf(CGROUP_ROOT "%s%s", *h->dir ? "/" : "", h->dir);

		if (strv_take(owner, path) < 0)
			return -1;
		if (h->v2)
			ret->v2 = path;
		else
			ret->v1[ret->n_v1++] = path;
	}
	return 0;
}
