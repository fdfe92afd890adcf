/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * silentfs PID DIRECTORY: mounts on a directory, as the process PID sees it, a filesystem (FUSE) that
 * answers nothing.  It goes on in the background, whose pid is printed, for a minute at most; when that
 * ends, so does all that waits for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "silentfs: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	char text[64];
	int fuse = open("/dev/fuse", O_RDWR), mounts;
	pid_t pid;

	if (argc != 3)
		return 2;
	snprintf(text, sizeof(text), "/proc/%s/ns/mnt", argv[1]);
	mounts = open(text, O_RDONLY | O_CLOEXEC);
	if (fuse < 0 || mounts < 0)
		return fail(fuse < 0 ? "/dev/fuse" : text);
	snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	if (setns(mounts, CLONE_NEWNS) < 0 || mount("silent", argv[2], "fuse", 0, text) < 0)
		return fail(argv[2]);
	pid = fork();
	if (pid < 0)
		return fail("fork");
	if (pid > 0)
		return printf("%d\n", pid) < 0;
	fclose(stdin);
	fclose(stdout);
	fclose(stderr);
	alarm(60); /* should nobody be left who ends it */
	for (;;)
		pause();
}
