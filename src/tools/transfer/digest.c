/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manifest's sums.  That of a tree goes over everything that is told of each entry, and its bytes;
 * who packs and who unpacks count it from the same struct, so a change on the way is noticed wherever
 * it is.
 */
#include "transfer.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

struct attribute {
	const char *name;
	const void *value;
	size_t n;
};

void digest_begin(struct digest *d)
{
	*d = (struct digest){0};
	sha256_begin(&d->sum);
}

static void add_text(struct digest *d, const char *text)
{
	sha256_add(&d->sum, text ? text : "", strlen(text ? text : "") + 1);
}

static void add_number(struct digest *d, int64_t number)
{
	uint64_t n = htobe64((uint64_t)number);

	sha256_add(&d->sum, &n, sizeof(n));
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct attribute *)a)->name, ((const struct attribute *)b)->name);
}

/* In the order of their names: an archive keeps none. */
static int add_attributes(struct digest *d, struct archive_entry *entry)
{
	size_t n = (size_t)archive_entry_xattr_reset(entry), i = 0;
	autofree struct attribute *v = calloc(n + 1, sizeof(*v));

	if (!v)
		return -1;
	while (i < n && archive_entry_xattr_next(entry, &v[i].name, &v[i].value, &v[i].n) ==
				ARCHIVE_OK)
		i++;
	qsort(v, i, sizeof(*v), compare);
	add_number(d, (int64_t)i);
	for (size_t k = 0; k < i; k++) {
		add_text(d, v[k].name);
		add_number(d, (int64_t)v[k].n);
		sha256_add(&d->sum, v[k].value, v[k].n);
	}
	return 0;
}

int digest_entry(struct digest *d, const char *path, struct archive_entry *entry)
{
	const char *link = archive_entry_hardlink(entry);
	mode_t type = archive_entry_filetype(entry);
	bool device = type == AE_IFCHR || type == AE_IFBLK;

	d->entries++;
	d->at = 0;
	add_text(d, path);
	add_text(d, link);
	if (link)
		return 0;
	add_number(d, type);
	add_number(d, archive_entry_perm(entry));
	add_number(d, archive_entry_uid(entry));
	add_number(d, archive_entry_gid(entry));
	add_number(d, type == AE_IFREG ? archive_entry_size(entry) : 0);
	add_number(d, archive_entry_mtime(entry));
	add_number(d, archive_entry_mtime_nsec(entry));
	add_number(d, archive_entry_atime(entry));
	add_number(d, archive_entry_atime_nsec(entry));
	add_number(d, device ? (int64_t)archive_entry_rdevmajor(entry) : 0);
	add_number(d, device ? (int64_t)archive_entry_rdevminor(entry) : 0);
	add_text(d, type == AE_IFLNK ? archive_entry_symlink(entry) : NULL);
	return add_attributes(d, entry);
}

void digest_data(struct digest *d, const void *bytes, size_t n, int64_t offset)
{
	if (!n)
		return;
	if (offset != d->at)
		add_number(d, offset);
	sha256_add(&d->sum, bytes, n);
	d->bytes += n;
	d->at = offset + (int64_t)n;
}

void digest_tree_line(struct digest *d, const char *name, struct buf *manifest)
{
	char text[2 * SHA256_BYTES + 1];
	uint8_t hash[SHA256_BYTES];

	sha256_end(&d->sum, hash);
	sha256_text(hash, text);
	buf_addf(manifest, "tree %s %s %" PRIu64 " entries %" PRIu64 " bytes\n", name, text,
		 d->entries, d->bytes);
}

void digest_text_line(const char *name, const void *bytes, size_t n, struct buf *manifest)
{
	char text[2 * SHA256_BYTES + 1];
	uint8_t hash[SHA256_BYTES];

	sha256(bytes, n, hash);
	sha256_text(hash, text);
	buf_addf(manifest, "text %s %s %zu bytes\n", name, text, n);
}
