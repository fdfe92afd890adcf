/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots out of an archive.  They lie in the directory of the container that is being made, so
 * they are nothing before it is one, and go with it when it is abandoned.  Each is a directory of its
 * own: what they had in common when they were packed is in the archive several times.
 */
#include "base/error.h"
#include "store/snapshot.h"
#include "store/transfer_import.h"
#include "base/fd.h"
#include "store/mapped.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool import_is_of_snapshot(const char *member)
{
	return str_starts(member, TRANSFER_SNAPSHOT);
}

static int out_of_place(const char *member, struct error *err)
{
	return error_set(err, EINVAL, "the archive is damaged: \"%s\" is not where it should be",
			 member);
}

/* "snapshot-N" with 'end' behind it, where N is the one that comes next. */
static bool is_member(const struct importer *m, const char *member, const char *end)
{
	char expected[WIRE_NAME];

	snprintf(expected, sizeof(expected), TRANSFER_SNAPSHOT "%u%s", m->snapshots.n, end);
	return strcmp(member, expected) == 0;
}

/* ---- notes ---- */

static int make_dirs(const char *snaps, lxcore_container *s, struct error *err)
{
	if (mkdir(snaps, 0750) < 0 && errno != EEXIST)
		return error_sys(err, "cannot make \"%s\"", snaps);
	if (mkdir(s->dir, 0750) == 0)
		return 0;
	if (errno != EEXIST)
		return error_sys(err, "cannot make \"%s\"", s->dir);
	return error_set(err, EINVAL, "the archive is damaged: it has two snapshots \"%s\"", s->name);
}

static int begin(struct importer *m, const struct lxcore_snapshot *notes, bool current,
		 struct error *err)
{
	struct arriving *a = &m->snapshots;
	autofree char *snaps = snapshot_dir(m->c);

	if (!snaps)
		return error_set(err, ENOMEM, "out of memory");
	a->s = lxcore_open(snaps, notes->name, err);
	if (!a->s || make_dirs(snaps, a->s, err) < 0)
		return -1;
	if (current && !a->current)
		a->current = strdup(notes->name);
	return snapshot_write_notes(a->s->dir, notes, err);
}

static int take_notes(struct importer *m, const char *text, struct error *err)
{
	struct lxcore_snapshot notes;
	bool current;
	int result = transfer_notes_read(text, &notes, &current, err);

	if (result == 0)
		result = begin(m, &notes, current, err);
	free(notes.name);
	free(notes.created);
	free(notes.comment);
	free(notes.parent);
	return result;
}

/* ---- the doors ---- */

int import_snapshot_text(struct importer *m, const char *member, struct buf *text, struct error *err)
{
	struct arriving *a = &m->snapshots;

	if (m->rootfs && !a->s && is_member(m, member, ""))
		return take_notes(m, text->s, err);
	if (!a->s || a->config || !is_member(m, member, "." TRANSFER_CONFIG))
		return out_of_place(member, err);
	a->config = buf_steal(text);
	return 0;
}

int import_snapshot_tree(struct importer *m, const char *member, struct wire_ids *ret_ids,
			 struct error *err)
{
	struct arriving *a = &m->snapshots;
	int root;

	if (!a->config || !is_member(m, member, "." TRANSFER_ROOTFS))
		return out_of_place(member, err);
	if (import_config(m, a->s, a->config, err) < 0)
		return error_within(err, "snapshot %s", a->s->name);
	root = import_rootfs(m, a->s, "dir", err);
	if (root < 0)
		return error_within(err, "snapshot %s", a->s->name);
	transfer_ids(mapped_on_disk(a->s->conf), ret_ids);
	free(steal_ptr(&a->config));
	lxcore_close(steal_ptr(&a->s));
	a->n++;
	return root;
}

int import_snapshots_finish(struct importer *m, struct error *err)
{
	struct arriving *a = &m->snapshots;

	if (a->s)
		return error_set(err, EINVAL, "the archive is damaged: snapshot %s has no root "
				 "filesystem", a->s->name);
	if (a->current)
		snapshot_set_current(m->c, a->current);
	return 0;
}

void import_snapshots_free(struct importer *m)
{
	lxcore_close(steal_ptr(&m->snapshots.s));
	free(steal_ptr(&m->snapshots.config));
	free(steal_ptr(&m->snapshots.current));
}
