/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts on the command line: mountspec.h. */
#include "mountspec.h"

#include <string.h>
#include <sys/stat.h>

struct spec {
	const char *source, *target, *mode; /* absolute, absolute, "rw" or "ro" */
	bool overlay;
};

/* A path as it stands in fstab(5). */
static void print_path(FILE *out, const char *path)
{
	for (; *path; path++) {
		if (strchr(" \t\n\\", *path))
			fprintf(out, "\\%03o", (unsigned char)*path);
		else
			fputc(*path, out);
	}
}

/* An option's value, in which commas and colons part words. */
static const char *find_forbidden(const struct spec *s)
{
	const char *at = s->overlay ? strpbrk(s->source, ",:\\") : NULL;

	return at ? at : strpbrk(s->source, "\n") ? strpbrk(s->source, "\n") :
		strpbrk(s->target, "\n");
}

static void print_overlay(FILE *out, const struct spec *s, const char *dir, size_t number)
{
	fputs(" overlay lowerdir=", out);
	print_path(out, s->source);
	fputs(",upperdir=", out);
	print_path(out, dir);
	fprintf(out, "/delta-%zu,workdir=", number);
	print_path(out, dir);
	fprintf(out, "/work-%zu,create=dir 0 0", number);
}

static char *make_setting(const struct spec *s, const char *dir, size_t number, bool is_dir)
{
	char *text = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&text, &size));

	fputs("lxc.mount.entry=", out);
	print_path(out, s->source);
	fputc(' ', out);
	print_path(out, s->target + strspn(s->target, "/"));
	if (s->overlay)
		print_overlay(out, s, dir, number);
	else
		fprintf(out, " none bind,%s,create=%s 0 0", s->mode, is_dir ? "dir" : "file");
	fclose(out);
	return must_have(text);
}

/* SRC[:DST][:rw|ro], taken apart in place.  NULL, or what is wrong. */
static const char *take_apart(char *text, struct spec *ret)
{
	char *parts[4] = {NULL};
	size_t n = 0;

	for (char *word; n < 4 && (word = strsep(&text, ":"));)
		parts[n++] = word;
	ret->source = ret->target = parts[0];
	ret->mode = "rw";
	if (n > 3 || (n == 3 && ret->overlay))
		return "excess elements in mount specification";
	if (*parts[0] != '/')
		return "the source's path is not absolute";
	if (n > 1 && *parts[1] == '/')
		ret->target = parts[1];
	else if (n == 3 || (n == 2 && ret->overlay))
		return "the path inside is not absolute";
	if (n == 3 || (n == 2 && *parts[1] != '/'))
		ret->mode = parts[n - 1];
	if (strcmp(ret->mode, "rw") != 0 && strcmp(ret->mode, "ro") != 0)
		return "its mode is neither rw nor ro";
	if (find_forbidden(ret))
		return "its path has a character that cannot stand there";
	return ret->target[strspn(ret->target, "/")] ? NULL : "it would hide the whole root";
}

int mountspec_add_one(const struct cli *cli, const char *type, const char *text, const char *dir,
		      struct words *settings)
{
	struct spec s = {.overlay = strcmp(type, "overlay") == 0};
	autofree char *copy = must_have(strdup(text));
	const char *wrong = s.overlay || strcmp(type, "bind") == 0 ? NULL : "type is bind or overlay";
	struct stat st;

	if (!wrong)
		wrong = take_apart(copy, &s);
	if (wrong)
		return cli_error_mend(cli, "-m bind=SRC[:DST][:rw|ro]   or   -m overlay=SRC[:DST]",
				      "cannot mount \"%s=%s\": %s", type, text, wrong);
	if (stat(s.source, &st) < 0)
		return cli_error(cli, "cannot mount \"%s\": %m", s.source);
	if (s.overlay && !S_ISDIR(st.st_mode))
		return cli_error(cli, "cannot mount \"%s\" as overlay: it is no directory", s.source);
	words_add(settings, make_setting(&s, dir, settings->n, S_ISDIR(st.st_mode)));
	return 0;
}

int mountspec_add(const struct cli *cli, const struct words *specs, const char *dir,
		  struct words *settings)
{
	for (size_t i = 0; i < specs->n; i++) {
		autofree char *copy = must_have(strdup(specs->v[i]));
		char *rest = copy;

		for (char *one; (one = strsep(&rest, ","));) {
			char *is = strchr(one, '=');

			if (!is)
				return cli_error_mend(cli, "-m bind=SRC[:DST][:rw|ro]",
						      "cannot mount \"%s\": it has no '='", one);
			*is = '\0';
			if (mountspec_add_one(cli, one, is + 1, dir, settings))
				return 1;
		}
	}
	return 0;
}
