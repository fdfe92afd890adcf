/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The small parts of a container: the values that their keys take and refuse, hooks as they are run,
 * and which signal an init is sent.
 */
#include "unit.h"
#include "base/proc.h"
#include "parts/caps.h"
#include "parts/hooks.h"
#include "base/subid.h"
#include "parts/idmap.h"
#include "parts/init.h"
#include "parts/init_program.h"
#include "parts/label/lsm.h"
#include "parts/limits.h"
#include "parts/parts.h"
#include "parts/start.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct conf *fresh(void)
{
	static const struct conf_section *sections[16];
	const struct part *parts[] = {
		&part_namespaces, &part_idmap, &part_hooks_pre_start, &part_limits, &part_uts,
		&part_keyring, &part_sysctl, &part_caps, &part_label, &part_seccomp, &part_init,
		&part_start,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		sections[i] = parts[i]->section;
	return conf_new(sections);
}

static void shows(const struct conf *c, const char *key, const char *expected)
{
	autobuf struct buf out = BUF_INIT;

	buf_puts(&out, "");
	SAME_NUMBER(conf_get(c, key, &out, NULL), 0);
	SAME(out.s, expected);
}

/* ---- values ---- */

static const struct value_case {
	const char *key, *value; /* several values are separated by '|' */
	const char *shown;       /* NULL: the last one is refused */
	const char *refusal;     /* with these words */
} values[] = {
	{"lxc.idmap", "u 0 100000 65536", "u 0 100000 65536"},
	{"lxc.idmap", "u 0 100000 65536|g 0 100000 65536", "u 0 100000 65536\ng 0 100000 65536"},
	{"lxc.idmap", "u\t0 100000  1000|u 1000 200000 1", "u 0 100000 1000\nu 1000 200000 1"},
	{"lxc.idmap", "u 0 100000 1000|u 999 200000 1", NULL, "maps ids of the container that"},
	{"lxc.idmap", "u 0 100000 1000|u 1000 100999 1", NULL, "maps ids of the host that"},
	{"lxc.idmap", "u 0 100000 1000|g 999 200000 1", "u 0 100000 1000\ng 999 200000 1"},
	{"lxc.idmap", "b 0 100000 65536", NULL, "no id map"},
	{"lxc.idmap", "auto", "auto"},
	{"lxc.idmap", "auto:65536", "auto"},
	{"lxc.idmap", "auto:1000", "auto:1000"},
	{"lxc.idmap", "auto:", NULL, "neither auto nor auto:COUNT"},
	{"lxc.idmap", "auto:0", NULL, "neither auto nor auto:COUNT"},
	{"lxc.idmap", "auto:4294967296", NULL, "neither auto nor auto:COUNT"},
	{"lxc.idmap", "auto|u 0 100000 65536", NULL, "excludes \"auto\""},
	{"lxc.idmap", "u 0 100000 65536|auto", NULL, "excludes maps that are written out"},
	{"lxc.idmap", "both 0 100000 65536", NULL, "no id map"},
	{"lxc.idmap", "u 0 100000", NULL, "no id map"},
	{"lxc.idmap", "u 0 100000 65536 7", NULL, "no id map"},
	{"lxc.idmap", "u 0 100000 0", NULL, "no id map"},
	{"lxc.idmap", "u -1 100000 1", NULL, "no id map"},
	{"lxc.idmap", "u 4294967295 0 1", NULL, "no id map"},
	{"lxc.idmap", "u 0 4294967290 6", NULL, "no id map"},

	{"lxc.cap.drop", "sys_time mac_admin", "sys_time\nmac_admin\n"},
	{"lxc.cap.drop", "sys_time|sys_time net_raw", "sys_time\nnet_raw\n"},
	{"lxc.cap.drop", "25", "25\n"},
	{"lxc.cap.drop", "CAP_SYS_TIME", NULL, "is no capability"},
	{"lxc.cap.drop", "sys_time flying", NULL, "\"flying\" is no capability"},
	{"lxc.cap.drop", "63", NULL, "is no capability"},
	{"lxc.cap.drop", "none", NULL, "is no capability"},
	{"lxc.cap.keep", "none", "none\n"},
	{"lxc.cap.keep", "kill chown", "kill\nchown\n"},
	{"lxc.cap.keep", "kill|none chown", "chown\n"},

	{"lxc.prlimit.nofile", "1024", "1024"},
	{"lxc.prlimit.nofile", "1024:4096", "1024:4096"},
	{"lxc.prlimit.nofile", " 1024 : unlimited ", "1024:unlimited"},
	{"lxc.prlimit.nofile", "5:5", "5"},
	{"lxc.prlimit.core", "unlimited", "unlimited"},
	{"lxc.prlimit.7", "9", "9"},
	{"lxc.prlimit.nofile", "1|2", "2"},
	{"lxc.prlimit.nofile", "5:4", NULL, "above the hard limit"},
	{"lxc.prlimit.nofile", "1024:", NULL, "is no limit"},
	{"lxc.prlimit.nofile", "-1", NULL, "is no limit"},
	{"lxc.prlimit.nofile", "1k", NULL, "is no limit"},
	{"lxc.prlimit.files", "1", NULL, "no resource limit \"files\""},
	{"lxc.prlimit.99", "1", NULL, "no resource limit \"99\""},

	{"lxc.sysctl.net.ipv4.ip_forward", "1", "1"},
	{"lxc.sysctl.net/ipv4/conf/eth0.1/forwarding", "1", "1"},
	{"lxc.sysctl.kernel/../x", "1", NULL, "is no name of a kernel setting"},
	{"lxc.sysctl.net..x", "1", NULL, "is no name of a kernel setting"},
	{"lxc.proc.oom_score_adj", "10", "10\n"},

	{"lxc.uts.name", "web", "web"},
	{"lxc.uts.name", "0123456789012345678901234567890123456789012345678901234567890123",
	 "0123456789012345678901234567890123456789012345678901234567890123"},
	{"lxc.uts.name", "01234567890123456789012345678901234567890123456789012345678901234", NULL,
	 "longer than a host name"},
	{"lxc.arch", "amd64", "x86_64"},
	{"lxc.arch", "armhf", "i686"},
	{"lxc.arch", "unchanged", ""},
	{"lxc.arch", "z80", NULL, "no known architecture"},

	{"lxc.namespace.keep", "NET uts", "uts\nnet\n"},
	{"lxc.namespace.keep", "net|ipc", "ipc\nnet\n"},
	{"lxc.namespace.keep", "net disk", NULL, "\"disk\" is none of"},
	{"lxc.namespace.share.net", "web", "web"},
	{"lxc.namespace.share.user", "web", "web"},
	{"lxc.namespace.share.disk", "web", NULL, "\"disk\" is no namespace"},
	{"lxc.time.offset.boot", "2h", "7200s"},
	{"lxc.time.offset.boot", "-1 m", "-60s"},
	{"lxc.time.offset.monotonic", "5ms", "5000000ns"},
	{"lxc.time.offset.monotonic", "5", NULL, "is no offset"},
	{"lxc.time.offset.monotonic", "s", NULL, "is no offset"},
	{"lxc.time.offset.monotonic", "5 weeks", NULL, "is no offset"},
	{"lxc.time.offset.boot", "9223372036854775807h", NULL, "too large"},

	{"lxc.environment", "A=B=C", "A=B=C\n"},
	{"lxc.environment", "A=|B=x y", "A=\nB=x y\n"},
	{"lxc.environment", "LXT_SET", "LXT_SET=here\n"},
	{"lxc.environment", "LXT_UNSET", "LXT_UNSET\n"},
	{"lxc.environment", "=x", NULL, "is no variable"},
	{"lxc.init.groups", "1,2|3", "1,2,3"},
	{"lxc.init.groups", ",", NULL, "is no list of group ids"},
	{"lxc.init.groups", "1,x", NULL, "\"x\" is no group id"},

	{"lxc.hook.start", "/bin/a b|/bin/c", "/bin/a b\n/bin/c\n"},
	{"lxc.hook.start", "/bin/a.lua b", "/bin/a.lua b\n"},
	{"lxc.hook.start", "lua: ", NULL, "names no Lua file"},
	{"lxc.hook.memory", "1G", "1073741824"},
	{"lxc.hook.memory", "5", NULL, "too little"},
	{"lxc.hook.start", "lua5.4 /bin/a.lua", "lua5.4 /bin/a.lua\n"},
	{"lxc.hook.version", "2", NULL, "between 0 and 1"},
	{"lxc.hook.timeout", "0", NULL, "between 1 and"},

	{"lxc.log.level", "debug", "DEBUG"},
	{"lxc.log.level", "0", "TRACE"},
	{"lxc.log.level", "8", "FATAL"},
	{"lxc.log.level", "9", NULL, "no log level"},
	{"lxc.log.level", "loud", NULL, "\"loud\" is none of"},
};

static void values_are_read_or_refused(void)
{
	setenv("LXT_SET", "here", 1);
	unsetenv("LXT_UNSET");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const struct value_case *v = &values[i];
		struct conf *c = fresh();
		struct error err = {0};
		autostrv struct strv list = {0};
		int result = 0;

		strv_split(&list, v->value, "|");
		for (size_t n = 0; n < list.n; n++) {
			CU_ASSERT_EQUAL(result, 0);
			result = conf_set(c, v->key, list.v[n], &err);
		}
		SAME_NUMBER(result, v->shown ? 0 : -1);
		if (v->shown)
			shows(c, v->key, v->shown);
		else
			HAS(err.text, v->refusal);
		conf_free(c);
	}
}

static void contradictions_are_refused(void)
{
	static const char *const pairs[][2] = {
		{"lxc.cap.drop = kill", "lxc.cap.keep = chown"},
		{"lxc.cap.keep = kill", "lxc.cap.drop = chown"},
		{"lxc.namespace.clone = net", "lxc.namespace.keep = ipc"},
		{"lxc.namespace.keep = net", "lxc.namespace.clone = ipc"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct conf *c = fresh();
		struct error err = {0};

		SAME_NUMBER(conf_load_text(c, pairs[i][0], "one", &err), 0);
		SAME_NUMBER(conf_load_text(c, pairs[i][1], "two", &err), -1);
		HAS(err.text, "cannot both be set");
		conf_free(c);
	}
}

static void an_empty_value_takes_both_lists_of_capabilities_back(void)
{
	struct conf *c = fresh();

	SAME_NUMBER(conf_load_text(c, "lxc.cap.drop = kill\nlxc.cap.keep =\nlxc.cap.keep = chown\n",
				   "t", NULL), 0);
	shows(c, "lxc.cap.drop", "");
	shows(c, "lxc.cap.keep", "chown\n");
	CU_ASSERT_EQUAL(caps_allowed(c), 1ull << CAP_CHOWN);
	conf_free(c);
}

static void dropping_none_allows_all(void)
{
	struct conf *c = fresh();

	CU_ASSERT_EQUAL(caps_allowed(c), ~0ull);
	SAME_NUMBER(conf_load_text(c, "lxc.cap.drop = kill 0\n", "t", NULL), 0);
	CU_ASSERT_EQUAL(caps_allowed(c), ~(1ull << CAP_KILL | 1ull << CAP_CHOWN));
	SAME_NUMBER(conf_load_text(c, "lxc.cap.drop =\nlxc.cap.keep = none\n", "t", NULL), 0);
	CU_ASSERT_EQUAL(caps_allowed(c), 0);
	conf_free(c);
}

/* ---- doing it to a child ---- */

/* Run in a child, which says by its exit status whether all was as expected. */
static void in_child(bool (*run)(void), const char *what)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(run() ? 0 : 1);
	waitpid(pid, &status, 0);
	if (status)
		fprintf(stderr, "  in a child: %s\n", what);
	SAME_NUMBER(status, 0);
}

static bool bound_to_kill(void)
{
	uint64_t mask = 0;

	return caps_limit_to(1ull << CAP_KILL, NULL) == 0 &&
	       prctl(PR_CAPBSET_READ, CAP_KILL) == 1 && prctl(PR_CAPBSET_READ, CAP_CHOWN) == 0 &&
	       caps_of_process(getpid(), &mask) == 0 && mask == 1ull << CAP_KILL;
}

static bool limit_of_files(void)
{
	struct conf *c = fresh();
	struct rlimit limit;
	bool good = conf_load_text(c, "lxc.prlimit.nofile = 100:200\nlxc.prlimit.core = 0\n", "t",
				   NULL) == 0 && limits_apply(c, getpid(), NULL) == 0;

	good = good && getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 100 &&
	       limit.rlim_max == 200;
	conf_free(c);
	return good;
}

static bool refuses_raising(void)
{
	struct conf *c = fresh();
	struct error err = {0};
	struct rlimit low = {50, 50};
	bool good;

	caps_limit_to(0, NULL);
	setrlimit(RLIMIT_NOFILE, &low);
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		return false;
	good = conf_load_text(c, "lxc.prlimit.nofile = 60\n", "t", NULL) == 0 &&
	       limits_apply(c, getpid(), &err) < 0 && err.code == EPERM &&
	       strstr(err.text, "(lxc.prlimit.nofile)") && strstr(err.mend, "= 50 ");
	conf_free(c);
	return good;
}

static void children_get_what_was_asked_for(void)
{
	if (geteuid() == 0)
		in_child(bound_to_kill, "bounded to CAP_KILL");
	in_child(limit_of_files, "limit of open files");
	in_child(refuses_raising, "a hard limit cannot be raised");
}

/* ---- id maps ---- */

static void ids_are_translated(void)
{
	struct conf *c = fresh();
	unsigned long host = 7;

	conf_load_text(c, "lxc.idmap = u 0 100000 1000\nlxc.idmap = u 2000 5 1\n"
			  "lxc.idmap = g 0 300000 1\n", "t", NULL);
	CU_ASSERT_TRUE(idmap_to_host(idmap_of(c), 'u', 999, &host));
	SAME_NUMBER(host, 100999);
	CU_ASSERT_TRUE(idmap_to_host(idmap_of(c), 'u', 2000, &host));
	SAME_NUMBER(host, 5);
	CU_ASSERT_FALSE(idmap_to_host(idmap_of(c), 'u', 1000, &host));
	CU_ASSERT_FALSE(idmap_to_host(idmap_of(c), 'g', 1, &host));
	conf_free(c);
}

static void the_first_free_ids_are_found(void)
{
	struct id_range allowed[] = {{1000, 50}, {5000, 1000}}, taken[3];
	const struct {
		struct id_range taken[3];
		unsigned long count, found; /* 0: none */
	} cases[] = {
		{{{0}}, 50, 1000},
		{{{0}}, 51, 5000},
		{{{0}}, 1000, 5000},
		{{{0}}, 1001, 0},
		{{{1000, 1}}, 49, 1001},
		{{{1049, 1}}, 49, 1000},
		{{{990, 11}, {1049, 100}}, 48, 1001},
		{{{990, 11}, {1049, 100}}, 49, 5000},
		{{{5100, 100}, {1020, 1}, {5000, 50}}, 50, 5050},
		{{{5100, 100}, {1020, 1}, {5000, 50}}, 51, 5200},
		{{{0, 10000}}, 1, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct id_ranges all = {allowed, ARRAY_SIZE(allowed)};
		const struct id_ranges others = {taken, ARRAY_SIZE(taken)};
		unsigned long found = 0;

		memcpy(taken, cases[i].taken, sizeof(taken));
		SAME_NUMBER(idmap_find_free(&all, &others, cases[i].count, &found),
			    cases[i].found != 0);
		SAME_NUMBER(found, cases[i].found);
	}
}

static void maps_without_root_are_refused(void)
{
	static const struct {
		const char *text, *refusal; /* NULL: it is fine */
	} cases[] = {
		{"lxc.idmap = u 0 100000 9\nlxc.idmap = g 0 100000 9\n", NULL},
		{"lxc.idmap = u 1 100000 9\nlxc.idmap = g 0 100000 9\n", "no user id of the host"},
		{"lxc.idmap = u 0 100000 9\n", "no group id of the host"},
		{"lxc.idmap = u 1 100000 9\nlxc.idmap = g 1 100000 9\nlxc.init.uid = 1\n"
		 "lxc.init.gid = 1\n", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases) && geteuid() == 0; i++) {
		struct boot b = {.conf = fresh()};
		struct error err = {0};

		SAME_NUMBER(conf_load_text(b.conf, cases[i].text, "t", &err), 0);
		SAME_NUMBER(part_idmap.check(&b, &err), cases[i].refusal ? -1 : 0);
		if (cases[i].refusal)
			HAS(err.text, cases[i].refusal);
		conf_free(b.conf);
	}
}

/* ---- checks ---- */

static void checks_object(void)
{
	static const struct {
		const struct part *part;
		const char *text, *refusal; /* NULL: it is fine */
	} cases[] = {
		{&part_namespaces, "lxc.namespace.keep = net\n", NULL},
		{&part_namespaces, "lxc.namespace.clone = user\n", "needs id maps"},
		{&part_namespaces, "lxc.namespace.keep = user\nlxc.idmap = u 0 1 1\n",
		 "lxc.idmap makes a user namespace"},
		{&part_namespaces, "lxc.namespace.keep = time\nlxc.time.offset.boot = 1s\n",
		 "needs a time namespace"},
		{&part_namespaces, "lxc.namespace.keep = pid\nlxc.sched.core = 1\n",
		 "needs a pid namespace"},
		{&part_init, "lxc.init.cmd = /bin/x\n", NULL},
		{&part_init, "lxc.init.cmd = /bin/x\nlxc.environment = LXT_UNSET\n",
		 "variable LXT_UNSET is not set here (lxc.environment, t:2)"},
		{&part_init, "", "would boot the host's system"},
	};

	unsetenv("LXT_UNSET");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct boot b = {.name = "c", .conf = fresh()};
		struct error err = {0};

		SAME_NUMBER(conf_load_text(b.conf, cases[i].text, "t", &err), 0);
		SAME_NUMBER(cases[i].part->check(&b, &err), cases[i].refusal ? -1 : 0);
		if (cases[i].refusal)
			HAS(err.text, cases[i].refusal);
		conf_free(b.conf);
	}
}

/* ---- hooks ---- */

static void run_hook(const char *config, enum hook_moment moment, struct strv *env,
		     struct strv *args, struct error *err, int expected)
{
	struct conf *c = fresh();
	struct hook_call call = {.conf = c, .name = "web", .env = env, .args = args,
				 .inside = moment == HOOK_MOUNT};

	SAME_NUMBER(conf_load_text(c, config, "/etc/web.conf", err), 0);
	SAME_NUMBER(hooks_run(moment, &call, err), expected);
	conf_free(c);
}

/* A hook that fails shows what it was told. */
#define TELLS "lxc.hook.%s = sh -c 'echo \"[$0 $*] $LXC_HOOK_TYPE $LXC_HOOK_SECTION $LXC_NAME " \
	      "$LXC_HOOK_VERSION $LXC_EXTRA $A $B\"; exit 3'"

static void hooks_are_told_who_when_and_why(void)
{
	static const struct {
		const char *moment, *more, *said;
		enum hook_moment number;
	} cases[] = {
		{"pre-start", "", "[web lxc pre-start x y] web 0 extra", HOOK_PRE_START},
		{"pre-start", "lxc.environment = A=1", "web 0 extra", HOOK_PRE_START},
		{"mount", "lxc.environment = A=1\nlxc.environment.hooks = B=2",
		 "[web lxc mount x y] web 0 extra 1 2", HOOK_MOUNT},
		{"clone", "lxc.hook.version = 1", "[x y] clone lxc web 1 extra", HOOK_CLONE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv env = {0}, args = {0};
		autobuf struct buf config = BUF_INIT;
		struct error err = {0};

		strv_add(&env, "LXC_EXTRA=extra");
		strv_add(&args, "x");
		strv_add(&args, "y");
		buf_addf(&config, TELLS "\n%s\n", cases[i].moment, cases[i].more);
		run_hook(config.s, cases[i].number, &env, &args, &err, -1);
		HAS(err.text, "ended with exit status 3; it said: ");
		/* Unset variables leave blanks behind. */
		for (char *at = err.text; (at = strstr(at, "  "));)
			memmove(at, at + 1, strlen(at));
		HAS(err.text, cases[i].said);
		strv_free(&env);
		strv_free(&args);
	}
}

static void a_failing_hook_ends_the_row(void)
{
	struct unit_dir dir = unit_dir();
	autobuf struct buf config = BUF_INIT;
	struct error err = {0};
	struct stat st;

	buf_addf(&config, "lxc.hook.stop = touch %s/one #\nlxc.hook.stop = false\n"
		 "lxc.hook.stop = touch %s/two #\n", dir.path, dir.path);
	run_hook(config.s, HOOK_STOP, NULL, NULL, &err, -1);
	SAME(err.text, "hook stop \"false\" ended with exit status 1");
	SAME_NUMBER(fstatat(dir.fd, "one", &st, 0), 0);
	SAME_NUMBER(fstatat(dir.fd, "two", &st, 0), -1);
	unit_remove(&dir);
}

static void hooks_cannot_hang_or_reach_the_terminal(void)
{
	struct error err = {0};

	run_hook("lxc.hook.stop = sleep 9 #\nlxc.hook.timeout = 1\n", HOOK_STOP, NULL, NULL, &err,
		 -1);
	SAME_NUMBER(err.code, ETIMEDOUT);
	HAS(err.mend, "lxc.hook.timeout = 2");
	run_hook("lxc.hook.stop = sh -c \"printf 'a\\033[2Jb\\nc\\n'; exit 1\"\n", HOOK_STOP,
		 NULL, NULL, &err, -1);
	HAS(err.text, "it said: a?[2Jb / c");
	run_hook("lxc.hook.stop = /nowhere/hook\n", HOOK_STOP, NULL, NULL, &err, -1);
	HAS(err.text, "exit status 127");
	HAS(err.mend, "make it an executable file");
	run_hook("lxc.hook.stop = kill -9 $$ #\n", HOOK_STOP, NULL, NULL, &err, -1);
	HAS(err.text, "killed by signal 9");
	run_hook("lxc.hook.stop = true\n", HOOK_STOP, NULL, NULL, &err, 0);
	run_hook("lxc.hook.stop = false\n", HOOK_START, NULL, NULL, &err, 0);
}

/* ---- init ---- */

static void the_environment_is_the_containers_alone(void)
{
	struct conf *c = fresh();
	autostrv struct strv env = {0};

	conf_load_text(c, "lxc.environment = A=1\nlxc.environment = B=2\n"
			  "lxc.environment.runtime = A=3\nlxc.environment.hooks = C=4\n"
			  "lxc.environment = container=docker\n", "t", NULL);
	SAME_NUMBER(init_environment(c, &env), 0);
	SAME_NUMBER(env.n, 3);
	CU_ASSERT_TRUE(strv_has(&env, "B=2"));
	CU_ASSERT_TRUE(strv_has(&env, "A=3"));
	CU_ASSERT_TRUE(strv_has(&env, "container=lxc"));
	conf_free(c);
}

static void programs_are_found_or_explained(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *plain = unit_file(&dir, "plain", "text"), *script = NULL, *path = NULL;
	autofree char *found = NULL, *bad = NULL;
	autostrv struct strv env = {0};
	struct error err = {0};

	script = unit_file(&dir, "script", "#! /nowhere/sh -x\n");
	chmod(script, 0755);
	strv_take(&env, str_printf("PATH=/nowhere:%s", dir.path));
	path = program_find("script", &env, &err);
	SAME(path, script);
	found = program_find(script, &env, &err);
	SAME(found, script);
	bad = program_find("plain", &env, &err);
	CU_ASSERT_PTR_NULL(bad);
	SAME_NUMBER(err.code, ENOENT);
	HAS(err.text, "no such command in /nowhere:");
	bad = program_find(plain, &env, &err);
	CU_ASSERT_PTR_NULL(bad);
	SAME_NUMBER(err.code, EACCES);
	SAME_NUMBER(program_check(script, &err), -1);
	HAS(err.text, "it needs \"/nowhere/sh\", which the container does not have");
	SAME_NUMBER(program_check(plain, &err), 0);
	SAME_NUMBER(program_explain(plain, ENOEXEC, &err), -1);
	HAS(err.text, "another architecture");
	unit_remove(&dir);
}

/* What an init does before it waits. */
enum manner { DEAF, CATCHES_TERM, BLOCKS_PWR, BLOCKS_LIKE_SYSTEMD, BLOCKS_ALL, CATCHES_INT };

static void on_signal(int number)
{
	(void)number;
}

static int be_init(void *manner)
{
	sigset_t set;

	sigemptyset(&set);
	switch (*(enum manner *)manner) {
	case DEAF:
		break;
	case CATCHES_TERM:
		signal(SIGTERM, on_signal);
		break;
	case BLOCKS_PWR:
		sigaddset(&set, SIGPWR);
		break;
	case BLOCKS_LIKE_SYSTEMD:
		sigaddset(&set, SIGPWR);
		sigaddset(&set, SIGINT);
		sigaddset(&set, SIGRTMIN + 3);
		break;
	case BLOCKS_ALL:
		sigfillset(&set);
		break;
	case CATCHES_INT:
		signal(SIGINT, on_signal);
		break;
	}
	sigprocmask(SIG_SETMASK, &set, NULL);
	while (pause() < 0)
		;
	return 0;
}

static void the_halt_signal_is_one_that_init_hears(void)
{
	static const struct {
		enum manner manner;
		bool first;
		int halt, reboot;
		const char *why;
	} cases[] = {
		{DEAF, true, 0, 0, "init handles none of"},
		{DEAF, false, SIGTERM, 0, "ordinary process"},
		{CATCHES_TERM, true, SIGTERM, 0, "SIGTERM, which init handles"},
		{BLOCKS_PWR, true, SIGPWR, 0, "SIGPWR"},
		{BLOCKS_LIKE_SYSTEMD, true, -3, SIGINT, "systemd"},
		{BLOCKS_ALL, true, SIGPWR, SIGINT, "SIGPWR"},
		{CATCHES_INT, true, SIGINT, SIGINT, "SIGINT"},
	};
	static char stack[65536] __attribute__((aligned(64)));

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum manner manner = cases[i].manner;
		struct proc_id id;
		const char *why = "";

		id.pid = clone(be_init, stack + sizeof(stack),
			       (cases[i].first ? CLONE_NEWPID : 0) | SIGCHLD, &manner);
		if (id.pid < 0)
			return; /* not root */
		id.start = proc_start_time(id.pid);
		SAME_NUMBER(init_halt_signal(NULL, id, &why),
			    cases[i].halt < 0 ? SIGRTMIN - cases[i].halt : cases[i].halt);
		HAS(why, cases[i].why);
		if (cases[i].first)
			SAME_NUMBER(init_reboot_signal(NULL, id, &why), cases[i].reboot);
		kill(id.pid, SIGKILL);
		waitpid(id.pid, NULL, 0);
		SAME_NUMBER(init_halt_signal(NULL, id, &why), 0);
		HAS(why, "gone");
	}
}

static void a_configured_signal_wins(void)
{
	struct conf *c = fresh();
	struct proc_id self = {getpid(), proc_start_time(getpid())};
	const char *why = "";

	SAME_NUMBER(init_stop_signal(c), SIGKILL);
	SAME_NUMBER(init_death_signal(c), SIGKILL);
	conf_load_text(c, "lxc.signal.halt = SIGUSR1\nlxc.signal.reboot = 12\n"
			  "lxc.signal.stop = SIGQUIT\nlxc.monitor.signal.pdeath = 0\n", "t", NULL);
	SAME_NUMBER(init_halt_signal(c, self, &why), SIGUSR1);
	SAME(why, "lxc.signal.halt");
	SAME_NUMBER(init_reboot_signal(c, self, &why), 12);
	SAME_NUMBER(init_stop_signal(c), SIGQUIT);
	SAME_NUMBER(init_death_signal(c), 0);
	conf_free(c);
}

/* ---- labels ---- */

static void a_generated_profile_follows_the_keys(void)
{
	struct label_conf s = {0};
	autofree char *plain = NULL, *nested = NULL, *stacked = NULL;

	strv_add(&s.raw, "deny /x w,");
	plain = apparmor_profile_text("lxc-web_</p>", &s, false, false);
	HAS(plain, "profile \"lxc-web_</p>\" flags=");
	HAS(plain, "  deny /x w,\n}\n");
	HAS(plain, "signal (receive) peer=unconfined");
	CU_ASSERT_PTR_NULL(strstr(plain, "  pivot_root,"));
	s.allow_nesting = true;
	nested = apparmor_profile_text("n", &s, false, false);
	HAS(nested, "  pivot_root,\n");
	HAS(nested, "deny mount fstype=securityfs");
	stacked = apparmor_profile_text("n", &s, false, true);
	CU_ASSERT_PTR_NULL(strstr(stacked, "securityfs"));
	strv_free(&s.raw);
}

static void without_selinux_its_key_is_refused(void)
{
	struct boot b = {.conf = fresh()};
	struct error err = {0};

	conf_load_text(b.conf, "lxc.selinux.context = a:b:c:s0\n", "t", NULL);
	if (!selinux_is_enabled()) {
		SAME_NUMBER(part_label.check(&b, &err), -1);
		HAS(err.text, "no SELinux");
		HAS(err.mend, "remove lxc.selinux.context");
	}
	conf_free(b.conf);
}

void suite_parts(void)
{
	static const struct unit_test tests[] = {
		{"the first free ids are found", the_first_free_ids_are_found},
		{"values are read or refused", values_are_read_or_refused},
		{"contradictions are refused", contradictions_are_refused},
		{"an empty value takes both lists of capabilities back",
		 an_empty_value_takes_both_lists_of_capabilities_back},
		{"what is not dropped is allowed", dropping_none_allows_all},
		{"children get what was asked for", children_get_what_was_asked_for},
		{"ids are translated", ids_are_translated},
		{"maps without root are refused", maps_without_root_are_refused},
		{"checks object", checks_object},
		{"hooks are told who, when and why", hooks_are_told_who_when_and_why},
		{"a failing hook ends the row", a_failing_hook_ends_the_row},
		{"hooks cannot hang or reach the terminal", hooks_cannot_hang_or_reach_the_terminal},
		{"the environment is the container's alone", the_environment_is_the_containers_alone},
		{"programs are found or explained", programs_are_found_or_explained},
		{"the halt signal is one that init hears", the_halt_signal_is_one_that_init_hears},
		{"a configured signal wins", a_configured_signal_wins},
		{"a generated profile follows the keys", a_generated_profile_follows_the_keys},
		{"without SELinux its key is refused", without_selinux_its_key_is_refused},
		{NULL},
	};

	unit_suite("parts", tests);
}
