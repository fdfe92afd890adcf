/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files into a container and out of it: the door; see files.h.
 *
 * Of a running container it is init's root that is opened, by descriptor, so what is mounted in there
 * is seen as its processes see it.  What is made there is made by its root's ids, on which mounts of a
 * user namespace insist, and is given away after.
 */
#include "store/files.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "parts/rootfs.h"
#include "store/hold.h"
#include "store/inside.h"
#include "store/mapped.h"

#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define PART (256 * 1024) /* of a stream, at once */
#define PROGRESS_MS 100

struct carrier {
	struct lxcore_container *c;
	const struct lxcore_files *how;
	const char *name;          /* of the container */
	struct storage storage;    /* of a stopped one; driver NULL: it runs */
	int box, host;             /* the two roots */
	const struct idmaps *maps; /* whose files are seen below 'box' */
	struct files_rules rules;
	uid_t uid;                 /* whose the files become, unless 'archive' says */
	gid_t gid;
	bool owned;
	struct lxcore_filed done;
	long long told_ms, began_us;
};

/* ---- the container's root ---- */

static int look_at_stopped(struct carrier *k, struct error *err)
{
	struct conf *conf = container_conf(k->c, err);

	if (!conf || idmap_look(conf, k->c->lxcpath, k->name, err) < 0)
		return -1;
	if (!rootfs_conf_of(conf)->path)
		return error_set(err, ENOTSUP, "it has no root filesystem of its own "
				 "(lxc.rootfs.path)");
	k->maps = mapped_on_disk(conf);
	return storage_parse(rootfs_conf_of(conf)->path, &k->storage, err);
}

/* ---- as whom ---- */

static int owner_inside(const struct carrier *k, char kind, uint32_t id, uint32_t *ret,
			struct error *err)
{
	unsigned long host = id;

	if (id == (uint32_t)-1)
		host = id = 0;
	if (k->maps->n && !idmap_to_host(k->maps, kind, id, &host)) {
		error_set(err, EOVERFLOW, "cannot give files to %s %u: the id map does not have it",
			  kind == 'u' ? "user" : "group", id);
		return error_mend(err, "lxc-info -n %s -c lxc.idmap      (shows the ids that it has)",
				  k->name);
	}
	*ret = (uint32_t)host;
	return 0;
}

static int choose_owner(struct carrier *k, struct error *err)
{
	const struct lxcore_files *how = k->how;
	bool given = how->uid != (uid_t)-1 || how->gid != (gid_t)-1;

	if (how->into) {
		k->owned = !how->archive || given;
		return k->owned && (owner_inside(k, 'u', how->uid, &k->uid, err) < 0 ||
				    owner_inside(k, 'g', how->gid, &k->gid, err) < 0) ? -1 : 0;
	}
	/* An ordinary user cannot give away what is his. */
	k->owned = !how->archive || given || geteuid() != 0;
	k->uid = how->uid == (uid_t)-1 ? geteuid() : how->uid;
	k->gid = how->gid == (gid_t)-1 ? getegid() : how->gid;
	return 0;
}

/* What root may do with files goes with its file system uid (capabilities(7)), and is taken again. */
static int become(uid_t uid, gid_t gid, struct error *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2];

	setfsgid(gid);
	setfsuid(uid);
	if ((uid_t)setfsuid((uid_t)-1) != uid || (gid_t)setfsgid((gid_t)-1) != gid)
		return error_set(err, EPERM, "cannot make files as user %u, group %u", uid, gid);
	if (syscall(SYS_capget, &head, caps) < 0)
		return error_sys(err, "cannot look at our capabilities");
	caps[0].effective = caps[0].permitted;
	caps[1].effective = caps[1].permitted;
	return syscall(SYS_capset, &head, caps) < 0 ?
		       error_sys(err, "cannot take our capabilities again") : 0;
}

/* The caller's thread is what it was: setting the id back brings its capabilities back. */
static void be_ourselves(int dumpable)
{
	setfsuid(geteuid());
	setfsgid(getegid());
	if (dumpable == 1)
		prctl(PR_SET_DUMPABLE, 1);
}

static int be_its_root(const struct carrier *k, struct error *err)
{
	unsigned long uid, gid;

	if (!k->how->into || !k->maps->n)
		return 0;
	if (!idmap_to_host(k->maps, 'u', 0, &uid))
		uid = k->uid;
	if (!idmap_to_host(k->maps, 'g', 0, &gid))
		gid = k->gid;
	return become((uid_t)uid, (gid_t)gid, err);
}

/* ---- where from, where to ---- */

/* 'cannot WHAT "PATH": REASON', the container's name in front of its own paths. */
static int path_fail(const struct carrier *k, bool inside, const char *what, const char *path,
		     struct error *err)
{
	return error_sys(err, "cannot %s \"%s%s%s\"", what, inside ? k->name : "", inside ? ":" : "",
			 path);
}

static int made_up(const struct carrier *k, const char *path, struct error *err)
{
	error_set(err, ENOTSUP, "cannot copy \"%s\": the kernel makes it up, it is no file", path);
	return k->how->into ? -1 : error_mend(err, "lxc-attach -n %s -- cat %s", k->name, path);
}

/* A path of the host is what it is for the caller; one of the container begins at its root. */
static char *path_of(bool inside, const char *path)
{
	return inside ? strdup(path) : path_absolute(path);
}

static int check_source(const struct carrier *k, const struct file_place *p, const char *path,
			struct error *err)
{
	bool whole = !*p->name;
	autoclose int fd = whole ? -1 : openat(p->dir, p->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (!whole && fd < 0)
		return path_fail(k, !k->how->into, "open", path, err);
	if (copy_is_made_up(whole ? p->dir : fd))
		return made_up(k, path, err);
	if (k->how->recursive || S_ISREG(p->st.st_mode))
		return 0;
	if (S_ISDIR(p->st.st_mode)) {
		error_set(err, EISDIR, "cannot copy \"%s\": it is a directory", path);
		return error_mend(err, "lxc-cp -r      (or -a, as it is)");
	}
	error_set(err, EINVAL, "cannot copy \"%s\": it is a device, fifo or socket", path);
	return error_mend(err, "lxc-cp -r --special      (makes another one like it)");
}

static int find_source(const struct carrier *k, const char *path, struct file_place *ret,
		       struct error *err)
{
	bool inside = !k->how->into;
	autofree char *at = path_of(inside, path);
	int root = inside ? k->box : k->host;

	if (!at)
		return error_sys(err, "cannot look for \"%s\"", path);
	if (file_wants_directory(path)) {
		*ret->name = '\0';
		ret->dir = path_open_in(root, at, O_PATH | O_DIRECTORY, 0);
		if (ret->dir < 0 || fstat(ret->dir, &ret->st) < 0)
			return path_fail(k, inside, "open", path, err);
		ret->exists = true;
	} else if (file_find(root, at, !k->how->recursive, ret) < 0) {
		return path_fail(k, inside, "find", path, err);
	}
	if (ret->exists)
		return check_source(k, ret, path, err);
	errno = ENOENT;
	return path_fail(k, inside, "find", path, err);
}

static bool is_alone(const struct carrier *k)
{
	return k->how->fd >= 0 || !k->how->from[1];
}

/* In a directory that is there under its own name, else the name that is asked for. */
static int find_place(const struct carrier *k, const char *source, bool directory,
		      struct file_place *ret, struct error *err)
{
	const char *to = *k->how->to ? k->how->to : "/";
	bool inside = k->how->into;
	autofree char *at = path_of(inside, to);
	int root = inside ? k->box : k->host;

	if (!at)
		return error_sys(err, "cannot look for \"%s\"", to);
	ret->dir = path_open_in(root, at, O_PATH | O_DIRECTORY, 0);
	if (ret->dir >= 0 && !source)
		return error_set(err, EISDIR, "cannot write to \"%s\": it is a directory", to);
	if (ret->dir >= 0) {
		file_base_name(source, ret->name);
		return 0;
	}
	if ((errno != ENOENT && errno != ENOTDIR) || !is_alone(k) ||
	    (file_wants_directory(to) && !(directory && errno == ENOENT)))
		return path_fail(k, inside, "copy to", to, err);
	if (file_find(root, at, !directory, ret) < 0)
		return path_fail(k, inside, "copy to", to, err);
	return 0;
}

/* ---- trees and files ---- */

static bool tell(const struct copy_progress *p, void *data)
{
	const struct carrier *k = data;
	const struct lxcore_progress public = {
		.bytes = k->done.bytes + p->bytes, .files = k->done.files + p->files,
		.total_bytes = is_alone(k) ? p->total_bytes : 0,
		.total_files = is_alone(k) ? p->total_files : 0, .usec = p->usec,
	};

	return k->how->progress(&public, k->how->data);
}

static int copy_it(struct carrier *k, int from, int to, const char *only, struct error *err)
{
	const struct lxcore_files *how = k->how;
	autofree struct copy_ids *u = NULL, *g = NULL;
	const struct copy_map uids = mapped_lines(k->maps, 'u', &u),
			      gids = mapped_lines(k->maps, 'g', &g);
	struct copy_options o = {
		.only = only, .follow_mounts = true, .fresh = !how->archive, .mask = how->mask,
		.owned = k->owned, .uid = k->uid, .gid = k->gid,
		.no_devices = !how->special, .no_powers = !how->special && !how->into,
		.progress = how->progress ? tell : NULL, .data = k, .measure = how->progress,
		.workers = how->recursive ? 0 : 1,
	};
	struct copy_result r = {0};
	int result;

	if (k->maps->n && !(u && g))
		return error_set(err, ENOMEM, "out of memory");
	*(how->into ? &o.to_uid : &o.from_uid) = uids;
	*(how->into ? &o.to_gid : &o.from_gid) = gids;
	result = copy_tree(from, to, &o, &r, err);
	k->done.bytes += r.bytes;
	k->done.files += r.files + r.symlinks + r.others + r.links + r.directories - (only ? 1 : 0);
	k->done.devices += r.left_out;
	if (result < 0 && err->code == EOVERFLOW)
		error_mend(err, "lxc-cp without -a, or with --owner");
	return result;
}

/* What is called 'made' then; 1: there is nothing, it was left out. */
static int make_aside(struct carrier *k, const struct files_aside *a, const struct file_place *from,
		      const char **made, struct error *err)
{
	autoclose int whole = -1;
	uint64_t left_out = k->done.devices;
	struct stat st;

	*made = *from->name ? from->name : "it";
	if (!*from->name && mkdirat(a->fd, "it", 0700) == 0)
		whole = openat(a->fd, "it", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!*from->name && whole < 0)
		return error_sys(err, "cannot make a directory beside it");
	if (copy_it(k, from->dir, *from->name ? a->fd : whole, *from->name ? from->name : NULL,
		    err) < 0)
		return -1;
	if (k->done.devices != left_out && S_ISDIR(from->st.st_mode) == 0)
		return 1;
	if (fstatat(a->fd, *made, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot copy \"%s\"", *made);
	/* A link that somebody put there meanwhile would lead whoever reads the copy. */
	if (!k->how->recursive && !S_ISREG(st.st_mode))
		return error_set(err, ESTALE, "cannot copy \"%s\": it became something else meanwhile",
				 *made);
	return 0;
}

static int carry(struct carrier *k, const char *path, struct error *err)
{
	autoplace struct file_place from = FILE_NOWHERE, to = FILE_NOWHERE;
	struct files_aside a = FILES_ASIDE_NONE;
	const char *made;
	int result;

	if (find_source(k, path, &from, err) < 0 ||
	    find_place(k, path, S_ISDIR(from.st.st_mode), &to, err) < 0 ||
	    files_may_write(&k->rules, to.dir, k->how->to, err) < 0)
		return -1;
	result = files_aside_begin(&a, to.dir, err);
	if (result == 0)
		result = make_aside(k, &a, &from, &made, err);
	if (result == 0)
		result = files_put(&a, made, to.name, &k->rules, err);
	files_aside_end(&a);
	return result < 0 ? error_within(err, "%s", path) : 0;
}

/* ---- streams ---- */

static int ask(struct carrier *k, struct error *err)
{
	const struct lxcore_progress p = {.bytes = k->done.bytes, .files = 1,
					  .usec = (uint64_t)(clock_us() - k->began_us)};
	long long now = clock_ms();

	if (!k->how->progress || now - k->told_ms < PROGRESS_MS)
		return 0;
	k->told_ms = now;
	return k->how->progress(&p, k->how->data) ? 0 : error_set(err, ECANCELED,
								   "the copy was cancelled");
}

/* 1: it can go on; whoever wants to cancel is asked meanwhile. */
static int wait_for(struct carrier *k, int fd, short events, struct error *err)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, PROGRESS_MS);

		if (n > 0)
			return ask(k, err) < 0 ? -1 : 1;
		if (n < 0 && errno != EINTR)
			return error_sys(err, "cannot wait for more");
		if (ask(k, err) < 0)
			return -1;
	}
}

static int write_part(struct carrier *k, int to, const char *bytes, size_t n, struct error *err)
{
	while (n) {
		ssize_t done;

		if (wait_for(k, to, POLLOUT, err) < 0)
			return -1;
		done = write(to, bytes, n);
		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return error_sys(err, "cannot write it");
		bytes += done < 0 ? 0 : done;
		n -= done < 0 ? 0 : (size_t)done;
		k->done.bytes += done < 0 ? 0 : (uint64_t)done;
	}
	return 0;
}

static int pump(struct carrier *k, int from, int to, struct error *err)
{
	autofree char *part = malloc(PART);
	ssize_t n = 1;

	k->began_us = clock_us();
	while (part && n) {
		if (wait_for(k, from, POLLIN, err) < 0)
			return -1;
		n = read(from, part, PART);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return error_sys(err, "cannot read it");
		if (n > 0 && write_part(k, to, part, (size_t)n, err) < 0)
			return -1;
	}
	k->done.files = 1;
	return part ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int make_of_stream(struct carrier *k, const struct files_aside *a, struct error *err)
{
	autoclose int fd = openat(a->fd, "it", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				  0600);

	if (fd < 0)
		return error_sys(err, "cannot make the file");
	if (pump(k, k->how->fd, fd, err) < 0)
		return -1;
	return fchown(fd, k->uid, k->gid) < 0 || fchmod(fd, 0666 & ~k->how->mask) < 0 ?
		       error_sys(err, "cannot give the file its owner and mode") : 0;
}

static int stream_in(struct carrier *k, struct error *err)
{
	autoplace struct file_place to = FILE_NOWHERE;
	struct files_aside a = FILES_ASIDE_NONE;
	int result;

	if (find_place(k, NULL, false, &to, err) < 0 ||
	    files_may_write(&k->rules, to.dir, k->how->to, err) < 0)
		return -1;
	result = files_aside_begin(&a, to.dir, err);
	if (result == 0)
		result = make_of_stream(k, &a, err);
	if (result == 0)
		result = files_put(&a, "it", to.name, &k->rules, err);
	files_aside_end(&a);
	return result;
}

/* What was a file when it was looked at is opened as that one, whatever has its name now. */
static int stream_out(struct carrier *k, const char *path, struct error *err)
{
	autoplace struct file_place from = FILE_NOWHERE;
	autoclose int pinned = -1, fd = -1;
	char name[32];
	struct stat st;

	if (find_source(k, path, &from, err) < 0)
		return -1;
	if (!S_ISREG(from.st.st_mode))
		return error_set(err, EINVAL, "cannot write \"%s\" to a stream: it is no file", path);
	pinned = openat(from.dir, from.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (pinned < 0 || fstat(pinned, &st) < 0)
		return path_fail(k, true, "open", path, err);
	if (!S_ISREG(st.st_mode) || copy_is_made_up(pinned))
		return error_set(err, ESTALE, "cannot copy \"%s\": it became something else meanwhile",
				 path);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", pinned);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? path_fail(k, true, "open", path, err) : pump(k, fd, k->how->fd, err);
}

/* ---- the door ---- */

static int carry_all(struct carrier *k, struct error *err)
{
	if (k->how->fd >= 0)
		return k->how->into ? stream_in(k, err) : stream_out(k, k->how->from[0], err);
	for (const char *const *path = k->how->from; *path; path++)
		if (carry(k, *path, err) < 0)
			return -1;
	return 0;
}

static int work(void *data, struct error *err)
{
	struct carrier *k = data;
	int dumpable = prctl(PR_GET_DUMPABLE), result;

	if (k->storage.driver)
		k->box = k->storage.driver->look(k->storage.source, err);
	k->host = k->box < 0 ? -1 : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (k->box >= 0 && k->host < 0)
		error_sys(err, "cannot open \"/\"");
	result = k->host < 0 ? -1 : be_its_root(k, err);
	if (result == 0)
		result = carry_all(k, err);
	be_ourselves(dumpable);
	close_fd(&k->host);
	close_fd(&k->box);
	if (k->storage.driver && k->storage.driver->disconnect)
		k->storage.driver->disconnect(k->storage.source, NULL);
	return result;
}

static int do_it(struct carrier *k, struct error *err)
{
	if (choose_owner(k, err) < 0)
		return -1;
	k->rules.keep = k->how->into ? k->how->uid == (uid_t)-1 && !k->how->archive :
				       !k->how->archive && k->how->uid == (uid_t)-1;
	k->rules.maps = k->how->into ? k->maps : NULL;
	return mapped_do_for(work, k, &k->done, sizeof(k->done), err);
}

static int with_running(struct carrier *k, struct error *err)
{
	struct conf *conf = NULL;
	int result = -1;

	k->box = inside_open(k->c, &conf, err);
	if (k->box >= 0) {
		k->maps = idmap_of(conf);
		result = do_it(k, err);
	}
	close_fd(&k->box);
	conf_free(conf);
	return result;
}

/* Nobody starts it meanwhile; and where something is written, nobody copies it. */
static int with_stopped(struct carrier *k, struct error *err)
{
	autohold struct hold hold = HOLD_INIT;

	if (hold_take(k->c, k->how->into ? HOLD_ALONE : HOLD_SHARED, &hold, err) < 0 ||
	    hold_stopped(&hold, err) < 0 || look_at_stopped(k, err) < 0)
		return -1;
	return do_it(k, err);
}

static int check(const struct lxcore_files *how, struct error *err)
{
	if (how->fd < 0 && (!how->from || !how->from[0]))
		return error_set(err, EINVAL, "nothing is given that should be copied");
	if (how->fd >= 0 && !how->into && (!how->from || !how->from[0] || how->from[1]))
		return error_set(err, EINVAL, "a stream takes one file");
	if ((how->into || how->fd < 0) && (!how->to || (!*how->to && !how->into)))
		return error_set(err, EINVAL, "no place is given to copy to");
	return 0;
}

int lxcore_files_copy(lxcore_container *c, const struct lxcore_files *how, struct lxcore_filed *ret,
		      lxcore_error *err)
{
	struct carrier k = {.c = c, .how = how, .name = c->name, .box = -1, .host = -1};
	struct error own;
	int result = check(how, err ? err : &own);

	if (!err) {
		own = (struct error){0};
		err = &own;
	}
	if (result == 0)
		result = lxcore_state(c) == LXCORE_STOPPED ? with_stopped(&k, err) :
							     with_running(&k, err);
	if (ret)
		*ret = k.done;
	return result < 0 ? error_within(err, "%s", c->name) : 0;
}
