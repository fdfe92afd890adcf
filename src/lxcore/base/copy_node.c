/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copier, directories in memory, and how few of them stay open.
 *
 * A deep tree costs descriptors for all that wait on the way down.  These are bounded: the lowest
 * of the stack are closed.  When the turn of such a one comes, it is opened from the nearest open
 * directory above it, name by name, and must be the one that it was (device and inode); those on
 * the way that wait too stay open, so that a long way is walked once for many directories.
 */
#include "copy_inner.h"
#include "auto.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- directories in memory; under the lock ---- */

struct copy_node *copy_node_new(struct copier *c, struct copy_node *parent, const char *name)
{
	size_t n = strlen(name) + 1;
	struct copy_node *node = calloc(1, sizeof(*node) + n);

	if (!node)
		return NULL;
	memcpy(node->name, name, n);
	node->serial = ++c->serials;
	node->fd[FROM] = node->fd[TO] = -1;
	node->refs = 1;
	node->parent = parent;
	if (parent)
		parent->refs++;
	node->reading = true;
	node->next = c->reading;
	c->reading = node;
	c->n_reading++;
	return node;
}

static void close_node(struct copy_node *node)
{
	close_fd(&node->fd[FROM]);
	close_fd(&node->fd[TO]);
}

/* The topmost directory stays open: every way begins there. */
void copy_node_close_unused(struct copy_node *node)
{
	if (!node->reading && !node->waiting && !node->pins && node->parent)
		close_node(node);
}

void copy_node_free_names(struct copy_node *node)
{
	free(node->dents);
	free(node->v);
	node->dents = NULL;
	node->v = NULL;
}

void copy_node_drop(struct copy_node *node)
{
	while (node && --node->refs == 0) {
		struct copy_node *parent = node->parent;

		close_node(node);
		copy_node_free_names(node);
		free(node->dirs);
		free(node);
		node = parent;
	}
}

/* ---- those that wait: closing, and opening again; under the lock ---- */

static void count_open(struct copier *c, struct copy_node *node)
{
	if (node->counted || !node->waiting || node->fd[FROM] < 0)
		return;
	node->counted = true;
	c->n_open++;
	if (node->at < c->lowest_open)
		c->lowest_open = node->at;
}

static void count_closed(struct copier *c, struct copy_node *node)
{
	c->n_open -= node->counted;
	node->counted = false;
}

void copy_node_close_lowest(struct copier *c)
{
	for (size_t at = c->lowest_open; c->n_open > c->max_open && at + 1 < c->n_waiting; at++) {
		struct copy_node *node = c->waiting[at];

		/* A worker that was put to sleep there must not keep all above it open. */
		if (node->pins)
			continue;
		if (at == c->lowest_open)
			c->lowest_open++;
		count_closed(c, node);
		if (node->parent)
			close_node(node);
	}
}

/* One step down: -1 with errno, ESTALE when another directory has that name now. */
static int step_down(int fd, const struct copy_node *node, enum copy_side side)
{
	autoclose int next = openat(fd, node->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (next < 0 && (errno == ENOTDIR || errno == ELOOP))
		errno = ESTALE;
	if (next < 0 || fstat(next, &st) < 0)
		return -1;
	if (st.st_dev != node->dev[side] || st.st_ino != node->ino[side]) {
		errno = ESTALE;
		return -1;
	}
	return steal_fd(&next);
}

static struct copy_node **way_down(struct copy_node *node, enum copy_side side, size_t *ret_n)
{
	struct copy_node **way, *at;
	size_t n = 0;

	for (at = node; at->fd[side] < 0; at = at->parent)
		n++;
	way = malloc((n + 1) * sizeof(*way));
	*ret_n = n;
	if (!way)
		return NULL;
	for (at = node, n = 0; at->fd[side] < 0; at = at->parent)
		way[n++] = at;
	way[n] = at;
	return way;
}

/*
 * From the nearest open directory down to 'node'.  Of the last 'keep' on the way those that wait
 * are left open, as node->fd.  Returns a descriptor of 'node' that is the caller's unless it was
 * left so.
 */
static int walk_down(struct copy_node *node, enum copy_side side, size_t keep)
{
	size_t n;
	autofree struct copy_node **way = way_down(node, side, &n);
	autoclose int own = -1;
	int fd;

	if (!way)
		return -1;
	fd = way[n]->fd[side];
	while (n-- > 0) {
		int next = step_down(fd, way[n], side);

		close_fd(&own);
		if (next < 0)
			return -1;
		fd = next;
		if (n < keep && way[n]->waiting)
			way[n]->fd[side] = next;
		else
			own = next;
	}
	return own >= 0 ? steal_fd(&own) : fd;
}

/* Of a directory that waits. */
int copy_node_open_again(struct copier *c, struct copy_node *node)
{
	size_t keep = c->max_open / 2;

	if (node->fd[FROM] >= 0)
		return 0;
	if (!c->measuring && walk_down(node, TO, keep) < 0)
		return -1;
	if (walk_down(node, FROM, keep) < 0)
		return -1;
	for (; node && keep; node = node->parent, keep--)
		count_open(c, node);
	return 0;
}

int copy_node_push(struct copier *c, struct copy_node *node)
{
	if (c->n_waiting == c->waiting_cap) {
		size_t cap = c->waiting_cap ? c->waiting_cap * 2 : 64;
		struct copy_node **v = reallocarray(c->waiting, cap, sizeof(*v));

		if (!v)
			return -1;
		c->waiting = v;
		c->waiting_cap = cap;
	}
	node->waiting = true;
	node->at = c->n_waiting;
	c->waiting[c->n_waiting++] = node;
	count_open(c, node);
	copy_node_close_lowest(c);
	return 0;
}

void copy_node_pop(struct copier *c)
{
	struct copy_node *node = c->waiting[--c->n_waiting];

	count_closed(c, node);
	node->waiting = false;
	free(node->dirs);
	node->dirs = NULL;
	node->dirs_len = node->dirs_cap = 0;
	if (c->lowest_open > c->n_waiting)
		c->lowest_open = c->n_waiting;
	copy_node_close_unused(node);
	copy_node_drop(node);
}

/* ---- begin and end ---- */

bool copy_walk_begin(struct copier *c)
{
	c->root = copy_node_new(c, NULL, "");
	if (c->root)
		c->root->refs++;
	return c->root;
}

void copy_walk_end(struct copier *c)
{
	for (struct copy_node *node = c->reading, *next; node; node = next) {
		next = node->next;
		copy_node_drop(node);
	}
	while (c->n_waiting)
		copy_node_drop(c->waiting[--c->n_waiting]);
	free(c->waiting);
	copy_node_drop(c->root);
}

/* ---- for others ---- */

void copy_node_ref(struct copier *c, struct copy_node *node)
{
	pthread_mutex_lock(&c->lock);
	node->refs++;
	pthread_mutex_unlock(&c->lock);
}

void copy_node_unref(struct copier *c, struct copy_node *node)
{
	pthread_mutex_lock(&c->lock);
	copy_node_drop(node);
	pthread_mutex_unlock(&c->lock);
}

int copy_node_borrow(struct copier *c, struct copy_node *node, enum copy_side side, bool *ret_own)
{
	int fd;

	pthread_mutex_lock(&c->lock);
	fd = node->fd[side];
	*ret_own = fd < 0;
	if (fd < 0)
		fd = walk_down(node, side, 0);
	else
		node->pins++;
	pthread_mutex_unlock(&c->lock);
	return fd;
}

void copy_node_return(struct copier *c, struct copy_node *node, int fd, bool own)
{
	if (own) {
		close(fd);
		return;
	}
	pthread_mutex_lock(&c->lock);
	node->pins--;
	copy_node_close_unused(node);
	pthread_mutex_unlock(&c->lock);
}
