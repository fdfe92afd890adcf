/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copier's way through the tree: who does what next, reading directories, and visiting them.
 *
 * Depth first: the directory that waits on top of the stack is visited next.  So a tree that is
 * wide costs memory only for the names of subdirectories on one way down.
 */
#include "copy_inner.h"
#include "auto.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What getdents64(2) gives at once, and how many names that may be (each takes 24 bytes). */
#define COPY_DENTS (32 * 1024)
#define COPY_DENTS_MOST (COPY_DENTS / 24)

enum job_kind { JOB_ENTRY, JOB_FILL, JOB_DESCEND };

struct job {
	enum job_kind kind;
	struct copy_node *node;
	struct copy_entry entry;
	int code; /* errno of what failed while it was taken */
};

/* ---- who does what next; under the lock ---- */

static bool take_from(struct copy_node *node, struct job *job)
{
	*job = (struct job){.node = node};
	if (node->handed_out < node->n) {
		job->kind = JOB_ENTRY;
		job->entry = node->v[node->handed_out++];
		node->busy++;
		return true;
	}
	if (node->busy || node->filling)
		return false;
	node->filling = true;
	job->kind = JOB_FILL;
	return true;
}

static bool take_directory(struct copier *c, struct job *job)
{
	struct copy_node *parent;
	const char *name;

	if (!c->n_waiting || c->n_reading >= 2 * c->n_workers)
		return false;
	parent = c->waiting[c->n_waiting - 1];
	name = parent->dirs + parent->dirs_next;
	*job = (struct job){.kind = JOB_DESCEND};
	if (copy_node_open_again(c, parent) < 0)
		job->code = errno;
	job->node = copy_node_new(c, parent, name);
	if (!job->node) {
		*job = (struct job){.kind = JOB_DESCEND, .node = parent, .code = ENOMEM};
		return true;
	}
	job->node->filling = true;
	parent->pins++;
	parent->dirs_next += strlen(name) + 1;
	if (parent->dirs_next == parent->dirs_len)
		copy_node_pop(c);
	copy_node_close_lowest(c);
	return true;
}

/* Where it is already, else a directory of its own, else a share in what another one reads. */
static bool take(struct copy_worker *w, struct job *job)
{
	struct copier *c = w->c;
	struct copy_node *node;

	while (!copy_cancelled(c)) {
		for (node = c->reading; node; node = node->next)
			if (node->serial == w->near && take_from(node, job))
				return true;
		if (take_directory(c, job))
			return true;
		for (node = c->reading; node; node = node->next)
			if (take_from(node, job)) {
				w->near = node->serial;
				return true;
			}
		if (!c->reading && !c->n_waiting)
			return false;
		c->idle++;
		pthread_cond_wait(&c->work, &c->lock);
		c->idle--;
	}
	return false;
}

static void wake(struct copier *c)
{
	if (c->idle)
		pthread_cond_broadcast(&c->work);
}

/* ---- reading a directory ---- */

static int by_inode(const void *a, const void *b)
{
	const struct copy_entry *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int remember_directory(struct copy_worker *w, struct copy_node *node, const char *name)
{
	size_t n = strlen(name) + 1;

	if (node->dirs_cap - node->dirs_len < n) {
		size_t cap = (node->dirs_cap + n) * 2;
		char *dirs = realloc(node->dirs, cap);

		if (!dirs)
			return copy_fail(w->c, node, name, "remember");
		node->dirs = dirs;
		node->dirs_cap = cap;
	}
	memcpy(node->dirs + node->dirs_len, name, n);
	node->dirs_len += n;
	if (w->c->measuring || mkdirat(node->fd[TO], name, 0700) == 0)
		return 0;
	/* A new filesystem brings this one along. */
	if (errno == EEXIST && !node->parent && strcmp(name, "lost+found") == 0)
		return 0;
	return copy_fail(w->c, node, name, "make the directory");
}

static unsigned char entry_type(const struct copy_node *node, const struct dirent64 *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type;
	return fstatat(node->fd[FROM], d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
		       ? (unsigned char)IFTODT(st.st_mode)
		       : (unsigned char)DT_UNKNOWN;
}

/* Directories are made at once and visited later; the rest is handed out.  In order of inodes. */
static int sort_names(struct copy_worker *w, struct copy_node *node, size_t bytes)
{
	size_t n = 0, first_dir = COPY_DENTS_MOST;

	for (size_t at = 0; at < bytes;) {
		const struct dirent64 *d = (const void *)(node->dents + at);
		struct copy_entry e = {d->d_ino, d->d_name, entry_type(node, d)};

		at += d->d_reclen;
		if (strcmp(e.name, ".") == 0 || strcmp(e.name, "..") == 0)
			continue;
		node->v[e.type == DT_DIR ? --first_dir : n++] = e;
	}
	qsort(node->v, n, sizeof(*node->v), by_inode);
	qsort(node->v + first_dir, COPY_DENTS_MOST - first_dir, sizeof(*node->v), by_inode);
	for (size_t i = first_dir; i < COPY_DENTS_MOST; i++)
		if (remember_directory(w, node, node->v[i].name) < 0)
			return -1;
	return (int)n;
}

/* The one name that is asked for, once; else as below. */
static int only_name(struct copy_worker *w, struct copy_node *node)
{
	const char *name = w->c->o->only;
	struct stat st;

	if (node->n)
		return 0;
	if (fstatat(node->fd[FROM], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return copy_fail(w->c, node, name, "look at");
	if (S_ISDIR(st.st_mode))
		return node->dirs_len ? 0 : remember_directory(w, node, name);
	node->v = malloc(sizeof(*node->v));
	if (!node->v)
		return copy_fail(w->c, node, name, "remember");
	*node->v = (struct copy_entry){st.st_ino, name, (unsigned char)IFTODT(st.st_mode)};
	return 1;
}

/* More names of a directory: how many there are to be handed out, 0 at its end, -1. */
static int read_names(struct copy_worker *w, struct copy_node *node)
{
	ssize_t bytes;
	int n;

	if (w->c->o->only && !node->parent)
		return only_name(w, node);
	if (!node->dents) {
		node->dents = malloc(COPY_DENTS);
		node->v = malloc(COPY_DENTS_MOST * sizeof(*node->v));
		if (!node->dents || !node->v)
			return copy_fail(w->c, node, "", "read the directory");
	}
	do {
		bytes = getdents64(node->fd[FROM], node->dents, COPY_DENTS);
		if (bytes < 0)
			return copy_fail(w->c, node, "", "read the directory");
		n = bytes ? sort_names(w, node, (size_t)bytes) : 0;
	} while (bytes && !n);
	return n;
}

/* All that is in it is there: its attributes, then it waits for its subdirectories or is done. */
static int leave(struct copy_worker *w, struct copy_node *node)
{
	struct copier *c = w->c;
	struct copy_node **at = &c->reading;
	int result = 0;

	if (node->parent && node->fd[TO] >= 0 &&
	    copy_attributes(w, node, "", node->fd, &node->st, 0700) < 0)
		return -1;
	pthread_mutex_lock(&c->lock);
	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	c->n_reading--;
	node->reading = false;
	copy_node_free_names(node);
	if (node->dirs_len) {
		result = copy_node_push(c, node);
	} else {
		copy_node_close_unused(node);
		copy_node_drop(node);
	}
	wake(c);
	pthread_mutex_unlock(&c->lock);
	return result < 0 ? copy_fail(c, node, "", "remember") : 0;
}

static void fill(struct copy_worker *w, struct copy_node *node)
{
	struct copier *c = w->c;
	int n = read_names(w, node);

	if (n < 0)
		return;
	if (n == 0) {
		leave(w, node);
		return;
	}
	pthread_mutex_lock(&c->lock);
	node->n = (size_t)n;
	node->handed_out = 0;
	node->filling = false;
	w->near = node->serial;
	wake(c);
	pthread_mutex_unlock(&c->lock);
}

/* ---- visiting a directory ---- */

static int open_target(struct copy_worker *w, struct copy_node *node)
{
	struct stat st;

	node->fd[TO] = openat(node->parent->fd[TO], node->name,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (node->fd[TO] < 0 || fstat(node->fd[TO], &st) < 0)
		return copy_fail(w->c, node, "", "open the copy of");
	/* We made it a moment ago: it is no mount, whoever can put one there. */
	if (st.st_dev != node->parent->dev[TO]) {
		errno = ESTALE;
		return copy_fail(w->c, node, "", "open the copy of");
	}
	node->dev[TO] = st.st_dev;
	node->ino[TO] = st.st_ino;
	return 0;
}

/* 1: it is open; 0: there is nothing in it to copy. */
static int open_directory(struct copy_worker *w, struct copy_node *node)
{
	struct copier *c = w->c;
	struct copy_node *parent = node->parent;

	node->fd[FROM] = openat(parent->fd[FROM], node->name,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (node->fd[FROM] < 0 && errno == ENOENT) {
		c->count.vanished++;
		if (c->measuring || unlinkat(parent->fd[TO], node->name, AT_REMOVEDIR) == 0)
			return 0;
		return copy_fail(c, node, "", "take back the directory");
	}
	if (node->fd[FROM] < 0 && (errno == ENOTDIR || errno == ELOOP))
		errno = ESTALE;
	if (node->fd[FROM] < 0 || fstat(node->fd[FROM], &node->st) < 0)
		return copy_fail(c, node, "", "open the directory");
	node->dev[FROM] = node->st.st_dev;
	node->ino[FROM] = node->st.st_ino;
	if (!c->measuring && node->st.st_ino == c->root->ino[TO] &&
	    node->st.st_dev == c->root->dev[TO]) {
		errno = ELOOP;
		return copy_fail(c, node, "", "copy into itself the directory");
	}
	c->count.directories++;
	if (!c->measuring && open_target(w, node) < 0)
		return -1;
	return !copy_is_foreign(c, node->fd[FROM]);
}

static void descend(struct copy_worker *w, const struct job *job)
{
	struct copy_node *node = job->node, *parent = node->parent;
	struct copier *c = w->c;
	int opened;

	if (job->code) {
		errno = job->code;
		copy_fail(c, node, "", "open again the directory above");
		return;
	}
	opened = open_directory(w, node);
	pthread_mutex_lock(&c->lock);
	parent->pins--;
	copy_node_close_unused(parent);
	pthread_mutex_unlock(&c->lock);
	if (opened > 0)
		fill(w, node);
	else if (opened == 0)
		leave(w, node);
}

/* ---- workers ---- */

static void do_job(struct copy_worker *w, const struct job *job)
{
	struct copier *c = w->c;

	switch (job->kind) {
	case JOB_DESCEND:
		descend(w, job);
		return;
	case JOB_FILL:
		fill(w, job->node);
		return;
	case JOB_ENTRY:
		copy_entry(w, job->node, &job->entry);
		pthread_mutex_lock(&c->lock);
		if (--job->node->busy == 0)
			wake(c);
		pthread_mutex_unlock(&c->lock);
	}
}

/*
 * A thread.  unshare(2) gives it a working directory and a umask of its own: files are born with
 * their mode, and what has no descriptor (the extended attributes of links and devices) is reached
 * by its bare name.
 */
void *copy_work(void *worker)
{
	struct copy_worker *w = worker;
	struct copier *c = w->c;
	struct job job;
	bool more;

	if (unshare(CLONE_FS) < 0)
		copy_fail(c, NULL, "", "give a thread of the copy its own umask for");
	umask(0);
	do {
		pthread_mutex_lock(&c->lock);
		more = take(w, &job);
		pthread_mutex_unlock(&c->lock);
		if (more)
			do_job(w, &job);
	} while (more);
	pthread_mutex_lock(&c->lock);
	c->running--;
	pthread_cond_broadcast(&c->work);
	pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}
