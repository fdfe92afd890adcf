/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Terminals: the container's own devpts, its console and its ttys.
 *
 * All of them are allocated from that devpts by the inside, so the names that the container sees
 * (ttyname(3), /dev/pts/0) exist there; the masters travel to the supervisor, and life/ carries
 * their bytes.  A slave is bound over /dev/console and each /dev/ttyN.
 */
#include "parts/terminals.h"
#include "base/auto.h"
#include "base/mount.h"
#include "base/path.h"
#include "parts/parts.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/major.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define GID_TTY 5 /* of group tty, in every distribution that has ptys owned by it */

struct terminals_boot { /* the supervisor's */
	int console, peer;
	int tty[TERMINALS_MAX_TTYS];
	unsigned n;
};

/* ---- keys ---- */

static int set_tty_dir(void *field, const struct conf_key *key, const char *sub, const char *value,
		       struct error *err)
{
	autostrv struct strv parts = {0};

	if (strlen(value) > NAME_MAX)
		return error_set(err, EINVAL, "\"%.40s...\" is longer than %d bytes", value,
				 NAME_MAX);
	if (strv_split(&parts, value, "/") < 0)
		return error_set(err, ENOMEM, "cannot keep the value: out of memory");
	if (*value == '/' || !parts.n || strv_has(&parts, "..") || strv_has(&parts, "."))
		return error_set(err, EINVAL, "\"%s\" is not the name of a directory below /dev",
				 value);
	return conf_path.set(field, key, sub, value, err);
}

static void get_text(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	conf_string.get(field, key, sub, out);
}

static void clear_text(void *field, const struct conf_key *key, const char *sub)
{
	conf_string.clear(field, key, sub);
}

static const struct conf_type type_tty_dir = {"DIRECTORY", set_tty_dir, get_text, clear_text,
					      conf_replaces};

/* Both the ring buffer and the log file grow by pages: whole ones, a power of two of them. */
static int set_pages(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	unsigned long long wanted, size = (unsigned long long)sysconf(_SC_PAGESIZE);

	if (conf_size.set(&wanted, key, sub, value, err) < 0)
		return -1;
	if (wanted > 1ull << 40)
		return error_set(err, EINVAL, "\"%s\" is more than 1024 GB", value);
	while (wanted && size < wanted)
		size *= 2;
	*(unsigned long long *)field = wanted ? size : 0;
	return 0;
}

static void get_pages(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	conf_size.get(field, key, sub, out);
}

static void clear_pages(void *field, const struct conf_key *key, const char *sub)
{
	conf_size.clear(field, key, sub);
}

static const struct conf_type type_pages = {"BYTES|auto", set_pages, get_pages, clear_pages,
					    conf_replaces};

static const struct conf_range tty_range = {0, TERMINALS_MAX_TTYS}, pty_range = {0, 1 << 20};

#define FIELD(name) offsetof(struct terminals_conf, name)
static const struct conf_key keys[] = {
	{"lxc.pty.max", &conf_uint, FIELD(pty_max), .extra = &pty_range,
	 .summary = "Most pseudo terminals that the container can have; 0: no limit of its own."},
	{"lxc.tty.max", &conf_uint, FIELD(tty_max), .extra = &tty_range,
	 .summary = "Number of terminals /dev/ttyN for lxc-console."},
	{"lxc.tty.dir", &type_tty_dir, FIELD(tty_dir),
	 .summary = "Directory below /dev for console and ttys, with links to them in /dev."},
	{"lxc.console.path", &conf_path, FIELD(console_path), .syntax = "DEVICE|none",
	 .summary = "A terminal of the host that shows the console, or 'none': no console at all."},
	{"lxc.console.logfile", &conf_path, FIELD(console_logfile),
	 .summary = "File to which the console's output is added."},
	{"lxc.console.size", &type_pages, FIELD(console_size),
	 .summary = "Limit of that file; see lxc.console.rotate."},
	{"lxc.console.rotate", &conf_bool, FIELD(console_rotate),
	 .summary = "At the limit: 1 renames the file to FILE.1, 0 empties it."},
	{"lxc.console.buffer.size", &type_pages, FIELD(console_buffer_size),
	 .summary = "Size of the buffer in which the console's last output is kept."},
	{NULL},
};

static const struct conf_section section = {"terminals", sizeof(struct terminals_conf), keys};

const struct terminals_conf *terminals_conf_of(const struct conf *c)
{
	return conf_of(c, &section);
}

static bool wants_console(const struct terminals_conf *tc)
{
	return !tc->console_path || strcmp(tc->console_path, "none") != 0;
}

static const char *peer_path(const struct terminals_conf *tc)
{
	return wants_console(tc) ? tc->console_path : NULL;
}

/* ---- check, prepare: the peer ---- */

static int open_peer(const struct boot *b, const char *path, struct error *err)
{
	autoclose int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	const char *where = conf_where(b->conf, "lxc.console.path");

	if (fd >= 0 && isatty(fd))
		return steal_fd(&fd);
	if (fd < 0)
		error_sys(err,
			  "cannot open \"%s\" as the console's terminal (lxc.console.path, %s)",
			  path, where);
	else
		error_set(err, ENOTTY,
			  "cannot use \"%s\" as the console's terminal: it is none "
			  "(lxc.console.path, %s)",
			  path, where);
	return error_mend(err, "unset lxc.console.path: lxc-console -t 0 shows the console");
}

static int terminals_check(const struct boot *b, struct error *err)
{
	const struct terminals_conf *tc = terminals_conf_of(b->conf);
	autoclose int fd = -1;

	if (!peer_path(tc))
		return 0;
	fd = open_peer(b, peer_path(tc), err);
	return fd < 0 ? -1 : 0;
}

static int terminals_prepare(struct boot *b, struct error *err)
{
	const struct terminals_conf *tc = terminals_conf_of(b->conf);

	/* After a reboot from inside it is there from the boot before. */
	if (!b->terminals) {
		b->terminals = malloc(sizeof(*b->terminals));
		if (!b->terminals)
			return error_sys(err, "cannot keep the terminals");
		b->terminals->console = b->terminals->peer = -1;
		b->terminals->n = 0;
	}
	if (!peer_path(tc) || b->terminals->peer >= 0)
		return 0;
	b->terminals->peer = open_peer(b, peer_path(tc), err);
	return b->terminals->peer < 0 ? -1 : 0;
}

/* ---- enter: devpts ---- */

/*
 * Group tty may write to a terminal (write(1), wall(1)); ptmx is for everyone, as on any system.
 * Where the group is not mapped into the user namespace the owner's alone must do.
 */
static int new_devpts(const struct terminals_conf *tc, gid_t tty, struct error *err)
{
	char max[24], gid[16];
	const char *options[6] = {"source=devpts", "mode=0620", "ptmxmode=0666"};
	size_t n = 3;
	int tree;

	/* The limit that is meant is on what the container allocates itself: ours come on top. */
	snprintf(max, sizeof(max), "max=%u", tc->pty_max + tc->tty_max + 1);
	if (tc->pty_max)
		options[n++] = max;
	snprintf(gid, sizeof(gid), "gid=%u", tty);
	options[n] = gid;
	tree = mount_new("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
	if (tree >= 0 || errno != EINVAL)
		return tree;
	options[n] = NULL;
	tree = mount_new("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
	if (tree >= 0)
		error_clear(err);
	return tree;
}

static int mount_devpts(struct boot *b, const struct terminals_conf *tc, struct error *err)
{
	autoclose int at = openat(b->dev, "pts", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int tree = -1;

	if (at < 0 && errno == ENOENT && mkdirat(b->dev, "pts", 0755) == 0)
		at = openat(b->dev, "pts", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return error_sys(err, "cannot open \"/dev/pts\" of the container");
	tree = new_devpts(tc, GID_TTY, err);
	if (tree < 0)
		return error_within(err, "/dev/pts");
	if (mount_place(tree, at, "", NULL) < 0)
		return error_sys(err, "cannot mount \"/dev/pts\"");
	/* A node that is there already finds the directory beside it (Linux 4.7, devpts). */
	if (symlinkat("pts/ptmx", b->dev, "ptmx") < 0 && errno != EEXIST)
		return error_sys(err, "cannot make \"/dev/ptmx\"");
	return steal_fd(&tree);
}

/* ---- enter: ptys ---- */

struct pty {
	int master;
	int number;
};

/* The master does not block: who reads many terminals waits for all of them at once. */
static int open_pty(int pts, const char *ptmx, struct pty *ret, struct error *err)
{
	const int unlock = 0;
	autoclose int master = openat(pts, ptmx, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (master < 0)
		return error_sys(err, "cannot open a new terminal (/dev/pts/ptmx)");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &ret->number) < 0)
		return error_sys(err, "cannot unlock a new terminal");
	ret->master = steal_fd(&master);
	return 0;
}

struct place { /* a directory for the slaves: /dev, or lxc.tty.dir below it */
	int root, dir;
	const char *path; /* of 'dir' inside the root */
};

/*
 * Put a mount on 'name'.  A file that did not exist is ours: nothing runs yet that could exchange
 * it. One that did is resolved inside the root, so a link stays there.
 */
static int show(const struct place *at, int tree, const char *name, struct error *err)
{
	autofree char *path = NULL;
	autoclose int file = -1;

	if (mknodat(at->dir, name, S_IFREG | 0600, 0) == 0) {
		if (mount_place(tree, at->dir, name, NULL) == 0)
			return 0;
	} else if (errno == EEXIST) {
		path = str_printf("%s/%s", at->path, name);
		file = path ? path_open_in(at->root, path, O_PATH, 0) : -1;
		if (file >= 0 && mount_place(tree, file, "", NULL) == 0)
			return 0;
	}
	return error_sys(err, "cannot show the terminal as \"/%s/%s\"", at->path, name);
}

static int bind_slave(const struct place *at, int pts, const struct pty *p, const char *name,
		      struct error *err)
{
	char number[16];
	autoclose int tree = -1;

	snprintf(number, sizeof(number), "%d", p->number);
	tree = mount_copy(pts, number, false);
	if (tree < 0)
		return error_sys(err, "cannot copy the terminal \"/dev/pts/%s\"", number);
	return show(at, tree, name, err);
}

/* With lxc.tty.dir: /dev/ttyN is a link to the terminal in that directory. */
static int link_tty(struct boot *b, const char *dir, const char *name, struct error *err)
{
	char target[NAME_MAX + 32];

	snprintf(target, sizeof(target), "%s/%s", dir, name);
	if (symlinkat(target, b->dev, name) == 0)
		return 0;
	if (errno == EEXIST && unlinkat(b->dev, name, 0) == 0 &&
	    symlinkat(target, b->dev, name) == 0)
		return 0;
	return error_sys(err, "cannot make the link \"/dev/%s\"", name);
}

static int make_ttys(struct boot *b, int pts, const struct place *at, struct error *err)
{
	const struct terminals_conf *tc = terminals_conf_of(b->conf);
	autobuf struct buf names = BUF_INIT;

	for (unsigned n = 1; n <= tc->tty_max; n++) {
		char name[16];
		struct pty p;

		snprintf(name, sizeof(name), "tty%u", n);
		if (open_pty(pts, "ptmx", &p, err) < 0)
			return error_within(err, "%s", name);
		if (boot_give(b, GIFT_TTY, p.master, err) < 0 ||
		    bind_slave(at, pts, &p, name, err) < 0)
			return -1;
		if (tc->tty_dir && link_tty(b, tc->tty_dir, name, err) < 0)
			return -1;
		buf_addf(&names, "%spts/%d", n > 1 ? " " : "", p.number);
	}
	if (!b->execute && tc->tty_max)
		b->container_ttys = buf_steal(&names);
	return 0;
}

static int make_console(struct boot *b, int pts, const char *ptmx, struct pty *ret,
			struct error *err)
{
	if (open_pty(pts, ptmx, ret, err) < 0)
		return error_within(err, "console");
	if (boot_give(b, GIFT_CONSOLE, ret->master, err) < 0)
		return -1;
	/* By descriptor: no name in the container's tree can stand for another device. */
	b->console = ioctl(ret->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return b->console < 0 ? error_sys(err, "cannot open the console") : 0;
}

/* In /dev itself too: who looks for the console does not know of lxc.tty.dir. */
static int show_console(struct boot *b, int pts, const struct pty *p, const struct place *at,
			struct error *err)
{
	const struct place dev = {b->root, b->dev, "dev"};

	if (at->dir != b->dev && bind_slave(at, pts, p, "console", err) < 0)
		return -1;
	return bind_slave(&dev, pts, p, "console", err);
}

static int make_all(struct boot *b, int pts, const struct place *at, struct error *err)
{
	struct pty console;

	if (wants_console(terminals_conf_of(b->conf)) &&
	    (make_console(b, pts, "ptmx", &console, err) < 0 ||
	     show_console(b, pts, &console, at, err) < 0))
		return -1;
	return make_ttys(b, pts, at, err);
}

/* Without a root filesystem the host's own /dev stays as it is: a console, but no name for it. */
static int enter_unnamed(struct boot *b, struct error *err)
{
	struct pty console;

	if (!wants_console(terminals_conf_of(b->conf)))
		return 0;
	return make_console(b, AT_FDCWD, "/dev/ptmx", &console, err);
}

static int terminals_enter(struct boot *b, struct error *err)
{
	const struct terminals_conf *tc = terminals_conf_of(b->conf);
	autoclose int pts = -1, dir = -1;
	autofree char *path = NULL;

	b->console = -1;
	if (!b->has_rootfs)
		return enter_unnamed(b, err);
	if (!wants_console(tc) && !tc->pty_max && !tc->tty_max)
		return 0;
	pts = mount_devpts(b, tc, err);
	if (pts < 0)
		return -1;
	if (!tc->tty_dir)
		return make_all(b, pts, &(struct place){b->root, b->dev, "dev"}, err);
	/* Below /dev, whatever links it may hold; nearly always the first call makes it. */
	mkdirat(b->dev, tc->tty_dir, 0755);
	dir = path_make_dir_in(b->dev, tc->tty_dir, 0755);
	path = str_printf("dev/%s", tc->tty_dir);
	if (dir < 0 || !path)
		return error_sys(err, "cannot make \"/dev/%s\" (lxc.tty.dir)", tc->tty_dir);
	return make_all(b, pts, &(struct place){b->root, dir, path}, err);
}

/* ---- offer: the same terminals for a container that was at others ---- */

/* In the restorer's mount namespace, which nobody else sees, the host's is covered by the container's:
 * there criu finds it as root of whatever ids. */
#define RESTORER_PTS "/dev/pts"

static int cover_pts(const struct boot *b, const struct terminals_conf *tc, struct error *err)
{
	autoclose int at = open(RESTORER_PTS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int pts = at < 0 ? -1 : new_devpts(tc, b->root_gid + GID_TTY, err);

	if (at < 0)
		return error_sys(err, "cannot open \"" RESTORER_PTS "\"");
	if (pts < 0)
		return error_within(err, "/dev/pts");
	if (mount_place(pts, at, "", NULL) < 0)
		return error_sys(err, "cannot mount its terminals for criu");
	return steal_fd(&pts);
}

/* criu restores neither that devpts nor what is shown of it: both are given to it, by the names that
 * the checkpoint has for them (life/checkpoint.c). */
static int offer_mount(struct revival *r, int number)
{
	char *word = number < 0 ? str_printf("mnt[" REVIVAL_PTS "]:" RESTORER_PTS) :
		     str_printf("mnt[" REVIVAL_PTS ".%d]:" RESTORER_PTS "/%d", number, number);

	return strv_add(&r->words, "--external") < 0 || strv_take(&r->words, word) < 0 ? -1 : 0;
}

/* The slave stays open in criu, which asks for it by the numbers that the old one had: as nobody else
 * has opened one there, it is the old number. */
static int offer_terminal(const struct boot *b, const struct pty *p)
{
	struct revival *r = b->revival;
	int slave = ioctl(p->master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	char *word = str_printf("fd[%d]:tty[%llx:%llx]", slave,
				(unsigned long long)makedev(UNIX98_PTY_SLAVE_MAJOR,
							    (unsigned)p->number), r->devpts);

	if (slave < 0 || fchown(slave, b->root_uid, (gid_t)-1) < 0 ||
	    strv_add(&r->words, "--inherit-fd") < 0) {
		free(word);
		return -1;
	}
	return strv_take(&r->words, word) < 0 ? -1 : offer_mount(r, p->number);
}

static int terminals_offer(struct boot *b, struct error *err)
{
	const struct terminals_conf *tc = terminals_conf_of(b->conf);
	const unsigned n = tc->tty_max + wants_console(tc);
	autoclose int pts = -1;

	if (!b->revival->devpts)
		return 0;
	pts = cover_pts(b, tc, err);
	if (pts < 0)
		return -1;
	if (offer_mount(b->revival, -1) < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (unsigned i = 0; i < n; i++) {
		struct pty p;

		if (open_pty(pts, "ptmx", &p, err) < 0 ||
		    boot_give(b, i || !wants_console(tc) ? GIFT_TTY : GIFT_CONSOLE, p.master,
			      err) < 0)
			return -1;
		if (offer_terminal(b, &p) < 0)
			return error_sys(err, "cannot offer the terminal %d to criu", p.number);
	}
	return 0;
}

/* ---- seal, release, and what life/ asks ---- */

static int terminals_seal(struct boot *b, struct error *err)
{
	struct terminals_boot *t = b->terminals;

	t->console = boot_take(b, GIFT_CONSOLE);
	for (t->n = 0; t->n < TERMINALS_MAX_TTYS; t->n++) {
		t->tty[t->n] = boot_take(b, GIFT_TTY);
		if (t->tty[t->n] < 0)
			break;
	}
	return 0;
}

static void terminals_release(const struct release *r)
{
	struct terminals_boot *t = r->boot ? r->boot->terminals : NULL;

	if (!t)
		return;
	close_fd(&t->console);
	while (t->n)
		close_fd(&t->tty[--t->n]);
	close_fd(&t->peer);
}

int terminals_console(const struct boot *b)
{
	return b->terminals ? b->terminals->console : -1;
}

int terminals_tty(const struct boot *b, unsigned n)
{
	return n && n <= terminals_count(b) ? b->terminals->tty[n - 1] : -1;
}

unsigned terminals_count(const struct boot *b)
{
	return b->terminals ? b->terminals->n : 0;
}

int terminals_peer(const struct boot *b)
{
	return b->terminals ? b->terminals->peer : -1;
}

const struct part part_terminals = {
	.name = "terminals",
	.section = &section,
	.check = terminals_check,
	.prepare = terminals_prepare,
	.enter = terminals_enter,
	.offer = terminals_offer,
	.seal = terminals_seal,
	.release = terminals_release,
};
