/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The archive that is read.  Its members are texts, which go to the library, and trees, for whose
 * places the library is asked; files are made by the rooms of lxc-unpack.  The manifest is made again
 * from what is there and must be the one at the archive's end.
 */
#include "transfer.h"
#include "base/fd.h"
#include "unpack/unpack.h"

#include <string.h>
#include <sys/mman.h>

#define BLOCK 65536
#define MOST_BEHIND (1u << 20) /* bytes behind the end that a writer may add as padding */
#define MOST_MEMBERS 40000 /* texts and trees: snapshots have three each */
#define PROGRESS_MS 100

struct receive {
	struct unpack u; /* first: 'seen' gets it */
	struct options o;
	int socket, input;
	struct archive *archive;
	struct wire_count count;
	uint64_t before; /* bytes of the files before this one */
	struct buf manifest;
	long long told_ms;
	struct strv seen; /* names of members that were there */
	/* The tree that is being unpacked. */
	char tree[WIRE_NAME]; /* "": none */
	struct digest digest;
	int hold;
	bool ended; /* the manifest was there */
};

static int cannot_read(struct receive *r, struct error *err)
{
	const char *reason = archive_error_string(r->archive);
	char text[256];

	return error_set(err, EIO, "cannot read the archive: %s",
			 member_text(reason ? reason : "it is of no known kind", text));
}

static int bad_member(const char *name, const char *why, struct error *err)
{
	char text[256];

	return error_set(err, EINVAL, "cannot take \"%s\" from the archive: %s",
			 member_text(name, text), why);
}

/* ---- progress and sums ---- */

static void tell_progress(struct receive *r)
{
	long long now = clock_ms();

	if (now - r->told_ms < PROGRESS_MS)
		return;
	r->told_ms = now;
	wire_send_progress(r->socket, &r->count);
}

static void seen(struct unpack *u, const void *bytes, size_t n, int64_t offset)
{
	struct receive *r = (struct receive *)(void *)u;

	digest_data(&r->digest, bytes, n, offset);
	r->count.bytes = r->before + (uint64_t)offset + n;
	tell_progress(r);
}

/* ---- asking the library ---- */

static int ask(struct receive *r, const struct wire *message, int fd, struct wire *answer,
	       int fds[2], struct error *err)
{
	if (wire_send(r->socket, message, &fd, fd >= 0) < 0 ||
	    wire_receive(r->socket, answer, fds) <= 0)
		return error_set(err, EPIPE, "whoever asked for it is gone");
	return answer->what == WIRE_GO ? 0 : error_set(err, EPROTO, "no answer that it knows");
}

static int read_text(struct receive *r, struct archive_entry *entry, struct buf *text,
		     struct error *err)
{
	char chunk[BLOCK];
	la_ssize_t n;

	if (archive_entry_size(entry) > WIRE_LONGEST_TEXT)
		return bad_member(archive_entry_pathname(entry), "it is too long", err);
	while ((n = archive_read_data(r->archive, chunk, sizeof(chunk))) > 0) {
		buf_add(text, chunk, (size_t)n);
		if (text->len > WIRE_LONGEST_TEXT)
			return bad_member(archive_entry_pathname(entry), "it is too long", err);
	}
	if (n < 0)
		return cannot_read(r, err);
	if (text->len > r->o.max_size - r->u.size)
		return error_set(err, EFBIG, "the archive has more than %llu bytes", r->o.max_size);
	r->u.size += text->len;
	return text->failed ? error_set(err, ENOMEM, "out of memory") : 0;
}

static int send_text(struct receive *r, const char *name, const struct buf *text,
		     struct error *err)
{
	struct wire message = {.what = WIRE_TEXT}, answer;
	autoclose int fd = memfd_create("text", MFD_CLOEXEC);
	int fds[2], result;

	if (fd < 0 || (text->len && fd_write_all(fd, text->s, text->len) < 0) ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return error_sys(err, "cannot keep a text in memory");
	strcpy(message.name, name);
	result = ask(r, &message, fd, &answer, fds, err);
	if (result == 0) {
		close_fd(&fds[0]);
		close_fd(&fds[1]);
	}
	return result;
}

/* ---- the manifest ---- */

static int damaged(const char *line, struct error *err)
{
	char text[256], word[WIRE_NAME] = "";

	if (sscanf(line, "%*s %63s", word) == 1)
		return error_set(err, EBADMSG, "the archive is damaged: \"%s\" is not what its "
				 "manifest says", member_text(word, text));
	return error_set(err, EBADMSG, "the archive is damaged: its manifest does not fit");
}

static int check_manifest(struct receive *r, const struct buf *theirs, struct error *err)
{
	autofree char *head = str_printf(FORMAT_FIRST_LINE "\n%send\n",
					 r->manifest.s ? r->manifest.s : "");
	const char *mine = head, *other = theirs->s ? theirs->s : "";

	if (!mine || r->manifest.failed)
		return error_set(err, ENOMEM, "out of memory");
	while (*mine && *mine == *other)
		mine++, other++;
	if (!*mine && !*other) {
		r->ended = true;
		return 0;
	}
	while (mine > head && mine[-1] != '\n')
		mine--;
	return damaged(mine, err);
}

static int take_text(struct receive *r, const char *name, struct archive_entry *entry,
		     struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (read_text(r, entry, &text, err) < 0)
		return -1;
	if (strcmp(name, MEMBER_MANIFEST) == 0)
		return check_manifest(r, &text, err);
	digest_text_line(name, text.s ? text.s : "", text.len, &r->manifest);
	return send_text(r, name, &text, err);
}

/* ---- trees ---- */

static int end_tree(struct receive *r, struct error *err)
{
	if (!*r->tree)
		return 0;
	if (make_finish(&r->u, err) < 0)
		return -1;
	digest_tree_line(&r->digest, r->tree, &r->manifest);
	close_fd(&r->u.root);
	r->tree[0] = '\0';
	return 0;
}

static int set_map(struct id_map *map, const struct copy_ids *v, uint32_t n)
{
	free(map->v);
	*map = (struct id_map){.v = calloc(n + 1, sizeof(struct range)), .n = n};
	if (!map->v)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		map->v[i] = (struct range){v[i].inside, v[i].outside, v[i].count};
	return 0;
}

static int begin_tree(struct receive *r, const char *name, struct error *err)
{
	struct wire message = {.what = WIRE_TREE}, answer;
	int fds[2];

	strcpy(message.name, name);
	if (ask(r, &message, -1, &answer, fds, err) < 0)
		return -1;
	if (fds[0] < 0 || answer.ids.n_uid > WIRE_MOST_RANGES ||
	    answer.ids.n_gid > WIRE_MOST_RANGES)
		return error_set(err, EPROTO, "no place for \"%s\"", name);
	if (set_map(&r->o.uid, answer.ids.uid, answer.ids.n_uid) < 0 ||
	    set_map(&r->o.gid, answer.ids.gid, answer.ids.n_gid) < 0)
		return error_set(err, ENOMEM, "out of memory");
	r->u.root = fds[0];
	close_fd(&r->hold);
	r->hold = fds[1];
	r->o.devices = answer.devices ? DEVICES_MAKE : DEVICES_SKIP;
	r->o.all_xattrs = answer.all_attributes;
	strcpy(r->tree, name);
	digest_begin(&r->digest);
	return 0;
}

/* The name below the tree's root; NULL: it is not in that tree. */
static const char *below(const struct receive *r, const char *name)
{
	size_t n = strlen(r->tree);

	if (!n || strncmp(name, r->tree, n) != 0)
		return NULL;
	return name[n] == '/' ? name + n + 1 : !name[n] ? name + n : NULL;
}

/* As who packed it has it: without a slash at the end. */
static char *tidy(const char *path)
{
	size_t n = strlen(path);

	while (n && path[n - 1] == '/')
		n--;
	return strndup(path, n);
}

/* In the digest a hard link has its whole name; files are made with names below their root. */
static int take_entry(struct receive *r, const char *path, struct archive_entry *entry,
		      struct error *err)
{
	const char *link = archive_entry_hardlink(entry);
	mode_t type = archive_entry_filetype(entry);
	autofree char *target = NULL;
	int result;

	if (digest_entry(&r->digest, path, entry) < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (link) {
		if (!below(r, link))
			return bad_member(link, "it is linked across trees", err);
		target = strdup(below(r, link));
		archive_entry_set_hardlink(entry, target);
	} else if ((type == AE_IFCHR || type == AE_IFBLK) && r->o.devices == DEVICES_SKIP) {
		r->count.left_out++;
	}
	archive_entry_set_pathname(entry, *path ? path : ".");
	r->count.files++;
	r->before = r->count.bytes = r->u.size;
	result = make_member(&r->u, entry, err);
	r->count.bytes = r->u.size;
	tell_progress(r);
	return result;
}

/* ---- members ---- */

static int begin_member(struct receive *r, const char *name, struct archive_entry *entry,
			struct error *err)
{
	mode_t type = archive_entry_filetype(entry);

	if (end_tree(r, err) < 0)
		return -1;
	if (!wire_name_is_valid(name) || archive_entry_hardlink(entry) ||
	    (type != AE_IFREG && type != AE_IFDIR))
		return bad_member(name, "lxc-export(1) makes no such member", err);
	if (!r->seen.n && strcmp(name, MEMBER_HEAD) != 0)
		return error_set(err, EINVAL, "this is no archive of lxc-export(1)");
	if (r->ended || strv_has(&r->seen, name))
		return bad_member(name, "it comes twice, or behind the end", err);
	if (r->seen.n == MOST_MEMBERS)
		return bad_member(name, "there are too many members", err);
	if (strv_add(&r->seen, name) < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (type == AE_IFREG)
		return take_text(r, name, entry, err);
	if (begin_tree(r, name, err) < 0)
		return -1;
	return take_entry(r, "", entry, err);
}

static int take_member(struct receive *r, struct archive_entry *entry, struct error *err)
{
	const char *name = archive_entry_pathname(entry), *path;
	autofree char *tidied = name ? tidy(name) : NULL;

	if (!tidied)
		return error_set(err, EINVAL, "the archive has a member without a name");
	path = below(r, tidied);
	if (path && *path)
		return take_entry(r, path, entry, err);
	return begin_member(r, tidied, entry, err);
}

/* ---- the archive ---- */

static int begin(struct receive *r, struct error *err)
{
	struct wire message;
	int fds[2];

	if (wire_receive(r->socket, &message, fds) <= 0 || message.what != WIRE_BEGIN || fds[0] < 0)
		return error_set(err, EPROTO, "no archive was given");
	r->input = fds[0];
	r->o.max_size = message.limits.bytes;
	r->o.max_entries = message.limits.files;
	r->archive = r->u.archive = archive_read_new();
	if (!r->archive)
		return error_set(err, ENOMEM, "out of memory");
	archive_read_support_filter_zstd(r->archive);
	archive_read_support_format_tar(r->archive);
	return archive_read_open_fd(r->archive, r->input, BLOCK) == ARCHIVE_OK ?
		       0 : cannot_read(r, err);
}

static int take_members(struct receive *r, struct error *err)
{
	struct archive_entry *entry;
	int result;

	/* Names stay the bytes that they are (EILSEQ: not of the C locale, which is ours). */
	while ((result = archive_read_next_header(r->archive, &entry)) != ARCHIVE_EOF) {
		if (result == ARCHIVE_RETRY)
			continue;
		if (result < ARCHIVE_WARN ||
		    (result == ARCHIVE_WARN && archive_errno(r->archive) != EILSEQ))
			return cannot_read(r, err);
		if (take_member(r, entry, err) < 0)
			return -1;
	}
	if (!r->ended)
		return error_set(err, EPIPE, "the archive is cut off: its end is missing");
	return 0;
}

/* Who writes it must not find its reader gone before the last byte. */
static int drain(struct receive *r, struct error *err)
{
	char rest[BLOCK];
	size_t all = 0;
	ssize_t n;

	while ((n = read(r->input, rest, sizeof(rest))) != 0) {
		if (n < 0 && errno != EINTR)
			return error_sys(err, "cannot read the archive");
		all += n > 0 ? (size_t)n : 0;
		if (all > MOST_BEHIND)
			return error_set(err, EINVAL, "something follows the archive's end");
	}
	return 0;
}

int receive_serve(int socket, struct error *err)
{
	struct receive r = {.socket = socket, .hold = -1, .input = -1};
	struct wire done = {.what = WIRE_DONE};

	/* What is allocated goes with the process. */
	r.u.o = &r.o;
	r.u.root = -1;
	r.u.seen = seen;
	if (begin(&r, err) < 0 || take_members(&r, err) < 0 || drain(&r, err) < 0)
		return -1;
	r.count.archive_bytes = (uint64_t)archive_filter_bytes(r.archive, -1);
	done.count = r.count;
	return wire_send(socket, &done, NULL, 0) < 0 ? error_sys(err, "cannot answer") : 0;
}
