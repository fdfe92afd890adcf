/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiled policies, kept so that a start need not load libseccomp.  A hash only names the file; what
 * makes it the right one is that it holds the same text, and was made by the same libseccomp on the
 * same kernel.  The directory must be ours alone: whoever can write there decides what containers may
 * do.
 */
#include "parts/seccomp_policy.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/path.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define CACHE_DIR LXCORE_CACHEDIR "/seccomp"
#define MOST_BYTES (1 << 20)

/* What a file begins with; the text and the program follow. */
struct head {
	char magic[8];
	uint32_t arch, text_size, code_size, reserved;
	int64_t library_size, library_mtime, library_inode;
	char library[sizeof(((struct policy_program *)0)->library)];
	char kernel[sizeof(((struct utsname *)0)->release)];
	char version[32];
};

static int open_dir(bool make)
{
	autoclose int dir = open(CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (dir < 0 && errno == ENOENT && make && path_make_dirs(CACHE_DIR, 0700) == 0)
		dir = open(CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077))
		return -1;
	return steal_fd(&dir);
}

static void name_of(const char *text, char name[32])
{
	unsigned long long hash = 0xcbf29ce484222325ULL; /* FNV-1a, 64 bits */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	snprintf(name, 32, "%016llx", hash);
}

/* The head that a file made now, here, with this library would have. */
static bool make_head(const char *library, size_t text_size, struct head *ret)
{
	struct utsname host;
	struct stat st;

	*ret = (struct head){.magic = "LXSCMP1", .arch = policy_host_arches[0],
			     .text_size = (uint32_t)text_size};
	if (!*library || uname(&host) < 0 || stat(library, &st) < 0)
		return false;
	ret->library_size = st.st_size;
	ret->library_mtime = st.st_mtime;
	ret->library_inode = (int64_t)st.st_ino;
	snprintf(ret->library, sizeof(ret->library), "%s", library);
	snprintf(ret->kernel, sizeof(ret->kernel), "%s", host.release);
	snprintf(ret->version, sizeof(ret->version), "%s", LXCORE_VERSION);
	return true;
}

static bool read_file(int dir, const char *name, struct buf *into)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 022) && fd_read_all(fd, into, MOST_BYTES) == 0;
}

bool policy_cache_find(const char *text, struct buf *ret_code)
{
	autoclose int dir = open_dir(false);
	autobuf struct buf file = BUF_INIT;
	size_t n = strlen(text);
	struct head is, wanted;
	char name[32];

	name_of(text, name);
	if (dir < 0 || !read_file(dir, name, &file) || file.len < sizeof(is))
		return false;
	memcpy(&is, file.s, sizeof(is));
	is.library[sizeof(is.library) - 1] = '\0';
	if (!make_head(is.library, n, &wanted))
		return false;
	wanted.code_size = is.code_size;
	if (memcmp(&is, &wanted, sizeof(is)) != 0 || !is.code_size ||
	    file.len != sizeof(is) + n + is.code_size ||
	    memcmp(file.s + sizeof(is), text, n) != 0)
		return false;
	buf_add(ret_code, file.s + sizeof(is) + n, is.code_size);
	return !ret_code->failed;
}

void policy_cache_keep(const char *text, const struct policy_program *program)
{
	autoclose int dir = open_dir(true);
	autoclose int fd = -1;
	size_t n = strlen(text);
	char name[32], fresh[64];
	struct head head;

	if (dir < 0 || !make_head(program->library, n, &head))
		return;
	head.code_size = (uint32_t)program->code.len;
	name_of(text, name);
	snprintf(fresh, sizeof(fresh), ".%s.%d", name, getpid());
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (fd_write_all(fd, &head, sizeof(head)) < 0 || fd_write_all(fd, text, n) < 0 ||
	    fd_write_all(fd, program->code.s, program->code.len) < 0 ||
	    renameat(dir, fresh, dir, name) < 0)
		unlinkat(dir, fresh, 0);
}
