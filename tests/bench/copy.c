/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * copy - what the tree copier costs beside cp -a and rsync -aHXS.
 *
 *	copy SOURCE [ROUNDS [FILESYSTEM ...]]
 *
 * Each round makes a fresh filesystem (ext4, btrfs, xfs: a loop device on a file in memory), puts
 * SOURCE there, which warms all caches, and lets everybody copy that into a directory of his own,
 * taking turns in a changing order.  So nobody meets inodes that were just freed (ext4 looks at
 * each of them before it makes a new one, which costs more than the copy), nor another's writes:
 * they are on the disk before the next one begins.  Prints medians and the fastest of each,
 * and what part of the other's time is ours, and compares our copies with their source.  SOURCE is
 * best a root filesystem of Debian.  Needs root; leaves nothing behind.
 */
#include "base/auto.h"
#include "base/copy.h"
#include "base/fd.h"
#include "../unit/copy_compare.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MOST_ROUNDS 99

extern char **environ;

enum { OURS, OURS_ALONE, CP, RSYNC, N_PEERS };
static const char *const peers[N_PEERS] = {
	"lxcore",
	"lxcore, one worker",
	"cp -a",
	"rsync -aHXS",
};

struct bench {
	char dir[64]; /* in memory: the image, and 'm' where it is mounted */
	const char *source;
	double ms[N_PEERS][MOST_ROUNDS];
	int rounds;
};

static int die(const char *what)
{
	perror(what);
	exit(2);
}

/* A command line, split at blanks. */
static void run(const char *format, const char *a, const char *b)
{
	autostrv struct strv words = {0};
	autofree char *line = NULL;
	posix_spawn_file_actions_t quiet;
	int status = -1;
	pid_t child;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (asprintf(&line, format, a, b) < 0 || strv_split(&words, line, " ") < 0)
		die("memory");
	if (posix_spawnp(&child, words.v[0], &quiet, NULL, words.v, environ) != 0 ||
	    waitpid(child, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "failed: %s\n", line);
		exit(2);
	}
	posix_spawn_file_actions_destroy(&quiet);
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? die(path) : fd;
}

/* A process of its own, as the others are. */
static void copy_ourselves(const char *from, const char *to, unsigned workers)
{
	const struct copy_options o = {.workers = workers};
	struct error err = {0};
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		int failed = copy_tree(open_dir(from), open_dir(to), &o, NULL, &err);

		if (failed)
			fprintf(stderr, "%s\n", err.text);
		_exit(failed != 0);
	}
	if (waitpid(child, &status, 0) < 0 || status != 0)
		exit(2);
}

static void compare(const char *from, const char *to)
{
	autobuf struct buf differences = BUF_INIT;
	autoclose int x = open_dir(from), y = open_dir(to);

	compare_trees(x, y, NULL, &differences);
	if (!differences.s)
		return;
	fprintf(stderr, "the copy differs:\n%s", differences.s);
	exit(1);
}

static double one(const struct bench *b, int peer)
{
	char from[128], to[128];
	long long begin;
	double ms;

	snprintf(from, sizeof(from), "%s/m/source", b->dir);
	snprintf(to, sizeof(to), "%s/m/to-%d", b->dir, peer);
	if (mkdir(to, 0700) < 0)
		die(to);
	sync();
	begin = clock_us();
	if (peer == CP)
		run("cp -a %s/. %s/", from, to);
	else if (peer == RSYNC)
		run("rsync -aHXS %s/ %s/", from, to);
	else
		copy_ourselves(from, to, peer == OURS_ALONE);
	ms = (double)(clock_us() - begin) / 1e3;
	if (peer == OURS)
		compare(from, to);
	return ms;
}

static void make_filesystem(const struct bench *b, const char *fs)
{
	char image[128], mounted[128];
	autoclose int fd = -1;

	snprintf(image, sizeof(image), "%s/image", b->dir);
	snprintf(mounted, sizeof(mounted), "%s/m", b->dir);
	fd = open(image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 8LL << 30) < 0 || mkdir(mounted, 0700) < 0)
		die(image);
	/* All of it at once: nothing is initialised in the background while others are measured. */
	if (strcmp(fs, "ext4") == 0)
		run("mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 %s", image, "");
	else if (strcmp(fs, "xfs") == 0)
		run("mkfs.xfs -q -m reflink=1 %s", image, "");
	else
		run("mkfs.btrfs -q -d single -m single %s", image, "");
	run("mount -o loop %s %s", image, mounted);
	run("cp -a %s %s/source", b->source, mounted);
}

static void remove_filesystem(const struct bench *b)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/m", b->dir);
	run("umount %s", path, "");
	rmdir(path);
	snprintf(path, sizeof(path), "%s/image", b->dir);
	unlink(path);
}

static int by_number(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_number);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void measure(struct bench *b, const char *fs)
{
	double ours, fastest;

	for (int round = 0; round < b->rounds; round++) {
		make_filesystem(b, fs);
		for (int i = 0; i < N_PEERS; i++) {
			int peer = (i + round) % N_PEERS;

			b->ms[peer][round] = one(b, peer);
		}
		remove_filesystem(b);
	}
	ours = median(b->ms[OURS], b->rounds);
	fastest = b->ms[OURS][0];
	printf("%-28s %10s %8s   lxcore's part of it (%d rounds)\n", fs, "median", "fastest",
	       b->rounds);
	for (int peer = 0; peer < N_PEERS; peer++) {
		double other = median(b->ms[peer], b->rounds);

		printf("  %-26s %7.0f ms %5.0f ms   %.2f, %.2f\n", peers[peer], other,
		       b->ms[peer][0], ours / other, fastest / b->ms[peer][0]);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const char *const all[] = {"ext4", "btrfs", "xfs"};
	struct bench b = {.dir = "/tmp/lxt-copy.XXXXXX", .rounds = 7};

	if (argc < 2) {
		fprintf(stderr, "usage: copy SOURCE [ROUNDS [FILESYSTEM ...]]\n");
		return 2;
	}
	b.source = argv[1];
	if (argc > 2)
		b.rounds = atoi(argv[2]);
	if (b.rounds < 1 || b.rounds > MOST_ROUNDS)
		b.rounds = 7;
	/* With our mount namespace goes all that a failure leaves, but an empty directory. */
	if (!mkdtemp(b.dir) || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", b.dir, "tmpfs", 0, "size=9g,mode=700") < 0)
		die("cannot make a place for the copies");
	for (int i = 3; i < argc; i++)
		measure(&b, argv[i]);
	for (size_t i = 0; argc < 4 && i < ARRAY_SIZE(all); i++)
		measure(&b, all[i]);
	umount2(b.dir, MNT_DETACH);
	rmdir(b.dir);
	return 0;
}
