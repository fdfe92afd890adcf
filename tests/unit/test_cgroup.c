/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cgroup part, as far as it can be told without a cgroup: names, translations between v1 and
 * v2, device rules (their BPF program runs in a small interpreter here), refusals of the check door,
 * and what a journal says.
 */
#include "unit.h"
#include "base/auto.h"
#include "base/fd.h"
#include "parts/cgroup/room.h"
#include "parts/parts.h"

#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- names and lists ---- */

static void test_names(void)
{
	static const struct {
		struct cgroup_conf conf;
		const char *payload, *inner;
		bool exact;
	} cases[] = {
		{{.relative = false}, "lxc.payload.web", NULL, false},
		{{.dir = "a/b"}, "a/b/lxc.payload.web", NULL, false},
		{{.dir_container = "c", .dir_monitor = "m"}, "c", NULL, true},
		{{.dir_container = "c", .dir_monitor = "m", .dir_inner = "in"}, "c", "in", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cgroup_names names;
		struct error err = {0};

		SAME_NUMBER(cgroup_names_of(&names, &cases[i].conf, "web", &err), 0);
		SAME(names.payload, cases[i].payload);
		SAME(names.inner, cases[i].inner);
		SAME_NUMBER(names.exact, cases[i].exact);
		free(names.payload);
	}
}

static void test_stays_inside(void)
{
	static const struct {
		const char *path;
		bool inside;
	} cases[] = {
		{"a", true}, {"a/b", true}, {"a/b/", true}, {"..a/b..", true}, {"a//b", true},
		{"", false}, {"/a", false}, {"..", false}, {"a/..", false}, {"a/../b", false},
		{"./a", false}, {"a\nb", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		SAME_NUMBER(cgroup_stays_inside(cases[i].path), cases[i].inside);
}

static void test_lists(void)
{
	static const struct {
		const char *list, *word;
		bool has;
	} cases[] = {
		{"cpu,cpuacct", "cpu", true}, {"cpu,cpuacct", "cpuacct", true},
		{"cpuset cpu io\n", "io", true}, {"cpuset,cpuacct", "cpu", false},
		{"", "cpu", false}, {"cpu", "cpuset", false}, {"name=systemd", "name=systemd", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		SAME_NUMBER(cgroup_lists(cases[i].list, cases[i].word), cases[i].has);
}

static void test_paths(void)
{
	static const struct {
		struct cgroup_hierarchy h;
		const char *tail, *path;
	} cases[] = {
		{{.v2 = true, .dir = "", .base = ""}, "x", "/sys/fs/cgroup/x"},
		{{.v2 = true, .dir = "", .base = ""}, "", "/sys/fs/cgroup"},
		{{.v2 = true, .dir = "unified", .base = "a/b"}, "x", "/sys/fs/cgroup/unified/a/b/x"},
		{{.dir = "cpu,cpuacct", .base = ""}, "x", "/sys/fs/cgroup/cpu,cpuacct/x"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *path = cgroup_path(&cases[i].h, cases[i].tail);

		SAME(path, cases[i].path);
	}
}

/* ---- translation ---- */

struct translation {
	int version; /* of the key */
	const char *file, *value;
	const char *writes;  /* "FILE=VALUE;..." ; NULL: it is refused */
	const char *refusal; /* with these words in it */
};

static const struct translation translations[] = {
	{CGROUP_V2, "memory.max", "64M", "memory.limit_in_bytes=64M;"},
	{CGROUP_V2, "memory.max", "max", "memory.limit_in_bytes=-1;"},
	{CGROUP_V2, "memory.max", "lots", NULL, "cannot set memory.max to \"lots\""},
	{CGROUP_V2, "memory.swap.max", "max", "memory.memsw.limit_in_bytes=-1;"},
	{CGROUP_V2, "memory.high", "1G", NULL, "v1 has no limit that throttles"},
	{CGROUP_V2, "memory.low", "1G", NULL, "v1 cannot protect memory"},
	{CGROUP_V2, "memory.zswap.max", "1", NULL, "v1 has no limit for zswap"},
	{CGROUP_V2, "cpu.max", "50000 100000", "cpu.cfs_period_us=100000;cpu.cfs_quota_us=50000;"},
	{CGROUP_V2, "cpu.max", "max 200000", "cpu.cfs_period_us=200000;cpu.cfs_quota_us=-1;"},
	{CGROUP_V2, "cpu.max", "30000", "cpu.cfs_quota_us=30000;"},
	{CGROUP_V2, "cpu.weight", "100", "cpu.shares=1024;"},
	{CGROUP_V2, "cpu.weight", "1", "cpu.shares=10;"},
	{CGROUP_V2, "cpu.weight", "0", NULL, "cannot set cpu.weight to \"0\""},
	{CGROUP_V2, "cpuset.cpus", "0-1", "cpuset.cpus=0-1;"},
	{CGROUP_V2, "pids.max", "max", "pids.max=max;"},
	{CGROUP_V2, "io.max", "8:0 rbps=1 wiops=max",
	 "blkio.throttle.read_bps_device=8:0 1;blkio.throttle.write_iops_device=8:0 0;"},
	{CGROUP_V2, "io.max", "8:0 speed=1", NULL, "is not MAJ:MIN rbps=N"},
	{CGROUP_V2, "io.max", "8:0", NULL, "is not MAJ:MIN rbps=N"},
	{CGROUP_V2, "io.weight", "100", NULL, "io.bfq.weight"},
	{CGROUP_V2, "hugetlb.2MB.max", "max", "hugetlb.2MB.limit_in_bytes=-1;"},
	{CGROUP_V2, "hugetlb.2MB.rsvd.max", "2M", "hugetlb.2MB.rsvd.limit_in_bytes=2M;"},
	{CGROUP_V2, "cgroup.freeze", "1", "freezer.state=FROZEN;"},
	{CGROUP_V2, "cgroup.freeze", "2", NULL, "is not 0 or 1"},
	{CGROUP_V2, "memory.current", "1", NULL, "nothing that means the same"},

	{CGROUP_V1, "memory.limit_in_bytes", "64M", "memory.max=64M;"},
	{CGROUP_V1, "memory.limit_in_bytes", "-1", "memory.max=max;"},
	{CGROUP_V1, "memory.limit_in_bytes", "9223372036854771712", "memory.max=max;"},
	{CGROUP_V1, "memory.memsw.limit_in_bytes", "-1", "memory.swap.max=max;"},
	{CGROUP_V1, "memory.soft_limit_in_bytes", "1G", NULL, "memory.low and memory.high"},
	{CGROUP_V1, "memory.kmem.limit_in_bytes", "1G", NULL, "within memory.max"},
	{CGROUP_V1, "memory.use_hierarchy", "1", ""},
	{CGROUP_V1, "memory.use_hierarchy", "0", NULL, "nothing that means the same"},
	{CGROUP_V1, "cpu.shares", "512", "cpu.weight=50;"},
	{CGROUP_V1, "cpu.shares", "2", "cpu.weight=1;"},
	{CGROUP_V1, "cpu.shares", "1000000", "cpu.weight=10000;"},
	{CGROUP_V1, "cpu.cfs_quota_us", "50000", "cpu.max=50000;"},
	{CGROUP_V1, "cpu.cfs_quota_us", "-1", "cpu.max=max;"},
	{CGROUP_V1, "cpu.cfs_period_us", "50000", "cpu.max=max 50000;"},
	{CGROUP_V1, "cpu.rt_runtime_us", "1", NULL, "real-time"},
	{CGROUP_V1, "blkio.throttle.write_bps_device", "8:0 1024", "io.max=8:0 wbps=1024;"},
	{CGROUP_V1, "blkio.throttle.write_bps_device", "8:0 0", "io.max=8:0 wbps=max;"},
	{CGROUP_V1, "net_cls.classid", "1", NULL, "v2 has no such controller"},
	{CGROUP_V1, "freezer.state", "FROZEN", "cgroup.freeze=1;"},
};

static void test_translations(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(translations); i++) {
		const struct translation *t = &translations[i];
		struct cgroup_write w[CGROUP_MAX_WRITES];
		autobuf struct buf text = BUF_INIT;
		struct error err = {0};
		int n = cgroup_translate(NULL, (enum cgroup_version)t->version, t->file, t->value, w,
					 &err);

		buf_puts(&text, "");
		for (int k = 0; k < n; k++)
			buf_addf(&text, "%s=%s;", w[k].file, w[k].value);
		if (t->writes) {
			SAME(n < 0 ? err.text : text.s, t->writes);
		} else {
			SAME_NUMBER(n, -1);
			HAS(err.text, t->refusal);
			HAS(err.text, t->file);
		}
	}
}

/* ---- device rules ---- */

/* As much of a BPF machine as a device program uses; -1: it uses more. */
static int run_program(const struct bpf_insn *p, int n, const struct bpf_cgroup_dev_ctx *context)
{
	unsigned long long r[11] = {0};

	for (int at = 0; at >= 0 && at < n; at++) {
		const struct bpf_insn *i = &p[at];
		unsigned long long imm = (unsigned long long)(long long)i->imm;

		switch (i->code) {
		case BPF_LDX | BPF_W | BPF_MEM:
			r[i->dst_reg] = *(const unsigned *)((const char *)context + i->off);
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
			r[i->dst_reg] = r[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[i->dst_reg] = imm;
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			r[i->dst_reg] &= imm;
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			r[i->dst_reg] >>= imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			at += r[i->dst_reg] != imm ? i->off : 0;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += r[i->dst_reg] == imm ? i->off : 0;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			at += r[i->dst_reg] & imm ? i->off : 0;
			break;
		case BPF_JMP | BPF_JA:
			at += i->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)r[0];
		default:
			return -1;
		}
	}
	return -1;
}

static bool is_allowed(const struct device_rules *rules, const char *request)
{
	struct bpf_cgroup_dev_ctx context = {0};
	struct bpf_insn *program = NULL;
	char type, access[8];
	int n = device_program(rules, &program), answer;
	unsigned bits = 0;

	CU_ASSERT_FATAL(sscanf(request, "%c %u:%u %7s", &type, &context.major, &context.minor,
			       access) == 4);
	for (const char *a = access; *a; a++)
		bits |= *a == 'r' ? DEVICE_READ : *a == 'w' ? DEVICE_WRITE : DEVICE_MKNOD;
	context.access_type = bits << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK
							: BPF_DEVCG_DEV_CHAR);
	answer = run_program(program, n, &context);
	free(program);
	CU_ASSERT(answer == 0 || answer == 1);
	return answer == 1;
}

static const struct {
	const char *rules;   /* "+RULE" allows, "-RULE" denies; ';' between */
	const char *request; /* "TYPE MAJOR:MINOR ACCESS" */
	bool allowed;
} questions[] = {
	/* 'deny = a' alone really denies everything, */
	{"-a", "c 1:3 r", false},
	{"-a", "b 8:0 m", false},
	{"+a", "b 8:0 rwm", true},
	/* 'a *:* rwm' is the same, and what came before counts no more. */
	{"+c 1:3 rwm;-a *:* rwm", "c 1:3 r", false},
	{"-c 1:3 rwm;+a", "c 1:3 r", true},
	/* The usual list: nothing but. */
	{"-a;+c *:* m;+c 1:3 rwm", "c 1:3 rw", true},
	{"-a;+c *:* m;+c 1:3 rwm", "c 1:5 m", true},
	{"-a;+c *:* m;+c 1:3 rwm", "c 1:5 r", false},
	{"-a;+c *:* m;+c 1:3 rwm", "c 1:5 rm", false},
	{"-a;+c *:* m;+c 1:3 rwm", "b 1:3 r", false},
	{"-a;+c 136:* rwm", "c 136:77 rw", true},
	{"-a;+c 136:* rwm", "c 137:77 rw", false},
	{"-a;+c *:5 rwm", "c 9:5 rw", true},
	/* The first rule tells what becomes of the rest. */
	{"+c 1:3 rw", "c 1:5 r", false},
	{"-c 1:3 rw", "c 1:5 r", true},
	{"-c 1:3 rw", "c 1:3 r", false},
	{"-c 1:3 rw", "c 1:3 m", true},
	/* Two rules add up; the last word counts, for each access. */
	{"-a;+c 1:3 r;+c 1:3 w", "c 1:3 rw", true},
	{"-a;+c *:* rwm;-c 1:3 w", "c 1:3 w", false},
	{"-a;+c *:* rwm;-c 1:3 w", "c 1:3 rw", false},
	{"-a;+c *:* rwm;-c 1:3 w", "c 1:3 r", true},
	{"-a;-c 1:3 w;+c *:* rwm", "c 1:3 w", true},
	{"-a;+a 1:3 r", "b 1:3 r", true},
	{"-a;+c 1:3", "c 1:3 rwm", true},
	{"-a;+/dev/null rw", "c 1:3 rw", true},
	{"-a;+/dev/null rw", "c 1:3 m", false},
};

static void test_device_program(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		autostrv struct strv rules = {0};
		autorules struct device_rules r = {.allow_rest = true};
		struct error err = {0};

		strv_split(&rules, questions[i].rules, ";");
		for (size_t k = 0; k < rules.n; k++)
			SAME_NUMBER(device_rules_add(&r, rules.v[k][0] == '+', rules.v[k] + 1, &err), 0);
		if (is_allowed(&r, questions[i].request) != questions[i].allowed)
			fprintf(stderr, "\n  \"%s\" answers \"%s\" wrongly\n", questions[i].rules,
				questions[i].request);
		SAME_NUMBER(is_allowed(&r, questions[i].request), questions[i].allowed);
	}
}

static void test_device_rule_texts(void)
{
	static const struct {
		const char *rule, *text; /* text NULL: it is refused */
	} cases[] = {
		{"c 1:3 rwm", "c 1:3 rwm"}, {"c 1:3 mr", "c 1:3 rm"}, {"b *:* r", "b *:* r"},
		{"c 10:229 rwm and more", "c 10:229 rwm"}, {"/dev/null rw", "c 1:3 rw"},
		{"q 1:3 rwm", NULL}, {"c 1 rwm", NULL}, {"c 1:x rwm", NULL}, {"c 1:3 rx", NULL},
		{"cc 1:3 r", NULL}, {"c", NULL}, {"/dev/none-such rw", NULL}, {"/dev rw", NULL},
		{"c -1:3 r", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autorules struct device_rules r = {0};
		struct error err = {0};
		char text[64] = "";
		int added = device_rules_add(&r, true, cases[i].rule, &err);

		SAME_NUMBER(added, cases[i].text ? 0 : -1);
		if (added < 0) {
			CU_ASSERT(err.code != 0 && *err.text != '\0');
			continue;
		}
		SAME_NUMBER(r.n, 1);
		device_rule_text(&r.v[0], text);
		SAME(text, cases[i].text);
	}
}

/* ---- check ---- */

static int check_text(const char *text, struct error *err)
{
	const struct conf_section *sections[] = {&cgroup_section, NULL};
	struct boot b = {.name = "web", .conf = conf_new(sections)};
	int result = conf_load_text(b.conf, text, "config", err);

	if (result == 0)
		result = part_cgroup.check(&b, err);
	conf_free(b.conf);
	return result;
}

static void test_check(void)
{
	static const struct {
		const char *text, *refusal;
	} cases[] = {
		{"", NULL},
		{"lxc.cgroup.dir = a/b", NULL},
		{"lxc.cgroup.dir.monitor = m\nlxc.cgroup.dir.container = c", NULL},
		{"lxc.cgroup2.devices.deny = a\nlxc.cgroup2.devices.allow = c 1:3 rwm", NULL},
		{"lxc.cgroup.dir = /a", "\"/a\" is not a path below"},
		{"lxc.cgroup.dir = a/../b", "must be relative"},
		{"lxc.cgroup.dir.container.inner = a/b", "name of one directory"},
		{"lxc.cgroup.dir = a\nlxc.cgroup.dir.monitor = m",
		 "cannot use lxc.cgroup.dir: it excludes lxc.cgroup.dir.monitor (config:1)"},
		{"lxc.cgroup.dir.monitor = m", "it needs lxc.cgroup.dir.container (config:1)"},
		{"lxc.cgroup.dir.container = c", "it needs lxc.cgroup.dir.monitor (config:1)"},
		{"lxc.cgroup.dir.container.inner = i", "it needs lxc.cgroup.dir.container"},
		{"lxc.cgroup.dir.monitor.pivot = p", "it needs lxc.cgroup.dir.monitor"},
		{"\nlxc.cgroup2.devices.allow = q 1:3 rwm",
		 "\"q 1:3 rwm\" is not a device rule (such as \"c 1:3 rwm\", \"/dev/fuse rw\", \"a\") "
		 "(lxc.cgroup2.devices.allow, config:2)"},
		{"lxc.cgroup.devices.list = a", "device rules are devices.allow and devices.deny"},
		{"lxc.cgroup2.memory = 1", "\"memory\" is not the name of a cgroup file"},
		{"lxc.cgroup2.a/../b.c = 1", "is not the name of a cgroup file"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = {0};

		SAME_NUMBER(check_text(cases[i].text, &err), cases[i].refusal ? -1 : 0);
		if (cases[i].refusal)
			HAS(err.text, cases[i].refusal);
		else
			SAME(err.text, "");
	}
}

/* ---- the journal ---- */

static void test_running(void)
{
	struct unit_dir dir = unit_dir();
	struct cgroup_running at;
	struct error err = {0};
	struct journal j;

	free(unit_file(&dir, "journal",
		       "cgroup-inner in\n"
		       "cgroup /sys/fs/cgroup/cpu/lxc.payload.web\n"
		       "cgroup-not /sys/fs/cgroup/cpu/lxc.payload.web\n"
		       "cgroup /sys/fs/cgroup/cpu,cpuacct/lxc.payload.web-1\n"
		       "cgroup2 /sys/fs/cgroup/unified/lxc.payload.web-1\n"));
	CU_ASSERT_FATAL(journal_load(&j, dir.fd));
	SAME_NUMBER(cgroup_of_running(&j, &at, &err), 0);
	SAME(at.v2, "/sys/fs/cgroup/unified/lxc.payload.web-1");
	SAME_NUMBER(at.n_v1, 1);
	SAME(at.v1[0], "/sys/fs/cgroup/cpu,cpuacct/lxc.payload.web-1");
	SAME(at.inner, "in");
	SAME(cgroup_v1_dir(&at, "cpuacct.usage"), at.v1[0]);
	SAME(cgroup_v1_dir(&at, "memory.max"), NULL);
	journal_close(&j);
	unit_remove(&dir);
}

static void test_running_without(void)
{
	struct unit_dir dir = unit_dir();
	struct cgroup_running at;
	struct error err = {0};
	struct journal j;

	free(unit_file(&dir, "journal", "mount /x\ncgroup-parent /sys/fs/cgroup/cpu/a\n"));
	CU_ASSERT_FATAL(journal_load(&j, dir.fd));
	SAME_NUMBER(cgroup_of_running(&j, &at, &err), -1);
	SAME_NUMBER(err.code, ENOENT);
	journal_close(&j);
	unit_remove(&dir);
}

/* What a damaged journal names must not be touched: only what is below /sys/fs/cgroup. */
static void test_release_keeps_out(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *text = str_printf("cgroup %s/kept\ncgroup /sys/fs/cgroup/../../..%s/kept\n"
					 "cgroup-parent %s/kept\n", dir.path, dir.path, dir.path);
	struct release r = {.rundir = dir.fd, .rescue = true};
	struct journal j;

	free(unit_file(&dir, "journal", text));
	SAME_NUMBER(mkdirat(dir.fd, "kept", 01755), 0);
	CU_ASSERT_FATAL(journal_load(&j, dir.fd));
	r.journal = &j;
	part_cgroup.release(&r);
	SAME_NUMBER(faccessat(dir.fd, "kept", F_OK, 0), 0);
	journal_close(&j);
	unit_remove(&dir);
}

/* As a host with v2 alone has it; kept open, its files say what they say then. */
static void test_meter(void)
{
	struct unit_dir dir = unit_dir();
	struct cgroup_running at = {.v2 = dir.path};
	autobuf struct buf text = BUF_INIT;
	struct cgroup_meter m;
	struct cgroup_stats s;

	free(unit_file(&dir, "cpu.stat", "usage_usec 12\nuser_usec 5\nsystem_usec 7\nnr_periods 0\n"));
	free(unit_file(&dir, "memory.current", "4096\n"));
	free(unit_file(&dir, "memory.stat", "anon 1\nkernel_stack 3\nkernel 2048\n"));
	free(unit_file(&dir, "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=50 dios=60\n"
					"8:16 rbytes=10 wbytes=20 rios=30 wios=40 dbytes=5 dios=6\n"));
	free(unit_file(&dir, "pids.current", "9\n"));
	SAME_NUMBER(cgroup_meter_open(&at, &m), 0);
	SAME_NUMBER(m.n_files, 6);
	for (int i = 0; i < 2; i++) {
		SAME_NUMBER(cgroup_meter_read(&m, true, &text, &s), 0);
		SAME_NUMBER(s.cpu_ns, 12000);
		SAME_NUMBER(s.cpu_user_ns, 5000);
		SAME_NUMBER(s.cpu_system_ns, 7000);
		SAME_NUMBER(s.memory, 4096);
		SAME_NUMBER(s.swap, -1);
		SAME_NUMBER(s.kernel_memory, 2048);
		SAME_NUMBER(s.block_io, 33);
		SAME_NUMBER(s.block_ops, 77);
		SAME_NUMBER(s.pids, i ? 12 : 9);
		SAME_NUMBER(file_write(dir.fd, "pids.current", "12\n"), 0);
	}
	cgroup_meter_close(&m);
	unit_remove(&dir);
}

/* However long it is, and when it becomes shorter. */
static void test_reread(void)
{
	struct unit_dir dir = unit_dir();
	struct reread f = REREAD(str_printf("%s/f", dir.path));
	autobuf struct buf text = BUF_INIT;
	char bytes[10001];

	SAME_NUMBER(reread(&f, true, &text), -1);
	SAME_NUMBER(f.fd, -1);
	for (size_t n = sizeof(bytes) - 1; n > 0; n /= 3) {
		memset(bytes, 'x', n);
		bytes[n] = '\0';
		SAME_NUMBER(file_replace(dir.fd, "f", bytes, 0600), 0);
		SAME_NUMBER(reread(&f, false, &text), 0);
		SAME_NUMBER(f.fd, -1);
		SAME(text.s, bytes);
	}
	SAME_NUMBER(reread(&f, true, &text), 0);
	CU_ASSERT(f.fd >= 0);
	reread_free(&f);
	unit_remove(&dir);
}

void suite_cgroup(void)
{
	static const struct unit_test tests[] = {
		{"names", test_names},
		{"paths stay inside", test_stays_inside},
		{"lists of controllers", test_lists},
		{"paths", test_paths},
		{"translations", test_translations},
		{"device programs decide", test_device_program},
		{"device rules are read", test_device_rule_texts},
		{"check", test_check},
		{"a running container's cgroups", test_running},
		{"a container without cgroups", test_running_without},
		{"release keeps to the cgroups", test_release_keeps_out},
		{"what it uses", test_meter},
		{"files that are read again", test_reread},
		{NULL, NULL},
	};

	unit_suite("cgroup", tests);
}
