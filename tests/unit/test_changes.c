/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations that change: the text that is kept, origins, old names; and texts of any kind. */
#include "unit.h"
#include "unit_config.h"
#include "base/fd.h"
#include "config/legacy.h"

#include <string.h>

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
		struct conf *c = config_load(changes[i].text), *again;
		struct error err = {0};

		SAME_NUMBER(conf_set(c, changes[i].key, changes[i].value, &err), 0);
		SAME(err.text, "");
		SAME(conf_text(c), changes[i].after);
		again = config_load(conf_text(c));
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
	struct conf *c = config_load("lxc.tty.max = 1\n");

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
	struct conf *c = conf_new(config_sections);
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
	struct conf *c = config_load("lxc.uts.name = web\n");
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
	struct conf *c = config_load(
		"lxc.tty.max = 1\nlxc.cap.drop = a\nlxc.cap.drop = b\nlxc.uts.name = x\n"
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
	struct conf *c = conf_new(config_sections), *again;
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
	again = config_load(text.s);
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

		autofree char *old = str_printf("%s%s", l->old, str_ends(l->old, ".") ? "core" : "");
		autofree char *new = str_printf("%s%s", l->now ? l->now : "",
						str_ends(l->old, ".") ? "core" : "");

		buf_puts(&now, "");
		CU_ASSERT(legacy_rename(&nics, old, &now));
		SAME(now.s, new);
	}
	SAME_NUMBER(n, 26);
	/* Today's limits, whose family has the name that those of setrlimit(2) once had. */
	CU_ASSERT(!legacy_rename(&nics, "lxc.limit.memory", NULL));
	CU_ASSERT(!legacy_rename(&nics, "lxc.limit.io.read", NULL));
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
	{"lxc.limit.core = 5\nlxc.limit.core =", "lxc.prlimit", ""},
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
		struct conf *c = config_load(old_texts[i].text);

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
	struct conf *c = conf_new(config_sections);

	SAME_NUMBER(conf_load(c, file, NULL), 0);
	SAME_NUMBER(conf_notices(c)->n, 2);
	SAME(conf_notices(c)->v[0], one);
	SAME(conf_notices(c)->v[1], two);
	conf_free(c);
	c = config_load("lxc.uts.name = a\n");
	SAME_NUMBER(conf_notices(c)->n, 0);
	conf_free(c);
	unit_remove(&dir);
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
		struct conf *c = conf_new(config_sections), *again;
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
		again = config_load(effective.s ? effective.s : "");
		conf_effective_text(again, &twice);
		SAME(twice.s, effective.s);
		GETS(again, "lxc.uts.name", "n");
		conf_free(again);
		again = config_load(conf_text(c)); /* what was edited can be read */
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
		struct conf *c = conf_new(config_sections);
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

void suite_changes(void)
{
	static const struct unit_test tests[] = {
		{"a change keeps the rest of the text", test_changes},
		{"a change that cannot be is refused and changes nothing", test_refused_changes},
		{"clearing what an included file sets lasts", test_clearing_what_is_included},
		{"a definition does not touch the text", test_define},
		{"it is known where a value comes from", test_origins},
		{"the effective text makes the same configuration", test_effective_text},
		{"each old name is known", test_legacy_names},
		{"old texts mean what they meant", test_old_texts},
		{"one notice about old names for each file", test_notices},
		{"20000 random texts are read or refused", test_random_texts},
		{"random bytes are read or refused", test_random_bytes},
		{NULL, NULL},
	};

	unit_suite("changes", tests);
}
