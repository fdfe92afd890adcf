/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System-call policies: what the grammar takes and refuses, and what a compiled one does. */
#include "unit.h"
#include "parts/seccomp_policy.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *text, *refusal;
} refused[] = {
	{"", "p:1: the first line is no version"},
	{"3\nallowlist\n", "p:1: the first line is no version"},
	{"allowlist\n", "p:1: the first line is no version"},
	{"2\n", "p:1: there is nothing behind the version"},
	{"2\nmaybelist\n", "p:2: \"maybelist\" is neither"},
	{"2\n\nallowlist\n", "p:2: the second line says neither"},
	{"2\nallowlist fly\n", "p:2: \"fly\" is no action"},
	{"2\nallowlist errno\n", "p:2: errno needs a number"},
	{"2\ndenylist\nmkdir errno 4096\n", "p:3: errno needs a number"},
	{"2\ndenylist\nmkdir errno x\n", "p:3: errno needs a number"},
	{"2\ndenylist\n\n# c\nmkdir trace\n", "p:5: action \"trace\" is not supported yet"},
	{"2\ndenylist\nmkdir kill now\n", "p:3: \"now\" is too much"},
	{"2\ndenylist\n[z80]\n", "p:3: \"[z80]\" is no architecture"},
	{"2\ndenylist\n[X86_64x]\n", "p:3: \"[X86_64x]\" is no architecture"},
	{"2\ndenylist\n[x86\n", "is no architecture"},
	{"2\ndenylist\nmkdir kill [6,1,==]\n", "\"[6,1,==]\" is no condition"},
	{"2\ndenylist\nmkdir kill [0,1,=]\n", "is no condition"},
	{"2\ndenylist\nmkdir kill [0,x,==]\n", "is no condition"},
	{"2\ndenylist\nmkdir kill [0,1]\n", "is no condition"},
	{"2\ndenylist\nmkdir kill [0,1,&=]\n", "is no condition"},
	{"2\ndenylist\nmkdir kill [0,1,==\n", "without ']'"},
	{"2\ndenylist\nm [0,1,==][0,1,==][0,1,==][0,1,==][0,1,==][0,1,==][0,1,==]\n",
	 "more than six conditions"},
	{"1\ndenylist\n1\n", "p:2: a policy of version 1 is an allowlist"},
	{"1\nallowlist\nmkdir\n", "p:3: \"mkdir\" is no number"},
};

static void mistakes_are_told_with_their_line(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		autopolicy struct policy p = {0};
		struct error err = {0};

		SAME_NUMBER(policy_parse(&p, refused[i].text, "p", &err), -1);
		HAS(err.text, refused[i].refusal);
	}
}

static void rules_are_read(void)
{
	static const char text[] = "2\r\nblacklist trap\nreject_force_umount # a comment of old\n"
				   "  mkdir errno 5 # why\n[ALL]\n\n# comment\nchmod\n"
				   "kill allow [0,0x10,>=][1,010,&=,0xff] [ 2 , 3 , SCMP_CMP_NE ]\n"
				   "[mips]\nrmdir\n";
	autopolicy struct policy p = {0};
	struct error err = {0};

	SAME_NUMBER(policy_parse(&p, text, "p", &err), 0);
	SAME_NUMBER(p.action, SECCOMP_RET_TRAP);
	SAME_NUMBER(p.n, 4); /* rmdir is for another machine */
	if (p.n != 4)
		return;
	SAME(p.v[0].name, "umount2");
	SAME_NUMBER(p.v[0].action, SECCOMP_RET_ERRNO | EACCES);
	SAME_NUMBER(p.v[0].args[0].index, 1);
	SAME_NUMBER(p.v[0].args[0].mask, MNT_FORCE);
	SAME(p.v[1].name, "mkdir");
	SAME_NUMBER(p.v[1].action, SECCOMP_RET_ERRNO | 5);
	SAME_NUMBER(p.v[1].line, 4);
	SAME_NUMBER(p.v[2].action, SECCOMP_RET_KILL_THREAD);
	SAME_NUMBER(p.v[3].action, SECCOMP_RET_ALLOW);
	SAME_NUMBER(p.v[3].n_args, 3);
	SAME_NUMBER(p.v[3].args[0].value, 16);
	SAME_NUMBER(p.v[3].args[0].op, SCMP_CMP_GE);
	SAME_NUMBER(p.v[3].args[1].value, 8);
	SAME_NUMBER(p.v[3].args[1].mask, 255);
	SAME_NUMBER(p.v[3].args[2].op, SCMP_CMP_NE);
}

static void the_kinds_of_lists_have_their_defaults(void)
{
	static const struct {
		const char *text;
		unsigned policy, rule;
	} cases[] = {
		{"2\nallowlist\nread\n", SECCOMP_RET_KILL_THREAD, SECCOMP_RET_ALLOW},
		{"2\nwhitelist errno 1\nread\n", SECCOMP_RET_ERRNO | 1, SECCOMP_RET_ALLOW},
		{"2\ndenylist\nread\n", SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_THREAD},
		{"2\nblacklist allow\nread errno 0\n", SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO},
		{"1\nwhitelist\n0\n", SECCOMP_RET_KILL_THREAD, SECCOMP_RET_ALLOW},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autopolicy struct policy p = {0};

		SAME_NUMBER(policy_parse(&p, cases[i].text, "p", NULL), 0);
		SAME_NUMBER(p.action, cases[i].policy);
		SAME_NUMBER(p.n, 1);
		if (p.n == 1)
			SAME_NUMBER(p.v[0].action, cases[i].rule);
	}
}

/* ---- compiled ---- */

static int compile(const char *text, struct buf *ret_code, struct error *err)
{
	autopolicy struct policy p = {0};
	struct policy_program program;

	if (policy_parse(&p, text, "p", err) < 0 || policy_compile(&p, "p", &program, err) < 0)
		return -1;
	*ret_code = program.code;
	return 0;
}

/* What a call comes to under the policy: 0, minus an errno value, or the signal that it dies of. */
static int try_call(const struct buf *code, long number, long a, long b)
{
	struct sock_fprog program = {
		(unsigned short)(code->len / sizeof(struct sock_filter)), (void *)code->s,
	};
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
			_exit(255);
		/* Directly: what a sanitizer does at an exit is not on the list. */
		syscall(SYS_exit_group, syscall(number, a, b, 0) < 0 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void a_compiled_policy_does_what_it_says(void)
{
	static const char text[] = "2\ndenylist\nreject_force_umount\nmkdir errno 77\n"
				   "mkdirat errno 77\nsetpgid kill\nrmdir trap\n"
				   "nosuchcall errno 1\nchmod allow\n"
				   "fchmod errno 78 [1,0400,&=,0400]\n[arm]\ngetpid kill\n";
	autobuf struct buf code = BUF_INIT;
	struct error err = {0};

	SAME_NUMBER(compile(text, &code, &err), 0);
	SAME(err.text, "");
	if (!code.len)
		return;
	SAME_NUMBER(try_call(&code, SYS_getppid, 0, 0), 0);
	SAME_NUMBER(try_call(&code, SYS_mkdirat, -1, 0), -77);
	SAME_NUMBER(try_call(&code, SYS_setpgid, 0, 0), SIGSYS);
	SAME_NUMBER(try_call(&code, SYS_fchmod, -1, 0400), -78);
	SAME_NUMBER(try_call(&code, SYS_fchmod, -1, 0200), -EBADF);
	SAME_NUMBER(try_call(&code, SYS_umount2, (long)"", MNT_FORCE), -EACCES);
	SAME_NUMBER(try_call(&code, SYS_umount2, (long)"", MNT_DETACH), geteuid() ? -EPERM : -ENOENT);
}

static void an_allowlist_forbids_the_rest(void)
{
	autobuf struct buf code = BUF_INIT;
	struct error err = {0};

	SAME_NUMBER(compile("2\nallowlist errno 79\nexit_group\nexit\nwrite\n", &code, &err), 0);
	SAME_NUMBER(try_call(&code, SYS_getppid, 0, 0), -79);
	SAME_NUMBER(try_call(&code, SYS_write, -1, 0), -EBADF);
}

void suite_seccomp(void)
{
	static const struct unit_test tests[] = {
		{"mistakes are told with their line", mistakes_are_told_with_their_line},
		{"rules are read", rules_are_read},
		{"the kinds of lists have their defaults", the_kinds_of_lists_have_their_defaults},
		{"a compiled policy does what it says", a_compiled_policy_does_what_it_says},
		{"an allowlist forbids the rest", an_allowlist_forbids_the_rest},
		{NULL},
	};

	unit_suite("seccomp", tests);
}
