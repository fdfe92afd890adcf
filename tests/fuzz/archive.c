/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Archives as lxc-unpack reads them, after it has given all else up: names, owners, attributes, kinds.
 * The first byte chooses the options.  Nothing may come to be outside of the directory.
 */
#define main unpack_main
#include "unpack/main.c"
#undef main

#include "fuzz.h"
#include "base/tree.h"

#include <stdio.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sched.h>
#include <sys/mount.h>

/* A small filesystem of our own: 'in', where it unpacks, and 'out', where nothing may come to be. */
static int top = -1;

static void set_up(void)
{
	const struct rlimit most = {1 << 20, 1 << 20};

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/mnt", "tmpfs", 0, "size=32m,nr_inodes=4096") < 0)
		abort();
	top = open("/mnt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(top, "in", 0755) < 0 || mkdirat(top, "out", 0700) < 0 || fchdir(top) < 0)
		abort();
	setrlimit(RLIMIT_FSIZE, &most);
	signal(SIGXFSZ, SIG_IGN);
	umask(0);
}

static int memory_of(const uint8_t *bytes, size_t n)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct options o = {.archive = "fuzz", .directory = "in", .max_size = 1 << 20,
			    .max_entries = 64, .devices = DEVICES_SKIP};
	struct unpack u = {.o = &o, .root = -1};
	struct error err = {0};
	int fd, result, in;
	struct stat st;

	if (top < 0)
		set_up();
	if (n < 1)
		return 0;
	o.oci = bytes[0] & 1;
	o.strip = bytes[0] >> 1 & 3;
	o.all_xattrs = bytes[0] & 8;
	fd = memory_of(bytes + 1, n - 1);
	in = openat(top, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	u.root = in;
	result = unpack(&u, fd, &err);
	fuzz_check_error(result, &err);
	archive_read_free(u.archive);
	for (size_t i = 0; i < u.n_later; i++) {
		free(u.later[i].path);
		archive_entry_free(u.later[i].entry);
	}
	free(u.later);
	free(u.inodes.v);
	close(fd);
	if (fstatat(top, "out", &st, 0) < 0 || st.st_nlink != 2 || fstat(top, &st) < 0 || st.st_nlink != 4)
		abort();
	tree_empty(in, NULL);
	fchmod(in, 0755);
	close(in);
	return 0;
}
