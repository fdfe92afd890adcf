/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc.mount.auto: /proc and /sys as a container may have them, in few words.  'mixed' keeps what
 * belongs to the host read-only and leaves what belongs to the container's own namespaces writable.
 * And a directory that brings in what is mounted on the host later, which is a mount entry in short.
 */
#include "parts/mounts.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SHARED_INSIDE "/dev/.lxc-mounts"

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

/* 'shmounts:HOSTDIR[:DIR]': what is mounted in the one during the run appears in the other. */
static int take_shared(struct mounts_auto *a, const char *token, struct error *err)
{
	const char *host = token + strlen("shmounts:"), *inside = strchr(host, ':');
	int n = inside ? (int)(inside - host) : (int)strlen(host);
	autofree char *line = NULL;
	struct mount_entries fresh = {0};

	inside = inside ? inside + 1 : SHARED_INSIDE;
	if (*host != '/' || *inside != '/' || !inside[strspn(inside, "/")] || strchr(inside, ':')) {
		error_set(err, EINVAL, "\"%s\" does not name a directory of the host, and perhaps "
				       "one of the container, by absolute paths", token);
		return error_mend(err, "shmounts:/run/lxc-shared or shmounts:/run/lxc-shared:/mnt");
	}
	line = str_printf("%.*s %s none rbind,rslave,create=dir 0 0", n, host,
			  inside + strspn(inside, "/"));
	if (!line)
		return error_set(err, ENOMEM, "cannot keep the value: out of memory");
	if (mount_entries_add(&fresh, line, "lxc.mount.auto, shmounts", err) < 0)
		return error_within(err, "\"%s\"", token);
	mount_entries_free(&a->shared);
	a->shared = fresh;
	return 0;
}

static int take_word(struct mounts_auto *a, const char *token, struct error *err)
{
	if (str_starts(token, "shmounts:"))
		return take_shared(a, token, err);
	if (take_token(a, token))
		return 0;
	return error_set(err, EINVAL,
			 "\"%s\" is none of proc[:mixed|rw], sys[:mixed|ro|rw], "
			 "cgroup[:mixed|ro|rw][:force], cgroup-full[:mixed|ro|rw][:force], "
			 "cgroup2[:ro|rw][:force], shmounts:HOSTDIR[:DIR]",
			 token);
}

/* A refused value changes nothing: the list of what is shared is taken over only at the end. */
static int set_auto(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	struct mounts_auto *a = field, fresh = *a;
	autostrv struct strv tokens = {0};
	int result = 0;

	if (strv_split(&tokens, value, " \t") < 0)
		return error_set(err, ENOMEM, "cannot keep the value: out of memory");
	fresh.shared = (struct mount_entries){0};
	for (size_t i = 0; result == 0 && i < tokens.n; i++)
		result = take_word(&fresh, tokens.v[i], err);
	if (result < 0) {
		mount_entries_free(&fresh.shared);
		return -1;
	}
	if (fresh.shared.n)
		mount_entries_free(&a->shared);
	else
		fresh.shared = a->shared;
	*a = fresh;
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

static void add_shared(struct buf *out, const struct mount_entries *shared)
{
	for (size_t i = 0; i < shared->n; i++)
		buf_addf(out, "%sshmounts:%s:/%s", out->len ? " " : "", shared->v[i].source,
			 shared->v[i].target);
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
	add_shared(&text, &a->shared);
	if (text.s)
		buf_puts(out, text.s);
}

static void clear_auto(void *field, const struct conf_key *key, const char *sub)
{
	mount_entries_free(&((struct mounts_auto *)field)->shared);
	*(struct mounts_auto *)field = (struct mounts_auto){0};
}

const struct conf_type mounts_auto_type = {"WORD...", set_auto, get_auto, clear_auto, NULL};

/* ---- check ---- */

/* Whether mounts in the directory reach other namespaces: it is on a shared mount, or on one that
 * itself gets what is mounted elsewhere.  -1: nobody can tell. */
static int mounts_travel(const char *path)
{
	autobuf struct buf table = BUF_INIT;
	struct statx at;
	char *rest, *line;
	unsigned long long id;

	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &at) < 0 || !(at.stx_mask & STATX_MNT_ID) ||
	    file_read(AT_FDCWD, "/proc/self/mountinfo", &table) < 0)
		return -1;
	for (rest = table.s; (line = strsep(&rest, "\n"));) {
		const char *fields = strstr(line, " - ");

		if (!fields || sscanf(line, "%llu ", &id) != 1 || id != at.stx_mnt_id)
			continue;
		line[fields - line] = '\0';
		return strstr(line, " shared:") || strstr(line, " master:");
	}
	return -1;
}

int mounts_shared_check(const struct mounts_auto *a, struct error *err)
{
	const char *path = a->shared.n ? a->shared.v[0].source : NULL;

	if (!path || mounts_travel(path) != 0)
		return 0;
	error_set(err, EINVAL, "\"%s\" is on a private mount, so the container would never see what "
			       "is mounted in it (lxc.mount.auto, shmounts)", path);
	return error_mend(err, "mount --bind %s %s && mount --make-shared %s", path, path, path);
}

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
