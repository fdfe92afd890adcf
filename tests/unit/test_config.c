/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration language: grammar, files that include others, errors with their places. */
#include "unit.h"
#include "unit_config.h"
#include "base/fd.h"

#include <string.h>
#include <sys/stat.h>

struct first {
	char *name, *rootfs, *fstab, *tty_dir;
	unsigned tty;
	bool managed;
	struct strv drop, entries;
};
struct second {
	struct conf_pairs limits, devices, net;
	struct strv pre_start, stop;
	int halt;
};

#define IN(section, key_name, key_type, field)                                                     \
	.name = key_name, .type = &conf_##key_type, .offset = offsetof(struct section, field)

static const struct conf_key first_keys[] = {
	{IN(first, "lxc.uts.name", string, name)},
	{IN(first, "lxc.rootfs.path", path, rootfs)},
	{IN(first, "lxc.rootfs.managed", bool, managed), .preset = "1"},
	{IN(first, "lxc.mount.fstab", path, fstab)},
	{IN(first, "lxc.mount.entry", list, entries)},
	{IN(first, "lxc.tty.max", uint, tty)},
	{IN(first, "lxc.tty.dir", string, tty_dir), .preset = "lxc"},
	{IN(first, "lxc.cap.drop", words, drop)},
	{.name = "lxc.sched.core", .unsupported = "this kernel lacks it; leave it out"},
	{.name = NULL},
};
static const struct conf_key second_keys[] = {
	{IN(second, "lxc.prlimit.", pairs, limits)},
	{IN(second, "lxc.cgroup2.", pairs_list, devices)},
	{IN(second, "lxc.net.", pairs, net)},
	{IN(second, "lxc.hook.pre-start", list, pre_start)},
	{IN(second, "lxc.hook.stop", list, stop)},
	{IN(second, "lxc.signal.halt", signal, halt)},
	{.name = NULL},
};
static const struct conf_section first = {"first", sizeof(struct first), first_keys};
static const struct conf_section second = {"second", sizeof(struct second), second_keys};
const struct conf_section *const config_sections[] = {&first, &second, NULL};

struct conf *config_load(const char *text)
{
	struct conf *c = conf_new(config_sections);
	struct error err = {0};

	CU_ASSERT_FATAL(c != NULL);
	SAME_NUMBER(conf_load_text(c, text, "web", &err), 0);
	SAME(err.text, "");
	return c;
}

void config_gets(const struct conf *c, const char *key, const char *expected, unsigned line)
{
	autobuf struct buf out = BUF_INIT;
	struct error err = {0};

	buf_puts(&out, "");
	same_number(conf_get(c, key, &out, &err), 0, __FILE__, line);
	same_text(out.s, expected, __FILE__, line);
}

/* ---- grammar ---- */

static const struct {
	const char *text, *key, *value;
} grammar[] = {
	{"lxc.uts.name=a", "lxc.uts.name", "a"},
	{"lxc.uts.name = a\n", "lxc.uts.name", "a"},
	{" \t lxc.uts.name \t=\t a b \t\n", "lxc.uts.name", "a b"},
	{"lxc.uts.name = a\r\n", "lxc.uts.name", "a"},
	{"\n\n\nlxc.uts.name = a\n\n", "lxc.uts.name", "a"},
	{"lxc.uts.name = a # b", "lxc.uts.name", "a # b"},
	{"# lxc.uts.name = a", "lxc.uts.name", ""},
	{"  #lxc.uts.name = a", "lxc.uts.name", ""},
	{"nonsense\nlxc\nLXC.uts.name = a\nlxc.uts.name = b", "lxc.uts.name", "b"},
	{"lxc.uts.name = a\\\nb", "lxc.uts.name", "a\\"},
	{"lxc.uts.name = a=b=c", "lxc.uts.name", "a=b=c"},
	{"lxc.uts.name = \"a b\"", "lxc.uts.name", "a b"},
	{"lxc.uts.name = ' a '", "lxc.uts.name", " a "},
	{"lxc.uts.name = \"\"a\"\"", "lxc.uts.name", "\"a\""},
	{"lxc.uts.name = \"a", "lxc.uts.name", "\"a"},
	{"lxc.uts.name = \"", "lxc.uts.name", "\""},
	{"lxc.uts.name = \"a'", "lxc.uts.name", "\"a'"},
	{"lxc.uts.name = a\nlxc.uts.name = \"\"", "lxc.uts.name", ""},
	{"lxc.uts.name = a\nlxc.uts.name = b", "lxc.uts.name", "b"},
	{"lxc.uts.name = a\nlxc.uts.name =", "lxc.uts.name", ""},
	{"\xef\xbb\xbflxc.uts.name = a", "lxc.uts.name", "a"},
	{"lxc.cap.drop = a b\nlxc.cap.drop = c", "lxc.cap.drop", "a\nb\nc\n"},
	{"lxc.cap.drop = a b\nlxc.cap.drop =\nlxc.cap.drop = c", "lxc.cap.drop", "c\n"},
	{"lxc.tty.max = 4\nlxc.tty.max =", "lxc.tty.max", "0"},
	{"lxc.tty.dir = x\nlxc.tty.dir =", "lxc.tty.dir", "lxc"},
	{"lxc.rootfs.managed = 0\nlxc.rootfs.managed =", "lxc.rootfs.managed", "1"},
	{"", "lxc.rootfs.managed", "1"},
	{"lxc.prlimit.core = 1\nlxc.prlimit.cpu = 2", "lxc.prlimit.core", "1"},
	{"lxc.prlimit.core = 1\nlxc.prlimit.cpu = 2", "lxc.prlimit",
	 "lxc.prlimit.core = 1\nlxc.prlimit.cpu = 2\n"},
	{"lxc.prlimit.core = 1\nlxc.prlimit.cpu = 2\nlxc.prlimit =", "lxc.prlimit", ""},
	{"lxc.prlimit.core = 1\nlxc.prlimit.cpu = 2\nlxc.prlimit.core =", "lxc.prlimit",
	 "lxc.prlimit.cpu = 2\n"},
	{"lxc.cgroup2.devices.allow = a\nlxc.cgroup2.devices.allow = b",
	 "lxc.cgroup2.devices.allow", "a\nb\n"},
	{"lxc.hook.stop = a\nlxc.hook.pre-start = b", "lxc.hook",
	 "lxc.hook.pre-start = b\nlxc.hook.stop = a\n"},
	{"lxc.hook.stop = a\nlxc.hook.pre-start = b\nlxc.hook =", "lxc.hook", ""},
	{"lxc.sched.core =", "lxc.sched.core", ""},
};

static void test_grammar(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(grammar); i++) {
		struct conf *c = config_load(grammar[i].text);

		GETS(c, grammar[i].key, grammar[i].value);
		conf_free(c);
	}
}

static const struct {
	const char *text, *error;
	int code;
} refusals[] = {
	{"lxc.ut.name = a", "web:1: unknown key \"lxc.ut.name\"; the nearest is \"lxc.uts.name\""},
	{"#\n\nlxc.uts.nmae = a",
	 "web:3: unknown key \"lxc.uts.nmae\"; the nearest is \"lxc.uts.name\""},
	{"lxc.prlimt.core = 1",
	 "web:1: unknown key \"lxc.prlimt.core\"; the nearest is \"lxc.prlimit.core\""},
	{"lxc.completely.different = a", "web:1: unknown key \"lxc.completely.different\""},
	{"lxc. = a", "web:1: unknown key \"lxc.\""},
	{"lxc.uts.name",
	 "web:1: \"lxc.uts.name\" has no '='; a setting is written \"lxc.key = value\""},
	{"lxc.tty.max = abc",
	 "web:1: lxc.tty.max: \"abc\" is not a number between 0 and 4294967295"},
	{"a\r\nb\r\nlxc.tty.max = -1\r\n",
	 "web:3: lxc.tty.max: \"-1\" is not a number between 0 and 4294967295"},
	{"lxc.signal.halt = HUP", "web:1: lxc.signal.halt: \"HUP\" is not a signal; write SIGHUP"},
	{"lxc.prlimit = 1", "web:1: lxc.prlimit is set by its parts: a name must follow, as in "
			    "\"lxc.prlimit.NAME = TEXT\""},
	{"lxc.prlimit. = 1", "web:1: lxc.prlimit is set by its parts: a name must follow, as in "
			     "\"lxc.prlimit.NAME = TEXT\""},
	{"lxc.hook = a", "web:1: unknown key \"lxc.hook\""},
	{"lxc = a\nlxc.uts.name.x = a", "web:2: unknown key \"lxc.uts.name.x\"; the nearest is "
					"\"lxc.uts.name\""},
	{"lxc.sched.core = 1",
	 "web:1: lxc.sched.core is not supported yet: this kernel lacks it; "
	 "leave it out",
	 ENOTSUP},
	{"lxc.uts.name = a\rb", "web:1: there is a carriage return inside the line"},
	{"lxc.include = nowhere.conf",
	 "web:1: cannot read configuration \"nowhere.conf\": No such "
	 "file or directory",
	 ENOENT},
	{"lxc.\x1b[31m = a", "web:1: unknown key \"lxc.?[31m\""},
	{"lxc.tty.max = \x1b[31m\xc2\x9b",
	 "web:1: lxc.tty.max: \"?[31m??\" is not a number between 0 "
	 "and 4294967295"},
};

static void test_refusals(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct conf *c = conf_new(config_sections);
		struct error err = {0};

		SAME_NUMBER(conf_load_text(c, refusals[i].text, "web", &err), -1);
		SAME(err.text, refusals[i].error);
		SAME_NUMBER(err.code, refusals[i].code ? refusals[i].code : EINVAL);
		SAME(conf_text(c), "");
		conf_free(c);
	}
}

static void test_hardware_addresses(void)
{
	struct conf *c = config_load("lxc.net.0.hwaddr = 00:16:3e:xx:Xx:xx\n"
				     "lxc.net.1.hwaddr=xx:xx:xx:xx:xx:xx\n#lxc.net.2.hwaddr = xx\n"
				     "lxc.net.0.name = xx\n");
	autobuf struct buf one = BUF_INIT, other = BUF_INIT;
	struct error err = {0};
	struct conf *again;

	conf_get(c, "lxc.net.0.hwaddr", &one, &err);
	conf_get(c, "lxc.net.1.hwaddr", &other, &err);
	CU_ASSERT_FATAL(one.len == 17 && other.len == 17);
	SAME_NUMBER(strspn(one.s, "0123456789abcdef:"), 17);
	SAME_NUMBER(strspn(other.s, "0123456789abcdef:"), 17);
	CU_ASSERT(str_starts(one.s, "00:16:3e:"));
	CU_ASSERT(strchr("02468ace", other.s[1]) != NULL); /* not a multicast address */
	HAS(conf_text(c), "#lxc.net.2.hwaddr = xx\n");
	GETS(c, "lxc.net.0.name", "xx");
	again = config_load(conf_text(c)); /* what is saved has the same address */
	GETS(again, "lxc.net.0.hwaddr", one.s);
	conf_free(again);
	SAME_NUMBER(conf_set(c, "lxc.net.2.hwaddr", "xx:xx:xx:xx:xx:xx", &err), 0);
	one.len = 0;
	conf_get(c, "lxc.net.2.hwaddr", &one, &err);
	SAME_NUMBER(strspn(one.s, "0123456789abcdef:"), 17);
	HAS(conf_text(c), one.s);
	conf_free(c);
}

/* ---- files ---- */

static void load_fails(const char *file, const char *expected_end)
{
	struct conf *c = conf_new(config_sections);
	struct error err = {0};

	SAME_NUMBER(conf_load(c, file, &err), -1);
	CU_ASSERT(err.code != 0);
	HAS(err.text, expected_end);
	conf_free(c);
}

static void test_includes(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *d = str_printf("%s/sub.d", dir.path), *main_file = NULL, *where = NULL;
	struct conf *c = conf_new(config_sections);
	struct error err = {0};

	mkdir(d, 0700);
	free(unit_file(&dir, "sub.d/20-b.conf", "lxc.cap.drop = b\nlxc.include = ../deep.conf"));
	free(unit_file(&dir, "sub.d/10-a.conf", "lxc.cap.drop = a\nlxc.tty.max = 2\n"));
	free(unit_file(&dir, "sub.d/.conf", "lxc.nonsense = 1\n"));
	free(unit_file(&dir, "sub.d/README", "lxc.nonsense = 1\n"));
	free(unit_file(&dir, "deep.conf", "lxc.cap.drop = deep\n"));
	main_file = unit_file(&dir, "config",
			      "# first\nlxc.include = sub.d\nlxc.include = sub.d/\n"
			      "lxc.include = missing.d/\n\nlxc.include =\n"
			      "lxc.cap.drop = own");
	SAME_NUMBER(conf_load(c, main_file, &err), 0);
	SAME(err.text, "");
	GETS(c, "lxc.cap.drop", "a\nb\ndeep\na\nb\ndeep\nown\n");
	GETS(c, "lxc.include", "sub.d\nsub.d/\nmissing.d/\n\n");
	SAME(conf_file(c), main_file);
	where = str_printf("%s/sub.d/10-a.conf:2", dir.path);
	SAME(conf_where(c, "lxc.tty.max"), where);
	CU_ASSERT_PTR_NULL(conf_where(c, "lxc.uts.name"));
	/* The text stays as it was written, blank lines and all. */
	SAME(conf_text(c), "# first\nlxc.include = sub.d\nlxc.include = sub.d/\n"
			   "lxc.include = missing.d/\n\nlxc.include =\nlxc.cap.drop = own");
	conf_free(c);
	unit_remove(&dir);
}

static void test_include_clears(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *file = NULL;
	struct conf *c = conf_new(config_sections);
	struct error err = {0};

	free(unit_file(&dir, "common.conf",
		       "lxc.cap.drop = a b\nlxc.cgroup2.devices.deny = a\n"
		       "lxc.cgroup2.devices.allow = c\n"));
	free(unit_file(&dir, "userns.conf", "lxc.cap.drop =\nlxc.cgroup2.devices.deny =\n"));
	file = unit_file(&dir, "config", "lxc.include = common.conf\nlxc.include = userns.conf\n");
	SAME_NUMBER(conf_load(c, file, &err), 0);
	GETS(c, "lxc.cap.drop", "");
	GETS(c, "lxc.cgroup2.devices.deny", "");
	GETS(c, "lxc.cgroup2.devices.allow", "c\n");
	CU_ASSERT_PTR_NULL(conf_where(c, "lxc.cap.drop"));
	conf_free(c);
	unit_remove(&dir);
}

static void test_include_errors(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *loop = unit_file(&dir, "a", "\nlxc.include = b\n");
	autofree char *self = unit_file(&dir, "self", "lxc.include = self\n");
	autofree char *typo = unit_file(&dir, "typo", "#\nlxc.include = inner\n");
	autofree char *many = NULL;
	autofree char *expected = str_printf("cannot include \"%s/a\": it includes itself "
					     "(%s/a -> %s/b -> %s/a)",
					     dir.path, dir.path, dir.path, dir.path);
	autofree char *place =
		str_printf("%s/inner:3: unknown key \"lxc.x\" (included by %s:2)", dir.path, typo);

	free(unit_file(&dir, "b", "lxc.include = a\n"));
	free(unit_file(&dir, "inner", "\n\nlxc.x = 1\n"));
	for (int i = 0; i < 18; i++) {
		autofree char *name = str_printf("deep%d", i);
		autofree char *text = str_printf("lxc.include = deep%d\n", i + 1);

		free(unit_file(&dir, name, text));
	}
	/* Each includes the next twice: without a limit this would be a million files. */
	for (int i = 0; i < 14; i++) {
		autofree char *name = str_printf("twice%d", i);
		autofree char *text =
			str_printf("lxc.include = twice%d\nlxc.include = twice%d\n", i + 1, i + 1);

		free(unit_file(&dir, name, text));
	}
	free(unit_file(&dir, "twice14", "\n"));
	load_fails(loop, expected);
	load_fails(self, "it includes itself");
	load_fails(typo, place);
	many = str_printf("%s/deep0", dir.path);
	load_fails(many, "more than 16 files include one another");
	free(many);
	many = str_printf("%s/twice0", dir.path);
	load_fails(many, "more than 1000 files are included");
	unit_remove(&dir);
}

static void test_what_is_no_text_file(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *fifo = str_printf("%s/fifo", dir.path);
	autofree char *nul = str_printf("%s/nul", dir.path);
	autofree char *file = NULL;
	autobuf struct buf large = BUF_INIT;
	struct conf *c = conf_new(config_sections);

	load_fails(dir.path, "it is a directory");
	SAME_NUMBER(mkfifo(fifo, 0600), 0);
	load_fails(fifo, "it is no regular file");
	load_fails("/dev/zero", "it is no regular file");
	load_fails("/nowhere/config",
		   "cannot read configuration \"/nowhere/config\": No such file");
	free(unit_file(&dir, "nul", ""));
	{
		autoclose int fd = open(nul, O_WRONLY | O_CLOEXEC);

		SAME_NUMBER(write(fd, "#a\nlxc.uts\0.name = 1\n", 21), 21);
	}
	load_fails(nul, "/nul:2: there is a NUL byte");
	buf_puts(&large, "# one\nlxc.uts.name = ");
	for (int i = 0; i < 7000; i++)
		buf_puts(&large, "aaaaaaaaaa");
	file = unit_file(&dir, "line", large.s);
	load_fails(file, "/line:2: the line is longer than 65536 bytes");
	while (large.len < 10 << 20)
		buf_puts(&large,
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	free(file);
	file = unit_file(&dir, "large", large.s);
	load_fails(file, "it is larger than 4 MiB");
	SAME_NUMBER(conf_load(c, "/dev/null", NULL), 0);
	SAME(conf_text(c), "");
	conf_free(c);
	unit_remove(&dir);
}

/* ---- tables ---- */

static void test_next_key(void)
{
	const struct conf_key *k, *last = NULL;
	size_t state = 0, n = 0;

	for (; (k = conf_next_key(config_sections, &state)); n++)
		last = k;
	SAME_NUMBER(n, 16);
	SAME(last->name, "lxc.include");
	CU_ASSERT_PTR_NULL(conf_next_key(config_sections, &state));
}

void suite_config(void)
{
	static const struct unit_test tests[] = {
		{"lines, quotes, comments", test_grammar},
		{"faulty lines are refused with file and line", test_refusals},
		{"templates of hardware addresses become addresses", test_hardware_addresses},
		{"files and directories are included", test_includes},
		{"an included empty value clears", test_include_clears},
		{"includes that cannot end are refused", test_include_errors},
		{"what is no text file is refused", test_what_is_no_text_file},
		{"all keys can be walked", test_next_key},
		{NULL, NULL},
	};

	unit_suite("config", tests);
}
