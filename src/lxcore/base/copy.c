/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The copier's door: sets up, starts the workers, tells progress, ends.  See copy_inner.h. */
#include "copy_inner.h"
#include "auto.h"
#include "fd.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <time.h>

#define MOST_WORKERS 8
#define STACK_SIZE (256 * 1024)
#define PROGRESS_MS 100
#define SHOWN_PATH 400 /* bytes of a path in an error */

/* ---- errors ---- */

/* The last SHOWN_PATH bytes of a path, put together from behind. */
static const char *path_text(const struct copy_node *dir, const char *name, char text[SHOWN_PATH])
{
	char *at = text + SHOWN_PATH - 1;
	const char *part = name;

	*at = '\0';
	for (; dir; part = dir->name, dir = dir->parent) {
		size_t n = strlen(part);

		if (n && at - text < (ptrdiff_t)n + 6) {
			at -= 4;
			return memcpy(at, ".../", 4);
		}
		if (n && *at)
			*--at = '/';
		at -= n;
		memcpy(at, part, n);
	}
	return *at ? at : ".";
}

static void add_free_space(struct copier *c)
{
	size_t used = strlen(c->error.text);
	struct statvfs v;

	if (!c->root || c->root->fd[TO] < 0 || fstatvfs(c->root->fd[TO], &v) < 0)
		return;
	snprintf(c->error.text + used, sizeof(c->error.text) - used,
		 " (free: %llu of %llu MiB, %llu of %llu inodes)",
		 (unsigned long long)v.f_bavail * v.f_frsize >> 20,
		 (unsigned long long)v.f_blocks * v.f_frsize >> 20, (unsigned long long)v.f_favail,
		 (unsigned long long)v.f_files);
}

static const char *reason(int code)
{
	switch (code) {
	case ESTALE:
		return "it became something else meanwhile";
	case EOVERFLOW:
		return "the id map does not have it";
	case ELOOP:
		return "the copy would lie within its source";
	default:
		return strerror(code);
	}
}

int copy_fail(struct copier *c, const struct copy_node *dir, const char *name, const char *what)
{
	char text[SHOWN_PATH];
	int code = errno;

	pthread_mutex_lock(&c->lock);
	if (!atomic_exchange(&c->failed, true)) {
		error_set(&c->error, code, "cannot %s \"%s\": %s", what, path_text(dir, name, text),
			  reason(code));
		if (code == ENOSPC || code == EDQUOT)
			add_free_space(c);
	}
	pthread_cond_broadcast(&c->work);
	pthread_mutex_unlock(&c->lock);
	errno = code;
	return -1;
}

bool copy_cancelled(const struct copier *c)
{
	return atomic_load_explicit(&c->failed, memory_order_relaxed) ||
	       (c->o->cancel && *c->o->cancel);
}

/* ---- progress ---- */

static void count_up(struct copier *c, struct copy_result *ret)
{
	ret->files = c->count.files;
	ret->directories = c->count.directories;
	ret->symlinks = c->count.symlinks;
	ret->others = c->count.others;
	ret->links = c->count.links;
	ret->bytes = c->count.bytes;
	ret->bytes_shared = c->count.bytes_shared;
	ret->left_out = c->count.left_out;
	ret->vanished = c->count.vanished;
}

static uint64_t names(const struct copy_result *r)
{
	return r->files + r->directories + r->symlinks + r->others + r->links;
}

static bool tell(struct copier *c, long long begin, const struct copy_result *total, bool end)
{
	struct copy_result now = {0};
	struct copy_progress p;

	if (!c->o->progress)
		return true;
	count_up(c, &now);
	p = (struct copy_progress){
		.bytes = now.bytes,
		.total_bytes = total->bytes,
		.files = names(&now),
		.total_files = names(total),
		.usec = (uint64_t)(clock_us() - begin),
	};
	if (c->measuring)
		p = (struct copy_progress){.total_bytes = now.bytes, .total_files = names(&now)};
	/* A source that grew after it was counted. */
	if (p.total_files && (end || p.files > p.total_files))
		p.total_files = p.files;
	if (p.total_files && (end || p.bytes > p.total_bytes))
		p.total_bytes = p.bytes;
	return c->o->progress(&p, c->o->data);
}

static void fail_cancelled(struct copier *c)
{
	pthread_mutex_lock(&c->lock);
	if (!atomic_exchange(&c->failed, true))
		error_set(&c->error, ECANCELED, "the copy was cancelled");
	pthread_cond_broadcast(&c->work);
	pthread_mutex_unlock(&c->lock);
}

static void wait_for_end(struct copier *c, long long begin, const struct copy_result *total)
{
	struct timespec until;

	pthread_mutex_lock(&c->lock);
	while (c->running) {
		if (!c->o->progress) {
			pthread_cond_wait(&c->ended, &c->lock);
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += PROGRESS_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_cond_timedwait(&c->ended, &c->lock, &until) == 0)
			continue;
		pthread_mutex_unlock(&c->lock);
		if (!tell(c, begin, total, false))
			fail_cancelled(c);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
}

/* ---- workers ---- */

static unsigned worker_count(const struct copy_options *o)
{
	cpu_set_t set;
	int n = (int)o->workers;

	if (!n)
		n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
	return n < 1 ? 1 : n > MOST_WORKERS ? MOST_WORKERS : (unsigned)n;
}

static bool worker_init(struct copy_worker *w, struct copier *c)
{
	*w = (struct copy_worker){.c = c};
	w->buffer = malloc(COPY_BUFFER);
	w->names = malloc(XATTR_LIST_MAX);
	return w->buffer && w->names;
}

/* They are nobody's business: no signal of the caller's is handled in them. */
static unsigned start_workers(struct copier *c, struct copy_worker *w)
{
	sigset_t all, before;
	pthread_attr_t attr;
	unsigned n = 0;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&c->lock);
	while (n < c->n_workers && worker_init(&w[n], c)) {
		errno = pthread_create(&w[n].thread, &attr, copy_work, &w[n]);
		if (errno)
			break;
		n++;
	}
	c->running = n;
	pthread_mutex_unlock(&c->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return n;
}

/* The topmost directory gets its attributes last: nobody gets into a copy that is not complete. */
static void finish(struct copier *c, struct copy_worker *w)
{
	static const char top[] = "";

	if (c->measuring || c->failed)
		return;
	if (!c->o->only && copy_attributes(w, c->root, top, c->root->fd, &c->root->st, 0700) < 0)
		return;
	if (c->o->sync && syncfs(c->root->fd[TO]) < 0)
		copy_fail(c, c->root, top, "write to the disk what is in");
}

static void run(struct copier *c, long long begin, const struct copy_result *total)
{
	struct copy_worker w[MOST_WORKERS] = {0};
	unsigned n = start_workers(c, w);

	if (!n)
		copy_fail(c, NULL, "", "start a thread for the copy");
	wait_for_end(c, begin, total);
	for (unsigned i = 0; i < n; i++)
		pthread_join(w[i].thread, NULL);
	if (!c->failed && c->o->cancel && *c->o->cancel)
		fail_cancelled(c);
	if (n)
		finish(c, &w[0]);
	for (unsigned i = 0; i < MOST_WORKERS; i++) {
		free(w[i].buffer);
		free(w[i].names);
	}
}

/* ---- begin and end ---- */

/*
 * The source as a detached mount of our own, without those that lie on it: nothing there can be
 * another mount, and a file that is swapped for a device cannot be opened (open(2) of some devices
 * acts).  Needs CAP_SYS_ADMIN, Linux 5.12, and a source in our own mount namespace.
 */
static int private_mount(int from)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME,
		.attr_clr = MOUNT_ATTR__ATIME,
	};
	autoclose int tree =
		open_tree(from, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (tree < 0)
		return -1;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		return steal_fd(&tree);
	/* In a user namespace how access times are kept may be locked, mount_namespaces(7). */
	attr.attr_set &= ~(uint64_t)MOUNT_ATTR_NOATIME;
	attr.attr_clr = 0;
	return mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -1
									       : steal_fd(&tree);
}

static int open_source(struct copier *c, int from)
{
	struct copy_node *root = c->root;

	c->tree = c->o->follow_mounts ? -1 : private_mount(from);
	root->fd[FROM] =
		openat(c->tree < 0 ? from : c->tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root->fd[FROM] < 0 || fstat(root->fd[FROM], &root->st) < 0)
		return error_sys(&c->error, "cannot open the tree to copy");
	root->dev[FROM] = root->st.st_dev;
	root->ino[FROM] = root->st.st_ino;
	c->count.directories = 1;
	return 0;
}

/* Ours alone, and nothing that is made in it inherits a group or an access control list. */
static int open_target(struct copier *c, int to)
{
	struct copy_node *root = c->root;
	struct stat st;
	int fd = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_sys(&c->error, "cannot open the directory to copy to");
	root->fd[TO] = fd;
	if (fstat(fd, &st) < 0 || fchown(fd, c->uid, c->gid) < 0 || fchmod(fd, 0700) < 0)
		return error_sys(&c->error, "cannot make the directory to copy to ours");
	if (fremovexattr(fd, "system.posix_acl_default") < 0 && errno != ENODATA &&
	    errno != ENOTSUP)
		return error_sys(&c->error, "cannot remove the default access control list of "
					    "the directory to copy to");
	root->dev[TO] = st.st_dev;
	root->ino[TO] = st.st_ino;
	return 0;
}

/*
 * Two descriptors for each directory that waits or is read, half as many waiting ones more while a
 * way is walked again, and a handful for each worker: all of it stays below half of what we may
 * have.
 */
static void bound_descriptors(struct copier *c)
{
	struct rlimit limit;
	rlim_t most = 1 << 20;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < most)
		most = limit.rlim_cur;
	c->max_open = most > 128 * 16 ? 128 : most < 4 * 16 ? 4 : (unsigned)most / 16;
	if (c->n_workers > most / 24)
		c->n_workers = most < 24 ? 1 : (unsigned)most / 24;
}

static bool same_map(const struct copy_map *a, const struct copy_map *b)
{
	return a->n == b->n && (!a->n || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

static void init(struct copier *c, const struct copy_options *o)
{
	pthread_condattr_t monotonic;

	c->o = o;
	c->tree = -1;
	/* Asking for an id that cannot be changes nothing, and tells what it is. */
	c->uid = (uid_t)setfsuid((uid_t)-1);
	c->gid = (gid_t)setfsgid((gid_t)-1);
	c->shifting = !same_map(&o->from_uid, &o->to_uid) || !same_map(&o->from_gid, &o->to_gid);
	c->n_workers = worker_count(o);
	bound_descriptors(c);
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->links.lock, NULL);
	pthread_cond_init(&c->work, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void end(struct copier *c)
{
	copy_links_free(c);
	copy_walk_end(c);
	if (c->tree >= 0)
		close(c->tree);
	pthread_cond_destroy(&c->ended);
	pthread_cond_destroy(&c->work);
	pthread_mutex_destroy(&c->links.lock);
	pthread_mutex_destroy(&c->lock);
}

static void begin_and_run(struct copier *c, int from, int to, const struct copy_result *total)
{
	long long begin = clock_us();

	if (!copy_walk_begin(c))
		error_sys(&c->error, "cannot begin the copy");
	else if (open_source(c, from) == 0 && (c->measuring || open_target(c, to) == 0)) {
		run(c, begin, total);
		/* Nobody can cancel what is done. */
		if (!c->failed && !c->measuring)
			tell(c, begin, total, true);
	}
}

static int go(struct copier *c, const struct copy_options *o, struct copy_result *ret,
	      struct error *err)
{
	count_up(c, ret);
	end(c);
	if (!c->error.code)
		return 0;
	if (err)
		*err = c->error;
	errno = c->error.code;
	return -1;
}

int copy_measure(int from, const struct copy_options *options, struct copy_result *ret,
		 struct error *err)
{
	static const struct copy_options plain;
	const struct copy_options *o = options ? options : &plain;
	struct copier c = {.measuring = true};
	struct copy_result none = {0}, own;
	long long begin = clock_us();

	if (!ret)
		ret = &own;
	init(&c, o);
	begin_and_run(&c, from, -1, &none);
	ret->usec = (uint64_t)(clock_us() - begin);
	return go(&c, o, ret, err);
}

int copy_tree(int from, int to, const struct copy_options *options, struct copy_result *ret,
	      struct error *err)
{
	static const struct copy_options plain;
	const struct copy_options *o = options ? options : &plain;
	struct copier c = {0};
	struct copy_result total = {0}, own;
	long long begin = clock_us();

	if (!ret)
		ret = &own;
	*ret = (struct copy_result){0};
	if (o->measure && copy_measure(from, o, &total, err) < 0)
		return -1;
	init(&c, o);
	begin_and_run(&c, from, to, &total);
	ret->usec = (uint64_t)(clock_us() - begin);
	return go(&c, o, ret, err);
}
