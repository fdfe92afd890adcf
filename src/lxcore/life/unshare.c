/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command in new namespaces, without a container around it.
 *
 * One clone; the parent then does what only someone outside can (the id map, moving interfaces), and
 * says 'go'.  What fails inside comes back over the socket that the exec closes.
 */
#include "base/error.h"
#include "lxcore.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/netlink.h"
#include "base/proc.h"

#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static unsigned long long clone_flags(unsigned namespaces)
{
	static const struct {
		unsigned bit;
		unsigned long long flag;
	} all[] = {
		{LXCORE_NS_USER, CLONE_NEWUSER}, {LXCORE_NS_MNT, CLONE_NEWNS},
		{LXCORE_NS_PID, CLONE_NEWPID},   {LXCORE_NS_UTS, CLONE_NEWUTS},
		{LXCORE_NS_IPC, CLONE_NEWIPC},   {LXCORE_NS_NET, CLONE_NEWNET},
		{LXCORE_NS_CGROUP, CLONE_NEWCGROUP},
	};
	unsigned long long flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		flags |= namespaces & all[i].bit ? all[i].flag : 0;
	return flags;
}

/* ---- inside ---- */

static int mount_usual(struct error *err)
{
	static const struct {
		const char *type, *at;
		unsigned long flags;
	} usual[] = {
		{"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV},
	};

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		/* Not every host has a /dev/mqueue. */
		if (i && access(usual[i].at, F_OK) < 0)
			continue;
		if (mount(usual[i].type, usual[i].at, usual[i].type, usual[i].flags, NULL) < 0)
			return error_sys(err, "cannot mount its own %s", usual[i].at);
	}
	return 0;
}

static int set_up(const struct lxcore_unshare *how, struct error *err)
{
	if (how->namespaces & LXCORE_NS_TIME && unshare(CLONE_NEWTIME) < 0)
		return error_sys(err, "cannot make a time namespace");
	if (how->namespaces & LXCORE_NS_MNT && mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return error_sys(err, "cannot keep its mounts to itself");
	if (how->mount_usual && mount_usual(err) < 0)
		return -1;
	if (how->hostname && sethostname(how->hostname, strlen(how->hostname)) < 0)
		return error_sys(err, "cannot set the host name \"%s\"", how->hostname);
	if (how->uid != (uid_t)-1 && setresuid(how->uid, how->uid, how->uid) < 0)
		return error_sys(err, "cannot become user %u of the user namespace", how->uid);
	return 0;
}

static _Noreturn void be_command(const struct lxcore_unshare *how, int sock)
{
	struct error err = {0};
	char go;

	if (fd_receive(sock, &go, 1, NULL, NULL) != 1)
		_exit(1);
	if (set_up(how, &err) == 0) {
		execvp(how->command[0], (char *const *)how->command);
		error_sys(&err, "cannot run %s", how->command[0]);
	}
	fd_send(sock, &err, sizeof(err), NULL, 0);
	_exit(1);
}

/* ---- outside ---- */

static int move_interface(const char *name, pid_t pid, struct error *err)
{
	struct ifinfomsg info = {.ifi_index = (int)if_nametoindex(name)};
	autonetlink struct netlink nl = NETLINK_CLOSED;
	struct netlink_message m;

	if (!info.ifi_index)
		return error_set(err, ENODEV, "cannot move \"%s\": there is no such interface", name);
	if (netlink_open(&nl, err) < 0)
		return -1;
	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_put_u32(&m, IFLA_NET_NS_PID, (uint32_t)pid);
	if (netlink_ask(&nl, &m) == 0)
		return 0;
	return error_set(err, errno, "cannot move interface \"%s\": %s", name, nl.reason);
}

static int map_user(const struct lxcore_unshare *how, pid_t pid, struct error *err)
{
	autofree char *path = str_printf("/proc/%d/uid_map", pid);
	autofree char *line = str_printf("%u %u 1\n", how->uid, geteuid());

	if (!path || !line)
		return error_set(err, ENOMEM, "cannot map its user: out of memory");
	return file_write(AT_FDCWD, path, line) < 0 ?
		       error_sys(err, "cannot map its user %u to %u", how->uid, geteuid()) : 0;
}

static int serve(const struct lxcore_unshare *how, pid_t pid, int sock, struct error *err)
{
	struct error failed;

	if (how->uid != (uid_t)-1 && map_user(how, pid, err) < 0)
		return -1;
	for (size_t i = 0; how->interfaces && how->interfaces[i]; i++)
		if (move_interface(how->interfaces[i], pid, err) < 0)
			return -1;
	if (fd_send(sock, "", 1, NULL, 0) < 0)
		return error_sys(err, "cannot start the command");
	if (fd_receive(sock, &failed, sizeof(failed), NULL, NULL) != sizeof(failed))
		return 0;
	if (err)
		*err = failed;
	return -1;
}

static int check(const struct lxcore_unshare *how, struct error *err)
{
	if (!how->command || !how->command[0])
		return error_set(err, EINVAL, "no command is given");
	if (how->uid != (uid_t)-1 && !(how->namespaces & LXCORE_NS_USER))
		return error_set(err, EINVAL, "a user needs a user namespace");
	if (how->hostname && !(how->namespaces & LXCORE_NS_UTS))
		return error_set(err, EINVAL, "a host name needs a UTSNAME namespace");
	if (how->interfaces && how->interfaces[0] && !(how->namespaces & LXCORE_NS_NET))
		return error_set(err, EINVAL, "interfaces need a NETWORK namespace");
	if (how->mount_usual && !(how->namespaces & LXCORE_NS_MNT))
		return error_set(err, EINVAL, "mounts need a MOUNT namespace");
	return 0;
}

int lxcore_unshare(const struct lxcore_unshare *how, int *ret_status, lxcore_error *err)
{
	struct clone_args args = {.flags = clone_flags(how->namespaces), .exit_signal = SIGCHLD};
	int sock[2] = {-1, -1}, result, status = 0;
	pid_t pid;

	if (check(how, err) < 0)
		return -1;
	if (fd_socketpair(sock) < 0)
		return error_sys(err, "cannot make a socket");
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		close(sock[0]);
		be_command(how, sock[1]);
	}
	close(sock[1]);
	if (pid < 0) {
		error_sys(err, "cannot make its namespaces");
		if (errno == EPERM && !(how->namespaces & LXCORE_NS_USER))
			error_mend(err, "run it as root, or add USER to the namespaces");
	}
	result = pid < 0 ? -1 : serve(how, pid, sock[0], err);
	/* Without its socket one that waits ends. */
	close(sock[0]);
	if (pid > 0 && (result < 0 || !how->nowait))
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	if (result == 0 && ret_status)
		*ret_status = status;
	return result;
}
