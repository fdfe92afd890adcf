/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copier, hard links: a table of those files that have more names than were met so far, and of
 * where their copy is.
 */
#include "copy_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct copy_link {
	struct copy_link *next;
	dev_t dev;
	ino_t ino;
	nlink_t missing; /* names that were not met yet */
	struct copy_node *dir;
	char name[];
};

static struct copy_link **bucket(const struct copy_links *t, dev_t dev, ino_t ino)
{
	return &t->v[(ino * 0x9e3779b97f4a7c15ULL ^ dev) >> 7 & (t->cap - 1)];
}

static struct copy_link **find(const struct copy_links *t, dev_t dev, ino_t ino)
{
	struct copy_link **at;

	if (!t->cap)
		return NULL;
	for (at = bucket(t, dev, ino); *at; at = &(*at)->next)
		if ((*at)->dev == dev && (*at)->ino == ino)
			return at;
	return NULL;
}

static bool grow(struct copy_links *t)
{
	struct copy_links more = {.cap = t->cap ? t->cap * 2 : 256};

	more.v = calloc(more.cap, sizeof(struct copy_link *));
	if (!more.v)
		return false;
	for (size_t i = 0; i < t->cap; i++)
		for (struct copy_link *l = t->v[i], *next; l; l = next) {
			struct copy_link **at = bucket(&more, l->dev, l->ino);

			next = l->next;
			l->next = *at;
			*at = l;
		}
	free(t->v);
	t->v = more.v;
	t->cap = more.cap;
	return true;
}

static bool add(struct copier *c, struct copy_node *dir, const struct copy_make *m)
{
	struct copy_links *t = &c->links;
	size_t n = strlen(m->name) + 1;
	struct copy_link *l, **at;

	if (t->n >= t->cap && !grow(t))
		return false;
	l = malloc(sizeof(*l) + n);
	if (!l)
		return false;
	at = bucket(t, m->st->st_dev, m->st->st_ino);
	*l = (struct copy_link){*at, m->st->st_dev, m->st->st_ino, m->st->st_nlink - 1, dir};
	memcpy(l->name, m->name, n);
	copy_node_ref(c, dir);
	*at = l;
	t->n++;
	return true;
}

/* All its names are there: it need not be remembered. */
static void forget(struct copier *c, struct copy_link **at)
{
	struct copy_link *l = *at;

	*at = l->next;
	c->links.n--;
	copy_node_unref(c, l->dir);
	free(l);
}

static int make_link(struct copier *c, const struct copy_link *l, struct copy_node *dir,
		     const char *name)
{
	bool own;
	int fd, result, code;

	if (c->measuring)
		return 0;
	fd = copy_node_borrow(c, l->dir, TO, &own);
	if (fd < 0)
		return -1;
	result = linkat(fd, l->name, dir->fd[TO], name, 0);
	code = errno;
	copy_node_return(c, l->dir, fd, own);
	errno = code;
	return result;
}

static int link_or_make(struct copy_worker *w, struct copy_node *dir, struct copy_make *m)
{
	struct copier *c = w->c;
	struct copy_link **at = find(&c->links, m->st->st_dev, m->st->st_ino);

	if (!at) {
		if (m->make(w, dir, m) < 0)
			return -1;
		return add(c, dir, m) ? 0 : copy_fail(c, dir, m->name, "remember");
	}
	if (make_link(c, *at, dir, m->name) < 0)
		return copy_fail(c, dir, m->name, "make the hard link");
	c->count.links++;
	if (--(*at)->missing == 0)
		forget(c, at);
	return 1;
}

int copy_link(struct copy_worker *w, struct copy_node *dir, struct copy_make *m)
{
	int result;

	if (m->st->st_nlink < 2)
		return m->make(w, dir, m);
	pthread_mutex_lock(&w->c->links.lock);
	result = link_or_make(w, dir, m);
	pthread_mutex_unlock(&w->c->links.lock);
	return result;
}

void copy_links_free(struct copier *c)
{
	for (size_t i = 0; i < c->links.cap; i++)
		while (c->links.v[i])
			forget(c, &c->links.v[i]);
	free(c->links.v);
}
