/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The archive that is written: pax headers, for what tar alone cannot say, in one zstd frame.  Members
 * come in the order in which the library asks for them; the manifest is last, so a reader that has
 * it knows that nothing is missing.
 */
#include "transfer.h"
#include "base/fd.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 65536
#define PROGRESS_MS 100

/* What libarchive could not write: its own words hide why. */
static int cannot_write(struct pack *p, struct error *err)
{
	int code = archive_errno(p->archive);
	const char *words = archive_error_string(p->archive);

	if (code <= 0)
		return error_set(err, EIO, "cannot write the archive: %s",
				 words ? words : "unknown error");
	errno = code;
	error_sys(err, "cannot write the archive");
	if (code == EPIPE)
		error_mend(err, "look why what reads the archive has ended");
	return -1;
}

static int set_level(struct pack *p, const struct wire *ask)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", ask->level);
	if (archive_write_set_filter_option(p->archive, "zstd", "compression-level", text) !=
	    ARCHIVE_OK)
		return -1;
	snprintf(text, sizeof(text), "%u", ask->threads);
	/* A library that was built without threads compresses all the same. */
	if (ask->threads > 1)
		archive_write_set_filter_option(p->archive, "zstd", "threads", text);
	return 0;
}

static int begin(struct pack *p, const struct wire *ask, struct error *err)
{
	p->archive = archive_write_new();
	if (!p->archive)
		return error_set(err, ENOMEM, "out of memory");
	if (archive_write_set_format_pax(p->archive) != ARCHIVE_OK ||
	    archive_write_add_filter_zstd(p->archive) != ARCHIVE_OK || set_level(p, ask) < 0 ||
	    /* The one that can hold any name. */
	    archive_write_set_format_option(p->archive, "pax", "xattrheader", "LIBARCHIVE") !=
		    ARCHIVE_OK)
		return error_set(err, ENOTSUP, "cannot write archives of this kind: %s",
				 archive_error_string(p->archive));
	archive_write_set_bytes_per_block(p->archive, BLOCK);
	archive_write_set_bytes_in_last_block(p->archive, 1);
	if (archive_write_open_fd(p->archive, p->output) != ARCHIVE_OK)
		return cannot_write(p, err);
	buf_puts(&p->manifest, FORMAT_FIRST_LINE "\n");
	return 0;
}

int pack_header(struct pack *p, struct archive_entry *entry, struct error *err)
{
	/* A warning is about names that are not in the locale's character set; they are kept. */
	if (archive_write_header(p->archive, entry) < ARCHIVE_WARN)
		return cannot_write(p, err);
	pack_progress(p);
	return 0;
}

int pack_bytes(struct pack *p, const void *bytes, size_t n, struct error *err)
{
	while (n) {
		la_ssize_t done = archive_write_data(p->archive, bytes, n);

		if (done <= 0)
			return cannot_write(p, err);
		bytes = (const char *)bytes + done;
		n -= (size_t)done;
	}
	return 0;
}

void pack_progress(struct pack *p)
{
	long long now = clock_ms();

	if (now - p->told_ms < PROGRESS_MS)
		return;
	p->told_ms = now;
	p->count.archive_bytes = (uint64_t)archive_filter_bytes(p->archive, -1);
	wire_send_progress(p->socket, &p->count);
}

static int write_text(struct pack *p, const char *name, const char *text, size_t n,
		      struct error *err)
{
	struct archive_entry *entry = archive_entry_new();
	int result = -1;

	if (!entry)
		return error_set(err, ENOMEM, "out of memory");
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)n);
	if (pack_header(p, entry, err) == 0)
		result = pack_bytes(p, text, n, err);
	archive_entry_free(entry);
	return result;
}

static int add_text(struct pack *p, const char *name, int fd, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (fd_read_all(fd, &text, WIRE_LONGEST_TEXT) < 0)
		return error_sys(err, "cannot read \"%s\"", name);
	digest_text_line(name, text.s ? text.s : "", text.len, &p->manifest);
	return write_text(p, name, text.s ? text.s : "", text.len, err);
}

static int finish(struct pack *p, struct error *err)
{
	buf_puts(&p->manifest, "end\n");
	if (p->manifest.failed)
		return error_set(err, ENOMEM, "out of memory");
	if (write_text(p, MEMBER_MANIFEST, p->manifest.s, p->manifest.len, err) < 0)
		return -1;
	if (archive_write_close(p->archive) != ARCHIVE_OK)
		return cannot_write(p, err);
	p->count.archive_bytes = (uint64_t)archive_filter_bytes(p->archive, -1);
	return 0;
}

static int do_one(struct pack *p, const struct wire *ask, int fd, struct error *err)
{
	switch (ask->what) {
	case WIRE_BEGIN:
		p->output = fd;
		return p->archive ? error_set(err, EPROTO, "asked to begin twice") :
				    begin(p, ask, err);
	case WIRE_TEXT:
		return add_text(p, ask->name, fd, err);
	case WIRE_TREE:
		return pack_tree(p, ask, fd, err);
	case WIRE_END:
		return finish(p, err);
	default:
		return error_set(err, EPROTO, "asked for what it does not know");
	}
}

int pack_serve(int socket, struct error *err)
{
	struct pack p = {.socket = socket, .output = -1};
	struct wire ask, answer = {.what = WIRE_DONE};
	int fds[2];

	/* What is allocated goes with the process. */
	do {
		if (wire_receive(socket, &ask, fds) <= 0)
			return error_set(err, EPIPE, "whoever asked for it is gone");
		if (ask.what != WIRE_BEGIN && !p.archive)
			return error_set(err, EPROTO, "asked for something before the beginning");
		if (do_one(&p, &ask, fds[0], err) < 0)
			return -1;
		if (ask.what != WIRE_BEGIN)
			close_fd(&fds[0]);
		answer.count = p.count;
		if (wire_send(socket, &answer, NULL, 0) < 0)
			return error_sys(err, "cannot answer");
	} while (ask.what != WIRE_END);
	return 0;
}
