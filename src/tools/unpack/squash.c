/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Squashfs images: sqfs2tar (of squashfs-tools-ng) makes a stream of them, in a process that can
 * write nothing at all; then they are archives like any other.
 */
#include "unpack.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define CONVERTER "sqfs2tar"

bool squash_is_image(int archive)
{
	char magic[4];

	return pread(archive, magic, sizeof(magic), 0) == sizeof(magic) &&
	       memcmp(magic, "hsqs", sizeof(magic)) == 0;
}

/* The image is its standard input, which has a name in /dev. */
static _Noreturn void convert(int output)
{
	char *const argv[] = {CONVERTER, "/dev/stdin", NULL};
	struct error err = {0};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && dup2(output, STDOUT_FILENO) >= 0 &&
	    confine_reader(&err) == 0)
		execvp(CONVERTER, argv);
	if (err.code)
		fprintf(stderr, "lxc-unpack: %s\n", err.text);
	_exit(127);
}

static bool is_installed(const char *program)
{
	const char *path = getenv("PATH");
	autofree char *all = strdup(path ? path : "/usr/bin:/bin");
	char *save = NULL;

	for (char *dir = all ? strtok_r(all, ":", &save) : NULL; dir;
	     dir = strtok_r(NULL, ":", &save)) {
		autofree char *file = str_printf("%s/%s", dir, program);

		if (file && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

int squash_open(int archive, pid_t *ret_child, struct error *err)
{
	int ends[2];
	pid_t child;

	if (!is_installed(CONVERTER)) {
		error_set(err, ENOENT, "cannot unpack a squashfs image: " CONVERTER
			  " is not installed");
		return error_mend(err, "install squashfs-tools-ng, or take the tar file");
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, "cannot make a pipe");
	child = fork();
	if (child == 0)
		convert(ends[1]);
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return error_sys(err, "cannot start " CONVERTER);
	}
	*ret_child = child;
	return ends[0];
}

int squash_close(pid_t child, struct error *err)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return error_sys(err, "cannot wait for " CONVERTER);
	if (status)
		return error_set(err, EIO, "cannot unpack the squashfs image: " CONVERTER " failed");
	return 0;
}
