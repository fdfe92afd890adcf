/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots: clones that stay the same container, below LXCPATH/NAME/snaps, which is an lxcpath of its
 * own.  Beside a snapshot's configuration are 'ts' (when), 'comment', and 'parent'.  'snaps/.current'
 * names the snapshot that the container's present contents stand on.
 */
#include "base/auto.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "life/events.h"
#include "parts/hooks.h"
#include "store/graph.h"
#include "store/snapshot.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MOST_SNAPSHOTS 10000

char *snapshot_dir(const struct lxcore_container *c)
{
	return str_printf("%s/snaps", c->dir);
}

/* ---- what is known of one ---- */

/* A small file of ours, without the newline at its end; NULL: there is none. */
static char *read_note(const char *dir, const char *snapshot, const char *file)
{
	autofree char *path = str_printf("%s/%s/%s", dir, snapshot, file);
	struct buf text = BUF_INIT;

	if (!path || file_read(AT_FDCWD, path, &text) < 0 || !text.s) {
		buf_free(&text);
		return NULL;
	}
	while (text.len && text.s[text.len - 1] == '\n')
		text.s[--text.len] = '\0';
	return buf_steal(&text);
}

static int write_note(const char *dir, const char *file, const char *text, struct error *err)
{
	autofree char *path = str_printf("%s/%s", dir, file);

	if (!path || file_replace(AT_FDCWD, path, text, 0640) < 0)
		return error_sys(err, "cannot write \"%s/%s\"", dir, file);
	return 0;
}

char *snapshot_current(const struct lxcore_container *c)
{
	autofree char *dir = snapshot_dir(c);

	return dir ? read_note(dir, ".", ".current") : NULL;
}

void snapshot_set_current(const struct lxcore_container *c, const char *name)
{
	autofree char *dir = snapshot_dir(c);

	/* It only helps to draw the tree. */
	if (dir)
		write_note(dir, ".current", name, NULL);
}

lxcore_container *snapshot_open(lxcore_container *c, const char *name, struct error *err)
{
	autofree char *dir = snapshot_dir(c);
	lxcore_container *s;
	struct lxcore_snapshot *all;
	autobuf struct buf names = BUF_INIT;
	int n;

	if (!dir || path_check_name(name, err) < 0)
		return NULL;
	s = access(dir, F_OK) == 0 ? lxcore_open(dir, name, err) : NULL;
	if (s && lxcore_is_defined(s))
		return s;
	lxcore_close(s);
	n = lxcore_snapshots(c, &all, err);
	for (int i = 0; i < n; i++)
		buf_addf(&names, "%s%s", i ? " " : "", all[i].name);
	if (n >= 0)
		lxcore_snapshots_free(all, n);
	error_set(err, ENOENT, "there is no snapshot \"%s\" of it", name);
	error_mend(err, names.len ? "use one of: %s" : "lxc-snapshot -n %s      (makes one)",
		   names.len ? names.s : c->name);
	return NULL;
}

/* ---- making one ---- */

int snapshot_write_notes(const char *dir, const struct lxcore_snapshot *s, struct error *err)
{
	if (write_note(dir, "ts", s->created, err) < 0 ||
	    (s->parent && write_note(dir, "parent", s->parent, err) < 0))
		return -1;
	return s->comment ? write_note(dir, "comment", s->comment, err) : 0;
}

/* When, and why: while the snapshot is not yet one. */
static int write_notes(struct clone *k, struct error *err)
{
	const struct lxcore_snap *how = k->data;
	autofree char *current = read_note(k->to->lxcpath, ".", ".current");
	autobuf struct buf comment = BUF_INIT;
	char when[32];
	struct lxcore_snapshot s = {.created = when, .parent = current};
	struct tm tm;
	time_t now = time(NULL);

	strftime(when, sizeof(when), "%Y:%m:%d %H:%M:%S", localtime_r(&now, &tm));
	if (store_run_hooks(k->from, HOOK_SNAPSHOT, NULL, err) < 0)
		return -1;
	if (how->comment_file) {
		if (file_read(AT_FDCWD, how->comment_file, &comment) < 0)
			return error_sys(err, "cannot read the comment \"%s\"", how->comment_file);
		s.comment = comment.s ? comment.s : (char[]){""};
	}
	return snapshot_write_notes(k->to->dir, &s, err);
}

/* What is there may be what a killed command left: then opening it removes it. */
static bool is_taken(const char *dir, const char *name)
{
	autofree char *path = str_printf("%s/%s", dir, name);
	autofree char *partial = str_printf("%s/%s/" STORE_PARTIAL, dir, name);

	if (partial && access(partial, F_OK) == 0)
		lxcore_close(lxcore_open(dir, name, NULL));
	return path && access(path, F_OK) == 0;
}

static int make(struct clone *k, const char *dir, char **ret_name, struct error *err)
{
	int result = -1;

	/* Another may choose the same number at the same time: then the next one is ours. */
	for (int n = 0; n < MOST_SNAPSHOTS && !*ret_name; n++) {
		autofree char *name = str_printf("snap%d", n);

		if (!name)
			return error_set(err, ENOMEM, "out of memory");
		if (is_taken(dir, name))
			continue;
		k->to = lxcore_open(dir, name, err);
		result = k->to ? clone_make(k, err) : -1;
		lxcore_close(steal_ptr(&k->to));
		if (result < 0 && is_taken(dir, name) && (!err || err->code == EEXIST ||
							      err->code == EBUSY))
			continue;
		if (result < 0)
			return -1;
		*ret_name = steal_ptr(&name);
	}
	return *ret_name ? 0 : error_set(err, EEXIST, "it has too many snapshots");
}

int lxcore_snapshot(lxcore_container *c, const struct lxcore_snap *how, struct lxcore_copied *ret,
		    lxcore_error *err)
{
	const struct lxcore_copy copy = {
		.size = sizeof(copy), .allow_running = true, .progress = how->progress,
		.data = how->data,
	};
	autofree char *dir = snapshot_dir(c), *name = NULL;
	struct clone k = {
		.from = c, .how = &copy, .same = true, .last = write_notes, .data = how,
		.share = how->full ? SHARE_NOT : SHARE_IF_SAFE,
	};

	if (how->comment_file && access(how->comment_file, R_OK) < 0) {
		error_sys(err, "cannot read the comment \"%s\"", how->comment_file);
		return error_within(err, "%s", c->name);
	}
	if (!dir || make(&k, dir, &name, err) < 0)
		return error_within(err, "%s", c->name);
	snapshot_set_current(c, name);
	events_tell(c->lxcpath, c->name, LXCORE_EVENT_SNAPSHOT, name);
	if (ret) {
		*ret = k.done;
		ret->name = steal_ptr(&name);
	}
	return 0;
}

/* ---- listing ---- */

static int compare(const void *a, const void *b)
{
	const struct lxcore_snapshot *x = a, *y = b;
	int order = strcmp(x->created, y->created);

	/* Within a second, and as long as names are ours: snap9 before snap10. */
	return order ? order : strverscmp(x->name, y->name);
}

static bool fill_row(const char *dir, const char *name, struct lxcore_snapshot *s)
{
	*s = (struct lxcore_snapshot){
		.name = strdup(name), .dir = strdup(dir), .created = read_note(dir, name, "ts"),
		.comment = read_note(dir, name, "comment"), .parent = read_note(dir, name, "parent"),
	};
	if (!s->created)
		s->created = strdup("");
	return s->name && s->dir && s->created;
}

int lxcore_snapshots(lxcore_container *c, struct lxcore_snapshot **ret, lxcore_error *err)
{
	autofree char *dir = snapshot_dir(c);
	char **names = NULL;
	struct lxcore_snapshot *rows;
	int n = dir ? lxcore_list_defined(dir, &names, err) : -1, kept = 0;

	rows = n < 0 ? NULL : calloc((size_t)n + 1, sizeof(*rows));
	for (int i = 0; rows && i < n; i++) {
		autofree char *partial = str_printf("%s/%s/" STORE_PARTIAL, dir, names[i]);

		/* One that is being made is none yet. */
		if (partial && access(partial, F_OK) < 0 && fill_row(dir, names[i], &rows[kept]))
			kept++;
	}
	lxcore_names_free(names);
	if (!rows)
		return n < 0 ? -1 : error_set(err, ENOMEM, "out of memory");
	qsort(rows, (size_t)kept, sizeof(*rows), compare);
	*ret = rows;
	return kept;
}

void lxcore_snapshots_free(struct lxcore_snapshot *list, int n)
{
	for (int i = 0; i < n; i++) {
		free(list[i].name);
		free(list[i].dir);
		free(list[i].created);
		free(list[i].comment);
		free(list[i].parent);
	}
	free(list);
}

/* ---- removing ---- */

static int refuse_if_used(const char *user, const char *but, lxcore_container *s, struct error *err)
{
	autostrv struct strv used = {0};
	size_t n = strlen(s->dir);

	if (layers_used_by(user, but, &used) < 0)
		return error_sys(err, "cannot tell what \"%s\" needs", user);
	for (size_t i = 0; i < used.n; i++)
		if (strncmp(used.v[i], s->dir, n) == 0 && used.v[i][n] == '/') {
			error_set(err, ENOTEMPTY, "cannot remove snapshot %s: \"%s\" stands on what "
				  "was written in it", s->name, user);
			return error_mend(err, "lxc-copy -n %s -N NEW      (a full copy needs nobody)",
					  strrchr(user, '/') + 1);
		}
	return 0;
}

/* Layers that lie in the snapshot itself: there are some when somebody ran it. */
static int check_unused(lxcore_container *c, lxcore_container *s, struct error *err)
{
	autostrv struct strv users = {0};

	if (graph_users(c->dir, &users) < 0)
		return error_sys(err, "cannot read who needs %s", c->name);
	if (refuse_if_used(c->dir, s->name, s, err) < 0)
		return -1;
	for (size_t i = 0; i < users.n; i++)
		if (refuse_if_used(users.v[i], NULL, s, err) < 0)
			return -1;
	return 0;
}

static int destroy_one(lxcore_container *c, const char *name, struct error *err)
{
	autohold struct hold hold = HOLD_INIT;
	lxcore_container *s = snapshot_open(c, name, err);
	int result = -1;

	if (!s)
		return -1;
	if (hold_take(s, HOLD_ALONE, &hold, err) == 0 && hold_stopped(&hold, err) == 0 &&
	    check_unused(c, s, err) == 0)
		result = store_remove(s, err);
	hold_release(&hold);
	hold = (struct hold)HOLD_INIT;
	lxcore_close(s);
	return result;
}

int snapshot_remove_all(lxcore_container *c, struct error *err)
{
	struct lxcore_snapshot *all;
	int n = lxcore_snapshots(c, &all, err), result = n < 0 ? -1 : 0;

	/* The youngest first: others may stand on the older ones. */
	for (int i = n; result == 0 && i-- > 0;)
		result = destroy_one(c, all[i].name, err);
	if (n >= 0)
		lxcore_snapshots_free(all, n);
	return result;
}

static void remove_if_empty(const char *dir)
{
	autofree char *current = str_printf("%s/.current", dir);
	char **names = NULL;
	int n = lxcore_list_defined(dir, &names, NULL);

	lxcore_names_free(names);
	if (n == 0 && current) {
		unlink(current);
		rmdir(dir);
	}
}

int lxcore_snapshot_destroy(lxcore_container *c, const char *snapshot, lxcore_error *err)
{
	autohold struct hold hold = HOLD_INIT;
	autofree char *dir = snapshot_dir(c);
	int result;

	if (hold_take(c, HOLD_ALONE, &hold, err) < 0)
		return error_within(err, "%s", c->name);
	result = snapshot ? destroy_one(c, snapshot, err) : snapshot_remove_all(c, err);
	if (result == 0)
		result = layers_sweep(c, err);
	/* The last one's directory goes as well. */
	if (dir && result == 0)
		remove_if_empty(dir);
	if (result == 0)
		events_tell(c->lxcpath, c->name, LXCORE_EVENT_FORGET, snapshot);
	return result < 0 ? error_within(err, "%s", c->name) : 0;
}
