/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* criu: see criu.h.  Its words: criu(8). */
#include "life/criu.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define ASK_MS 30000

char *criu_program(struct error *err)
{
	char *path = proc_find_program("criu");

	if (!path) {
		error_set(err, ENOENT, "criu, which makes checkpoints, is not installed");
		error_mend(err, "apt-get install criu");
	}
	return path;
}

int criu_ask(const char *const *words, struct buf *said, struct error *err)
{
	autofree char *program = criu_program(err);
	const char *argv[8] = {program};
	struct proc_run run = {.argv = argv, .timeout_ms = ASK_MS};

	for (size_t i = 0; words[i] && i < ARRAY_SIZE(argv) - 2; i++)
		argv[i + 1] = words[i];
	return program ? proc_run(&run, said, err) : -1;
}

static int add(struct strv *words, const char *word)
{
	return strv_add(words, word);
}

/* A relative path would be looked for elsewhere: a supervisor's directory is '/'. */
static int add_script(struct strv *words, const char *script, struct error *err)
{
	autofree char *path = path_absolute(script);

	if (!path || access(path, X_OK) < 0)
		return error_sys(err, "cannot use the action script \"%s\"", script);
	if (add(words, "--action-script") < 0 || add(words, path) < 0)
		return error_set(err, ENOMEM, "out of memory");
	return 0;
}

/* 'soft': what the container made below its cgroup is made again, what we set there is left alone. */
int criu_begin(struct strv *words, const char *action, const char *dir, bool verbose,
	       const char *action_script, struct error *err)
{
	static const char *const always[] = {
		"--tcp-established", "--file-locks", "--link-remap", "--manage-cgroups=soft",
		"--ext-mount-map", "auto", "--enable-external-sharing", "--enable-external-masters",
		"--enable-fs", "hugetlbfs", "--enable-fs", "tracefs",
	};
	int bad;

	if (strv_take(words, criu_program(err)) < 0)
		return -1;
	bad = add(words, action) < 0;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		bad |= add(words, always[i]) < 0;
	bad |= add(words, "-D") < 0 || add(words, dir) < 0 || add(words, "-o") < 0 ||
	       strv_take(words, str_printf("%s/%s.log", dir, action)) < 0 ||
	       (verbose && add(words, "-v4") < 0);
	if (bad)
		return error_set(err, ENOMEM, "out of memory");
	return action_script ? add_script(words, action_script, err) : 0;
}

int criu_failed(const char *action, const char *dir, int status, struct error *err)
{
	autofree char *file = str_printf("%s/%s.log", dir, action);
	autobuf struct buf log = BUF_INIT;
	char text[64], first[300] = "";

	/* The first is the cause, the others follow from it; "Error (criu/tty.c:9): words". */
	if (file && file_read(AT_FDCWD, file, &log) == 0)
		for (const char *at = log.s; !*first && at && (at = strstr(at, "Error (")); at++) {
			const char *words = strstr(at, "): ");

			/* It asks for more descriptors than it needs, and goes on without them. */
			if (words && strncmp(words + 3, "rlimit: ", 8) != 0)
				snprintf(first, sizeof(first), ": %.*s",
					 (int)strcspn(words + 3, "\n"), words + 3);
		}
	error_set(err, EIO, "criu ended with %s%s", proc_status_text(status, text), first);
	return error_mend(err, "less %s/%s.log      (tells all of it)", dir, action);
}
