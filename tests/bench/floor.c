/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * floor - the least that a start can cost.
 *
 *	floor start NAME ROOTFS [BRIDGE]
 *	floor stop NAME
 *
 * Makes what a system container has, with no configuration, no supervisor and no check: a cgroup in
 * every hierarchy, all namespaces but user and time, mounts of proc, sys, dev and devpts, the device
 * nodes, a veth on a bridge; pivots and runs /bin/sleep.  'start' returns when that runs.  What it
 * costs is what the kernel costs, so a real start is measured against it.  A name must begin with
 * "lxt".
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAX_HIERARCHIES 32

static struct {
	char path[MAX_HIERARCHIES][512]; /* of our directory */
	int v1[MAX_HIERARCHIES];
	int n;
} groups;

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void find_groups(const char *name)
{
	char line[1024], at[256], type[64];
	FILE *f = fopen("/proc/self/mounts", "re");

	while (f && fgets(line, sizeof(line), f) && groups.n < MAX_HIERARCHIES) {
		if (sscanf(line, "%*s %200s %63s", at, type) != 2 || strncmp(type, "cgroup", 6))
			continue;
		snprintf(groups.path[groups.n], sizeof(groups.path[0]), "%s/%s", at, name);
		groups.v1[groups.n++] = strcmp(type, "cgroup2");
	}
	if (f)
		fclose(f);
}

/* ---- inside ---- */

static void join_groups(void)
{
	char path[600];

	for (int i = 0; i < groups.n; i++) {
		int fd;

		if (!groups.v1[i])
			continue;
		/* 'tasks', by itself: no wait for a grace period */
		snprintf(path, sizeof(path), "%s/tasks", groups.path[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			die(path);
		close(fd);
	}
	if (unshare(CLONE_NEWCGROUP) < 0)
		die("cgroup namespace");
}

static void make_devices(void)
{
	static const struct { const char *name; int minor, major; } nodes[] = {
		{"dev/null", 3, 1}, {"dev/zero", 5, 1}, {"dev/full", 7, 1}, {"dev/random", 8, 1},
		{"dev/urandom", 9, 1}, {"dev/tty", 0, 5},
	};

	umask(0);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		if (mknod(nodes[i].name, S_IFCHR | 0666,
			  makedev((unsigned)nodes[i].major, (unsigned)nodes[i].minor)) < 0)
			die(nodes[i].name);
	if (symlink("/proc/self/fd", "dev/fd") < 0 || symlink("pts/ptmx", "dev/ptmx") < 0)
		die("links in /dev");
}

static void build_view(const char *rootfs)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(rootfs) < 0)
		die(rootfs);
	if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ||
	    mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL) < 0 ||
	    mount("none", "dev", "tmpfs", 0, "size=500000,mode=755") < 0 ||
	    mkdir("dev/pts", 0755) < 0 ||
	    mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620,gid=5,max=1024") < 0)
		die("mounts");
	make_devices();
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		die("pivot_root");
}

static void network_up(void)
{
	struct ifreq rq = {.ifr_name = "eth0", .ifr_flags = IFF_UP};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &rq) < 0)
		die("eth0");
	close(s);
}

static void inside(const char *name, const char *rootfs, int go)
{
	char byte;

	join_groups();
	build_view(rootfs);
	if (sethostname(name, strlen(name)) < 0)
		die("hostname");
	if (read(go, &byte, 1) != 1)
		exit(1); /* the parent has said why */
	if (byte == 'n')
		network_up();
	setsid();
	execl("/bin/sleep", "sleep", "1000", (char *)NULL);
	die("/bin/sleep");
}

/* ---- the network: one request makes the pair, puts one end on the bridge, the other inside ---- */

struct request {
	struct nlmsghdr head;
	struct ifinfomsg link;
	char room[512];
};

static struct rtattr *put(struct request *rq, int type, const void *data, size_t n)
{
	struct rtattr *a = (void *)((char *)rq + NLMSG_ALIGN(rq->head.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(a), data, n);
	rq->head.nlmsg_len = NLMSG_ALIGN(rq->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

static void ends(struct request *rq, struct rtattr *a)
{
	a->rta_len = (unsigned short)((char *)rq + rq->head.nlmsg_len - (char *)a);
}

static void make_veth(const char *name, const char *bridge, pid_t pid)
{
	struct request rq = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
				      .nlmsg_type = RTM_NEWLINK,
				      .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL |
						     NLM_F_ACK},
			     .link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}};
	struct ifinfomsg peer = {0}; /* it cannot be up before the pair is complete */
	struct { struct nlmsghdr head; struct nlmsgerr e; char room[256]; } answer;
	unsigned master = if_nametoindex(bridge);
	struct rtattr *info, *data, *end;
	char host[IFNAMSIZ];
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	snprintf(host, sizeof(host), "%.12sv", name);
	put(&rq, IFLA_IFNAME, host, strlen(host) + 1);
	put(&rq, IFLA_MASTER, &master, sizeof(master));
	info = put(&rq, IFLA_LINKINFO, NULL, 0);
	put(&rq, IFLA_INFO_KIND, "veth", 4);
	data = put(&rq, IFLA_INFO_DATA, NULL, 0);
	end = put(&rq, VETH_INFO_PEER, &peer, sizeof(peer));
	put(&rq, IFLA_IFNAME, "eth0", 5);
	put(&rq, IFLA_NET_NS_PID, &pid, sizeof(pid));
	ends(&rq, end);
	ends(&rq, data);
	ends(&rq, info);
	if (s < 0 || send(s, &rq, rq.head.nlmsg_len, 0) < 0 || recv(s, &answer, sizeof(answer), 0) < 0)
		die("rtnetlink");
	errno = -answer.e.error;
	if (errno)
		die(host);
	close(s);
}

/* ---- start, stop ---- */

/* A v1 cpuset is empty until it is told, and then takes no process. */
static void inherit_cpus(const char *path)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	char file[600], value[256];

	for (int k = 0; k < 2; k++) {
		int from, to;
		ssize_t n;

		snprintf(file, sizeof(file), "%.*s/%s", (int)(strrchr(path, '/') - path), path, files[k]);
		from = open(file, O_RDONLY | O_CLOEXEC);
		snprintf(file, sizeof(file), "%s/%s", path, files[k]);
		to = open(file, O_WRONLY | O_CLOEXEC);
		n = read(from, value, sizeof(value));
		if (n < 0 || write(to, value, (size_t)n) != n)
			die(file);
		close(from);
		close(to);
	}
}

static pid_t spawn(const char *name, const char *rootfs, int go, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
			 CLONE_PIDFD,
		.exit_signal = SIGCHLD,
		.pidfd = (uintptr_t)ret_pidfd,
	};
	long pid;

	for (int i = 0; i < groups.n; i++) {
		if (mkdir(groups.path[i], 0755) < 0 && errno != EEXIST)
			die(groups.path[i]);
		if (strstr(groups.path[i], "/cpuset/"))
			inherit_cpus(groups.path[i]);
		if (!groups.v1[i]) {
			args.flags |= CLONE_INTO_CGROUP;
			args.cgroup = (unsigned long long)open(groups.path[i],
							       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		}
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3");
	if (pid == 0)
		inside(name, rootfs, go);
	return (pid_t)pid;
}

static int start(const char *name, const char *rootfs, const char *bridge)
{
	int go[2], pidfd = -1, executed[2];
	char path[128], byte;
	FILE *f;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(executed, O_CLOEXEC) < 0)
		die("pipe");
	pid = spawn(name, rootfs, go[0], &pidfd);
	close(executed[1]);
	if (bridge)
		make_veth(name, bridge, pid);
	if (write(go[1], bridge ? "n" : "-", 1) != 1)
		die("go");
	/* its end was close-on-exec */
	if (read(executed[0], &byte, 1) < 0)
		die("wait for exec");
	snprintf(path, sizeof(path), "/tmp/%s.floor", name);
	f = fopen(path, "we");
	if (!f)
		die(path);
	fprintf(f, "%d\n", pid);
	fclose(f);
	return 0;
}

static int stop(const char *name)
{
	char path[128];
	int pid = 0, pidfd;
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/%s.floor", name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%d", &pid) != 1)
		die(path);
	fclose(f);
	unlink(path);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0) {
		struct pollfd p = {.fd = pidfd, .events = POLLIN};

		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		poll(&p, 1, 5000);
	}
	for (int i = 0; i < groups.n; i++)
		if (rmdir(groups.path[i]) < 0 && errno == EBUSY) {
			usleep(1000); /* the last of its processes is just going */
			rmdir(groups.path[i]);
		}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3 || strncmp(argv[2], "lxt", 3) || strchr(argv[2], '/')) {
		fprintf(stderr, "usage: floor start NAME ROOTFS [BRIDGE] | floor stop NAME\n");
		return 2;
	}
	find_groups(argv[2]);
	if (!strcmp(argv[1], "start") && argc >= 4)
		return start(argv[2], argv[3], argv[4]);
	return stop(argv[2]);
}
