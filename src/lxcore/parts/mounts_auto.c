/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc.mount.auto: /proc and /sys as a container may have them, in few words.  'mixed' keeps what
 * belongs to the host read-only and leaves what belongs to the container's own namespaces writable.
 */
#include "parts/mounts.h"
#include "base/auto.h"
#include "base/mount.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* ---- the words ---- */

static const struct conf_word access_words[] = {
	{"mixed", ACCESS_MIXED}, {"ro", ACCESS_RO}, {"rw", ACCESS_RW}, {NULL, 0}};

static int access_of(const char *word)
{
	for (const struct conf_word *w = access_words; w->word; w++)
		if (strcmp(w->word, word) == 0)
			return w->value;
	return ACCESS_NONE;
}

static const char *access_word(enum access a)
{
	for (const struct conf_word *w = access_words; w->word; w++)
		if (w->value == (int)a)
			return w->word;
	return NULL;
}

/* 'cgroup[-full]' and 'cgroup2', then [:ACCESS][:force]; false: not such a word. */
static bool take_cgroup(struct mounts_auto *a, const struct strv *part)
{
	static const char *const names[] = {"cgroup", "cgroup-full", "cgroup2"};
	bool force = part->n > 1 && strcmp(part->v[part->n - 1], "force") == 0;
	size_t words = part->n - force, show;
	int access = words > 1 ? access_of(part->v[1]) : ACCESS_DEFAULT;

	for (show = 0; show < ARRAY_SIZE(names) && strcmp(names[show], part->v[0]) != 0; show++)
		;
	if (show == ARRAY_SIZE(names) || words > 2 || access == ACCESS_NONE)
		return false;
	if (show == SHOW_V2 && access == ACCESS_MIXED)
		return false;
	a->cgroup = (enum access)access;
	a->show = show;
	a->force = force || show == SHOW_V2;
	return true;
}

static bool take_token(struct mounts_auto *a, const char *token)
{
	autostrv struct strv part = {0};
	int access;

	if (strv_split(&part, token, ":") < 0 || !part.n || str_ends(token, ":") ||
	    strstr(token, "::"))
		return false;
	access = part.n == 1 ? ACCESS_MIXED : part.n == 2 ? access_of(part.v[1]) : ACCESS_NONE;
	if (strcmp(part.v[0], "proc") == 0 && access != ACCESS_NONE && access != ACCESS_RO) {
		a->proc = (enum access)access;
		return true;
	}
	if (strcmp(part.v[0], "sys") == 0 && access != ACCESS_NONE) {
		a->sys = (enum access)access;
		return true;
	}
	return take_cgroup(a, &part);
}

static int set_auto(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	struct mounts_auto fresh = *(struct mounts_auto *)field;
	autostrv struct strv tokens = {0};

	if (strv_split(&tokens, value, " \t") < 0)
		return error_set(err, ENOMEM, "cannot keep the value: out of memory");
	for (size_t i = 0; i < tokens.n; i++) {
		if (str_starts(tokens.v[i], "shmounts:"))
			return error_set(err, ENOTSUP, "\"%s\" is not supported yet", tokens.v[i]);
		if (!take_token(&fresh, tokens.v[i]))
			return error_set(
				err, EINVAL,
				"\"%s\" is none of proc[:mixed|rw], "
				"sys[:mixed|ro|rw], cgroup[:mixed|ro|rw][:force], "
				"cgroup-full[:mixed|ro|rw][:force], cgroup2[:ro|rw][:force]",
				tokens.v[i]);
	}
	*(struct mounts_auto *)field = fresh;
	return 0;
}

static void add_token(struct buf *out, const char *name, enum access a, bool force)
{
	const char *word = access_word(a);

	if (a == ACCESS_NONE)
		return;
	buf_addf(out, "%s%s%s%s%s", out->len ? " " : "", name, word ? ":" : "", word ? word : "",
		 force ? ":force" : "");
}

static void get_auto(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	const struct mounts_auto *a = field;
	autobuf struct buf text = BUF_INIT;

	add_token(&text, "proc", a->proc, false);
	add_token(&text, "sys", a->sys, false);
	if (a->show == SHOW_V2)
		add_token(&text, "cgroup2", a->cgroup, false);
	else
		add_token(&text, a->show == SHOW_FULL ? "cgroup-full" : "cgroup", a->cgroup,
			  a->force);
	if (text.s)
		buf_puts(out, text.s);
}

static void clear_auto(void *field, const struct conf_key *key, const char *sub)
{
	*(struct mounts_auto *)field = (struct mounts_auto){0};
}

const struct conf_type mounts_auto_type = {"WORD...", set_auto, get_auto, clear_auto, NULL};

/* ---- what they do ---- */

bool mounts_keeps_capability(const struct conf *c, const char *name, int number)
{
	autobuf struct buf keep = BUF_INIT, drop = BUF_INIT;
	autostrv struct strv words = {0};
	char as_number[16];
	bool listed;

	conf_get(c, "lxc.cap.keep", &keep, NULL);
	conf_get(c, "lxc.cap.drop", &drop, NULL);
	if ((keep.len && strv_split(&words, keep.s, "\n") < 0) ||
	    (!keep.len && drop.len && strv_split(&words, drop.s, "\n") < 0))
		return false;
	snprintf(as_number, sizeof(as_number), "%d", number);
	listed = strv_has(&words, name) || strv_has(&words, as_number);
	return keep.len ? listed : !listed;
}

int mounts_open_directory(const struct boot *b, const char *path, struct error *err)
{
	int fd = path_open_in(b->root, path, O_PATH | O_NOFOLLOW | O_DIRECTORY, 0);

	if (fd < 0 && errno == ENOENT)
		fd = path_make_dir_in(b->root, path, 0755);
	if (fd >= 0)
		return fd;
	/* A link here would move the masks of 'mixed' to where they protect nothing
	 * (CVE-2019-19921). */
	if (errno == ENOTDIR || errno == ELOOP)
		return error_set(err, ENOTDIR,
				 "cannot mount on \"/%s\" of the root filesystem: "
				 "it is a link or a file, not a directory",
				 path);
	return error_sys(err, "cannot open \"/%s\" of the root filesystem", path);
}

/* A copy of a place that stays writable while what is around it is not; -1 in *ret where the kernel
 * has no such place. */
static int save_writable(int mount, const char *path, int *ret, struct error *err)
{
	*ret = mount_copy(mount, path, false);
	return *ret < 0 && errno != ENOENT ? error_sys(err, "cannot copy \"%s\" of it", path) : 0;
}

static int restore_writable(int copy, int mount, const char *path, struct error *err)
{
	if (copy < 0 || mount_place(copy, mount, path, NULL) == 0)
		return 0;
	return error_sys(err, "cannot keep \"%s\" of it writable", path);
}

static int protect_proc(struct boot *b, const struct mounts_places *p, int proc, int blanks,
			struct error *err)
{
	autoclose int net = -1;

	/* Of the container's own network namespace. */
	if (mounts_keeps_capability(b->conf, "net_admin", 12) &&
	    save_writable(proc, "sys/net", &net, err) < 0)
		return -1;
	if (mounts_make_read_only(proc, "sys", err) < 0 ||
	    mounts_protect(p, proc, "/proc/", blanks, err) < 0)
		return -1;
	return restore_writable(net, proc, "sys/net", err);
}

static int protect_sys(int sys, struct error *err)
{
	static const struct mount_change read_only = {.set = MOUNT_ATTR_RDONLY};
	static const char own_net[] = "devices/virtual/net";
	autoclose int net = -1;

	if (save_writable(sys, own_net, &net, err) < 0)
		return -1;
	if (mount_alter(sys, &read_only) < 0)
		return error_sys(err, "cannot make it read-only");
	return restore_writable(net, sys, own_net, err);
}

/* The procfs of b->proc goes there itself, which saves making a second one; a copy of it, taken
 * before anything covers a part of it, takes its place. */
static int mount_proc(struct boot *b, enum access access, const struct mounts_places *p,
		      struct error *err)
{
	autoclose int at = mounts_open_directory(b, "proc", err), proc = -1, blanks = -1;

	if (at < 0)
		return -1;
	if (access == ACCESS_MIXED && mounts_make_blanks(p, "/proc/", at, &blanks, err) < 0)
		return -1;
	if (mount_place(b->proc, at, "", NULL) < 0)
		return error_sys(err, "cannot mount it");
	proc = steal_fd(&b->proc);
	b->proc = mount_copy(proc, "", true);
	if (b->proc < 0)
		return error_sys(err, "cannot copy it");
	return access == ACCESS_MIXED ? protect_proc(b, p, proc, blanks, err) : 0;
}

static int mount_sys(struct boot *b, enum access access, const struct mounts_places *p,
		     struct error *err)
{
	static const struct mount_change read_only = {.set = MOUNT_ATTR_RDONLY};
	const char *const options[] = {"source=sysfs", NULL};
	autoclose int at = mounts_open_directory(b, "sys", err), sys = -1, blanks = -1;

	if (at < 0)
		return -1;
	sys = mount_new("sysfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
			err);
	if (sys < 0 && errno == EPERM && b->userns)
		return error_mend(err,
				  "a user namespace shows /sys of its own network namespace "
				  "only: with the host's network use lxc.mount.entry = /sys sys "
				  "none rbind,ro instead of lxc.mount.auto = sys");
	if (sys < 0)
		return -1;
	if (access != ACCESS_RW && mounts_make_blanks(p, "/sys/", at, &blanks, err) < 0)
		return -1;
	if (mount_place(sys, at, "", access == ACCESS_RO ? &read_only : NULL) < 0)
		return error_sys(err, "cannot mount it");
	if (access == ACCESS_MIXED && protect_sys(sys, err) < 0)
		return -1;
	return access == ACCESS_RW ? 0 : mounts_protect(p, sys, "/sys/", blanks, err);
}

int mounts_auto_enter(struct boot *b, const struct mounts_auto *a, const struct mounts_places *p,
		      struct error *err)
{
	if (a->proc && mount_proc(b, a->proc, p, err) < 0)
		return error_within(err, "/proc (lxc.mount.auto)");
	if (a->sys && mount_sys(b, a->sys, p, err) < 0)
		return error_within(err, "/sys (lxc.mount.auto)");
	return 0;
}
