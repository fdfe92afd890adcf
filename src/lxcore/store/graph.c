/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which container's contents lie in which others; see graph.h. */
#include "store/graph.h"
#include "base/fd.h"
#include "store/store.h"

#include <string.h>
#include <sys/stat.h>

/* ---- the two files ---- */

static int read_pairs(const char *dir, const char *file, struct strv *ret)
{
	autofree char *path = str_printf("%s/%s", dir, file);
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	if (!path || (file_read(AT_FDCWD, path, &text) < 0 && errno != ENOENT))
		return -1;
	if (text.s && strv_split(&lines, text.s, "\n") < 0)
		return -1;
	for (size_t i = 0; i + 1 < lines.n; i++) {
		autofree char *other = NULL;

		/* A pair of which only a part was written is passed over. */
		if (lines.v[i][0] != '/' || strchr(lines.v[i + 1], '/'))
			continue;
		other = str_printf("%s/%s", lines.v[i], lines.v[i + 1]);
		if (!other || (!strv_has(ret, other) && strv_add(ret, other) < 0))
			return -1;
	}
	return 0;
}

static void add_pair(struct buf *text, const char *dir)
{
	const char *name = strrchr(dir, '/') + 1;

	buf_addf(text, "%.*s\n%s\n", (int)(name - dir - 1), dir, name);
}

int graph_owners(const char *dir, struct strv *ret)
{
	return read_pairs(dir, GRAPH_OWNERS, ret);
}

/* One that is being made counts: its file comes with its directory. */
static bool agrees(const char *user, const char *owner)
{
	autostrv struct strv owners = {0};

	return access(user, F_OK) == 0 && graph_owners(user, &owners) == 0 &&
	       /* LXC's own clones have the file as well. */
	       strv_has(&owners, owner);
}

int graph_users(const char *dir, struct strv *ret)
{
	autostrv struct strv told = {0};

	if (read_pairs(dir, GRAPH_USERS, &told) < 0)
		return -1;
	for (size_t i = 0; i < told.n; i++)
		if (agrees(told.v[i], dir) && strv_add(ret, told.v[i]) < 0)
			return -1;
	strv_sort(ret);
	return 0;
}

/* ---- writing ---- */

/* The file only grows, by whole pairs: who reads it needs no lock.  Those who write take turns. */
static int tell(const char *owner, const char *user, struct error *err)
{
	autofree char *path = str_printf("%s/" GRAPH_USERS, owner);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	autoclose int fd = path ? open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640) : -1;
	autobuf struct buf pair = BUF_INIT;

	/* After a writer that was killed half-way ours begins a line of its own. */
	buf_puts(&pair, "\n");
	add_pair(&pair, user);
	if (fd < 0 || pair.failed || fcntl(fd, F_OFD_SETLKW, &lock) < 0 ||
	    fd_write_all(fd, pair.s, pair.len) < 0)
		return error_sys(err, "cannot write down in \"%s\" that \"%s\" needs it", owner, user);
	return 0;
}

int graph_tell_owners(const struct strv *owners, const char *user, struct error *err)
{
	for (size_t i = 0; i < owners->n; i++) {
		autostrv struct strv told = {0};

		if (read_pairs(owners->v[i], GRAPH_USERS, &told) < 0)
			return error_sys(err, "cannot read who needs \"%s\"", owners->v[i]);
		if (!strv_has(&told, user) && tell(owners->v[i], user, err) < 0)
			return -1;
	}
	return 0;
}

int graph_write_owners(const struct strv *owners, const char *user, struct error *err)
{
	autofree char *path = str_printf("%s/" GRAPH_OWNERS, user);
	autobuf struct buf text = BUF_INIT;

	if (!owners->n)
		return 0;
	for (size_t i = 0; i < owners->n; i++)
		add_pair(&text, owners->v[i]);
	if (!path || text.failed || file_replace(AT_FDCWD, path, text.s, 0640) < 0)
		return error_sys(err, "cannot write down whom \"%s\" needs", user);
	return 0;
}

/* ---- from the layers themselves ---- */

/* Where 'part' begins for the last time; 0: nowhere. */
static size_t last_of(const char *text, size_t n, const char *part)
{
	size_t length = strlen(part);

	for (size_t at = n; at-- > 1;)
		if (strncmp(text + at, part, length) == 0)
			return at;
	return 0;
}

/* Length of 'LXCPATH/NAME' in 'LXCPATH/NAME[/snaps/SNAP]/rootfs' or '.../overlay/DELTA'; 0: it is
 * in no container. */
static size_t owner_length(const char *layer)
{
	size_t n = strlen(layer), overlay = last_of(layer, n, "/overlay/"), snaps;
	size_t rootfs = last_of(layer, n, "/rootfs"), end = overlay > rootfs ? overlay : rootfs;

	snaps = end ? last_of(layer, end, "/snaps/") : 0;
	return snaps && !memchr(layer + snaps + 7, '/', end - snaps - 7) ? snaps : end;
}

int graph_owners_of_layers(const struct strv *layers, const char *dir, struct strv *ret)
{
	for (size_t i = 0; i < layers->n; i++) {
		size_t n = owner_length(layers->v[i]);
		autofree char *owner = strndup(layers->v[i], n);

		if (!owner)
			return -1;
		if (!n || strcmp(owner, dir) == 0 || strv_has(ret, owner))
			continue;
		if (strv_add(ret, owner) < 0)
			return -1;
	}
	return 0;
}

/* ---- the public face ---- */

static int give(struct strv *list, int result, char ***ret, struct error *err)
{
	if (result < 0 || (!list->v && !(list->v = calloc(1, sizeof(char *))))) {
		strv_free(list);
		return error_sys(err, "cannot read which containers need each other");
	}
	*ret = list->v;
	return (int)list->n;
}

int lxcore_dependants(lxcore_container *c, char ***ret, lxcore_error *err)
{
	struct strv list = {0};

	return give(&list, graph_users(c->dir, &list), ret, err);
}

int lxcore_dependencies(lxcore_container *c, char ***ret, lxcore_error *err)
{
	struct strv list = {0};
	int result = graph_owners(c->dir, &list);

	strv_sort(&list);
	return give(&list, result, ret, err);
}
