/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server of addresses and names on the managed network: dnsmasq(8), with its own configuration
 * left alone.  It answers on the bridge only.  Addresses that leases.c gave are reserved for their
 * container by files that it watches, names of running containers likewise, so that a start has
 * nothing to ask of it and does not wait for it.
 */
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "parts/network/managed/managed.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define START_TIMEOUT_MS 20000
#define STOP_TIMEOUT_MS 5000
#define PIDFILE_OPTION "--pid-file=" MANAGED_PIDFILE

static const char *user_for_it(void)
{
	static const char *const users[] = {"lxc-dnsmasq", "dnsmasq", "nobody"};

	for (size_t i = 0; i + 1 < ARRAY_SIZE(users); i++)
		if (getpwnam(users[i]))
			return users[i];
	return users[ARRAY_SIZE(users) - 1];
}

/* May a user without privileges read there? */
static bool is_open_to_all(const char *dir)
{
	autofree char *path = strdup(dir);
	struct stat st;

	while (path && stat(path, &st) == 0 && (st.st_mode & S_IXOTH)) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return true;
		*slash = '\0';
	}
	return false;
}

/* It reads our files as that user, also while it runs; where none but root can read, it must be
 * root. */
static const char *choose_user(struct strv *notes)
{
	const char *user = user_for_it();

	if (is_open_to_all(MANAGED_HOSTS) && is_open_to_all(MANAGED_RESERVED))
		return user;
	if (notes)
		strv_take(
			notes,
			str_printf(
				"dnsmasq runs as root, for user %s cannot read below " LXCORE_RUNDIR
				" and " LXCORE_STATEDIR,
				user));
	return "root";
}

static int words_of(const struct managed *m, const char *program, const char *user,
		    struct strv *words)
{
	char address[INET6_ADDRSTRLEN], first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];
	int result = strv_add(words, program);

	address_text(&m->address, address);
	result |= strv_take(
		words, str_printf("--conf-file=%s", *m->dhcp_conf ? m->dhcp_conf : "/dev/null"));
	if (*m->domain) {
		result |= strv_take(words, str_printf("--domain=%s", m->domain));
		result |= strv_take(words, str_printf("--local=/%s/", m->domain));
	}
	if (!m->dhcp_ping)
		result |= strv_add(words, "--no-ping");
	result |= strv_take(words, str_printf("--user=%s", user));
	result |= strv_add(words, "--strict-order");
	result |= strv_add(words, "--bind-interfaces");
	result |= strv_add(words, PIDFILE_OPTION);
	result |= strv_add(words, "--except-interface=lo");
	result |= strv_take(words, str_printf("--interface=%s", m->bridge));
	result |= strv_take(words, str_printf("--listen-address=%s", address));
	result |= strv_take(words, str_printf("--dhcp-range=%s,%s", address_text(&m->first, first),
					      address_text(&m->last, last)));
	result |= strv_take(words, str_printf("--dhcp-lease-max=%u", m->dhcp_max));
	result |= strv_add(words, "--dhcp-no-override");
	result |= strv_add(words, "--dhcp-authoritative");
	result |= strv_take(words, str_printf("--dhcp-leasefile=%s/lib/misc/dnsmasq.%s.leases",
					      LXCORE_STATEDIR, m->bridge));
	result |= strv_add(words, "--dhcp-hostsdir=" MANAGED_RESERVED);
	result |= strv_add(words, "--hostsdir=" MANAGED_HOSTS);
	if (m->address6.family) {
		address_text(&m->address6, address);
		result |= strv_take(words, str_printf("--dhcp-range=%s,ra-only", address));
		result |= strv_take(words, str_printf("--listen-address=%s", address));
	}
	return result;
}

/* What dnsmasq says is about sockets; who has them is what a person needs. */
static void say_who_is_in_the_way(const struct managed *m, struct error *err)
{
	static const struct {
		bool tcp;
		uint16_t port;
	} ports[] = {{false, 53}, {true, 53}, {false, 67}};
	char who[64];

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		struct listener l;

		if (!listener_find(ports[i].tcp, ports[i].port == 53 ? &m->address : NULL,
				   ports[i].port, m->bridge, &l))
			continue;
		error_within(err, "port %u is taken by %s", ports[i].port, listener_text(&l, who));
		error_mend(err,
			   "stop that program, or let it leave out %s (lxc-net check tells more)",
			   m->bridge);
		return;
	}
}

int dnsmasq_start(const struct managed *m, struct strv *notes, struct error *err)
{
	autofree char *program = proc_find_program("dnsmasq");
	autostrv struct strv words = {0};
	autobuf struct buf output = BUF_INIT;
	struct proc_run how = {.timeout_ms = START_TIMEOUT_MS, .umask = 022};
	int status;

	if (!program)
		return error_set(err, ENOENT, "there is no dnsmasq on this host");
	if (path_make_dirs(LXCORE_STATEDIR "/lib/misc", 0755) < 0)
		return error_sys(err, "cannot make \"%s\"", LXCORE_STATEDIR "/lib/misc");
	if (words_of(m, program, choose_user(notes), &words) < 0)
		return error_set(err, ENOMEM, "out of memory");
	how.argv = (const char *const *)words.v;
	status = proc_run(&how, &output, err);
	if (status == 0)
		return 0;
	if (status > 0) {
		while (output.len && output.s[output.len - 1] == '\n')
			output.s[--output.len] = '\0';
		error_set(err, EADDRINUSE, "cannot start dnsmasq: %.300s",
			  output.s ? output.s : "");
		say_who_is_in_the_way(m, err);
	}
	return -1;
}

/* A pid may have been given to another process: ours has our pid file on its command line. */
static bool is_ours(pid_t pid)
{
	autobuf struct buf line = BUF_INIT;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	if (file_read(AT_FDCWD, path, &line) < 0)
		return false;
	for (size_t i = 0; i < line.len; i += strlen(line.s + i) + 1)
		if (strcmp(line.s + i, PIDFILE_OPTION) == 0)
			return true;
	return false;
}

int dnsmasq_find(pid_t *ret_pid)
{
	autobuf struct buf text = BUF_INIT;
	struct proc_id id = {0};
	int pidfd;

	if (file_read(AT_FDCWD, MANAGED_PIDFILE, &text) < 0 || !text.s)
		return -1;
	id.pid = (pid_t)strtol(text.s, NULL, 10);
	id.start = id.pid > 0 ? proc_start_time(id.pid) : 0;
	pidfd = id.start ? proc_open(id) : -1;
	/* Looked at while the descriptor holds it. */
	if (pidfd >= 0 && !is_ours(id.pid))
		close_fd(&pidfd);
	if (pidfd >= 0 && ret_pid)
		*ret_pid = id.pid;
	return pidfd;
}

void dnsmasq_stop(void)
{
	autoclose int pidfd = dnsmasq_find(NULL);

	if (pidfd >= 0) {
		proc_signal(pidfd, SIGTERM);
		if (proc_wait_end(pidfd, STOP_TIMEOUT_MS) != 1)
			proc_signal(pidfd, SIGKILL);
	}
	unlink(MANAGED_PIDFILE);
}

void dnsmasq_reload(void)
{
	autoclose int pidfd = dnsmasq_find(NULL);

	if (pidfd >= 0)
		proc_signal(pidfd, SIGHUP);
}
