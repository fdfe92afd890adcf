/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Storage drivers against programs that only write down how they were called: exactly which commands
 * reach LVM, ZFS, Ceph and qemu, and what is made of their answers.
 */
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "storage/qcow2.h"
#include "storage/storage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- programs that write down how they were called ---- */

static struct unit_dir bin;
static char *old_path;

/* It says what lies in 'say.NAME', or in 'say.NAME.WORD' for its first word, or for its last one with '/'
 * as '+'. */
static const char program[] =
	"#!/bin/sh\n"
	"here=${0%/*} name=${0##*/}\n"
	"{ printf %s \"$name\"; printf ' <%s>' \"$@\"; echo; } >>\"$here/log\"\n"
	"for last; do :; done\n"
	"last=$(printf %s \"$last\" | tr / +)\n"
	"for said in \"$here/say.$name.$1\" \"$here/say.$name.$last\" \"$here/say.$name\"; do\n"
	"	[ -e \"$said\" ] || continue\n"
	"	read -r status <\"$said\"\n"
	"	sed 1d \"$said\"\n"
	"	exit \"$status\"\n"
	"done\n"
	"if [ \"$name $1\" = 'qemu-img create' ]; then\n"
	"	for last; do case $last in /*) echo made >\"$last\" ;; esac; done\n"
	"fi\n";

static void programs_begin(void)
{
	static const char *const names[] = {"lvs",  "vgs", "lvcreate", "lvremove", "lvrename",
					    "zfs",  "rbd", "qemu-img", "qemu-nbd", "mkfs.ext4"};
	char *path;

	bin = unit_dir();
	old_path = strdup(getenv("PATH"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *file = unit_file(&bin, names[i], program);

		chmod(file, 0755);
		free(file);
	}
	path = str_printf("%s:%s", bin.path, old_path);
	setenv("PATH", path, 1);
	free(path);
}

static void programs_end(void)
{
	setenv("PATH", old_path, 1);
	free(old_path);
	unit_remove(&bin);
}

/* 'PROGRAM', or 'PROGRAM.WORD', its first or last one; 'text': its exit status, a newline, and what it
 * prints. */
static void says(const char *program_and_word, const char *text)
{
	autofree char *name = str_printf("say.%s", program_and_word);

	free(unit_file(&bin, name, text));
}

/* What was called since the last question, without the questions of 'lvs' and 'zfs get'. */
static char *called(void)
{
	autofree char *file = str_printf("%s/log", bin.path);
	autobuf struct buf text = BUF_INIT, out = BUF_INIT;
	char *rest, *line;

	file_read(AT_FDCWD, file, &text);
	unlink(file);
	for (rest = text.s; rest && (line = strsep(&rest, "\n"));)
		if (*line && !str_starts(line, "lvs ") && !str_starts(line, "zfs <get>") &&
		    !strstr(line, "<info>"))
			buf_addf(&out, "%s\n", line);
	buf_puts(&out, "");
	return buf_steal(&out);
}

#define CALLED(expected)                               \
	do {                                           \
		autofree char *lines = called();       \
		SAME(lines ? lines : "", expected);    \
	} while (0)

static const struct storage_new web = {.name = "web", .dir = "/p/web"};

/* ---- names ---- */

static void names_are_unique(void)
{
	static const struct {
		const char *name, *dir, *variant, *expected;
	} cases[] = {
		{"web", "/p/web", NULL, "web"},
		{"web", "/p/web", ".1", "web.1"},
		{"snap0", "/p/web/snaps/snap0", NULL, "web_snap0"},
		{"snap0", "/p/web/snaps/snap0", ".2", "web_snap0.2"},
		{"snaps", "/p/snaps", NULL, "snaps"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct storage_new new = {.name = cases[i].name, .dir = cases[i].dir,
						.variant = cases[i].variant};
		autofree char *name = storage_new_name(&new);

		SAME(name, cases[i].expected);
	}
}

static void sources_are_checked(void)
{
	static const struct {
		const struct storage_driver *driver;
		const char *source, *refusal;
	} cases[] = {
		{&storage_lvm, "/dev/g", "/dev/GROUP/VOLUME"},
		{&storage_lvm, "/dev/g/v/w", "/dev/GROUP/VOLUME"},
		{&storage_lvm, "/dev/-g/v", "/dev/GROUP/VOLUME"},
		{&storage_lvm, "/dev/g/v;reboot", "/dev/GROUP/VOLUME"},
		{&storage_zfs, "-r", "no name of one"},
		{&storage_zfs, "/pool/a", "no name of one"},
		{&storage_zfs, "pool/a@b", "no name of one"},
		{&storage_zfs, "pool//a", "no name of one"},
		{&storage_zfs, "pool/a b", "no name of one"},
		{&storage_rbd, "/dev/rbd/p", "/dev/rbd/POOL/NAME"},
		{&storage_rbd, "/dev/rbd0", "/dev/rbd/POOL/NAME"},
		{&storage_rbd, "/dev/rbd/p/-n", "/dev/rbd/POOL/NAME"},
		{&storage_nbd, "image", "absolute path"},
	};

	programs_begin();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct storage_driver *d = cases[i].driver;
		struct error err = {0};
		char *renamed = NULL;

		SAME_NUMBER((d->rename ? d->rename(cases[i].source, &web, &renamed, &err) :
					 d->destroy(cases[i].source, &err)), -1);
		HAS(err.text, cases[i].refusal);
		CALLED("");
	}
	programs_end();
}

static void missing_programs_are_named(void)
{
	struct error err = {0};
	autofree char *path = strdup(getenv("PATH"));

	setenv("PATH", "/nonexistent", 1);
	SAME_NUMBER(storage_rbd.usable(&web, &err), -1);
	HAS(err.text, "cannot run rbd");
	HAS(err.mend, "ceph-common");
	setenv("PATH", path, 1);
}

/* ---- LVM ---- */

static void volumes_are_placed(void)
{
	struct storage_new new = web;
	struct storage from = {&storage_lvm, "/dev/g/golden"};
	struct error err = {0};
	char *place = NULL;

	programs_begin();
	says("lvs", "5\n  Failed to find logical volume \"x\"\n");
	SAME_NUMBER(storage_lvm.place(&new, &place, &err), 0);
	SAME(place, "/dev/lxc/web");
	free(place);
	new.spec.vg = "g";
	new.spec.lv = "other";
	SAME_NUMBER(storage_lvm.place(&new, &place, &err), 0);
	SAME(place, "/dev/g/other");
	free(place);
	new = (struct storage_new){.name = "snap0", .dir = "/p/web/snaps/snap0", .from = &from};
	SAME_NUMBER(storage_lvm.place(&new, &place, &err), 0);
	SAME(place, "/dev/g/web_snap0");
	free(steal_ptr(&place));
	says("lvs", "0\n  67108864/linear//\n");
	SAME_NUMBER(storage_lvm.place(&web, &place, &err), -1);
	SAME_NUMBER(err.code, EEXIST);
	SAME(place, NULL);
	says("lvs", "5\n  Can't open /etc/lvm/lvm.conf\n");
	SAME_NUMBER(storage_lvm.place(&web, &place, &err), -1);
	HAS(err.text, "Can't open /etc/lvm/lvm.conf");
	programs_end();
}

static void volumes_are_made(void)
{
	struct storage_new new = web;
	struct error err = {0};

	programs_begin();
	/* What was made is not there after all, so each stops where the filesystem is mounted. */
	says("lvs", "5\n  Failed to find logical volume \"x\"\n");
	SAME_NUMBER(storage_lvm.create("/dev/g/web", &new, &err), -1);
	CALLED("lvcreate <-Wy> <--yes> <-n> <web> <-L> <1073741824b> <g>\n"
	       "mkfs.ext4 <-q> <-F> </dev/g/web>\n");
	says("lvs.g+lxc", "0\n  1/thin-pool//\n");
	new.spec.size = 4096;
	SAME_NUMBER(storage_lvm.create("/dev/g/web", &new, &err), -1);
	CALLED("lvcreate <-Wy> <--yes> <-n> <web> <--thinpool> <lxc> <-V> <4096b> <g>\n"
	       "mkfs.ext4 <-q> <-F> </dev/g/web>\n");
	new.spec.thinpool = "none";
	error_clear(&err);
	SAME_NUMBER(storage_lvm.create("/dev/g/web", &new, &err), -1);
	HAS(err.text, "thin pool \"g/none\"");
	CALLED("");
	new.spec.thinpool = NULL;
	says("lvcreate", "5\nfirst\n  Volume group \"g\" has insufficient free space\n");
	SAME_NUMBER(storage_lvm.create("/dev/g/web", &new, &err), -1);
	HAS(err.text, "exit status 5: Volume group \"g\" has insufficient free space");
	programs_end();
}

static void volumes_are_copied(void)
{
	const struct storage from = {&storage_lvm, "/dev/g/a"}, other = {&storage_dir, "/a"};
	const struct storage_new new = {.name = "web", .dir = "/p/web", .from = &from};
	struct error err = {0};

	programs_begin();
	says("lvs", "0\n  67108864/thin/pool/\n");
	SAME_NUMBER(storage_lvm.snapshot(&from, "/dev/g/b", &new, &err), 0);
	CALLED("lvcreate <--yes> <-s> <-kn> <-n> <b> <g/a>\n");
	SAME_NUMBER(storage_lvm.depends("/dev/g/a"), 0);
	says("lvs", "0\n  67108864/linear//\n");
	SAME_NUMBER(storage_lvm.snapshot(&from, "/dev/g/b", &new, &err), 0);
	CALLED("lvcreate <--yes> <-s> <-L> <67108864b> <-n> <b> <g/a>\n");
	SAME_NUMBER(storage_lvm.depends("/dev/g/a"), 1);
	says("lvs", "0\n  67108864/linear//golden\n");
	SAME_NUMBER(storage_lvm.usable(&new, &err), -1);
	SAME_NUMBER(err.code, ENOTSUP);
	SAME_NUMBER(storage_lvm.snapshot(&from, "/dev/g/b", &new, &err), -1);
	HAS(err.text, "it is a snapshot itself");
	says("lvs", "0\n  67108864/thin/pool/golden\n");
	SAME_NUMBER(storage_lvm.snapshot(&from, "/dev/g/b", &new, &err), 0);
	CALLED("lvcreate <--yes> <-s> <-kn> <-n> <b> <g/a>\n");
	SAME_NUMBER(storage_lvm.snapshot(&from, "/dev/h/b", &new, &err), -1);
	HAS(err.text, "another volume group");
	SAME_NUMBER(storage_lvm.snapshot(&other, "/dev/g/b", &new, &err), -1);
	SAME_NUMBER(err.code, ENOTSUP);
	CALLED("");
	programs_end();
}

static void volumes_go_and_are_renamed(void)
{
	struct error err = {0};
	char *renamed = NULL;

	programs_begin();
	says("lvs", "0\n  67108864/linear//\n");
	says("lvs.g", "0\n");
	SAME_NUMBER(storage_lvm.destroy("/dev/g/a", &err), 0);
	CALLED("lvremove <-f> </dev/g/a>\n");
	says("lvs.g", "0\n  b\n");
	SAME_NUMBER(storage_lvm.removable("/dev/g/a", &err), -1);
	SAME_NUMBER(storage_lvm.destroy("/dev/g/a", &err), -1);
	SAME_NUMBER(err.code, EBUSY);
	HAS(err.text, "\"b\" cannot be without it");
	CALLED("");
	says("lvs", "5\n  Volume group \"g\" not found\n");
	SAME_NUMBER(storage_lvm.destroy("/dev/g/a", &err), 0);
	CALLED("");
	says("lvs", "5\n  Failed to find logical volume \"g/web\"\n");
	SAME_NUMBER(storage_lvm.rename("/dev/g/a", &web, &renamed, &err), 0);
	SAME(renamed, "/dev/g/web");
	free(steal_ptr(&renamed));
	CALLED("lvrename <g> <a> <web>\n");
	/* Killed half-way. */
	says("lvs.g+web", "0\n  67108864/linear//\n");
	SAME_NUMBER(storage_lvm.rename("/dev/g/a", &web, &renamed, &err), 0);
	free(steal_ptr(&renamed));
	CALLED("");
	says("lvs", "0\n  67108864/linear//\n");
	SAME_NUMBER(storage_lvm.rename("/dev/g/a", &web, &renamed, &err), -1);
	SAME_NUMBER(err.code, EEXIST);
	SAME(renamed, NULL);
	CALLED("");
	programs_end();
}

/* ---- ZFS ---- */

static void datasets_are_made_and_copied(void)
{
	const struct storage from = {&storage_zfs, "tank/a"};
	const struct storage_new new = {.name = "web", .dir = "/p/web", .from = &from};
	struct error err = {0};
	char *place = NULL;

	programs_begin();
	says("zfs.tank+web", "1\ncannot open 'tank/web': dataset does not exist\n");
	SAME_NUMBER(storage_zfs.place(&new, &place, &err), 0);
	SAME(place, "tank/web");
	free(steal_ptr(&place));
	/* Where the kernel has no ZFS it can be made, but not mounted. */
	says("zfs", "1\ncannot open: dataset does not exist\n");
	free(unit_file(&bin, "say.zfs.tank+new", "1\ndataset does not exist\n"));
	SAME_NUMBER(storage_zfs.create("tank/new", &web, &err), -1);
	CALLED("zfs <create> <-o> <mountpoint=/p/web/rootfs> <-o> <canmount=noauto> <-p> <tank/new>\n");
	says("zfs", "0\n-\n");
	SAME_NUMBER(storage_zfs.snapshot(&from, "tank/web", &new, &err), -1);
	CALLED("zfs <snapshot> <-r> <tank/a@web>\n"
	       "zfs <clone> <-p> <-o> <canmount=noauto> <-o> <mountpoint=/p/web/rootfs> <tank/a@web> "
	       "<tank/web>\n"
	       "zfs <destroy> <-r> <tank/a@web>\n");
	says("zfs", "0\n-\n");
	error_clear(&err);
	SAME_NUMBER(storage_zfs.snapshot(&from, "tank/other", &new, &err), -1);
	SAME_NUMBER(err.code, EEXIST);
	CALLED("");
	programs_end();
}

#define LISTED "zfs <list> <-H> <-p> <-t> <snapshot> <-d> <1> <-s> <createtxg> <-o> <name,clones> <tank/web>\n"

static void datasets_go_and_are_renamed(void)
{
	struct error err = {0};
	char *renamed = NULL;

	programs_begin();
	says("zfs.list", "0\ntank/web@old\t-\n");
	says("zfs", "0\ntank/a@web\n");
	SAME_NUMBER(storage_zfs.destroy("tank/web", &err), 0);
	CALLED(LISTED "zfs <destroy> <-r> <tank/web>\nzfs <destroy> <-r> <tank/a@web>\n");
	says("zfs", "0\ntank/a@monday\n");
	SAME_NUMBER(storage_zfs.destroy("tank/web", &err), 0);
	CALLED(LISTED "zfs <destroy> <-r> <tank/web>\n");
	/* What was cloned from it takes over: the latest one, and with it all before. */
	says("zfs.list", "0\ntank/web@b\ttank/b\ntank/web@c\ttank/c,tank/d\ntank/web@x\t-\n");
	says("zfs.tank+c", "0\ntank/a@web\n");
	says("zfs.tank+web", "0\ntank/c@c\n");
	SAME_NUMBER(storage_zfs.destroy("tank/web", &err), 0);
	CALLED(LISTED "zfs <promote> <tank/c>\n"
	       "zfs <rename> <-r> <tank/a@web> <tank/a@c>\n"
	       "zfs <destroy> <-r> <tank/web>\n"
	       "zfs <destroy> <-r> <tank/c@c>\n");
	unlinkat(bin.fd, "say.zfs.tank+c", 0);
	unlinkat(bin.fd, "say.zfs.tank+web", 0);
	SAME_NUMBER(storage_zfs.destroy("tank", &err), -1);
	HAS(err.text, "it is a whole pool");
	CALLED("");
	says("zfs", "1\ncannot open 'tank/web': dataset does not exist\n");
	SAME_NUMBER(storage_zfs.destroy("tank/web", &err), 0);
	CALLED("");
	says("zfs.tank+a", "0\n-\n");
	says("zfs.tank+web", "1\ndataset does not exist\n");
	SAME_NUMBER(storage_zfs.rename("tank/a", &web, &renamed, &err), -1);
	CALLED("zfs <rename> <tank/a> <tank/web>\n");
	SAME(renamed, NULL);
	/* A rename that was killed half-way; the snapshot that was made for it is still called as it was. */
	says("zfs.tank+a", "1\ndataset does not exist\n");
	says("zfs.tank+web", "0\ntank/gold@a\n");
	says("zfs.rename", "0\n");
	SAME_NUMBER(storage_zfs.rename("tank/a", &web, &renamed, &err), 0);
	SAME(renamed, "tank/web");
	free(renamed);
	CALLED("zfs <rename> <-r> <tank/gold@a> <tank/gold@web>\n");
	programs_end();
}

/* ---- Ceph ---- */

static void images_go_and_are_renamed(void)
{
	struct error err = {0};
	char *renamed = NULL, *place = NULL;
	struct storage_new new = web;

	programs_begin();
	says("rbd.info", "0\nrbd image 'web':\n\tsize 1 GiB\n\tparent: p/a@web\n");
	says("rbd.snap", "0\nSNAPID  NAME  SIZE  PROTECTED  TIMESTAMP\n     4  c1  64 MiB  yes  Mon\n"
	     "     5  mine  64 MiB  no  Tue\n");
	says("rbd.p+web@c1", "0\np/c1\n");
	says("rbd", "0\n");
	SAME_NUMBER(storage_rbd.destroy("/dev/rbd/p/web", &err), 0);
	CALLED("rbd <snap> <ls> <p/web>\n"
	       "rbd <children> <p/web@c1>\n"
	       "rbd <flatten> <--no-progress> <p/c1>\n"
	       "rbd <snap> <unprotect> <p/web@c1>\n"
	       "rbd <snap> <rm> <p/web@c1>\n"
	       "rbd <children> <p/web@mine>\n"
	       "rbd <rm> <p/web>\n"
	       "rbd <snap> <unprotect> <p/a@web>\n"
	       "rbd <snap> <rm> <p/a@web>\n");
	SAME_NUMBER(storage_rbd.place(&new, &place, &err), -1);
	SAME_NUMBER(err.code, EEXIST);
	says("rbd.info", "2\nrbd: error opening image x: (2) No such file or directory\n");
	says("rbd.--id", "2\nrbd: error opening image x: (2) No such file or directory\n");
	new.spec.rbd_user = "me";
	new.spec.rbd_pool = "p";
	SAME_NUMBER(storage_rbd.place(&new, &place, &err), 0);
	SAME(place, "/dev/rbd/p/web");
	free(place);
	SAME_NUMBER(storage_rbd.destroy("/dev/rbd/p/web", &err), 0);
	CALLED("");
	SAME_NUMBER(storage_rbd.check("/dev/rbd/p/web", &err), -1);
	SAME_NUMBER(err.code, ENOENT);
	unlinkat(bin.fd, "say.rbd.info", 0);
	says("rbd.p+a", "2\nrbd: error opening image x: (2) No such file or directory\n");
	says("rbd.p+web", "0\nrbd image 'web':\n\tparent: p/gold@a\n");
	error_clear(&err);
	SAME_NUMBER(storage_rbd.rename("/dev/rbd/p/a", &web, &renamed, &err), 0);
	SAME(err.text, "");
	SAME(renamed, "/dev/rbd/p/web");
	free(renamed);
	CALLED("rbd <snap> <rename> <p/gold@a> <p/gold@web>\n");
	programs_end();
}

/* ---- disk images ---- */

static void images_stand_on_bases(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *a = NULL, *b = NULL, *beside = NULL, *log = NULL, *base = NULL;
	autobuf struct buf text = BUF_INIT;
	struct error err = {0};
	struct stat st;

	programs_begin();
	mkdirat(dir.fd, "a", 0755);
	mkdirat(dir.fd, "b", 0755);
	a = unit_file(&dir, "a/disk", "raw contents");
	b = str_printf("%s/b/disk", dir.path);
	beside = str_printf("%s/a/x", dir.path);
	SAME(qcow2_format(a), "raw");
	SAME_NUMBER(qcow2_size(a), 12);
	SAME_NUMBER(qcow2_snapshot(a, b, &err), 0);
	log = called();
	HAS(log, "qemu-img <create> <-q> <-f> <qcow2> <-b> <.base-");
	HAS(log, "> <-F> <raw> <");
	HAS(log, "/a/disk.new>\n");
	HAS(log, "/b/disk>\n");
	/* Both have the old contents under the same name beside them. */
	file_read(AT_FDCWD, a, &text);
	SAME(text.s, "made\n");
	base = strndup(strstr(log, ".base-"), 22);
	free(log);
	log = str_printf("%s/b/%s", dir.path, base);
	SAME_NUMBER(stat(log, &st), 0);
	SAME_NUMBER(st.st_nlink, 2);
	SAME_NUMBER(st.st_size, 12);
	SAME_NUMBER(qcow2_snapshot(a, beside, &err), -1);
	HAS(err.text, "in its own directory");
	programs_end();
	unit_remove(&dir);
}

void suite_drivers(void)
{
	static const struct unit_test tests[] = {
		{"names outside of a container's directory are unique", names_are_unique},
		{"sources that are none reach no program", sources_are_checked},
		{"missing programs are named", missing_programs_are_named},
		{"logical volumes are placed", volumes_are_placed},
		{"logical volumes are made", volumes_are_made},
		{"logical volumes are copied", volumes_are_copied},
		{"logical volumes go and are renamed", volumes_go_and_are_renamed},
		{"datasets are made and copied", datasets_are_made_and_copied},
		{"datasets go and are renamed", datasets_go_and_are_renamed},
		{"images of Ceph go and are renamed", images_go_and_are_renamed},
		{"disk images stand on bases", images_stand_on_bases},
		{NULL, NULL},
	};

	unit_suite("drivers", tests);
}
