/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Namespaces: which are made new for the container, which it keeps from the host, which it shares
 * with another container, and what its clocks show.
 *
 * Sharing happens in the supervisor, around the clone, rather than in the first process: that one may
 * live in a user namespace of its own by then and would not be allowed to join what the host owns;
 * and a pid namespace can only be given to children.  A user namespace is the exception: it is joined
 * by a process between the two, with all that only its root may join.
 */
#include "parts/namespaces.h"
#include "base/auto.h"
#include "base/fd.h"

#include <ctype.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif
#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#define PR_SCHED_CORE_CREATE 1
#endif
#define SCHED_CORE_THREAD_GROUP 1 /* PR_SCHED_CORE_SCOPE_THREAD_GROUP */

#define NS_ALL (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | \
		CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME)

/* The user namespace first, for its root may join the others; the mount namespace last: joining it
 * changes what /proc/self shows. */
static const struct conf_word kinds[] = {
	{"user", CLONE_NEWUSER}, {"pid", CLONE_NEWPID}, {"uts", CLONE_NEWUTS},
	{"ipc", CLONE_NEWIPC},   {"net", CLONE_NEWNET}, {"cgroup", CLONE_NEWCGROUP},
	{"time", CLONE_NEWTIME}, {"mnt", CLONE_NEWNS},  {NULL, 0},
};
#define N_KINDS (ARRAY_SIZE(kinds) - 1)

struct time_offset {
	long long n;
	bool nanoseconds; /* else seconds */
};

struct namespaces_conf {
	unsigned clone, keep;
	struct conf_pairs share;
	struct time_offset boot, monotonic;
	bool sched_core;
	unsigned monitor_unshare;
};

struct namespaces_boot {
	int shared[N_KINDS]; /* -1: not shared */
	int own[N_KINDS];    /* the supervisor's, while armed */
	int root, cwd;       /* the supervisor's, while it is in another mount namespace */
};

/* ---- keys ---- */

static int set_list(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	struct namespaces_conf *s = (void *)((char *)field - key->offset);
	bool is_clone = field == &s->clone;

	if (is_clone ? s->keep : s->clone)
		return error_set(err, EINVAL, "lxc.namespace.clone and lxc.namespace.keep cannot "
					      "both be set");
	return conf_flags.set(field, key, sub, value, err);
}

static void get_list(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	conf_flags.get(field, key, sub, out);
}

static void clear_list(void *field, const struct conf_key *key, const char *sub)
{
	conf_flags.clear(field, key, sub);
}

static const struct conf_type type_list = {"NAMESPACE...", set_list, get_list, clear_list, NULL};

static int set_share(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	const struct conf_word *k = kinds;

	while (k->word && strcmp(k->word, sub) != 0)
		k++;
	if (!k->word)
		return error_set(err, EINVAL, "\"%s\" is no namespace; there are user, mnt, pid, "
					      "uts, ipc, net, cgroup and time", sub);
	return conf_pairs.set(field, key, sub, value, err);
}

static void get_share(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	conf_pairs.get(field, key, sub, out);
}

static void clear_share(void *field, const struct conf_key *key, const char *sub)
{
	conf_pairs.clear(field, key, sub);
}

static const struct conf_type type_share = {"CONTAINER|PID|PATH", set_share, get_share, clear_share,
					    conf_replaces};

static const struct {
	const char *word;
	bool nanoseconds;
	long long factor;
} units[] = {
	{"h", false, 3600},  {"m", false, 60},  {"s", false, 1},
	{"ms", true, 1000000}, {"us", true, 1000}, {"ns", true, 1},
};

static int set_offset(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	struct time_offset offset;
	long long n;
	char *end;

	errno = 0;
	n = strtoll(value, &end, 10);
	end += strspn(end, " \t");
	for (size_t i = 0; end != value && !errno && i < ARRAY_SIZE(units); i++) {
		if (strcmp(units[i].word, end) != 0)
			continue;
		if (__builtin_mul_overflow(n, units[i].factor, &offset.n))
			return error_set(err, EOVERFLOW, "\"%s\" is too large", value);
		offset.nanoseconds = units[i].nanoseconds;
		*(struct time_offset *)field = offset;
		return 0;
	}
	return error_set(err, EINVAL, "\"%s\" is no offset: a number and one of h m s ms us ns",
			 value);
}

static void get_offset(const void *field, const struct conf_key *key, const char *sub,
		       struct buf *out)
{
	const struct time_offset *offset = field;

	buf_addf(out, "%lld%s", offset->n, offset->nanoseconds ? "ns" : "s");
}

static void clear_offset(void *field, const struct conf_key *key, const char *sub)
{
	*(struct time_offset *)field = (struct time_offset){0};
}

static const struct conf_type type_offset = {"NUMBER h|m|s|ms|us|ns", set_offset, get_offset,
					     clear_offset, conf_replaces};

#define FIELD(name) offsetof(struct namespaces_conf, name)
static const struct conf_key keys[] = {
	{"lxc.namespace.clone", &type_list, FIELD(clone), .extra = kinds,
	 .summary = "Namespaces to make new; all others are kept from the host."},
	{"lxc.namespace.keep", &type_list, FIELD(keep), .extra = kinds,
	 .summary = "Namespaces to keep from the host; all others are made new."},
	{"lxc.namespace.share.", &type_share, FIELD(share),
	 .summary = "Share this namespace with a running container, a process, or the namespace "
		    "file at a path; to share user, lxc.idmap must say the same as the other's."},
	{"lxc.time.offset.boot", &type_offset, FIELD(boot),
	 .summary = "Offset of the container's boot clock (makes a time namespace)."},
	{"lxc.time.offset.monotonic", &type_offset, FIELD(monotonic),
	 .summary = "Offset of the container's monotonic clock (makes a time namespace)."},
	{"lxc.sched.core", &conf_bool, FIELD(sched_core), .preset = "0",
	 .summary = "Never run beside foreign processes on one processor core (core scheduling)."},
	{"lxc.monitor.unshare", &conf_uint, FIELD(monitor_unshare), .preset = "0",
	 .summary = "Run the supervisor in a mount namespace of its own."},
	{NULL},
};
const struct conf_section namespaces_section = {"namespaces", sizeof(struct namespaces_conf), keys};

/* ---- check ---- */

static bool has_offsets(const struct namespaces_conf *s)
{
	return s->boot.n || s->monotonic.n;
}

static bool is_set(const struct conf *c, const char *key)
{
	autobuf struct buf value = BUF_INIT;

	return conf_get(c, key, &value, NULL) == 0 && value.len;
}

static const char *shared_with(const struct namespaces_conf *s, const char *kind)
{
	for (size_t i = 0; i < s->share.n; i++)
		if (strcmp(s->share.v[i].name, kind) == 0)
			return s->share.v[i].value;
	return NULL;
}

static int check_idmap(const struct boot *b, const struct namespaces_conf *s, struct error *err)
{
	bool mapped = is_set(b->conf, "lxc.idmap");

	if ((s->clone & CLONE_NEWUSER) && !mapped) {
		error_set(err, EINVAL, "a new user namespace needs id maps (lxc.namespace.clone, %s)",
			  conf_where(b->conf, "lxc.namespace.clone"));
		return error_mend(err, "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536");
	}
	if (shared_with(s, "user") && !mapped) {
		error_set(err, EINVAL, "a shared user namespace needs the id maps that it has "
				       "(lxc.namespace.share.user, %s)",
			  conf_where(b->conf, "lxc.namespace.share.user"));
		return error_mend(err, "copy the lines \"lxc.idmap\" of the other container");
	}
	if ((s->keep & CLONE_NEWUSER) && mapped)
		return error_set(err, EINVAL, "lxc.idmap makes a user namespace, but "
				 "lxc.namespace.keep wants the host's (%s)",
				 conf_where(b->conf, "lxc.namespace.keep"));
	return 0;
}

static unsigned new_namespaces(const struct namespaces_conf *s)
{
	unsigned flags = s->clone ? s->clone : NS_ALL & ~s->keep;

	/* The id maps decide about the user namespace (idmap.c). */
	flags &= ~(unsigned)CLONE_NEWUSER;
	if (!(s->clone & CLONE_NEWTIME))
		flags &= ~(unsigned)CLONE_NEWTIME;
	if (has_offsets(s))
		flags |= CLONE_NEWTIME;
	for (size_t i = 0; i < N_KINDS; i++)
		if (shared_with(s, kinds[i].word))
			flags &= ~(unsigned)kinds[i].value;
	return flags;
}

static int check(const struct boot *b, struct error *err)
{
	const struct namespaces_conf *s = conf_of(b->conf, &namespaces_section);

	if (check_idmap(b, s, err) < 0)
		return -1;
	if (has_offsets(s) && ((s->keep & CLONE_NEWTIME) || shared_with(s, "time")))
		return error_set(err, EINVAL, "lxc.time.offset needs a time namespace of the "
				 "container's own, but lxc.namespace says otherwise");
	if (s->sched_core && !(new_namespaces(s) & CLONE_NEWPID)) {
		error_set(err, EINVAL, "lxc.sched.core needs a pid namespace of the container's own");
		return error_mend(err, "remove lxc.sched.core");
	}
	if (shared_with(s, "mnt") && is_set(b->conf, "lxc.rootfs.path")) {
		error_set(err, EINVAL, "a container that shares its mount namespace cannot have a "
				       "root filesystem of its own (lxc.namespace.share.mnt, %s)",
			  conf_where(b->conf, "lxc.namespace.share.mnt"));
		return error_mend(err, "remove lxc.rootfs.path or lxc.namespace.share.mnt");
	}
	return 0;
}

/* ---- prepare ---- */

/* Init of a running container of the same path: its run directory stands beside ours. */
static int find_container(const struct boot *b, const char *name, struct proc_id *ret,
			  struct error *err)
{
	autofree char *path = str_printf("../%s/state", name);
	autobuf struct buf text = BUF_INIT;
	const char *line;

	if (!path || strchr(name, '/') || *name == '.')
		return error_set(err, EINVAL, "\"%s\" is no container's name", name);
	if (file_read(b->rundir, path, &text) < 0 && errno != ENOENT)
		return error_sys(err, "cannot read the state of container \"%s\"", name);
	line = text.s ? strstr(text.s, "\ninit ") : NULL;
	if (line && sscanf(line, "\ninit %d %llu", &ret->pid, &ret->start) == 2 && ret->pid > 0)
		return 0;
	error_set(err, ESRCH, "container \"%s\" is not running", name);
	return error_mend(err, "lxc-start -P %s -n %s", b->lxcpath, name);
}

static int open_of_process(const struct boot *b, const char *who, const char *kind,
			   struct error *err)
{
	struct proc_id id = {0};
	autofree char *path = NULL;
	autoclose int pidfd = -1, ns = -1;
	unsigned long long pid;

	if (str_to_u64(who, &pid) && pid && pid <= INT_MAX) {
		id.pid = (pid_t)pid;
		id.start = proc_start_time(id.pid);
	} else if (find_container(b, who, &id, err) < 0) {
		return -1;
	}
	pidfd = proc_open(id);
	if (pidfd < 0)
		return error_set(err, ESRCH, "%s is not running", who);
	path = str_printf("/proc/%d/ns/%s", id.pid, kind);
	ns = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (ns < 0)
		return error_sys(err, "cannot open the %s namespace of %s", kind, who);
	/* Still the same process after its namespace was opened by pid? */
	if (proc_signal(pidfd, 0) < 0)
		return error_set(err, ESRCH, "%s is not running", who);
	return steal_fd(&ns);
}

static int open_shared(const struct boot *b, const struct conf_word *kind, const char *who,
		       struct error *err)
{
	autoclose int ns = -1;
	struct statfs fs;

	if (*who != '/')
		return open_of_process(b, who, kind->word, err);
	ns = open(who, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (ns < 0)
		return error_sys(err, "cannot open namespace \"%s\"", who);
	if (fstatfs(ns, &fs) < 0 || fs.f_type != NSFS_MAGIC ||
	    ioctl(ns, NS_GET_NSTYPE) != kind->value)
		return error_set(err, EINVAL, "\"%s\" is no %s namespace", who, kind->word);
	return steal_fd(&ns);
}

static int open_all_shared(struct boot *b, const struct namespaces_conf *s, struct error *err)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		const char *who = shared_with(s, kinds[i].word);

		if (!who)
			continue;
		b->namespaces->shared[i] = open_shared(b, &kinds[i], who, err);
		if (b->namespaces->shared[i] < 0)
			return error_within(err, "cannot share (lxc.namespace.share.%s)",
					    kinds[i].word);
	}
	return 0;
}

static int prepare(struct boot *b, struct error *err)
{
	const struct namespaces_conf *s = conf_of(b->conf, &namespaces_section);

	b->clone_flags = new_namespaces(s);
	b->shares_user = shared_with(s, "user");
	if (s->monitor_unshare &&
	    (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0))
		return error_sys(err, "cannot give the supervisor a mount namespace "
				      "(lxc.monitor.unshare)");
	if (!s->share.n)
		return 0;
	b->namespaces = malloc(sizeof(*b->namespaces));
	if (!b->namespaces)
		return error_sys(err, "cannot share namespaces");
	memset(b->namespaces, 0xff, sizeof(*b->namespaces)); /* every descriptor -1 */
	return open_all_shared(b, s, err);
}

/* ---- around the clone ---- */

static int cannot_join(size_t i, struct error *err)
{
	return error_sys(err, "cannot join the other's %s namespace (lxc.namespace.share.%s)",
			 kinds[i].word, kinds[i].word);
}

static int join_shared(struct namespaces_boot *n, size_t i, struct error *err)
{
	autofree char *path = str_printf("/proc/self/ns/%s", kinds[i].word);

	n->own[i] = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (kinds[i].value == CLONE_NEWNS) {
		n->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		n->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (n->own[i] >= 0 && setns(n->shared[i], kinds[i].value) == 0)
		return 0;
	cannot_join(i, err);
	close_fd(&n->own[i]);
	return -1;
}

int namespaces_join_user(struct boot *b, struct error *err)
{
	const struct namespaces_boot *n = b->namespaces;

	for (size_t i = 0; i < N_KINDS; i++)
		if (n->shared[i] >= 0 && n->own[i] < 0 && setns(n->shared[i], kinds[i].value) < 0)
			return cannot_join(i, err);
	return 0;
}

/* "CLOCK SECONDS NANOSECONDS", time_namespaces(7). */
static void add_offset(struct buf *text, const char *clock, const struct time_offset *offset)
{
	long long sec = offset->n, nsec = 0;

	if (offset->nanoseconds) {
		sec = offset->n / 1000000000;
		nsec = offset->n % 1000000000;
		if (nsec < 0) {
			nsec += 1000000000;
			sec--;
		}
	}
	if (offset->n)
		buf_addf(text, "%s %lld %lld\n", clock, sec, nsec);
}

static int make_time_namespace(const struct namespaces_conf *s, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (unshare(CLONE_NEWTIME) < 0)
		return error_sys(err, "cannot make a time namespace (lxc.time.offset)");
	add_offset(&text, "monotonic", &s->monotonic);
	add_offset(&text, "boottime", &s->boot);
	if (text.len && file_write(AT_FDCWD, "/proc/self/timens_offsets", text.s) < 0)
		return error_sys(err, "cannot set the clocks of the container (lxc.time.offset)");
	return 0;
}

int namespaces_arm(struct boot *b, struct error *err)
{
	const struct namespaces_conf *s = conf_of(b->conf, &namespaces_section);

	if ((b->clone_flags & CLONE_NEWTIME) && make_time_namespace(s, err) < 0)
		return -1;
	for (size_t i = 0; b->namespaces && i < N_KINDS; i++) {
		if (b->namespaces->shared[i] < 0 || kinds[i].value == CLONE_NEWUSER)
			continue;
		/* What belongs to the shared user namespace its root joins. */
		if (join_shared(b->namespaces, i, err) == 0)
			continue;
		if (errno != EPERM || !b->shares_user)
			return -1;
		error_clear(err);
	}
	return 0;
}

static void leave_shared(struct namespaces_boot *n)
{
	for (size_t i = N_KINDS; i-- > 0;) {
		if (n->own[i] >= 0)
			setns(n->own[i], kinds[i].value);
		close_fd(&n->own[i]);
		close_fd(&n->shared[i]);
	}
	if (n->root >= 0 && fchdir(n->root) == 0 && chroot(".") == 0 && n->cwd >= 0)
		(void)!fchdir(n->cwd);
	close_fd(&n->root);
	close_fd(&n->cwd);
}

void namespaces_disarm(struct boot *b)
{
	if (b->namespaces)
		leave_shared(b->namespaces);
	if (b->clone_flags & CLONE_NEWTIME) {
		autoclose int own = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);

		setns(own, CLONE_NEWTIME);
	}
	free(steal_ptr(&b->namespaces));
}

/* ---- inside ---- */

static int enter(struct boot *b, struct error *err)
{
	const struct namespaces_conf *s = conf_of(b->conf, &namespaces_section);

	/* Without simultaneous threads (ENODEV) nothing ever runs beside it on a core. */
	if (s->sched_core && prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, SCHED_CORE_THREAD_GROUP,
				   0) < 0 && errno != ENODEV) {
		error_sys(err, "cannot make a core scheduling domain (lxc.sched.core)");
		return error_mend(err, "remove lxc.sched.core: this kernel has no core scheduling");
	}
	return 0;
}

const struct part part_namespaces = {
	.name = "namespaces",
	.section = &namespaces_section,
	.check = check,
	.prepare = prepare,
	.enter = enter,
};
