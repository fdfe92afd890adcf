/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-unpack: options, and the way of an archive through the rooms that unpack.h lists. */
#include "unpack.h"
#include "base/fd.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 65536
#define HINT "lxc-unpack --help"

static const char usage[] =
	"Usage: lxc-unpack [OPTION...] ARCHIVE DIRECTORY\n\n"
	"Unpacks a tar file (-: standard input) or a squashfs image that nobody trusts into a\n"
	"directory, and can write nowhere else.\n\n"
	"  --strip N                  leave out the first N parts of each name\n"
	"  --exclude PATTERN          leave out what it fits ('*' fits '/' too), with all below\n"
	"  --uid-map IN:OUT:COUNT     the archive's owner IN+i becomes OUT+i; can be repeated\n"
	"  --gid-map IN:OUT:COUNT     the same for groups\n"
	"  --devices make|skip|refuse device nodes; default: refuse, and skip where ids are mapped\n"
	"  --xattrs safe|all          all: trusted.* and security.* too\n"
	"  --oci                      a layer of an OCI image: whiteouts remove what is there\n"
	"  --max-size BYTES           most bytes of all files together; default: 256G\n"
	"  --max-entries N            most entries; default: 4000000\n";

enum { STRIP = 1, EXCLUDE, UID_MAP, GID_MAP, DEVICES, XATTRS, OCI, MAX_SIZE, MAX_ENTRIES, HELP };
static const struct option rows[] = {
	{"strip", required_argument, NULL, STRIP},
	{"exclude", required_argument, NULL, EXCLUDE},
	{"uid-map", required_argument, NULL, UID_MAP},
	{"gid-map", required_argument, NULL, GID_MAP},
	{"devices", required_argument, NULL, DEVICES},
	{"xattrs", required_argument, NULL, XATTRS},
	{"oci", no_argument, NULL, OCI},
	{"max-size", required_argument, NULL, MAX_SIZE},
	{"max-entries", required_argument, NULL, MAX_ENTRIES},
	{"help", no_argument, NULL, HELP},
	{0},
};

/* ---- options ---- */

static int bad(struct error *err, const char *option, const char *value)
{
	error_set(err, EINVAL, "cannot take --%s %s: no such value", option, value);
	return error_mend(err, HINT);
}

/* A number with K, M, G or T behind it. */
static int read_size(const char *text, unsigned long long *ret)
{
	static const char units[] = "KMGT";
	autofree char *digits = strdup(text);
	size_t n = strlen(text);
	const char *unit = n > 1 ? strchr(units, text[n - 1]) : NULL;
	int shift = unit ? (int)(unit - units + 1) * 10 : 0;

	if (!digits)
		return -1;
	if (unit)
		digits[n - 1] = '\0';
	if (!str_to_u64(digits, ret) || *ret > ULLONG_MAX >> shift)
		return -1;
	*ret <<= shift;
	return 0;
}

static int read_map(const char *text, struct id_map *map)
{
	autostrv struct strv words = {0};
	unsigned long long v[3];
	struct range *more;

	if (strv_split(&words, text, ":") < 0 || words.n != 3)
		return -1;
	for (int i = 0; i < 3; i++)
		if (!str_to_u64(words.v[i], &v[i]) || v[i] >= UINT32_MAX)
			return -1;
	if (!v[2] || v[0] + v[2] > UINT32_MAX || v[1] + v[2] > UINT32_MAX)
		return -1;
	more = realloc(map->v, (map->n + 1) * sizeof(*more));
	if (!more)
		return -1;
	map->v = more;
	map->v[map->n++] = (struct range){(uint32_t)v[0], (uint32_t)v[1], (uint32_t)v[2]};
	return 0;
}

static int read_word(const char *text, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}

static int exclude(struct options *o, const char *pattern)
{
	while (str_starts(pattern, "./") || *pattern == '/')
		pattern += *pattern == '/' ? 1 : 2;
	return *pattern ? strv_add(&o->exclude, pattern) : -1;
}

static int take(struct options *o, int option, const char *value)
{
	static const char *const devices[] = {"", "make", "skip", "refuse", NULL};
	static const char *const xattrs[] = {"safe", "all", NULL};
	unsigned long long n;
	int word;

	switch (option) {
	case STRIP:
		if (!str_to_u64(value, &n) || n > 1000)
			return -1;
		o->strip = (unsigned)n;
		return 0;
	case EXCLUDE:
		return exclude(o, value);
	case UID_MAP:
		return read_map(value, &o->uid);
	case GID_MAP:
		return read_map(value, &o->gid);
	case DEVICES:
		word = read_word(value, devices);
		o->devices = (enum devices)word;
		return word > 0 ? 0 : -1;
	case XATTRS:
		word = read_word(value, xattrs);
		o->all_xattrs = word == 1;
		return word;
	case MAX_SIZE:
		return read_size(value, &o->max_size);
	case MAX_ENTRIES:
		return str_to_u64(value, &o->max_entries) ? 0 : -1;
	default:
		o->oci = true;
		return 0;
	}
}

/* 1: only help was wanted. */
static int read_options(int argc, char **argv, struct options *o, struct error *err)
{
	int option, row = 0;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "h", rows, &row)) != -1) {
		if (option == HELP || option == 'h')
			return 1;
		if (option == '?') {
			error_set(err, EINVAL, "cannot take '%s': there is no such option, or its "
				  "value is missing", argv[optind - 1]);
			return error_mend(err, HINT);
		}
		if (take(o, option, optarg) < 0)
			return bad(err, rows[row].name, optarg);
	}
	if (argc - optind != 2) {
		error_set(err, EINVAL, "cannot unpack: an archive and a directory are wanted");
		return error_mend(err, HINT);
	}
	o->archive = argv[optind];
	o->directory = argv[optind + 1];
	return 0;
}

static bool ids_are_mapped(const struct options *o)
{
	autobuf struct buf text = BUF_INIT;
	unsigned long long first, outside, count;

	if (o->uid.n || o->gid.n)
		return true;
	return file_read(AT_FDCWD, "/proc/self/uid_map", &text) == 0 && text.s &&
	       sscanf(text.s, "%llu %llu %llu", &first, &outside, &count) == 3 &&
	       count != UINT32_MAX;
}

/* ---- the archive ---- */

static int archive_failed(struct unpack *u, struct error *err)
{
	const char *reason = archive_error_string(u->archive);
	char text[256];

	return error_set(err, EIO, "cannot read the archive \"%s\": %s", u->o->archive,
			 member_text(reason ? reason : "it is of no known kind", text));
}

static int open_archive(struct unpack *u, int fd, struct error *err)
{
	static int (*const filters[])(struct archive *) = {
		archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
		archive_read_support_filter_xz, archive_read_support_filter_lzma,
		archive_read_support_filter_lz4, archive_read_support_filter_zstd,
	};

	u->archive = archive_read_new();
	if (!u->archive)
		return error_set(err, ENOMEM, "out of memory");
	/* Where libarchive has one not built in, it would run a program: that fails below. */
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		filters[i](u->archive);
	archive_read_support_format_tar(u->archive);
	return archive_read_open_fd(u->archive, fd, BLOCK) == ARCHIVE_OK ? 0
									 : archive_failed(u, err);
}

/*
 * In the C locale, which is ours, names stay the bytes that they are; libarchive then warns (EILSEQ)
 * that it could not translate them.  Any other warning is about something that it left out.
 */
static int unpack(struct unpack *u, int fd, struct error *err)
{
	struct archive_entry *entry;
	int result;

	if (open_archive(u, fd, err) < 0)
		return -1;
	while ((result = archive_read_next_header(u->archive, &entry)) != ARCHIVE_EOF) {
		if (result == ARCHIVE_RETRY)
			continue;
		if (result < ARCHIVE_WARN ||
		    (result == ARCHIVE_WARN && archive_errno(u->archive) != EILSEQ))
			return archive_failed(u, err);
		if (make_member(u, entry, err) < 0)
			return -1;
	}
	return make_finish(u, err);
}

/* The archive as standard input, the directory as 3, and nothing else that our caller had open. */
static int open_both(const struct options *o, int *ret_directory, struct error *err)
{
	autoclose int file = -1, dir = -1;

	if (strcmp(o->archive, "-") != 0) {
		file = open(o->archive, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (file < 0 || (file != STDIN_FILENO && dup2(file, STDIN_FILENO) < 0))
			return error_sys(err, "cannot open \"%s\"", o->archive);
	}
	dir = open(o->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_sys(err, "cannot open the directory \"%s\"", o->directory);
	*ret_directory = 3;
	if (dir == 3)
		steal_fd(&dir);
	else if (dup3(dir, 3, O_CLOEXEC) < 0)
		return error_sys(err, "cannot open the directory \"%s\"", o->directory);
	file = dir = -1;
	return close_range(4, ~0u, 0) < 0 ? error_sys(err, "cannot close what is open") : 0;
}

static int run(struct options *o, struct error *err)
{
	struct unpack u = {.o = o, .root = -1};
	int input = STDIN_FILENO, result;
	pid_t child = 0;

	if (o->devices == DEVICES_UNSET)
		o->devices = ids_are_mapped(o) ? DEVICES_SKIP : DEVICES_REFUSE;
	if (open_both(o, &u.root, err) < 0)
		return -1;
	umask(0);
	if (squash_is_image(input)) {
		input = squash_open(input, &child, err);
		if (input < 0)
			return -1;
	}
	if (confine(o, &u.root, err) < 0)
		return -1;
	result = unpack(&u, input, err);
	archive_read_free(u.archive);
	if (child && result == 0)
		result = squash_close(child, err);
	return result;
}

int main(int argc, char **argv)
{
	struct options o = {.max_size = 256ull << 30, .max_entries = 4000000};
	struct error err = {0};
	int result;

	/* What is allocated goes with the process. */
	result = read_options(argc, argv, &o, &err);
	if (result > 0)
		return fputs(usage, stdout) < 0 || fflush(stdout) != 0;
	if (result == 0)
		result = run(&o, &err);
	if (result == 0)
		return 0;
	fprintf(stderr, "lxc-unpack: %s\n", err.text);
	if (*err.mend)
		fprintf(stderr, "  to mend it: %s\n", err.mend);
	return 1;
}
