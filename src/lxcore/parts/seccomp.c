/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The system-call filter, and no_new_privs, which belongs to it.  A policy file is read and compiled
 * before the container exists; inside, one system call puts the program into effect.
 */
#include "parts/seccomp.h"
#include "base/auto.h"
#include "base/fd.h"
#include "parts/seccomp_policy.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct seccomp_conf {
	bool no_new_privs, allow_nesting;
	char *profile, *proxy, *cookie;
};

struct seccomp_filter {
	unsigned short n;
	struct sock_filter code[];
};

#define FIELD(name) offsetof(struct seccomp_conf, name)
static const char no_notify[] = "handing system calls to another program is not there yet; "
				"remove it, and 'notify' from the policy";
static const struct conf_key keys[] = {
	{"lxc.no_new_privs", &conf_bool, FIELD(no_new_privs), .preset = "0",
	 .summary = "Nothing in the container gains privileges by what it executes (no setuid)."},
	{"lxc.seccomp.profile", &conf_path, FIELD(profile),
	 .summary = "File with the system-call policy of the container."},
	{"lxc.seccomp.allow_nesting", &conf_bool, FIELD(allow_nesting), .preset = "0",
	 .summary = "Load the policy although the one who starts the container is filtered already."},
	{"lxc.seccomp.notify.proxy", &conf_string, FIELD(proxy), .syntax = "unix:PATH",
	 .summary = "Socket of the program that answers system calls with action notify.",
	 .unsupported = no_notify},
	{"lxc.seccomp.notify.cookie", &conf_string, FIELD(cookie),
	 .summary = "Text that is sent along with each system call to be answered.",
	 .unsupported = no_notify},
	{NULL},
};
static const struct conf_section section = {"seccomp", sizeof(struct seccomp_conf), keys};

bool seccomp_wants_no_new_privs(const struct conf *c)
{
	const struct seccomp_conf *s = conf_of(c, &section);

	return s->no_new_privs;
}

/* ---- reading ---- */

static int read_policy(const struct conf *c, const char *file, struct buf *text, struct error *err)
{
	if (file_read(AT_FDCWD, file, text) == 0 && strlen(text->s) == text->len)
		return 0;
	if (text->len)
		return error_set(err, EINVAL, "\"%s\" is no text (lxc.seccomp.profile, %s)", file,
				 conf_where(c, "lxc.seccomp.profile"));
	error_sys(err, "cannot read policy \"%s\" (lxc.seccomp.profile, %s)", file,
		  conf_where(c, "lxc.seccomp.profile"));
	return error_mend(err, "remove lxc.seccomp.profile, or name a policy that is there, such as "
			       "%s/common.seccomp", LXCORE_CONFIGDIR);
}

static int compile(const char *text, const char *file, struct buf *ret_code, struct error *err)
{
	autopolicy struct policy policy = {0};
	struct policy_program program;

	if (policy_parse(&policy, text, file, err) < 0 ||
	    policy_compile(&policy, file, &program, err) < 0)
		return -1;
	policy_cache_keep(text, &program);
	*ret_code = program.code;
	return 0;
}

/* Filtered already: one filter more is for those who ask for it (each call passes through all). */
static bool is_wanted(const struct seccomp_conf *s)
{
	return s->profile && (s->allow_nesting || prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER);
}

int seccomp_read(const struct conf *c, struct seccomp_filter **ret, struct error *err)
{
	const struct seccomp_conf *s = conf_of(c, &section);
	autobuf struct buf text = BUF_INIT, code = BUF_INIT;
	struct seccomp_filter *filter;

	*ret = NULL;
	if (!is_wanted(s))
		return 0;
	if (read_policy(c, s->profile, &text, err) < 0)
		return -1;
	if (!policy_cache_find(text.s, &code) && compile(text.s, s->profile, &code, err) < 0)
		return -1;
	filter = malloc(sizeof(*filter) + code.len);
	if (!filter)
		return error_set(err, ENOMEM, "out of memory");
	filter->n = (unsigned short)(code.len / sizeof(struct sock_filter));
	memcpy(filter->code, code.s, code.len);
	*ret = filter;
	return 0;
}

void seccomp_filter_free(struct seccomp_filter *filter)
{
	free(filter);
}

int seccomp_install(const struct seccomp_filter *filter, struct error *err)
{
	struct sock_fprog program;

	if (!filter)
		return 0;
	program = (struct sock_fprog){filter->n, (struct sock_filter *)filter->code};
	/* Without SECCOMP_FILTER_FLAG_LOG: a container could fill the host's log with it. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
		return 0;
	error_sys(err, "cannot put the system-call policy into effect (lxc.seccomp.profile)");
	return errno == EACCES ? error_mend(err, "lxc.no_new_privs = 1      (or run it as root)") : -1;
}

/* ---- doors ---- */

static int check(const struct boot *b, struct error *err)
{
	const struct seccomp_conf *s = conf_of(b->conf, &section);
	autobuf struct buf text = BUF_INIT;
	autopolicy struct policy policy = {0};

	if (!s->profile)
		return 0;
	if (read_policy(b->conf, s->profile, &text, err) < 0)
		return -1;
	return policy_parse(&policy, text.s, s->profile, err);
}

static int prepare(struct boot *b, struct error *err)
{
	return seccomp_read(b->conf, &b->seccomp, err);
}

static int enter(struct boot *b, struct error *err)
{
	if (seccomp_wants_no_new_privs(b->conf) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_sys(err, "cannot set lxc.no_new_privs");
	return seccomp_install(b->seccomp, err);
}

/* It is in the kernel now: the supervisor, which stays, does not need it. */
static int seal(struct boot *b, struct error *err)
{
	seccomp_filter_free(steal_ptr(&b->seccomp));
	return 0;
}

static void release(const struct release *r)
{
	if (r->boot)
		seal(r->boot, NULL);
}

const struct part part_seccomp = {
	.name = "seccomp",
	.section = &section,
	.check = check,
	.prepare = prepare,
	.enter = enter,
	.seal = seal,
	.release = release,
};
