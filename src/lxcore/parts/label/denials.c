/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * After a start that failed: what AppArmor or SELinux denied meanwhile, from the audit subsystem, or
 * the kernel's log, or the file of an audit daemon.  It is told with the failure, for nobody would
 * look there.
 */
#include "base/auto.h"
#include "base/fd.h"
#include "parts/label/lsm.h"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#define AUDIT_LOG "/var/log/audit/audit.log"
#define TAIL 65536
#define MOST 3 /* denials that are told */

struct denials {
	const char *who;      /* profile or type that must be in the line */
	long long since; /* seconds since 1970 */
	struct buf text;
	unsigned n;
};

/* A value that might be mistaken for something else stands there in hexadecimal digits. */
static void decode(char *value)
{
	size_t n = strlen(value), used = 0;
	unsigned byte;

	if (!n || n % 2 || strspn(value, "0123456789ABCDEF") != n)
		return;
	for (size_t i = 0; i < n && sscanf(value + i, "%2x", &byte) == 1; i += 2)
		value[used++] = byte < 0x20 || byte > 0x7e ? '?' : (char)byte;
	value[used] = '\0';
}

/* name="VALUE" or name=VALUE of an audit record, or "". */
static void field(const char *line, const char *name, char *ret, size_t room)
{
	size_t n = strlen(name), i = 0;
	const char *at = line;

	while ((at = strstr(at, name)) && (at == line || at[-1] != ' ' || at[n] != '='))
		at += n;
	if (at) {
		bool quoted = at[n + 1] == '"';

		for (at += n + 1 + quoted; *at && *at != (quoted ? '"' : ' ') && i < room - 1; at++)
			ret[i++] = (unsigned char)*at < 0x20 ? '?' : *at;
		ret[i] = '\0';
		if (!quoted)
			decode(ret);
	}
	ret[i] = '\0';
}

static void take_line(struct denials *d, const char *line)
{
	bool apparmor = strstr(line, "apparmor=\"DENIED\"") != NULL;
	const char *avc = strstr(line, "avc:  denied");
	char what[128], name[256], target[128];

	if ((!apparmor && !avc) || !strstr(line, d->who) || d->n++ >= MOST)
		return;
	field(line, "name", name, sizeof(name));
	if (!*name)
		field(line, "path", name, sizeof(name));
	if (apparmor) {
		field(line, "operation", what, sizeof(what));
		field(line, "requested_mask", target, sizeof(target));
		buf_addf(&d->text, "%sAppArmor denied %s of \"%s\"%s%s", d->text.len ? "; " : "", what,
			 name, *target ? ", " : "", target);
		return;
	}
	snprintf(what, sizeof(what), "%.*s", (int)strcspn(avc + strlen("avc:  denied"), "}") + 1,
		 avc + strlen("avc:  denied"));
	field(line, "tcontext", target, sizeof(target));
	buf_addf(&d->text, "%sSELinux denied%s%s%s%s of %s", d->text.len ? "; " : "", what,
		 *name ? " on \"" : "", name, *name ? "\"" : "", target);
}

/*
 * A record: behind a netlink header, or, in the log, 'PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT'.
 */
static void read_kernel_log(struct denials *d, int log)
{
	char record[8192 + NLMSG_HDRLEN];
	struct stat st;
	bool socket = fstat(log, &st) == 0 && S_ISSOCK(st.st_mode);
	ssize_t n;

	while ((n = read(log, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && (errno == EPIPE || errno == ENOBUFS))) {
		char *text;

		if (n <= 0) /* overwritten before it was read: go on with what is there */
			continue;
		record[n] = '\0';
		text = socket ? record + NLMSG_HDRLEN : strchr(record, ';');
		if (text && (!socket || n > NLMSG_HDRLEN))
			take_line(d, text);
	}
}

static void read_audit_log(struct denials *d)
{
	autoclose int fd = open(AUDIT_LOG, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	if (end < 0 || lseek(fd, end > TAIL ? end - TAIL : 0, SEEK_SET) < 0 ||
	    fd_read_all(fd, &text, 2 * TAIL) < 0 || strv_split(&lines, text.s ? text.s : "", "\n") < 0)
		return;
	for (size_t i = 0; i < lines.n; i++) {
		const char *at = strstr(lines.v[i], "audit(");
		long long when = 0;

		if (at && sscanf(at, "audit(%lld", &when) == 1 && when + 1 >= d->since)
			take_line(d, lines.v[i]);
	}
}

/*
 * What the audit subsystem tells all who listen: all of it, while the kernel's log has ten records
 * in five seconds at most.  -1: an ordinary user may not.
 */
static int listen_to_audit(void)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = 1 << (AUDIT_NLGRP_READLOG - 1)};
	autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);

	return fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 ? steal_fd(&fd) : -1;
}

int label_watch_log(void)
{
	int log = -1;

	if (!apparmor_is_enabled() && !selinux_is_enabled())
		return -1;
	log = listen_to_audit();
	if (log >= 0)
		return log;
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log >= 0)
		lseek(log, 0, SEEK_END);
	return log;
}

void label_add_denials(const struct conf *c, const char *name, const char *lxcpath, int log,
		       time_t since, struct error *err)
{
	enum { LOOKS = 25, PAUSE_US = 20000 };
	struct denials d = {.since = since, .text = BUF_INIT};
	autofree char *who = NULL;
	size_t used;

	if (!err || !err->code || log < 0)
		return;
	who = label_name_in_log(c, name, lxcpath);
	if (!who)
		return;
	d.who = who;
	/* The kernel writes them a little later, in a thread of its own. */
	for (int i = 0; i < LOOKS && !d.n; i++) {
		if (i)
			usleep(PAUSE_US);
		read_kernel_log(&d, log);
		if (!d.n)
			read_audit_log(&d);
		if (err->code != EACCES && err->code != EPERM)
			break;
	}
	if (d.n > MOST)
		buf_addf(&d.text, "; and %u more", d.n - MOST);
	used = strlen(err->text);
	if (d.text.s && !d.text.failed)
		snprintf(err->text + used, sizeof(err->text) - used, " (%s)", d.text.s);
	buf_free(&d.text);
}
