/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The doctor: is this host fit for containers of whoever asks, and what mends it?  Each question is
 * a row of a table; it looks and changes nothing.
 */
#include "base/error.h"
#include "lxcore.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/subid.h"
#include "config/global.h"
#include "life/rundir.h"
#include "parts/cgroup/cgroup.h"

#include <linux/magic.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define USUAL_COUNT 65536 /* ids of a whole system */

typedef enum lxcore_verdict question(struct error *found);

/* What was found is said as an error is: words, and what mends it. */
__attribute__((format(printf, 3, 4))) static enum lxcore_verdict
tell(struct error *found, enum lxcore_verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(found->text, sizeof(found->text), format, args);
	va_end(args);
	return verdict;
}

static bool is_user(void)
{
	return geteuid() != 0;
}

static const char *own_name(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw ? pw->pw_name : "USER";
}

/* The first number in a file; 'otherwise' when it cannot be read. */
static long long number_in(const char *path, long long otherwise)
{
	autobuf struct buf text = BUF_INIT;
	long long n;

	return file_read(AT_FDCWD, path, &text) == 0 && sscanf(text.s, "%lld", &n) == 1 ? n
											: otherwise;
}

/* ---- the kernel ---- */

static enum lxcore_verdict kernel(struct error *found)
{
	struct utsname u;
	int major = 0, minor = 0;

	if (uname(&u) < 0 || sscanf(u.release, "%d.%d", &major, &minor) != 2)
		return tell(found, LXCORE_ADVICE, "its release cannot be read");
	if (major < 5 || (major == 5 && minor < 10)) {
		error_mend(found, "boot Linux 5.10 or newer");
		return tell(found, LXCORE_WRONG, "Linux %s is too old", u.release);
	}
	if (major == 5 && minor < 12) {
		error_mend(found, "boot Linux 5.12 or newer");
		return tell(found, LXCORE_ADVICE,
			    "Linux %s has no id-mapped mounts (idmap=container)", u.release);
	}
	return tell(found, LXCORE_FINE, "Linux %s", u.release);
}

static enum lxcore_verdict user_namespaces(struct error *found)
{
	static const struct {
		const char *path, *setting;
		long long otherwise, bad;
	} switches[] = {
		{"/proc/sys/user/max_user_namespaces", "user.max_user_namespaces=10000", 1, 0},
		{"/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone=1",
		 1, 0},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		 "kernel.apparmor_restrict_unprivileged_userns=0", 0, 1},
	};

	if (access("/proc/self/ns/user", F_OK) < 0) {
		error_mend(found, "boot a kernel with CONFIG_USER_NS=y");
		return tell(found, is_user() ? LXCORE_WRONG : LXCORE_ADVICE,
			    "this kernel has none");
	}
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		/* The first one binds root as well. */
		bool wrong = is_user() || i == 0;

		if (number_in(switches[i].path, switches[i].otherwise) != switches[i].bad)
			continue;
		error_mend(found, "%ssysctl -w %s      (and into a file in /etc/sysctl.d)",
			   is_user() ? "as root: " : "", switches[i].setting);
		return tell(found, wrong ? LXCORE_WRONG : LXCORE_ADVICE, "%s may make one (%s)",
			    i ? "only root" : "nobody", switches[i].path);
	}
	return tell(found, LXCORE_FINE, "they can be made");
}

/* ---- cgroups ---- */

static enum lxcore_verdict cgroups(struct error *found)
{
	struct statfs fs;
	bool any = statfs("/sys/fs/cgroup", &fs) == 0;
	bool unified = any && fs.f_type == CGROUP2_SUPER_MAGIC;
	bool v1 = any && access("/sys/fs/cgroup/memory", F_OK) == 0;
	const char *layout = unified                                  ? "v2"
			     : access("/sys/fs/cgroup/unified", F_OK) ? "v1"
								      : "v1 and v2";

	if (!unified && !v1 && access("/sys/fs/cgroup/unified", F_OK) < 0) {
		error_mend(found, "%smount -t cgroup2 none /sys/fs/cgroup",
			   is_user() ? "as root: " : "");
		return tell(found, LXCORE_WRONG, "no hierarchy is mounted below /sys/fs/cgroup");
	}
	if (cgroup_is_out_of_reach(NULL)) {
		if (cgroup_scope_is_possible(NULL))
			return tell(found, LXCORE_FINE, "%s; your systemd gives each container its own",
				    layout);
		error_mend(found, CGROUP_HELP CGROUP_HELP_WHY);
		return tell(found, LXCORE_ADVICE,
			    "%s; you may make none, so your containers run without limits", layout);
	}
	return tell(found, LXCORE_FINE, "%s", layout);
}

/* ---- ids ---- */

static unsigned long total(const struct id_ranges *list)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < list->n; i++)
		sum += list->v[i].count;
	return sum;
}

/* A range of somebody else's that reaches into one of ours. */
static const struct id_range *shared(const struct id_ranges *own, const struct id_ranges *others)
{
	for (size_t i = 0; i < own->n; i++)
		for (size_t k = 0; k < others->n; k++)
			if (own->v[i].first < others->v[k].first + others->v[k].count &&
			    others->v[k].first < own->v[i].first + own->v[i].count)
				return &others->v[k];
	return NULL;
}

static enum lxcore_verdict ids(char kind, struct error *found)
{
	autoranges struct id_ranges own = {0}, others = {0};
	const char *as_root = is_user() ? "as root: " : "";
	const struct id_range *both;

	if (subid_of(kind, geteuid(), &own, found) < 0 ||
	    subid_of_others(kind, geteuid(), &others, found) < 0)
		return is_user() ? LXCORE_WRONG : LXCORE_ADVICE;
	if (!own.n && !is_user())
		return tell(found, LXCORE_FINE,
			    "root has no entry: lxc.idmap = auto takes ids from 1879048192 on");
	if (!own.n) {
		error_mend(found, "as root: usermod --add-sub%cids 100000-165535 %s", kind,
			   own_name());
		return tell(found, LXCORE_WRONG, "there is no entry for %s", own_name());
	}
	both = shared(&own, &others);
	if (both) {
		error_mend(found, "%svi /etc/sub%cid      (give each user ids of his own)", as_root,
			   kind);
		return tell(found, LXCORE_ADVICE,
			    "%lu ids from %lu on are somebody else's, too, who rules your "
			    "containers then",
			    both->count, both->first);
	}
	if (total(&own) < USUAL_COUNT) {
		error_mend(found, "%susermod --add-sub%cids 100000-165535 %s", as_root, kind,
			   own_name());
		return tell(found, LXCORE_ADVICE, "%lu ids are fewer than a whole system has (%d)",
			    total(&own), USUAL_COUNT);
	}
	return tell(found, LXCORE_FINE, "%lu ids from %lu on", total(&own), own.v[0].first);
}

static enum lxcore_verdict user_ids(struct error *found)
{
	return ids('u', found);
}

static enum lxcore_verdict group_ids(struct error *found)
{
	return ids('g', found);
}

/* ---- helpers ---- */

static bool may_change_ids(const char *path, const struct stat *st)
{
	return (st->st_uid == 0 && st->st_mode & S_ISUID) ||
	       getxattr(path, "security.capability", NULL, 0) > 0;
}

static enum lxcore_verdict helper(const char *name, struct error *found)
{
	static const char *const dirs[] = {"/usr/bin", "/bin", "/usr/local/bin"};
	const enum lxcore_verdict bad = is_user() ? LXCORE_WRONG : LXCORE_ADVICE;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		autofree char *path = str_printf("%s/%s", dirs[i], name);
		struct stat st;

		if (!path || stat(path, &st) < 0)
			continue;
		if (may_change_ids(path, &st))
			return tell(found, LXCORE_FINE, "%s", path);
		error_mend(found, "%schmod u+s %s", is_user() ? "as root: " : "", path);
		return tell(found, bad, "%s is neither setuid root nor has file capabilities",
			    path);
	}
	error_mend(found, "%sapt-get install uidmap      (or your distribution's package)",
		   is_user() ? "as root: " : "");
	return tell(found, bad, "%s is not installed, which ordinary users need", name);
}

static enum lxcore_verdict newuidmap(struct error *found)
{
	return helper("newuidmap", found);
}

static enum lxcore_verdict newgidmap(struct error *found)
{
	return helper("newgidmap", found);
}

#define USER_NIC LXCORE_LIBEXECDIR "/lxc-user-nic"
#define USERNET LXCORE_SYSCONFDIR "/lxc/lxc-usernet"

static bool is_granted(const char *text)
{
	autostrv struct strv lines = {0};
	const char *name = own_name();

	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " \t");

		/* A group's line may be meant; the helper knows. */
		if (*line == '@' || (str_starts(line, name) && strchr(" \t", line[strlen(name)])))
			return true;
	}
	return false;
}

static enum lxcore_verdict user_nic(struct error *found)
{
	const char *as_root = is_user() ? "as root: " : "";
	autobuf struct buf text = BUF_INIT;
	struct stat st;

	if (stat(USER_NIC, &st) < 0)
		return tell(found, LXCORE_ADVICE,
			    USER_NIC " is not there: ordinary users have no network");
	if (st.st_uid != 0 || !(st.st_mode & S_ISUID)) {
		error_mend(found, "%schown root " USER_NIC " && chmod u+s " USER_NIC, as_root);
		return tell(found, LXCORE_ADVICE,
			    USER_NIC " is not setuid root: ordinary users have no network");
	}
	if (!is_user())
		return tell(found, LXCORE_FINE, USER_NIC);
	if (file_read(AT_FDCWD, USERNET, &text) == 0 && text.s && is_granted(text.s))
		return tell(found, LXCORE_FINE, "interfaces are granted in " USERNET);
	error_mend(found, "as root: echo '%s veth lxcbr0 10' >>" USERNET, own_name());
	return tell(found, LXCORE_ADVICE, "no interface is granted to %s in " USERNET, own_name());
}

/* ---- paths ---- */

/* The first directory on the way to a path, itself included, that others may not pass. */
static bool find_closed(const char *path, char closed[4096])
{
	struct stat st;

	for (size_t i = 1; path[0] == '/' && i < 4095; i++) {
		if (path[i] && path[i] != '/')
			continue;
		snprintf(closed, 4096, "%.*s", (int)i, path);
		if (stat(closed, &st) < 0)
			return false;
		if (!(st.st_mode & S_IXOTH))
			return true;
		if (!path[i])
			break;
	}
	return false;
}

static enum lxcore_verdict paths(struct error *found)
{
	autofree char *lxcpath = NULL;
	char closed[4096];

	if (find_closed(LXCORE_ROOTFS_MOUNT, closed)) {
		error_mend(found, "%schmod o+x %s", is_user() ? "as root: " : "", closed);
		return tell(found, is_user() ? LXCORE_WRONG : LXCORE_ADVICE,
			    "\"%s\" is closed to others, who need " LXCORE_ROOTFS_MOUNT, closed);
	}
	if (global_get("lxc.lxcpath", &lxcpath, found) < 0)
		return LXCORE_WRONG;
	if (find_closed(lxcpath, closed)) {
		error_mend(found, "chmod o+x %s", closed);
		return tell(
			found, LXCORE_ADVICE,
			"\"%s\" is closed to the root of containers in user namespaces: hooks "
			"that run as that root cannot be below it",
			closed);
	}
	return tell(found, LXCORE_FINE, "the way to %s is open", lxcpath);
}

static enum lxcore_verdict run_directory(struct error *found)
{
	const char *given = getenv("XDG_RUNTIME_DIR");
	autofree char *lxcpath = NULL, *path = NULL;

	if (global_get("lxc.lxcpath", &lxcpath, found) == 0)
		path = rundir_parent_path(lxcpath);
	if (!is_user() || (given && *given == '/'))
		return tell(found, LXCORE_FINE, "%s", path ? path : "");
	error_mend(found, "log in anew, or as root: loginctl enable-linger %s", own_name());
	return tell(
		found, LXCORE_ADVICE,
		"XDG_RUNTIME_DIR is not set: what is known of running containers stands in your "
		"home "
		"directory and does not go with a reboot");
}

/* ---- security modules ---- */

static enum lxcore_verdict security(struct error *found)
{
	autobuf struct buf list = BUF_INIT, profiles = BUF_INIT;

	if (file_read(AT_FDCWD, "/sys/kernel/security/lsm", &list) < 0)
		return tell(found, LXCORE_FINE, "none that containers meet");
	if (!list.s || !strstr(list.s, "apparmor") ||
	    file_read(AT_FDCWD, "/sys/kernel/security/apparmor/profiles", &profiles) < 0)
		return tell(found, LXCORE_FINE, "%s", list.s ? list.s : "");
	if (profiles.s && strstr(profiles.s, "lxc-container-default"))
		return tell(found, LXCORE_FINE, "%s", list.s);
	error_mend(found, "%sapparmor_parser -r /etc/apparmor.d/lxc-containers",
		   is_user() ? "as root: " : "");
	return tell(found, LXCORE_ADVICE, "AppArmor has no profile for containers loaded");
}

/* ---- all of them ---- */

struct report {
	void (*say)(void *data, const struct lxcore_diagnosis *d);
	void *data;
	int wrong;
};

static void report_one(struct report *r, const char *subject, enum lxcore_verdict verdict,
		       const char *text, const char *mend)
{
	const struct lxcore_diagnosis d = {subject, verdict, text, mend};

	r->wrong += verdict == LXCORE_WRONG;
	r->say(r->data, &d);
}

/* Without the managed network there are other ones, and none. */
static void say_network(void *data, const char *subject, const lxcore_error *objection)
{
	autofree char *whole = str_printf("network, %s", subject);

	report_one(data, whole ? whole : subject, objection ? LXCORE_ADVICE : LXCORE_FINE,
		   objection ? objection->text : "ready", objection ? objection->mend : "");
}

static void users_network(struct report *r)
{
	if (access("/sys/class/net/lxcbr0", F_OK) == 0)
		report_one(r, "network, bridge", LXCORE_FINE, "lxcbr0 is there", "");
	else
		report_one(r, "network, bridge", LXCORE_ADVICE, "there is no lxcbr0",
			   "as root: lxc-net start      (makes it with DHCP and NAT)");
}

int lxcore_doctor(void (*say)(void *data, const struct lxcore_diagnosis *d), void *data)
{
	static const struct {
		const char *subject;
		question *ask;
	} all[] = {
		{"kernel", kernel},
		{"cgroups", cgroups},
		{"user namespaces", user_namespaces},
		{"/etc/subuid", user_ids},
		{"/etc/subgid", group_ids},
		{"newuidmap", newuidmap},
		{"newgidmap", newgidmap},
		{"lxc-user-nic", user_nic},
		{"paths", paths},
		{"run directory", run_directory},
		{"security modules", security},
	};
	struct report r = {say, data, 0};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct error found = {0};
		enum lxcore_verdict verdict = all[i].ask(&found);

		found.text[strcspn(found.text, "\n")] = '\0';
		report_one(&r, all[i].subject, verdict, found.text, found.mend);
	}
	if (is_user())
		users_network(&r);
	else
		lxcore_net_check(say_network, &r);
	return r.wrong;
}
