/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is measured: the command lines of each peer, and the containers that they run. */
#include "bench.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const op_names[N_OPS] = {
	"(run true)", "execute true", "start", "info", "info -s", "attach true", "freeze", "unfreeze",
	"stop -k",
};

#define LXC(bin)                                                                        \
	.ops = {"%d/tests/bench/true",                                                  \
		bin "/lxc-execute -P %t/path -n %n-x -f %t/path/%n/config -- /bin/true", \
		bin "/lxc-start -P %t/path -n %n", bin "/lxc-info -P %t/path -n %n",    \
		bin "/lxc-info -P %t/path -n %n -s",                                    \
		bin "/lxc-attach -P %t/path -n %n -- /bin/true",                        \
		bin "/lxc-freeze -P %t/path -n %n", bin "/lxc-unfreeze -P %t/path -n %n", \
		bin "/lxc-stop -P %t/path -n %n -k"},                                   \
	.start_veth = bin "/lxc-start -P %t/path -n %n",                                \
	.list = bin "/lxc-ls -P %t/many -f", .is_lxc = true,                            \
	.start_many = bin "/lxc-start -P %t/many -n %n",                                \
	.stop_many = bin "/lxc-stop -P %t/many -n %n -k"

#define OCI(tool)                                                                              \
	.ops = {"%d/tests/bench/true", tool " run --bundle %t/%n-x %n-x",                      \
		tool " run -d --bundle %t/%n %n", tool " state %n", NULL,                      \
		tool " exec %n /bin/true", NULL, NULL, tool " delete -f %n"},                  \
	.is_oci = true

struct peer peers[] = {
	{"lxcore", "%x/bin/lxc-start", LXC("%x/bin")},
	{"+lua", "%x/libexec/lxc/lxc-lua-hook", LXC("%x/bin"), .lua_hook = true},
	{"lxc", "/usr/bin/lxc-start", LXC("/usr/bin")},
	{"crun", "/usr/bin/crun", OCI("/usr/bin/crun --root %t/crun --cgroup-manager=cgroupfs"),
	 .v2_only = true},
	{"runc", "/usr/sbin/runc", OCI("/usr/sbin/runc --root %t/runc")},
	{"bwrap", "/usr/bin/bwrap",
	 .ops = {[OP_ONESHOT] = "/usr/bin/bwrap --unshare-pid --unshare-net --unshare-ipc --unshare-uts "
				"--unshare-cgroup-try --bind %r / --proc /proc --dev /dev --ro-bind /sys "
				"/sys /bin/true"}},
	{"floor", "%d/tests/bench/floor",
	 .ops = {[OP_START] = "%d/tests/bench/floor start %n %r",
		 [OP_STOP] = "%d/tests/bench/floor stop %n"},
	 .start_veth = "%d/tests/bench/floor start %n %r %b"},
};
const int n_peers = sizeof(peers) / sizeof(*peers);

const struct setting settings[] = {
	{.name = "empty"}, {.name = "veth", .veth = true}, {.name = "common", .common = true},
};
const int n_settings = sizeof(settings) / sizeof(*settings);

/* ---- containers ---- */

int write_lxc_config(const struct peer *p, const char *name, const struct setting *s,
		     const char *path)
{
	char file[256];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", bench.dir, path);
	mkdir(file, 0755);
	snprintf(file, sizeof(file), "%s/%s/%s", bench.dir, path, name);
	mkdir(file, 0755);
	snprintf(file, sizeof(file), "%s/%s/%s/config", bench.dir, path, name);
	f = fopen(file, "we");
	if (!f)
		return -1;
	if (s->common)
		fprintf(f, "lxc.include = /usr/share/lxc/config/common.conf\n");
	fprintf(f, "lxc.rootfs.path = dir:%s\nlxc.uts.name = %s\nlxc.init.cmd = /bin/sleep 1000\n"
		   "lxc.mount.auto = proc:mixed sys:ro\nlxc.pty.max = 1024\nlxc.tty.max = 4\n",
		bench.rootfs, name);
	if (s->veth)
		fprintf(f, "lxc.net.0.type = veth\nlxc.net.0.link = %s\nlxc.net.0.flags = up\n",
			bench.bridge);
	else
		fprintf(f, "lxc.net.0.type = empty\n");
	if (p->lua_hook)
		fprintf(f, "lxc.hook.pre-start = %s/noop.lua\n", bench.dir);
	return fclose(f);
}

/* The same namespaces and mounts, in the words of the OCI specification. */
static int write_bundle(const char *name, const char *args)
{
	char file[256];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", bench.dir, name);
	mkdir(file, 0755);
	snprintf(file, sizeof(file), "%s/%s/config.json", bench.dir, name);
	f = fopen(file, "we");
	if (!f)
		return -1;
	fprintf(f, "{\"ociVersion\":\"1.0.0\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":[%s],"
		   "\"env\":[\"PATH=/bin\"],\"cwd\":\"/\"},\"root\":{\"path\":\"%s\"},"
		   "\"hostname\":\"%s\",\"mounts\":["
		   "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		   "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
		   "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
		   "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
		   "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
		   "\"options\":[\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]}],"
		   "\"linux\":{\"cgroupsPath\":\"/%s\",\"namespaces\":[{\"type\":\"pid\"},"
		   "{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"},"
		   "{\"type\":\"cgroup\"}]}}\n",
		args, bench.rootfs, name, name);
	return fclose(f);
}

void prepare_peer(const struct peer *p, const struct setting *s)
{
	char name[64], one[80], args[256];

	if (!p->on)
		return;
	snprintf(name, sizeof(name), "%s%s%s", bench.id, p->name, s->name);
	snprintf(one, sizeof(one), "%s-x", name);
	if (p->is_lxc)
		write_lxc_config(p, name, s, "path");
	if (p->is_oci) {
		/* The directory stands in its command line, so that the clean-up finds it. */
		snprintf(args, sizeof(args), "\"/bin/sh\",\"-c\",\"while :; do sleep 1000; done\",\"%s\"",
			 bench.dir);
		write_bundle(name, args);
		write_bundle(one, "\"/bin/true\"");
	}
}

/* ---- the place ---- */

static int make_rootfs(void)
{
	static const char *const dirs[] = {"", "bin", "proc", "sys", "dev", "etc", "tmp", "root"};
	static const char *const links[] = {"sleep", "true", "sh"};
	char path[160], command[256];

	snprintf(bench.rootfs, sizeof(bench.rootfs), "%s/rootfs", bench.dir);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", bench.rootfs, dirs[i]);
		if (mkdir(path, 0755) < 0)
			return -1;
	}
	snprintf(command, sizeof(command), "cp %s %s/bin/busybox",
		 access("/bin/busybox", X_OK) == 0 ? "/bin/busybox" : "/usr/bin/busybox", bench.rootfs);
	if (run_command(command, "", NULL) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		snprintf(path, sizeof(path), "%s/bin/%s", bench.rootfs, links[i]);
		if (symlink("busybox", path) < 0)
			return -1;
	}
	return 0;
}

/* Is it in the list of --only? */
static bool is_wanted(const char *name)
{
	size_t n = strlen(name);

	for (const char *at = bench.only; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, name, n) && (at[n] == ',' || !at[n]))
			return true;
	return !bench.only;
}

static void choose_peers(void)
{
	for (int i = 0; i < n_peers; i++) {
		char program[256];
		const char *p = peers[i].program;

		snprintf(program, sizeof(program), "%s%s",
			 p[0] != '%' ? "" : p[1] == 'x' ? bench.prefix : bench.build,
			 p[0] == '%' ? p + 2 : p);
		peers[i].on = access(program, X_OK) == 0 && is_wanted(peers[i].name);
		/* The same program is no peer. */
		if (!strcmp(peers[i].name, "lxc") && !strcmp(bench.prefix, "/usr"))
			peers[i].on = false;
	}
}

static void clean_up(void)
{
	char command[256];

	for (int i = 0; i < n_peers; i++)
		for (int k = 0; peers[i].is_oci && k < n_settings; k++) {
			char name[64];

			snprintf(name, sizeof(name), "%s%s%s", bench.id, peers[i].name, settings[k].name);
			if (peers[i].on)
				run_peer(&peers[i], peers[i].ops[OP_STOP], name, NULL);
		}
	snprintf(command, sizeof(command), "%s/tools/clean-up", LXT_TESTS);
	run_command(command, "", NULL);
}

/* A mount namespace where the unified cgroup layout is all there is, for who knows no other; -1: none. */
static int v2_view(void)
{
	int ends[2], fd;
	char path[64], byte = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0 ||
		    write(ends[1], "+", 1) != 1)
			_exit(1);
		pause();
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		byte = 0;
	close(ends[0]);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	fd = byte ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return fd;
}

/* Names, a directory, a bridge; and somebody who puts all right if we are killed. */
int setup(void)
{
	char command[256];

	bench.prefix = getenv("LXC_PREFIX") ? getenv("LXC_PREFIX") : "/usr/local";
	bench.build = getenv("LXC_BUILD") ? getenv("LXC_BUILD") : ".";
	snprintf(bench.id, sizeof(bench.id), "lxt%u", (unsigned)getpid() % 10000000u);
	snprintf(bench.dir, sizeof(bench.dir), "/tmp/%s.XXXXXX", bench.id);
	snprintf(bench.bridge, sizeof(bench.bridge), "%sb", bench.id);
	if (!mkdtemp(bench.dir)) {
		perror("bench: cannot make a directory below /tmp");
		return -1;
	}
	setenv("LXT_NAME", bench.id, 1);
	setenv("LXT_TMP", bench.dir, 1);
	snprintf(command, sizeof(command), "setsid -f %s/tools/clean-up --after %d", LXT_TESTS,
		 (int)getpid());
	if (run_command(command, "", NULL) != 0) {
		fprintf(stderr, "bench: cannot run %s/tools/clean-up\n", LXT_TESTS);
		rmdir(bench.dir);
		return -1;
	}
	atexit(clean_up);
	bench.v2_view = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? -1 : v2_view();
	choose_peers();
	snprintf(command, sizeof(command), "touch %s/noop.lua", bench.dir);
	if (run_command(command, "", NULL) != 0)
		return -1;
	snprintf(command, sizeof(command), "ip link add %s type bridge", bench.bridge);
	if (make_rootfs() < 0 || run_command(command, "", NULL) != 0) {
		fprintf(stderr, "bench: cannot make a root filesystem and a bridge\n");
		return -1;
	}
	snprintf(command, sizeof(command), "ip link set %s up", bench.bridge);
	return run_command(command, "", NULL) == 0 ? 0 : -1;
}
