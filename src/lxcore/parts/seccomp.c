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
#include <sys/un.h>

#define MOST_COOKIE 4000

struct seccomp_conf {
	bool no_new_privs, allow_nesting;
	char *profile, *proxy, *cookie;
};

struct seccomp_filter {
	unsigned short n;
	struct sock_filter code[];
};

#define FIELD(name) offsetof(struct seccomp_conf, name)
/* unix:PATH or unix:@NAME; users read what is behind the colon, and of a name the '@' is no part. */
static int set_proxy(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	const struct sockaddr_un *a = NULL;
	const char *name = str_starts(value, "unix:") ? value + strlen("unix:") : "";

	if ((*name != '/' && *name != '@') || !name[1])
		return error_set(err, EINVAL, "\"%s\" is neither unix:/PATH nor unix:@NAME", value);
	if (strlen(name) >= sizeof(a->sun_path))
		return error_set(err, EINVAL, "\"%s\" is longer than the address of a socket can be",
				 value);
	return conf_string.set(field, key, sub, value, err);
}

static void get_proxy(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	const char *text = *(char *const *)field;

	if (text)
		buf_puts(out, text + strlen("unix:") + (text[strlen("unix:")] == '@'));
}

static void clear_proxy(void *field, const struct conf_key *key, const char *sub)
{
	conf_string.clear(field, key, sub);
}

static int set_cookie(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	if (strlen(value) > MOST_COOKIE)
		return error_set(err, EINVAL, "a cookie has at most %d bytes", MOST_COOKIE);
	return conf_string.set(field, key, sub, value, err);
}

static void get_cookie(const void *field, const struct conf_key *key, const char *sub,
		       struct buf *out)
{
	conf_string.get(field, key, sub, out);
}

static const struct conf_type type_proxy = {"unix:PATH|unix:@NAME", set_proxy, get_proxy, clear_proxy,
					    conf_replaces};
static const struct conf_type type_cookie = {"TEXT", set_cookie, get_cookie, clear_proxy,
					     conf_replaces};
static const struct conf_key keys[] = {
	{"lxc.no_new_privs", &conf_bool, FIELD(no_new_privs), .preset = "0",
	 .summary = "Nothing in the container gains privileges by what it executes (no setuid)."},
	{"lxc.seccomp.profile", &conf_path, FIELD(profile),
	 .summary = "File with the system-call policy of the container."},
	{"lxc.seccomp.allow_nesting", &conf_bool, FIELD(allow_nesting), .preset = "0",
	 .summary = "Load the policy although the one who starts the container is filtered already."},
	{"lxc.seccomp.notify.proxy", &type_proxy, FIELD(proxy),
	 .summary = "Socket of the program that answers system calls with action notify."},
	{"lxc.seccomp.notify.cookie", &type_cookie, FIELD(cookie),
	 .summary = "Text that is sent along with each system call to be answered."},
	{NULL},
};
static const struct conf_section section = {"seccomp", sizeof(struct seccomp_conf), keys};

const char *seccomp_proxy(const struct conf *c, const char **ret_cookie)
{
	const struct seccomp_conf *s = conf_of(c, &section);

	*ret_cookie = s->cookie;
	return s->proxy ? s->proxy + strlen("unix:") : NULL;
}

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

static bool notifies(const struct seccomp_filter *filter)
{
	for (unsigned i = 0; i < filter->n; i++)
		if (filter->code[i].code == (BPF_RET | BPF_K) &&
		    (filter->code[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
			return true;
	return false;
}

int seccomp_install(const struct seccomp_filter *filter, int *ret_listener, struct error *err)
{
	struct sock_fprog program;
	unsigned flags;
	long result;

	*ret_listener = -1;
	if (!filter)
		return 0;
	flags = notifies(filter) ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
	program = (struct sock_fprog){filter->n, (struct sock_filter *)filter->code};
	/* Without SECCOMP_FILTER_FLAG_LOG: a container could fill the host's log with it. */
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result >= 0) {
		*ret_listener = flags ? (int)result : -1;
		return 0;
	}
	error_sys(err, "cannot put the system-call policy into effect (lxc.seccomp.profile)");
	if (errno == EBUSY)
		return error_mend(err, "take 'notify' out of the policy: who starts the container "
				       "has such a filter already; the kernel allows one");
	return errno == EACCES ? error_mend(err, "lxc.no_new_privs = 1      (or run it as root)") : -1;
}

/* ---- doors ---- */

/* What the first process does between its filter and its init: nobody answers then. */
static const char *const needed[] = {
	"access", "brk", "chdir", "clone", "close", "close_range", "dup2", "dup3", "execve",
	"execveat", "exit_group", "faccessat", "faccessat2", "fchdir", "fcntl", "fstat",
	"fstatfs", "futex", "ioctl", "mmap", "munmap", "newfstatat", "open", "openat", "openat2",
	"prctl", "pread64", "read", "readlink", "recvmsg", "rt_sigaction", "rt_sigprocmask",
	"sendmsg", "setgroups", "setresgid", "setresuid", "setsid", "stat", "statfs", "write",
};

static int check_notify(const struct policy *p, const char *file, struct error *err)
{
	if (p->action == SECCOMP_RET_USER_NOTIF)
		return error_set(err, EINVAL, "%s: notify cannot be the action for all calls: the "
				 "container would wait for an answer before it runs", file);
	for (size_t i = 0; i < p->n; i++)
		for (size_t j = 0; j < ARRAY_SIZE(needed); j++)
			if (p->v[i].action == SECCOMP_RET_USER_NOTIF && p->v[i].name &&
			    strcmp(p->v[i].name, needed[j]) == 0)
				return error_set(err, EINVAL, "%s:%u: notify is not possible for "
						 "\"%s\": a start needs it before anybody answers",
						 file, p->v[i].line, needed[j]);
	return 0;
}

static int check(const struct boot *b, struct error *err)
{
	const struct seccomp_conf *s = conf_of(b->conf, &section);
	autobuf struct buf text = BUF_INIT;
	autopolicy struct policy policy = {0};

	if (!s->profile)
		return 0;
	if (read_policy(b->conf, s->profile, &text, err) < 0)
		return -1;
	if (policy_parse(&policy, text.s, s->profile, err) < 0)
		return -1;
	return check_notify(&policy, s->profile, err);
}

static int prepare(struct boot *b, struct error *err)
{
	return seccomp_read(b->conf, &b->seccomp, err);
}

static int enter(struct boot *b, struct error *err)
{
	int listener;

	if (seccomp_wants_no_new_privs(b->conf) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_sys(err, "cannot set lxc.no_new_privs");
	if (seccomp_install(b->seccomp, &listener, err) < 0)
		return -1;
	return listener < 0 ? 0 : boot_give(b, GIFT_SECCOMP_NOTIFY, listener, err);
}

/* It is in the kernel now: the supervisor, which stays, does not need it. */
static int seal(struct boot *b, struct error *err)
{
	seccomp_filter_free(steal_ptr(&b->seccomp));
	b->listener = boot_take(b, GIFT_SECCOMP_NOTIFY);
	return 0;
}

static void release(const struct release *r)
{
	if (!r->boot)
		return;
	seccomp_filter_free(steal_ptr(&r->boot->seccomp));
	close_fd(&r->boot->listener);
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
