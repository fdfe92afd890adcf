/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pure halves of rootfs, mounts and terminals: option words, entries, what runs on which host.
 */
#include "unit.h"
#include "base/error.h"
#include "parts/mount_entry.h"
#include "parts/mounts.h"
#include "parts/parts.h"
#include "parts/rootfs_init.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- option words ---- */

struct option_case {
	const char *text;
	uint64_t set, clear, propagation;
	const char *data, *super; /* joined by blanks */
};

static const struct option_case option_cases[] = {
	{"defaults", 0, 0, 0, "", ""},
	{"ro", MOUNT_ATTR_RDONLY, 0, 0, "", "ro"},
	{"rw", 0, MOUNT_ATTR_RDONLY, 0, "", ""},
	/* The last word on a subject holds. */
	{"ro,rw", 0, MOUNT_ATTR_RDONLY, 0, "", ""},
	{"rw,ro", MOUNT_ATTR_RDONLY, 0, 0, "", "ro"},
	/* mount_setattr(2) wants the whole field cleared by who sets a part of it. */
	{"noatime,strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0, "", ""},
	{"noatime,relatime", 0, MOUNT_ATTR__ATIME, 0, "", ""},
	{"nosuid,nodev,noexec", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0, 0, "",
	 ""},
	{"nodiratime,nosymfollow", MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW, 0, 0, "", ""},
	{"rslave", 0, 0, MS_SLAVE, "", ""},
	{"private,shared", 0, 0, MS_SHARED, "", ""},
	{"sync,lazytime", 0, 0, 0, "", "sync lazytime"},
	/* Names that merely begin like one of ours are the filesystem's. */
	{"rolex=1,rwx,devid=3,execute,binds,syncer,sharedkey=x", 0, 0, 0,
	 "rolex=1 rwx devid=3 execute binds syncer sharedkey=x", ""},
	{"roo", 0, 0, 0, "roo", ""},
	{"RO", 0, 0, 0, "RO", ""},
	{"context=\"a,b\",size=1", 0, 0, 0, "context=\"a,b\" size=1", ""},
	{",,ro,,", MOUNT_ATTR_RDONLY, 0, 0, "", "ro"},
	{"", 0, 0, 0, "", ""},
};

static void joined(const struct strv *list, char *into, size_t size)
{
	*into = '\0';
	for (size_t i = 0; i < list->n; i++)
		snprintf(into + strlen(into), size - strlen(into), "%s%s", i ? " " : "",
			 list->v[i]);
}

static void options_are_whole_words(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_cases); i++) {
		const struct option_case *c = &option_cases[i];
		struct mount_options o;
		char text[256];

		SAME_NUMBER(mount_options_parse(c->text, &o), 0);
		SAME_NUMBER(o.change.set, (long long)c->set);
		SAME_NUMBER(o.change.clear, (long long)c->clear);
		SAME_NUMBER(o.change.propagation, (long long)c->propagation);
		joined(&o.data, text, sizeof(text));
		SAME(text, c->data);
		joined(&o.super, text, sizeof(text));
		SAME(text, c->super);
		mount_options_free(&o);
	}
}

static void bind_words(void)
{
	struct mount_options o;

	mount_options_parse("bind", &o);
	SAME_NUMBER(o.bind && !o.recursive && !o.move && !o.remount, 1);
	mount_options_free(&o);
	mount_options_parse("rbind,rshared", &o);
	SAME_NUMBER(o.bind && o.recursive && o.change.propagation_recursive, 1);
	mount_options_free(&o);
	mount_options_parse("remount,move,shared", &o);
	SAME_NUMBER(!o.bind && o.remount && o.move && !o.change.propagation_recursive, 1);
	mount_options_free(&o);
}

/* ---- entries ---- */

struct entry_case {
	const char *line;
	const char *parsed; /* "SOURCE|TARGET|TYPE|create|flags|data"; NULL: refused */
	const char *refusal;
};

static const struct entry_case entry_cases[] = {
	{"/srv srv none bind 0 0", "/srv|srv|none|0||"},
	{"/srv\tsrv  none\tbind", "/srv|srv|none|0||"},
	{"tmpfs tmp tmpfs", "tmpfs|tmp|tmpfs|0||"},
	{"/a\\040b c\\011d none bind", "/a b|c\td|none|0||"},
	{"/a\\8 b none bind", "/a\\8|b|none|0||"},
	{"/a b none bind,create=dir", "/a|b|none|1||"},
	{"/a b none create=file,optional,bind", "/a|b|none|2|o|"},
	{"/a b none bind,idmap=container", "/a|b|none|0||"},
	{"a b none bind,relative", "a|b|none|0|r|"},
	{"tmpfs a tmpfs optional,size=1m,create=dir,mode=700",
	 "tmpfs|a|tmpfs|1|o|size=1m mode=700"},
	{"x a fs optionally,creates=1", "x|a|fs|0||optionally creates=1"},
	{"none proc none remount,ro", "none|proc|none|0||"},

	{"/srv", NULL, "it needs SOURCE TARGET TYPE OPTIONS"},
	{"/srv srv", NULL, "it needs SOURCE TARGET TYPE OPTIONS"},
	{"/a b none bind 0 0 0", NULL, "more than six fields"},
	{"/my dir b none bind 0 0 0", NULL, "a blank within one is written \\040"},
	{"/a b none defaults", NULL, "type \"none\" needs option \"bind\""},
	{"a b none bind", NULL, "source \"a\" is not an absolute path"},
	{"/a b none bind,create=link", NULL, "\"create=link\" is neither"},
	{"/a b none bind,create=", NULL, "is neither create=dir nor create=file"},
	{"/a b none bind,idmap=1000", NULL, "\"idmap=1000\" is neither idmap=container nor"},
	{"/a b none remount,bind,idmap=container", NULL, "is for bind mounts alone"},
	{"tmpfs b tmpfs idmap=container", NULL, "is for bind mounts alone"},
	{"/a b none bind,size=1m", NULL, "\"size=1m\" has no meaning for a bind mount"},
	{"/a b none bind,roo", NULL, "\"roo\" has no meaning for a bind mount"},
	{"/a b none bind,move", NULL, "exclude each other"},
	{"/a b none remount,move", NULL, "exclude each other"},
};

static void entries_are_taken_apart(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(entry_cases); i++) {
		const struct entry_case *c = &entry_cases[i];
		struct mount_entries list = {0};
		struct error err = {0};
		char data[256], text[512];
		const struct mount_entry *e;

		if (mount_entries_add(&list, c->line, NULL, &err) < 0) {
			SAME(c->parsed, NULL);
			HAS(err.text, c->refusal);
			SAME_NUMBER(list.n, 0);
			mount_entries_free(&list);
			continue;
		}
		e = &list.v[0];
		joined(&e->options.data, data, sizeof(data));
		snprintf(text, sizeof(text), "%s|%s|%s|%d|%s%s|%s", e->source, e->target, e->fstype,
			 e->create, e->optional ? "o" : "", e->relative ? "r" : "", data);
		SAME(text, c->parsed);
		SAME(e->text, c->line);
		mount_entries_free(&list);
	}
}

static void fstab_names_its_lines(void)
{
	struct unit_dir dir = unit_dir();
	char *good = unit_file(&dir, "good", "# all\n\n  /a b none bind 0 0\r\n\ttmpfs c tmpfs\n");
	char *bad = unit_file(&dir, "bad", "/a b none bind\n#\n/a b\n");
	struct mount_entries list = {0};
	struct error err = {0};

	SAME_NUMBER(mount_entries_read(&list, good, &err), 0);
	SAME_NUMBER(list.n, 2);
	HAS(list.v[0].origin, "/good:3");
	HAS(list.v[1].origin, "/good:4");
	SAME(list.v[0].text, "/a b none bind 0 0");
	mount_entries_free(&list);
	SAME_NUMBER(mount_entries_read(&list, bad, &err), -1);
	HAS(err.text, "/bad:3: \"/a b\" is not a mount entry");
	mount_entries_free(&list);
	SAME_NUMBER(mount_entries_read(&list, "/nonexistent/fstab", &err), -1);
	HAS(err.text, "cannot read \"/nonexistent/fstab\" (lxc.mount.fstab): No such file");
	free(good);
	free(bad);
	unit_remove(&dir);
}

/* ---- lxc.mount.auto ---- */

static const struct {
	const char *value, *shown, *refusal;
} auto_cases[] = {
	{"proc", "proc:mixed"},
	{"proc:mixed sys:mixed cgroup:mixed", "proc:mixed sys:mixed cgroup:mixed"},
	{"cgroup\tsys:ro  proc:rw", "proc:rw sys:ro cgroup"},
	{"sys:rw sys:ro", "sys:ro"},
	{"cgroup:rw:force", "cgroup:rw:force"},
	{"cgroup:force", "cgroup:force"},
	{"cgroup-full:ro", "cgroup-full:ro"},
	{"cgroup2", "cgroup2"},
	{"cgroup2:force", "cgroup2"},
	{"cgroup2:ro:force", "cgroup2:ro"},
	{"cgroup2:ro cgroup", "cgroup"},
	{"proc:ro", NULL, "\"proc:ro\" is none of proc[:mixed|rw]"},
	{"proc:", NULL, "\"proc:\" is none of"},
	{"cgroup::ro", NULL, "is none of"},
	{"sys:full", NULL, "\"sys:full\" is none of"},
	{"proc:mixed:force", NULL, "is none of"},
	{"cgroup:ro:rw", NULL, "is none of"},
	{"cgroup3", NULL, "is none of"},
	{"cgroup2:mixed", NULL, "is none of"},
	{"processes", NULL, "is none of"},
	{"shmounts:/run/x", "shmounts:/run/x:/dev/.lxc-mounts", NULL},
	{"proc shmounts:/run/x:/mnt/y", "proc:mixed shmounts:/run/x:/mnt/y", NULL},
	{"shmounts:/run/x shmounts:/run/y:/y", "shmounts:/run/y:/y", NULL},
	{"shmounts", NULL, "is none of"},
	{"shmounts:", NULL, "does not name a directory"},
	{"shmounts:run", NULL, "does not name a directory"},
	{"shmounts:/run:mnt", NULL, "does not name a directory"},
	{"shmounts:/run:", NULL, "does not name a directory"},
	{"shmounts:/run:/", NULL, "does not name a directory"},
	{"shmounts:/run:/mnt:/x", NULL, "does not name a directory"},
	{"proc bad", NULL, "\"bad\" is none of"},
};

static void automatic_mounts(void)
{
	const struct conf_type *type = &mounts_auto_type;

	for (size_t i = 0; i < ARRAY_SIZE(auto_cases); i++) {
		struct mounts_auto a = {0};
		struct error err = {0};
		autobuf struct buf out = BUF_INIT;
		int result = type->set(&a, NULL, "", auto_cases[i].value, &err);

		type->get(&a, NULL, "", &out);
		SAME_NUMBER(result, auto_cases[i].shown ? 0 : -1);
		SAME(out.s, auto_cases[i].shown);
		if (auto_cases[i].refusal)
			HAS(err.text, auto_cases[i].refusal);
		type->clear(&a, NULL, "");
	}
}

static void refused_automatic_mounts_change_nothing(void)
{
	const struct conf_type *type = &mounts_auto_type;
	struct mounts_auto a = {0};
	struct error err = {0};
	autobuf struct buf out = BUF_INIT, nothing = BUF_INIT;

	SAME_NUMBER(type->set(&a, NULL, "", "proc shmounts:/run/x", &err), 0);
	SAME_NUMBER(type->set(&a, NULL, "", "sys shmounts:/run/y bad", &err), -1);
	SAME_NUMBER(type->set(&a, NULL, "", "cgroup", &err), 0);
	type->get(&a, NULL, "", &out);
	SAME(out.s, "proc:mixed cgroup shmounts:/run/x:/dev/.lxc-mounts");
	type->clear(&a, NULL, "");
	type->get(&a, NULL, "", &nothing);
	SAME_NUMBER(nothing.len, 0);
}

/* ---- a container's configuration, from all sections of these rooms ---- */

static struct conf *new_conf(void)
{
	static const struct conf_section *sections[8];

	sections[0] = part_rootfs.section;
	sections[1] = part_mounts.section;
	sections[2] = part_terminals.section;
	sections[3] = part_dev.section;
	sections[4] = part_caps.section;
	return conf_new(sections);
}

static const struct {
	const char *key, *value, *shown, *refusal;
} key_cases[] = {
	{"lxc.rootfs.path", "dir:/var//lib/x/", "/var/lib/x"},
	{"lxc.rootfs.path", "/a:/b", "/a:/b"},
	{"lxc.rootfs.path", "overlay:/a:/b", "/a:/b"},
	{"lxc.rootfs.options", "ro,nosuid", "ro,nosuid"},
	{"lxc.rootfs.options", "create=dir", NULL, "\"create=dir\" is one of lxc.mount.entry"},
	{"lxc.rootfs.options", "ro,optional", NULL, "\"optional\" is one of lxc.mount.entry"},
	{"lxc.rootfs.options", "idmap=container", "idmap=container"},
	{"lxc.tty.max", "50", "50"},
	{"lxc.tty.max", "51", NULL, "between 0 and 50"},
	{"lxc.tty.dir", "lxc", "lxc"},
	{"lxc.tty.dir", "a/b", "a/b"},
	{"lxc.tty.dir", "/dev/lxc", NULL, "is not the name of a directory below /dev"},
	{"lxc.tty.dir", "a/../../b", NULL, "is not the name of a directory below /dev"},
	{"lxc.tty.dir", ".", NULL, "is not the name of a directory below /dev"},
	{"lxc.console.size", "auto", "131072"},
	{"lxc.console.size", "0", "0"},
	{"lxc.console.size", "1MB", "1048576"},
	{"lxc.console.buffer.size", "131073", "262144"},
	{"lxc.console.buffer.size", "2000000GB", NULL, "more than 1024 GB"},
	{"lxc.autodev", "0", "0"},
	{"lxc.autodev.tmpfs.size", "big", NULL, "is not a number"},
	{"lxc.mount.entry", "/a b none bind", "/a b none bind\n"},
	{"lxc.mount.entry", "/a b", NULL, "is not a mount entry"},
};

static void keys_of_these_rooms(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_cases); i++) {
		struct conf *c = new_conf();
		struct error err = {0};
		autobuf struct buf out = BUF_INIT;
		int result = conf_define(c, key_cases[i].key, key_cases[i].value, "test", &err);

		SAME_NUMBER(result, key_cases[i].shown ? 0 : -1);
		if (key_cases[i].shown) {
			conf_get(c, key_cases[i].key, &out, NULL);
			SAME(out.s, key_cases[i].shown);
		} else {
			HAS(err.text, key_cases[i].refusal);
		}
		conf_free(c);
	}
}

static void capabilities_kept(void)
{
	static const struct {
		const char *key, *value;
		int kept;
	} cases[] = {
		{"lxc.cap.drop", "sys_time", 1},    {"lxc.cap.drop", "net_admin", 0},
		{"lxc.cap.drop", "sys_time 12", 0}, {"lxc.cap.keep", "net_admin", 1},
		{"lxc.cap.keep", "sys_time", 0},    {"lxc.cap.keep", "none", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct conf *c = new_conf();

		SAME_NUMBER(mounts_keeps_capability(c, "net_admin", 12), 1);
		SAME_NUMBER(conf_define(c, cases[i].key, cases[i].value, "test", NULL), 0);
		SAME_NUMBER(mounts_keeps_capability(c, "net_admin", 12), cases[i].kept);
		conf_free(c);
	}
}

/* ---- checks against a tree ---- */

struct tree_case {
	const char *what; /* made as sbin/init: "" nothing; "> TEXT" a file; "-> PATH" a link */
	unsigned mode;
	const char *setting; /* "KEY VALUE" besides, or NULL */
	const char *refusal; /* NULL: fine */
};

/* Headers of ELF programs as a host that runs x86_64, aarch64 ... would see a foreign one. */
#define ELF_SPARC "\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\2\0\53"

static const struct tree_case tree_cases[] = {
	{"", 0, NULL, "cannot find the init \"/sbin/init\" in the root filesystem"},
	{"", 0, "lxc.mount.entry /sbin sbin none bind,create=dir", NULL},
	{"", 0, "lxc.mount.entry /srv srv none bind,create=dir", "cannot find the init"},
	{"> x", 0755, NULL, NULL},
	{"> x", 0644, NULL, "\"/sbin/init\" is not executable"},
	{">", 0755, NULL, "\"/sbin/init\" is empty"},
	{"> #!/bin/nosuch -x\n", 0755, NULL, "cannot find the interpreter \"/bin/nosuch\""},
	{"> #! /bin/good\n", 0755, NULL, NULL},
	{"-> ../bin/good", 0, NULL, NULL},
	{"-> /bin/good", 0, NULL, NULL},
	{"-> ../../../../bin/good", 0, NULL, NULL},
	/* On the host it would be there. */
	{"-> /proc/self/exe", 0, NULL, "it is a link to \"/proc/self/exe\", which is not there"},
	{"-> init", 0, NULL, "in a circle"},
	{"-> /bin", 0, NULL, "\"/sbin/init\" is no file but a directory"},
};

static void make_init(int root, const struct tree_case *c)
{
	const char *text = c->what + 1 + (c->what[0] && c->what[1] == ' ');
	int fd;

	mkdirat(root, "bin", 0755);
	mkdirat(root, "sbin", 0755);
	fd = openat(root, "bin/good", O_WRONLY | O_CREAT, 0755);
	dprintf(fd, "x");
	close(fd);
	if (c->what[0] == '-')
		SAME_NUMBER(symlinkat(c->what + 3, root, "sbin/init"), 0);
	if (c->what[0] != '>')
		return;
	fd = openat(root, "sbin/init", O_WRONLY | O_CREAT, 0755);
	SAME_NUMBER(write(fd, text, strlen(text)), (long long)strlen(text));
	fchmod(fd, c->mode);
	close(fd);
}

static void init_is_looked_up_inside(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(tree_cases); i++) {
		struct unit_dir dir = unit_dir();
		struct conf *c = new_conf();
		struct boot b = {.name = "web", .lxcpath = dir.path, .conf = c};
		struct error err = {0};
		char key[64], *value = key;

		make_init(dir.fd, &tree_cases[i]);
		if (tree_cases[i].setting) {
			snprintf(key, sizeof(key), "%s", tree_cases[i].setting);
			strsep(&value, " ");
			SAME_NUMBER(conf_define(c, key, value, "test", NULL), 0);
		}
		SAME_NUMBER(rootfs_check_init(&b, dir.path, dir.fd, &err),
			    tree_cases[i].refusal ? -1 : 0);
		if (tree_cases[i].refusal)
			HAS(err.text, tree_cases[i].refusal);
		conf_free(c);
		unit_remove(&dir);
	}
}

static void foreign_programs_are_named(void)
{
	struct unit_dir dir = unit_dir();
	struct conf *c = new_conf();
	struct boot b = {.name = "web", .lxcpath = dir.path, .conf = c};
	struct error err = {0};
	char head[64] = ELF_SPARC;
	int fd;

	mkdirat(dir.fd, "sbin", 0755);
	fd = openat(dir.fd, "sbin/init", O_WRONLY | O_CREAT, 0755);
	SAME_NUMBER(write(fd, head, sizeof(head)), sizeof(head));
	close(fd);
	SAME_NUMBER(rootfs_check_init(&b, dir.path, dir.fd, &err), -1);
	HAS(err.text, "\"/sbin/init\" is a program for sparc64, this host runs ");
	HAS(err.mend, "qemu-user-static");
	SAME(rootfs_machine_name(EM_AARCH64), "aarch64");
	SAME(rootfs_machine_name(54321), NULL);
	conf_free(c);
	unit_remove(&dir);
}

static void binfmt_registrations(void)
{
	static const unsigned char head[20] = ELF_SPARC;
	static const struct {
		const char *text;
		int matches;
	} cases[] = {
		{"enabled\ninterpreter /q\nflags: F\noffset 0\nmagic 7f454c46\n", 1},
		{"disabled\ninterpreter /q\nflags: F\noffset 0\nmagic 7f454c46\n", 0},
		{"enabled\ninterpreter /q\nflags: F\noffset 0\nmagic 7f454c47\n", 0},
		{"enabled\ninterpreter /q\nflags: F\noffset 0\nmagic 7f454c47\nmask ffffff00\n", 1},
		{"enabled\ninterpreter /q\nflags: F\noffset 18\nmagic 002b\n", 1},
		{"enabled\ninterpreter /q\nflags: F\noffset 18\nmagic 002b00\n", 0},
		{"enabled\ninterpreter /q\nflags: \nextension .exe\n", 0},
		{"enabled\n", 0},
		{"", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		SAME_NUMBER(rootfs_binfmt_matches(cases[i].text, head, sizeof(head)),
			    cases[i].matches);
}

void suite_mounts(void)
{
	static const struct unit_test tests[] = {
		{"option words are compared whole", options_are_whole_words},
		{"bind, rbind, move, remount", bind_words},
		{"entries are taken apart or refused with the reason", entries_are_taken_apart},
		{"an fstab's errors name the line", fstab_names_its_lines},
		{"lxc.mount.auto", automatic_mounts},
		{"a refused lxc.mount.auto changes nothing", refused_automatic_mounts_change_nothing},
		{"keys of rootfs, terminals, devices, mounts", keys_of_these_rooms},
		{"which capabilities the container keeps", capabilities_kept},
		{"init is looked up inside the root", init_is_looked_up_inside},
		{"a foreign program is named", foreign_programs_are_named},
		{"binfmt_misc registrations", binfmt_registrations},
		{NULL, NULL},
	};

	unit_suite("mounts", tests);
}
