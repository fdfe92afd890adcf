/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounting layers: overlayfs (kernel: Documentation/filesystems/overlayfs.rst).
 *
 * Layers are told to the kernel one by one ("lowerdir+", Linux 6.5), so neither the length of the list
 * nor colons in a path matter; older kernels get one short list of descriptors' names instead.
 */
#include "base/auto.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/proc.h"
#include "storage/overlay.h"
#include "storage/storage.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Only the initial user namespace may use trusted.* attributes, and is served others' with user.*. */
static bool is_in_userns(void)
{
	autobuf struct buf map = BUF_INIT;
	unsigned long inside, outside, count;

	return file_read(AT_FDCWD, "/proc/self/uid_map", &map) == 0 &&
	       (sscanf(map.s, "%lu %lu %lu", &inside, &outside, &count) != 3 ||
		count != 4294967295UL);
}

/* fsconfig(2) takes at most 255 characters, and the kernel reads backslashes. */
static const char *name_of(const char *path, int fd, char short_name[32])
{
	if (strlen(path) < 256 && !strchr(path, '\\'))
		return path;
	snprintf(short_name, 32, "/proc/self/fd/%d", fd);
	return short_name;
}

int overlay_open_layer(const char *path, struct error *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return error_sys(err, "cannot open the layer \"%s\"", path);
	error_set(err, ENOENT, "cannot find the layer \"%s\"", path);
	return error_mend(err, "it belongs to the container that this one was cloned from");
}

/* What the kernel is told of one mount. */
struct context {
	int fs;
	int *fds; /* of the lower layers, then upper and work */
	size_t n;
	int users; /* whose ids the layers' are mapped to; -1: they are not */
	int both;  /* with 'users': the mount that shows UPPER and work, which must live till the end */
	bool by_fd; /* who mounts may not go where the layers are */
};

static int set(const struct context *c, const char *key, const char *path, int fd)
{
	char short_name[32];

	if (c->users >= 0)
		return fsconfig(c->fs, FSCONFIG_SET_FD, key, NULL, fd);
	return fsconfig(c->fs, FSCONFIG_SET_STRING, key,
			name_of(c->by_fd ? "\\" : path, fd, short_name), 0);
}

/* Linux before 6.5: all lower layers in one list. */
static int set_lower_list(const struct context *c, size_t n)
{
	autobuf struct buf list = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_addf(&list, "%s/proc/self/fd/%d", i ? ":" : "", c->fds[i]);
	return list.failed ? -1 : fsconfig(c->fs, FSCONFIG_SET_STRING, "lowerdir", list.s, 0);
}

static int set_lower(const struct context *c, const struct overlay *o)
{
	for (size_t i = 0; i < o->lower.n; i++) {
		if (set(c, "lowerdir+", o->lower.v[i], c->fds[i]) == 0)
			continue;
		return i == 0 && errno == EINVAL ? set_lower_list(c, o->lower.n) : -1;
	}
	return 0;
}

static int set_behaviour(const struct context *c, const char *const *options)
{
	/* A layer is complete in itself: it must survive being copied to another machine, and
	 * nothing of it may depend on what the kernel's own presets are. */
	static const char *const trusted[][2] = {
		{"index", "off"}, {"metacopy", "off"}, {"redirect_dir", "on"}, {NULL, NULL}};

	if (is_in_userns())
		return fsconfig(c->fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
	for (size_t i = 0; trusted[i][0]; i++)
		if (fsconfig(c->fs, FSCONFIG_SET_STRING, trusted[i][0], trusted[i][1], 0) < 0)
			return -1;
	for (; options && *options; options++)
		if (fsconfig(c->fs, FSCONFIG_SET_FLAG, *options, NULL, 0) < 0)
			return -1;
	return 0;
}

/* UPPER and its work directory must be seen through one mount: that of the directory of both. */
static int map_upper(struct context *c, const struct overlay *o, struct error *err)
{
	size_t n = o->lower.n;
	autofree char *dir = strndup(o->upper, (size_t)(strrchr(o->upper, '/') - o->upper));

	c->both = dir ? mount_copy(AT_FDCWD, dir, false) : -1;
	if (c->both < 0)
		return error_sys(err, "cannot open the directory of the layer \"%s\"", o->upper);
	if (mount_idmap(c->both, c->users, false, err) < 0)
		return -1;
	close_fd(&c->fds[n]);
	close_fd(&c->fds[n + 1]);
	c->fds[n] = openat(c->both, strrchr(o->upper, '/') + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
	c->fds[n + 1] = openat(c->both, strrchr(o->work, '/') + 1,
			       O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c->fds[n] < 0 || c->fds[n + 1] < 0 ?
		       error_sys(err, "cannot open the layer \"%s\"", o->upper) : 0;
}

/* overlayfs cannot be mapped as a whole; its layers can (Linux 5.19, by descriptors 6.13). */
static int map_layers(struct context *c, const struct overlay *o, struct error *err)
{
	for (size_t i = 0; i < o->lower.n; i++) {
		int tree = mount_copy(c->fds[i], "", false);

		if (tree < 0)
			return error_sys(err, "cannot mount the layer \"%s\"", o->lower.v[i]);
		close_fd(&c->fds[i]);
		c->fds[i] = tree;
		if (mount_idmap(tree, c->users, false, err) < 0)
			return -1;
	}
	return o->upper ? map_upper(c, o, err) : 0;
}

/* Lower layers, and the two directories to write in where 'o' has them. */
static int open_layers(struct context *c, const struct overlay *o, struct error *err)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *path = i < o->lower.n ? o->lower.v[i] :
				   i == o->lower.n ? o->upper : o->work;

		/* Other programs make it at the first mount. */
		if (path == o->work && mkdir(path, 0700) < 0 && errno != EEXIST)
			return error_sys(err, "cannot make \"%s\"", path);
		c->fds[i] = overlay_open_layer(path, err);
		if (c->fds[i] < 0)
			return -1;
	}
	return c->users >= 0 ? map_layers(c, o, err) : 0;
}

static int set_upper(const struct context *c, const struct overlay *o)
{
	return !o->upper || (set(c, "upperdir", o->upper, c->fds[o->lower.n]) == 0 &&
			     set(c, "workdir", o->work, c->fds[o->lower.n + 1]) == 0) ? 0 : -1;
}

static int cannot_mount(const struct context *c, const struct overlay *o, struct error *err)
{
	error_sys(err, "cannot mount the layers above \"%s\"", o->lower.v[0]);
	return c->users >= 0 ? error_mend(err, "leave idmap= out of lxc.rootfs.options: layers with "
					  "mapped owners take Linux 6.13") : -1;
}

static int mount_context(const struct context *c, const struct overlay *o,
			 const char *const *options, struct error *err)
{
	int tree;

	if (fsconfig(c->fs, FSCONFIG_SET_STRING, "source", "overlay", 0) < 0 ||
	    set_lower(c, o) < 0 || set_upper(c, o) < 0 || set_behaviour(c, options) < 0 ||
	    fsconfig(c->fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return cannot_mount(c, o, err);
	tree = fsmount(c->fs, FSMOUNT_CLOEXEC, o->upper ? 0 : MOUNT_ATTR_RDONLY);
	return tree < 0 ? cannot_mount(c, o, err) : tree;
}

/*
 * The first process of an ordinary user's container is still its user, who can open the layers, but
 * whom overlayfs could not write as: its maps do not have him.  So what follows is done by its root.
 */
static int become_root(struct error *err)
{
	/* EINVAL: nobody is root there, and everybody is mapped as he is. */
	if ((setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) && errno != EINVAL)
		return error_sys(err, "cannot mount layers as root of the container");
	return 0;
}

static int mount_layers(const struct overlay *o, const char *const *options, int users,
			bool as_root, struct error *err)
{
	autoclose int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	struct context c = {.fs = fs, .n = o->lower.n + (o->upper ? 2 : 0), .users = users,
			    .both = -1, .by_fd = as_root};
	autofree int *fds = malloc(c.n * sizeof(*fds));
	int tree;

	if (fs < 0)
		return error_sys(err, "cannot mount layers: this kernel has no overlayfs");
	if (!fds)
		return error_set(err, ENOMEM, "out of memory");
	c.fds = memset(fds, 0xff, c.n * sizeof(*fds));
	tree = open_layers(&c, o, err) < 0 || (as_root && become_root(err) < 0) ? -1 :
	       mount_context(&c, o, options, err);
	for (size_t i = 0; i < c.n; i++)
		close_fd(&fds[i]);
	close_fd(&c.both);
	return tree;
}

/* ---- in a child ---- */

/* A mount that takes what only a process of its own should have: other mounts, another user. */
struct apart {
	const struct overlay *o;
	const char *memory; /* what is written stays in memory: an empty directory to mount that on */
	const char *const *options;
	const struct storage_users *users; /* or NULL */
	bool as_root;
	int sock;
};

/* The layers' own mounts stay with the overlay when ours go. */
static int mount_memory(const char *at, struct overlay *o, struct error *err)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ||
	    mount("tmpfs", at, "tmpfs", 0, "mode=0755") < 0)
		return error_sys(err, "cannot mount memory for what it writes");
	o->upper = str_printf("%s/delta", at);
	o->work = str_printf("%s/work", at);
	if (!o->upper || !o->work)
		return error_set(err, ENOMEM, "out of memory");
	return overlay_make_upper(o, err);
}

/*
 * overlayfs writes to UPPER as whoever mounted it, and that must be somebody whom the map has.  What
 * root may do with files goes with its file system uid (capabilities(7)), and is taken again.
 */
static int become(const struct storage_users *users, struct error *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2];

	setfsgid(users->gid);
	setfsuid(users->uid);
	if (syscall(SYS_capget, &head, caps) < 0)
		return error_sys(err, "cannot look at our capabilities");
	caps[0].effective = caps[0].permitted;
	caps[1].effective = caps[1].permitted;
	if (syscall(SYS_capset, &head, caps) < 0)
		return error_sys(err, "cannot take our capabilities again");
	return 0;
}

static int mount_here(void *data, struct error *err)
{
	const struct apart *m = data;
	struct overlay o = *m->o;
	autoclose int tree = -1;

	if (m->memory && mount_memory(m->memory, &o, err) < 0)
		return -1;
	if (m->users && become(m->users, err) < 0)
		return -1;
	tree = mount_layers(&o, m->options, m->users ? m->users->fd : -1, m->as_root, err);
	if (tree < 0)
		return -1;
	return fd_send(m->sock, "", 1, &tree, 1) < 0 ? error_sys(err, "cannot hand its mount over") :
						       0;
}

static int mount_apart(struct apart *m, struct error *err)
{
	int sock[2], tree = -1, result;
	size_t n = 1;
	char byte;

	if (fd_socketpair(sock) < 0)
		return error_sys(err, "cannot make a socket");
	m->sock = sock[1];
	result = proc_call(mount_here, m, err);
	if (result == 0 && fd_receive(sock[0], &byte, 1, &tree, &n) != 1)
		result = error_sys(err, "cannot take its mount over");
	close(sock[0]);
	close(sock[1]);
	return result < 0 ? -1 : tree;
}

/* UPPER as the topmost of the layers that are only read. */
static int push_upper(const struct overlay *o, struct overlay *ret, struct error *err)
{
	bool failed = strv_add(&ret->lower, o->upper) < 0;

	for (size_t i = 0; i < o->lower.n; i++)
		failed |= strv_add(&ret->lower, o->lower.v[i]) < 0;
	return failed ? error_set(err, ENOMEM, "out of memory") : 0;
}

/* ---- three kinds of mounts ---- */

/* Our own word among the options; the others are the kernel's. */
static int take_tmpfs(const char *const *options, struct strv *rest, bool *ret, struct error *err)
{
	for (; options && *options; options++) {
		if (strcmp(*options, "tmpfs") == 0)
			*ret = true;
		else if (strv_add(rest, *options) < 0)
			return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

int overlay_mount_mapped(const char *source, const char *const *options,
			 const struct storage_users *users, struct error *err)
{
	autooverlay struct overlay o = {0}, all = {0};
	autostrv struct strv rest = {0};
	struct apart m = {.o = &o, .users = users, .as_root = geteuid() != 0 && is_in_userns()};
	bool tmpfs = false;

	if (overlay_parse(source, &o, err) < 0 || take_tmpfs(options, &rest, &tmpfs, err) < 0)
		return -1;
	m.options = (const char *const *)rest.v;
	if (!tmpfs)
		return users || m.as_root ? mount_apart(&m, err) :
					    mount_layers(&o, m.options, -1, false, err);
	if (mkdir(o.work, 0700) < 0 && errno != EEXIST)
		return error_sys(err, "cannot make \"%s\"", o.work);
	if (push_upper(&o, &all, err) < 0)
		return -1;
	m.o = &all;
	m.memory = o.work;
	return mount_apart(&m, err);
}

int overlay_mount(const char *source, const char *const *options, struct error *err)
{
	return overlay_mount_mapped(source, options, NULL, err);
}

int overlay_look_still(const char *source, struct error *err)
{
	autooverlay struct overlay o = {0}, still = {0};

	if (overlay_parse(source, &o, err) < 0 || push_upper(&o, &still, err) < 0)
		return -1;
	return mount_layers(&still, NULL, -1, false, err);
}
