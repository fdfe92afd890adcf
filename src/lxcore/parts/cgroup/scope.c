/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A cgroup for an ordinary user's container, from the one who has some to give: the user's systemd.
 *
 * A login session's cgroup is root's, so nothing can be made below it; and what lies in the user's
 * own part of the tree belongs to the user's systemd, which must be asked for a piece of it to be
 * divided (org.freedesktop.systemd1(5): StartTransientUnit with Delegate=).  The piece is a scope
 * with the launcher in it, of which the supervisor is born.  systemd removes it, with all below,
 * when its last process has ended, so there is nothing to be journaled.
 *
 * In a cgroup that distributes controllers there may be no process (cgroups(7)), so they live one
 * below, the supervisor in LEAF and the container beside it.
 *
 * For the same reason a command that is attached from a session cannot be born in the container's
 * cgroup: then systemd is asked to put it there (AttachProcessesToUnit).
 */
#include "parts/cgroup/room.h"

#include "base/bus.h"
#include "base/fd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define LEAF "supervisor"
#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_FACE MANAGER ".Manager"
#define PATIENCE_MS 5000
#define MOST_NAMES 99 /* lxc-NAME.scope to lxc-NAME-98.scope: of other paths, or on their way out */

/* ---- whether ---- */

static const struct cgroup_hierarchy *v2_of(const struct cgroup_layout *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].v2)
			return &l->v[i];
	return NULL;
}

/* systemd's mark on what may be divided by others; user.* attributes have it where it may not set
 * trusted.* ones. */
static bool is_delegated(const char *path)
{
	static const char *const marks[] = {"user.delegate", "trusted.delegate"};
	char value[2];

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (getxattr(path, marks[i], value, sizeof(value)) == 1 && *value == '1')
			return true;
	return false;
}

bool cgroup_scope_is_wanted(const struct conf *conf, bool foreground)
{
	const struct cgroup_conf *c = conf_of(conf, &cgroup_section);
	autolayout struct cgroup_layout l = {0};
	const struct cgroup_hierarchy *v2;
	autofree char *own = NULL;

	if (geteuid() == 0 || c->relative || cgroup_layout_of(&l, c, NULL) < 0)
		return false;
	v2 = v2_of(&l);
	own = v2 ? cgroup_path(v2, "") : NULL;
	if (!own)
		return false;
	if (access(own, W_OK) < 0)
		return true;
	/* A unit that is the user's but not for dividing.  In the foreground it is meant, as it
	 * is: its manager ends the container with the unit. */
	return !foreground && strstr(own, ".service/") && !is_delegated(own);
}

/* ---- asking ---- */

/* A bus without systemd on it - one that a program made for itself - is not the one that is
 * meant. */
static int reach_at(struct bus *b, const char *address, struct error *err)
{
	static const struct bus_call ping = {
		MANAGER, MANAGER_PATH, "org.freedesktop.DBus.Peer", "Ping", "", NULL,
	};
	automessage struct bus_message m = {0};

	if (bus_open(b, address, PATIENCE_MS, err) < 0)
		return -1;
	if (bus_call(b, &ping, &m, err) == 0)
		return 0;
	bus_close(b);
	return -1;
}

/* Where the user's own bus is said to be, then where it usually is. */
static int reach_manager(struct bus *b, struct error *err)
{
	const char *told = secure_getenv("DBUS_SESSION_BUS_ADDRESS");
	const char *dir = secure_getenv("XDG_RUNTIME_DIR");
	autofree char *in_dir = dir && *dir == '/' ? str_printf("unix:path=%s/bus", dir) : NULL;
	autofree char *usual = str_printf("unix:path=/run/user/%u/bus", (unsigned)geteuid());

	*b = BUS_CLOSED;
	if (told && *told && reach_at(b, told, err) == 0)
		return 0;
	if (in_dir && reach_at(b, in_dir, err) == 0)
		return 0;
	if (!usual)
		return error_set(err, ENOMEM, "out of memory");
	return in_dir && strcmp(in_dir, usual) == 0 ? -1 : reach_at(b, usual, err);
}

/* What a unit's name may not have is written as systemd-escape(1) does. */
static char *scope_name(const char *name, int suffix)
{
	autobuf struct buf out = BUF_INIT;

	buf_puts(&out, "lxc-");
	for (; *name; name++) {
		bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
			     (*name >= '0' && *name <= '9') || strchr("-_.:", *name);

		if (plain)
			buf_add(&out, name, 1);
		else
			buf_addf(&out, "\\x%02x", (unsigned char)*name);
	}
	if (suffix)
		buf_addf(&out, "-%d", suffix);
	buf_puts(&out, ".scope");
	return buf_steal(&out);
}

static void put_property(struct buf *args, const char *name, const char *signature)
{
	bus_put_struct(args);
	bus_put_string(args, name);
	bus_put_signature(args, signature);
}

/* (ssa(sv)a(sa(sv))): unit, mode, its properties, and no other units. */
static void put_scope(struct buf *args, const char *unit, const char *name, pid_t pid)
{
	struct bus_array properties, pids;
	autofree char *words = str_printf("container %s", name);

	bus_put_string(args, unit);
	bus_put_string(args, "fail");
	properties = bus_begin_array(args, 8);
	put_property(args, "Description", "s");
	bus_put_string(args, words ? words : name);
	put_property(args, "PIDs", "au");
	pids = bus_begin_array(args, 4);
	bus_put_u32(args, (uint32_t)pid);
	bus_end_array(args, pids);
	put_property(args, "Delegate", "b");
	bus_put_bool(args, true);
	/* Or a scope that failed would keep the name. */
	put_property(args, "CollectMode", "s");
	bus_put_string(args, "inactive-or-failed");
	bus_end_array(args, properties);
	bus_end_array(args, bus_begin_array(args, 8));
}

/* JobRemoved(u id, o job, s unit, s result) of one unit. */
struct job {
	const char *unit;
	char result[32];
};

static bool is_our_job(void *data, const struct bus_message *m)
{
	struct job *job = data;
	const char *path, *unit, *result;
	uint32_t id;
	size_t at = 0;

	if (strcmp(m->member, "JobRemoved") != 0 || strcmp(m->interface, MANAGER_FACE) != 0 ||
	    !bus_get_u32(m, &at, &id) || !bus_get_string(m, &at, &path) ||
	    !bus_get_string(m, &at, &unit) || !bus_get_string(m, &at, &result) ||
	    strcmp(unit, job->unit) != 0)
		return false;
	snprintf(job->result, sizeof(job->result), "%s", result);
	return true;
}

static int watch_jobs(struct bus *b, struct error *err)
{
	autobuf struct buf args = BUF_INIT;
	const struct bus_call call = {
		.destination = "org.freedesktop.DBus", .path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus", .member = "AddMatch", .signature = "s",
		.args = &args,
	};
	automessage struct bus_message m = {0};

	bus_put_string(&args, "type='signal',sender='" MANAGER "',path='" MANAGER_PATH
			      "',interface='" MANAGER_FACE "',member='JobRemoved'");
	return bus_call(b, &call, &m, err);
}

/* 0; 1: the name is taken; -1. */
static int start_scope(struct bus *b, const char *unit, const char *name, pid_t pid,
		       struct error *err)
{
	autobuf struct buf args = BUF_INIT;
	struct job job = {.unit = unit};
	struct bus_watch watch = {is_our_job, &job, false};
	const struct bus_call call = {
		MANAGER, MANAGER_PATH, MANAGER_FACE, "StartTransientUnit", "ssa(sv)a(sa(sv))",
		&args,
	};
	automessage struct bus_message m = {0};

	put_scope(&args, unit, name, pid);
	if (bus_call_watching(b, &call, &watch, &m, err) < 0)
		return m.error && strcmp(m.error, MANAGER ".UnitExists") == 0 ? 1 : -1;
	if (bus_wait(b, &watch, err) < 0)
		return -1;
	if (strcmp(job.result, "done") == 0)
		return 0;
	return error_set(err, EREMOTEIO, "systemd did not start \"%s\": %s", unit, job.result);
}

int cgroup_scope_ask(struct bus *b, const char *name, pid_t pid, struct error *err)
{
	int result = watch_jobs(b, err);

	if (result < 0)
		return -1;
	result = 1;
	for (int i = 0; result == 1 && i < MOST_NAMES; i++) {
		autofree char *unit = scope_name(name, i);

		if (!unit)
			return error_set(err, ENOMEM, "out of memory");
		result = start_scope(b, unit, name, pid, err);
	}
	return result == 0 ? 0 : -1;
}

int cgroup_scope_make(const char *name, pid_t pid, struct error *err)
{
	autobus struct bus b = BUS_CLOSED;

	return reach_manager(&b, err) < 0 ? -1 : cgroup_scope_ask(&b, name, pid, err);
}

bool cgroup_scope_is_possible(struct error *err)
{
	autobus struct bus b = BUS_CLOSED;

	return reach_manager(&b, err) == 0;
}

/* ---- in it ---- */

/* ".../lxc-NAME.scope", as only cgroup_scope_make() has it. */
static bool is_scope(const char *path)
{
	const char *last = strrchr(path, '/');

	return str_starts(last ? last + 1 : path, "lxc-") && str_ends(path, ".scope");
}

/* systemd counts it all in the scope already: let the container have its own figures. */
static void distribute(const struct cgroup_hierarchy *v2)
{
	autofree char *scope = cgroup_path(v2, "");
	autofree char *list = scope ? cgroup_read(scope, "cgroup.controllers") : NULL;
	autostrv struct strv controllers = {0};

	if (!list || strv_split(&controllers, list, " ") < 0)
		return;
	for (size_t i = 0; i < controllers.n; i++) {
		autofree char *plus = str_printf("+%s", controllers.v[i]);

		if (plus)
			cgroup_write(scope, "cgroup.subtree_control", plus);
	}
}

int cgroup_scope_enter_leaf(struct error *err)
{
	autolayout struct cgroup_layout l = {0};
	const struct cgroup_hierarchy *v2;
	autofree char *leaf = NULL;

	if (cgroup_layout_read(&l, CGROUP_OF_SELF, NULL, err) < 0)
		return -1;
	v2 = v2_of(&l);
	if (!v2 || !is_scope(v2->base))
		return error_set(err, ENOENT, "systemd did not put it into a scope");
	leaf = cgroup_path(v2, LEAF);
	if (!leaf)
		return error_set(err, ENOMEM, "out of memory");
	if ((mkdir(leaf, 0755) < 0 && errno != EEXIST) ||
	    cgroup_write(leaf, "cgroup.procs", "0") < 0)
		return error_sys(err, "cannot enter the cgroup \"%s\"", leaf);
	distribute(v2);
	return 0;
}

void cgroup_scope_leave_leaf(struct cgroup_layout *l)
{
	for (size_t i = 0; i < l->n; i++) {
		char *base = (char *)l->v[i].base;
		size_t n = strlen(base);

		if (!str_ends(base, "/" LEAF))
			continue;
		base[n - strlen("/" LEAF)] = '\0';
		if (!is_scope(base))
			base[n - strlen("/" LEAF)] = '/';
	}
}

/* ---- attach ---- */

int cgroup_scope_attach(const char *path, pid_t pid, struct error *err)
{
	autofree char *whole = strdup(path);
	char *unit, *below;
	autobuf struct buf args = BUF_INIT;
	autobus struct bus b = BUS_CLOSED;
	struct bus_array pids;
	automessage struct bus_message m = {0};
	const struct bus_call call = {
		MANAGER, MANAGER_PATH, MANAGER_FACE, "AttachProcessesToUnit", "ssau", &args,
	};

	unit = whole ? strstr(whole, "/lxc-") : NULL;
	below = unit ? strstr(unit, ".scope/") : NULL;
	if (!below)
		return error_set(err, ENOENT, "it is not in a scope of systemd's");
	below += strlen(".scope");
	bus_put_string(&args, (*below = '\0', unit + 1));
	bus_put_string(&args, (*below = '/', below));
	pids = bus_begin_array(&args, 4);
	bus_put_u32(&args, (uint32_t)pid);
	bus_end_array(&args, pids);
	return reach_manager(&b, err) < 0 ? -1 : bus_call(&b, &call, &m, err);
}
