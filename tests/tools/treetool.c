/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * treetool - trees with everything that a filesystem may have, and whether two are equal, for tests.
 *
 *	treetool make DIR              fill it
 *	treetool compare A B [SHIFT]   prints each difference; ids in B are larger by SHIFT
 *	treetool socket FILE           make one
 */
#include "../unit/copy_compare.h"
#include "base/fd.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static void put(const char *name, const char *text, mode_t mode)
{
	autoclose int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		die(name);
}

static void dir(const char *name, mode_t mode)
{
	if (mkdir(name, 0700) < 0 || chmod(name, mode) < 0)
		die(name);
}

/* From before 1970 to far away, to the nanosecond. */
static void set_times(const char *name, long long seconds)
{
	const struct timespec t[2] = {{seconds + 5, 123456789}, {seconds, 987654321}};

	if (utimensat(AT_FDCWD, name, t, AT_SYMLINK_NOFOLLOW) < 0)
		die(name);
}

static void attribute(const char *name, const char *key, const void *value, size_t n)
{
	if (lsetxattr(name, key, value, n, 0) < 0)
		die(key);
}

/* A file with a hole in front, one in the middle and one behind; and one that is nothing else. */
static void put_holes(void)
{
	autoclose int fd = open("var/holes", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	autoclose int all = open("var/hole", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd < 0 || pwrite(fd, "first", 5, 1 << 20) != 5 || pwrite(fd, "second", 6, 9 << 20) != 6 ||
	    ftruncate(fd, 20 << 20) < 0 || all < 0 || ftruncate(all, 1ll << 32) < 0)
		die("holes");
}

static void put_attributes(void)
{
	const struct vfs_ns_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1 << CAP_NET_RAW,
	};
	const struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} e[5];
	} acl = {2, {{1, 7, -1u}, {2, 5, 33}, {4, 5, -1u}, {16, 7, -1u}, {32, 0, -1u}}};

	attribute("bin/ping", "security.capability", &caps, XATTR_CAPS_SZ_2);
	attribute("var", "system.posix_acl_default", &acl, sizeof(acl));
	attribute("etc/file", "system.posix_acl_access", &acl, sizeof(acl));
	attribute("etc/file", "user.zero", "a\0b", 3);
	attribute("etc/file", "user.empty", "", 0);
	attribute("etc", "user.of a directory", "yes", 3);
	attribute("etc", "user.odd = % \n\xff", "yes", 3);
}

static void put_nodes(void)
{
	if (mkfifo("var/fifo", 0620) < 0 || mknod("dev/null", S_IFCHR | 0666, makedev(1, 3)) < 0 ||
	    mknod("dev/disk", S_IFBLK | 0660, makedev(259, 70000)) < 0)
		die("nodes");
}

static void put_links(void)
{
	char target[1001];

	memset(target, 'x', 1000);
	target[1000] = '\0';
	if (symlink("/etc/passwd", "etc/absolute") < 0 || symlink("../../..", "etc/up") < 0 ||
	    symlink(target, "etc/long") < 0 || link("bin/su", "bin/su two") < 0 ||
	    link("bin/su", "var/su three") < 0 || link("etc/up", "var/up") < 0 ||
	    link("var/fifo", "var/fifo two") < 0 || lchown("etc/up", 12, 34) < 0)
		die("links");
}

/* Deeper than a name can be long in the old formats. */
static void put_deep(void)
{
	char path[4000] = "deep";

	for (int i = 0; i < 40; i++) {
		dir(path, 0755);
		strcat(path, "/a name that is not short at all");
	}
	put(path, "deep", 0644);
}

static void make(void)
{
	dir("bin", 0755);
	dir("dev", 0755);
	dir("etc", 0711);
	dir("var", 03777);
	put("bin/su", "su", 0755);
	put("bin/ping", "ping", 0755);
	put("etc/file", "text\n", 0640);
	put("etc/empty", "", 0);
	put("var/\xff not UTF-8\n\033", "odd", 0644);
	put("var/\xc3\xa4 UTF-8", "odd", 0644);
	if (chown("etc/file", 1000, 1001) < 0 || chown("bin/su", 65534, 65534) < 0 ||
	    chmod("bin/su", 06755) < 0)
		die("chown");
	put_holes();
	put_nodes();
	put_attributes();
	put_links();
	put_deep();
	set_times("etc/up", -315619200);
	set_times("etc/file", 4102444800);
	set_times("var/fifo", 1);
	set_times("dev/null", 86400);
	set_times("etc", 1000000000);
	set_times("var", 1234567890);
}

static int compare(const char *a, const char *b, const char *shift)
{
	autoclose int first = open(a, O_RDONLY | O_DIRECTORY), second = open(b, O_RDONLY | O_DIRECTORY);
	uint32_t by = shift ? (uint32_t)strtoul(shift, NULL, 10) : 0;
	const struct compare_ids ids = {.uid = by, .gid = by, .capability_root = by};
	autobuf struct buf differences = BUF_INIT;

	if (first < 0 || second < 0)
		die("open");
	compare_trees(first, second, &ids, &differences);
	fputs(differences.s ? differences.s : "", stdout);
	return differences.s != NULL;
}

static void make_socket(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	autoclose int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", name);
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) < 0)
		die(name);
}

int main(int argc, char **argv)
{
	umask(0);
	if (argc == 3 && strcmp(argv[1], "make") == 0) {
		if (chdir(argv[2]) < 0)
			die(argv[2]);
		make();
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "socket") == 0) {
		make_socket(argv[2]);
		return 0;
	}
	if ((argc == 4 || argc == 5) && strcmp(argv[1], "compare") == 0)
		return compare(argv[2], argv[3], argv[4]);
	fputs("Usage: treetool make DIR | compare A B [SHIFT] | socket FILE\n", stderr);
	return 2;
}
