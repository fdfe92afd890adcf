/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration language: grammar, includes, errors with their places, old names, kept text. */
#include "unit.h"
#include "base/fd.h"
#include "config/conf.h"
#include "config/legacy.h"

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
static const struct conf_section *const sections[] = {&first, &second, NULL};

static struct conf *load(const char *text)
{
	struct conf *c = conf_new(sections);
	struct error err = {0};

	CU_ASSERT_FATAL(c != NULL);
	SAME_NUMBER(conf_load_text(c, text, "web", &err), 0);
	SAME(err.text, "");
	return c;
}

#define GETS(c, key, expected) gets_value(c, key, expected, __LINE__)
static void gets_value(const struct conf *c, const char *key, const char *expected, unsigned line)
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
		struct conf *c = load(grammar[i].text);

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
		struct conf *c = conf_new(sections);
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
	struct conf *c = load("lxc.net.0.hwaddr = 00:16:3e:xx:Xx:xx\n"
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
	again = load(conf_text(c)); /* what is saved has the same address */
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
	struct conf *c = conf_new(sections);
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
	struct conf *c = conf_new(sections);
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
	struct conf *c = conf_new(sections);
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
	struct conf *c = conf_new(sections);

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

/* ---- changing ---- */

static const struct {
	const char *text, *key, *value, *after;
} changes[] = {
	/* a scalar's line is rewritten where it stands */
	{"# a\nlxc.uts.name = x\n\nlxc.tty.max = 1\n", "lxc.uts.name", "y",
	 "# a\nlxc.uts.name = y\n\nlxc.tty.max = 1\n"},
	{"lxc.uts.name = 1\nlxc.uts.name = 2\n# end", "lxc.uts.name", "y",
	 "lxc.uts.name = 1\nlxc.uts.name = y\n# end"},
	{"# no newline", "lxc.uts.name", "y", "# no newline\nlxc.uts.name = y\n"},
	{"", "lxc.uts.name", "y", "lxc.uts.name = y\n"},
	{"lxc.uts.name = x\nlxc.include = /nowhere.d/\n", "lxc.uts.name", "y",
	 "lxc.include = /nowhere.d/\nlxc.uts.name = y\n"},
	{"lxc.utsname = x\n", "lxc.uts.name", "y", "lxc.uts.name = y\n"},
	{"lxc.uts.name = x\n", "lxc.utsname", "y", "lxc.uts.name = y\n"},
	{"lxc.prlimit.core = 1\nlxc.prlimit.cpu = 1\n", "lxc.prlimit.core", "2",
	 "lxc.prlimit.core = 2\nlxc.prlimit.cpu = 1\n"},
	/* a value is written so that it is read back */
	{"", "lxc.uts.name", "' y '", "lxc.uts.name = \" y \"\n"},
	{"", "lxc.uts.name", "'\"y\"'", "lxc.uts.name = \"\"y\"\"\n"},
	/* a list gets one line more */
	{"lxc.cap.drop = a\n# x\n", "lxc.cap.drop", "b",
	 "lxc.cap.drop = a\n# x\nlxc.cap.drop = b\n"},
	{"", "lxc.include", "/nowhere.d/", "lxc.include = /nowhere.d/\n"},
	/* an empty value takes the lines away */
	{"lxc.cap.drop = a\n# x\n  lxc.cap.drop = b\n", "lxc.cap.drop", "", "# x\n"},
	{"lxc.utsname = a\n# x\n", "lxc.uts.name", " ", "# x\n"},
	{"lxc.prlimit.core = 1\n#\nlxc.prlimit.cpu = 1\n", "lxc.prlimit", "", "#\n"},
	{"lxc.prlimit.core = 1\nlxc.prlimit.cpu = 1\n", "lxc.prlimit.cpu", "",
	 "lxc.prlimit.core = 1\n"},
	{"lxc.net.0.type = a\nlxc.net.0.link = b\nlxc.net.1.link = c\nlxc.net.01.link = d\n",
	 "lxc.net.0", "", "lxc.net.1.link = c\nlxc.net.01.link = d\n"},
	{"lxc.network.type = a\nlxc.network.link = a\nlxc.network.type = b\nlxc.network.link = b\n",
	 "lxc.net.1", "", "lxc.network.type = a\nlxc.network.link = a\n"},
	{"lxc.hook.stop = a\nlxc.uts.name = x\nlxc.hook.pre-start = b\n", "lxc.hook", "",
	 "lxc.uts.name = x\n"},
	{"lxc.include = /nowhere.d/\n# x\n", "lxc.include", "", "# x\n"},
	{"#lxc.uts.name = c\nlxc.uts.name = x", "lxc.uts.name", "", "#lxc.uts.name = c\n"},
};

static void test_changes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		autobuf struct buf now = BUF_INIT, later = BUF_INIT;
		struct conf *c = load(changes[i].text), *again;
		struct error err = {0};

		SAME_NUMBER(conf_set(c, changes[i].key, changes[i].value, &err), 0);
		SAME(err.text, "");
		SAME(conf_text(c), changes[i].after);
		again = load(conf_text(c));
		conf_get(c, changes[i].key, &now, &err);
		conf_get(again, changes[i].key, &later, &err);
		SAME(later.s, now.s);
		conf_free(again);
		conf_free(c);
	}
}

static void test_refused_changes(void)
{
	static const struct {
		const char *key, *value, *error;
	} table[] = {
		{"lxc.tty.max", "abc",
		 "lxc.tty.max: \"abc\" is not a number between 0 and 4294967295"},
		{"lxc.uts.name", "a\nlxc.hook.stop = evil", "lxc.uts.name: a value is one line"},
		{"lxc.uts.name = x\nlxc.hook.stop", "a",
		 "unknown key \"lxc.uts.name = x?lxc.hook.stop\""},
		{"uts.name", "a", "unknown key \"uts.name\""},
		{"lxc.nope", "a", "unknown key \"lxc.nope\""},
		{"lxc.nope", "", "unknown key \"lxc.nope\""},
		{"lxc.kmsg", "1", "\"lxc.kmsg\" has no meaning any more"},
		{"lxc.prlimit", "1",
		 "lxc.prlimit is set by its parts: a name must follow, as in "
		 "\"lxc.prlimit.NAME = TEXT\""},
	};
	struct conf *c = load("lxc.tty.max = 1\n");

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct error err = {0};

		SAME_NUMBER(conf_set(c, table[i].key, table[i].value, &err), -1);
		SAME(err.text, table[i].error);
		SAME_NUMBER(err.code, EINVAL);
	}
	SAME(conf_text(c), "lxc.tty.max = 1\n");
	GETS(c, "lxc.tty.max", "1");
	conf_free(c);
}

/* What an included file sets would come back; so clearing it must be written down. */
static void test_clearing_what_is_included(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *file = NULL;
	struct conf *c = conf_new(sections);
	struct error err = {0};

	free(unit_file(&dir, "common.conf", "lxc.cap.drop = a b\n"));
	file = unit_file(&dir, "config", "lxc.include = common.conf\nlxc.cap.drop = c\n");
	SAME_NUMBER(conf_load(c, file, &err), 0);
	SAME_NUMBER(conf_unset(c, "lxc.cap.drop", &err), 0);
	SAME(conf_text(c), "lxc.include = common.conf\nlxc.cap.drop =\n");
	SAME_NUMBER(conf_unset(c, "lxc.cap.drop", &err), 0);
	SAME(conf_text(c), "lxc.include = common.conf\nlxc.cap.drop =\n");
	conf_free(c);
	unit_remove(&dir);
}

static void test_define(void)
{
	struct conf *c = load("lxc.uts.name = web\n");
	struct error err = {0};

	SAME_NUMBER(conf_define(c, "lxc.uts.name", "\"db\"", "--define", &err), 0);
	SAME_NUMBER(conf_define(c, "lxc.rootfs", "/srv/x", "--define", &err), 0);
	GETS(c, "lxc.uts.name", "db");
	GETS(c, "lxc.rootfs.path", "/srv/x");
	SAME(conf_where(c, "lxc.uts.name"), "--define");
	SAME(conf_text(c), "lxc.uts.name = web\n");
	SAME_NUMBER(conf_define(c, "lxc.tty.max", "x", "--define", &err), -1);
	HAS(err.text, "--define: lxc.tty.max: \"x\" is not a number");
	conf_free(c);
}

static void test_origins(void)
{
	struct conf *c =
		load("lxc.tty.max = 1\nlxc.cap.drop = a\nlxc.cap.drop = b\nlxc.uts.name = x\n"
		     "lxc.uts.name =\n");
	struct error err = {0};
	const char *first_answer = conf_where(c, "lxc.tty.max");
	autostrv struct strv keys = {0}, all = {0};

	SAME(conf_where(c, "lxc.cap.drop"), "web:3");
	SAME(first_answer, "web:1"); /* an answer stays valid */
	CU_ASSERT_PTR_NULL(conf_where(c, "lxc.uts.name"));
	CU_ASSERT_PTR_NULL(conf_where(c, "lxc.tty"));
	SAME_NUMBER(conf_list_keys(c, "lxc.", &keys), 0);
	SAME_NUMBER(keys.n, 2);
	SAME(keys.n == 2 ? keys.v[1] : "", "lxc.cap.drop");
	SAME_NUMBER(conf_list_keys(c, NULL, &all), 0);
	SAME_NUMBER(all.n, 15);
	SAME_NUMBER(conf_set(c, "lxc.tty.max", "7", &err), 0);
	SAME(conf_where(c, "lxc.tty.max"), "web");
	conf_free(c);
}

static void test_effective_text(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *file = NULL;
	struct conf *c = conf_new(sections), *again;
	autobuf struct buf text = BUF_INIT, twice = BUF_INIT;
	struct error err = {0};

	free(unit_file(&dir, "inner", "lxc.utsname = in\nlxc.cap.drop = \"a b\"\n"));
	file = unit_file(&dir, "config",
			 "lxc.cap.drop = x\n# c\nlxc.include = inner\nlxc.cap.drop =\n"
			 "lxc.cap.drop = y\nlxc.tty.dir = ' z '\n");
	SAME_NUMBER(conf_load(c, file, &err), 0);
	for (int i = 0; i < 1000; i++)
		SAME_NUMBER(conf_set(c, "lxc.tty.max", i % 2 ? "1" : "2", &err), 0);
	SAME_NUMBER(conf_effective_text(c, &text), 0);
	SAME(text.s, "lxc.cap.drop = x\nlxc.uts.name = in\nlxc.cap.drop = a b\nlxc.cap.drop =\n"
		     "lxc.cap.drop = y\nlxc.tty.dir = \" z \"\nlxc.tty.max = 1\n");
	again = load(text.s);
	SAME_NUMBER(conf_effective_text(again, &twice), 0);
	SAME(twice.s, text.s);
	GETS(again, "lxc.tty.dir", " z ");
	conf_free(again);
	conf_free(c);
	unit_remove(&dir);
}

/* ---- old names ---- */

static void test_legacy_names(void)
{
	unsigned nics = 0;
	size_t n = 0;

	for (const struct legacy_name *l = legacy_names; l->old; l++, n++) {
		autobuf struct buf now = BUF_INIT;

		buf_puts(&now, "");
		CU_ASSERT(legacy_rename(&nics, l->old, &now));
		SAME(now.s, l->now ? l->now : "");
	}
	SAME_NUMBER(n, 27);
	CU_ASSERT(!legacy_rename(&nics, "lxc.uts.name", NULL));
	CU_ASSERT(!legacy_rename(&nics, "lxc.rootfs.path", NULL));
	CU_ASSERT(!legacy_rename(&nics, "lxc.net.0.ipv4.address", NULL));
}

static const struct {
	const char *text, *key, *value;
} old_texts[] = {
	{"lxc.utsname = web", "lxc.uts.name", "web"},
	{"lxc.tty = 4", "lxc.tty.max", "4"},
	{"lxc.mount = /f", "lxc.mount.fstab", "/f"},
	{"lxc.limit.core = 5", "lxc.prlimit.core", "5"},
	{"lxc.limit.core = 5\nlxc.limit =", "lxc.prlimit", ""},
	{"lxc.haltsignal = SIGPWR", "lxc.signal.halt", "30"},
	{"lxc.rootfs = /r", "lxc.rootfs.path", "/r"},
	{"lxc.rootfs = /r\nlxc.rootfs.backend = btrfs", "lxc.rootfs.path", "btrfs:/r"},
	{"lxc.rootfs.backend = btrfs\nlxc.rootfs = /r", "lxc.rootfs.path", "btrfs:/r"},
	{"lxc.rootfs.backend = dir\nlxc.rootfs = overlayfs:/a:/b", "lxc.rootfs.path",
	 "overlayfs:/a:/b"},
	{"lxc.kmsg = 1\nlxc.pivotdir = x\nlxc.uts.name = a", "lxc.uts.name", "a"},
	{"lxc.network.type = veth\nlxc.network.link = br0\nlxc.network.type = phys\n"
	 "lxc.network.ipv4 = 1.2.3.4/8\nlxc.network.ipv4.gateway = 1.1.1.1",
	 "lxc.net",
	 "lxc.net.0.type = veth\nlxc.net.0.link = br0\nlxc.net.1.type = phys\n"
	 "lxc.net.1.ipv4.address = 1.2.3.4/8\nlxc.net.1.ipv4.gateway = 1.1.1.1\n"},
	{"lxc.network.3.type = veth\nlxc.network.3.ipv6 = ::1\nlxc.network.3.script.up = /x",
	 "lxc.net",
	 "lxc.net.3.type = veth\nlxc.net.3.ipv6.address = ::1\nlxc.net.3.script.up = /x\n"},
	{"lxc.net.0.ipv4 = 1.2.3.4", "lxc.net.0.ipv4.address", "1.2.3.4"},
	{"lxc.network.type = a\nlxc.network =\nlxc.network.type = b", "lxc.net",
	 "lxc.net.0.type = b\n"},
};

static void test_old_texts(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(old_texts); i++) {
		struct conf *c = load(old_texts[i].text);

		GETS(c, old_texts[i].key, old_texts[i].value);
		SAME(conf_text(c), old_texts[i].text);
		conf_free(c);
	}
}

static void test_notices(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *inner = unit_file(&dir, "inner", "lxc.kmsg = 0\nlxc.tty = 1\n");
	autofree char *file = unit_file(&dir, "config",
					"#\nlxc.utsname = a\nlxc.tty = 4\n"
					"lxc.include = inner\n");
	autofree char *one =
		str_printf("%s:2: \"lxc.utsname\" is the old name of \"lxc.uts.name\"; "
			   "lxc-update-config -c %s brings the file up to date",
			   file, file);
	autofree char *two = str_printf("%s:1: \"lxc.kmsg\" has no meaning any more; "
					"lxc-update-config -c %s brings the file up to date",
					inner, inner);
	struct conf *c = conf_new(sections);

	SAME_NUMBER(conf_load(c, file, NULL), 0);
	SAME_NUMBER(conf_notices(c)->n, 2);
	SAME(conf_notices(c)->v[0], one);
	SAME(conf_notices(c)->v[1], two);
	conf_free(c);
	c = load("lxc.uts.name = a\n");
	SAME_NUMBER(conf_notices(c)->n, 0);
	conf_free(c);
	unit_remove(&dir);
}

/* ---- tables ---- */

static void test_next_key(void)
{
	const struct conf_key *k, *last = NULL;
	size_t state = 0, n = 0;

	for (; (k = conf_next_key(sections, &state)); n++)
		last = k;
	SAME_NUMBER(n, 16);
	SAME(last->name, "lxc.include");
	CU_ASSERT_PTR_NULL(conf_next_key(sections, &state));
}

/* ---- anything at all ---- */

static unsigned long long seed = 20111;

static unsigned next_random(unsigned below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % below;
}

static void random_text(struct buf *text)
{
	static const char *const pieces[] = {"lxc.",
					     "lxc.uts.name",
					     " = ",
					     "=",
					     "\n",
					     "\n",
					     "\r",
					     "#",
					     "\"",
					     "'",
					     " ",
					     "lxc.net.",
					     "0",
					     ".hwaddr = xx:",
					     "xX",
					     "lxc.network.type = a\n",
					     "lxc.cap.drop = a b\n",
					     "lxc.prlimit.",
					     "core",
					     "lxc.rootfs.backend = b\n",
					     "lxc.rootfs = /x\n",
					     "lxc.hook =\n",
					     "lxc.include = ",
					     "/nowhere.d/\n",
					     "lxc.tty.max = 1\n",
					     "lxc.utsname =",
					     "lxc.kmsg = 1\n"};

	if (next_random(8) == 0)
		buf_puts(text, "\xef\xbb\xbf");
	for (unsigned n = next_random(14); n > 0; n--) {
		if (next_random(12) == 0) {
			char byte = (char)next_random(256);

			buf_add(text, &byte, 1);
		} else {
			buf_puts(text, pieces[next_random(ARRAY_SIZE(pieces))]);
		}
	}
	buf_add(text, "", 0);
}

static void test_random_texts(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *file = unit_file(&dir, "config", "");
	unsigned read = 0, refused = 0;

	for (int i = 0; i < 20000; i++) {
		autobuf struct buf text = BUF_INIT, effective = BUF_INIT, twice = BUF_INIT;
		autoclose int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
		struct conf *c = conf_new(sections), *again;
		struct error err = {0};

		random_text(&text);
		CU_ASSERT_FATAL(fd_write_all(fd, text.s, text.len) == 0);
		if (conf_load(c, file, &err) < 0) {
			refused++;
			CU_ASSERT(err.code != 0 && strstr(err.text, file) != NULL);
			conf_free(c);
			continue;
		}
		read++;
		conf_set(c, "lxc.uts.name", "n", &err);
		conf_set(c, "lxc.cap.drop", next_random(2) ? "" : "z", &err);
		conf_unset(c, "lxc.net.0", &err);
		conf_effective_text(c, &effective);
		again = load(effective.s ? effective.s : "");
		conf_effective_text(again, &twice);
		SAME(twice.s, effective.s);
		GETS(again, "lxc.uts.name", "n");
		conf_free(again);
		again = load(conf_text(c)); /* what was edited can be read */
		GETS(again, "lxc.uts.name", "n");
		conf_free(again);
		conf_free(c);
	}
	CU_ASSERT(read > 1000 && refused > 1000);
	unit_remove(&dir);
}

static void test_random_bytes(void)
{
	for (int i = 0; i < 2000; i++) {
		char bytes[400];
		struct conf *c = conf_new(sections);
		struct error err = {0};

		for (size_t n = 0; n < sizeof(bytes) - 1; n++)
			bytes[n] = (char)(1 + next_random(255));
		bytes[sizeof(bytes) - 1] = '\0';
		if (conf_load_text(c, bytes, "bytes", &err) < 0)
			HAS(err.text, "bytes:");
		else
			CU_ASSERT(strlen(conf_text(c)) >= sizeof(bytes) - 4);
		conf_free(c);
	}
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
		{"a change keeps the rest of the text", test_changes},
		{"a change that cannot be is refused and changes nothing", test_refused_changes},
		{"clearing what an included file sets lasts", test_clearing_what_is_included},
		{"a definition does not touch the text", test_define},
		{"it is known where a value comes from", test_origins},
		{"the effective text makes the same configuration", test_effective_text},
		{"each old name is known", test_legacy_names},
		{"old texts mean what they meant", test_old_texts},
		{"one notice about old names for each file", test_notices},
		{"all keys can be walked", test_next_key},
		{"20000 random texts are read or refused", test_random_texts},
		{"random bytes are read or refused", test_random_bytes},
		{NULL, NULL},
	};

	unit_suite("config", tests);
}
