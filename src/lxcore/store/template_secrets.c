/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets on their way to a template: see the header. */
#include "store/template_secrets.h"
#include "base/auto.h"
#include "base/fd.h"
#include "store/template.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

int template_secrets(const char *path, struct strv *ret)
{
	autofree char *line = template_line(path, "secrets");

	return line ? strv_split(ret, line, " ") : 0;
}

const char *template_secret_in(const struct strv *secrets, const char *arg)
{
	const char *value = strchr(arg, '=');

	if (*arg != '-' || !arg[1])
		return NULL;
	for (size_t i = 0; i < secrets->n; i++) {
		const char *name = secrets->v[i];
		size_t n = strlen(name);

		if (n == 1 && arg[1] == *name && arg[2])
			return arg + 2;
		if (value && arg[1] == '-' && (size_t)(value - arg - 2) == n &&
		    strncmp(arg + 2, name, n) == 0)
			return value + 1;
	}
	return NULL;
}

/* A pipe has room for PIPE_BUF bytes always, so nobody has to read while we write. */
static int pipe_of(const struct buf *lines, struct error *err)
{
	autoclose int in = -1, out = -1;
	int ends[2];

	if (lines->failed)
		return error_set(err, ENOMEM, "out of memory");
	if (lines->len > PIPE_BUF)
		return error_set(err, E2BIG, "cannot hand over the template's secrets: they are "
				 "longer than %d bytes", PIPE_BUF);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	out = ends[0];
	in = ends[1];
	if (fd_write_all(in, lines->s, lines->len) < 0)
		return error_sys(err, "cannot write into a pipe");
	return steal_fd(&out);
}

int template_hand_secrets(const struct strv *secrets, const char *const *args, struct strv *argv,
			  int *ret_pipe, struct error *err)
{
	autobuf struct buf lines = BUF_INIT;
	int result = 0;

	*ret_pipe = -1;
	for (size_t i = 0; args && args[i]; i++) {
		const char *secret = template_secret_in(secrets, args[i]);

		if (!secret) {
			if (strv_add(argv, args[i]) < 0)
				return error_set(err, ENOMEM, "out of memory");
			continue;
		}
		if (strpbrk(secret, "\r\n"))
			return error_set(err, EINVAL, "cannot use the secret in \"%.*s...\": it has a "
					 "line break", (int)(secret - args[i]), args[i]);
		buf_addf(&lines, "%s\n", args[i]);
	}
	if (lines.len)
		*ret_pipe = result = pipe_of(&lines, err);
	if (lines.s)
		explicit_bzero(lines.s, lines.len);
	return result < 0 ? -1 : 0;
}
