/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices that come and go while a container runs.
 *
 * The node is made by a child of ours in the container's own mount namespace, and every path there
 * is resolved below the container's root (base/path.h), so what the container's owner put in the way
 * leads nowhere else.  In a user namespace, or where the filesystem allows no devices, a node that
 * is made would not open; there one from a small filesystem of the host's is mounted on a file.
 */
#include "base/error.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/path.h"
#include "life/container.h"
#include "parts/cgroup/cgroup.h"
#include "parts/idmap.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define TIMEOUT_MS 10000

struct device {
	struct lxcore_container *container;
	struct running running;
	const char *source, *inside;
	mode_t mode; /* type and permissions */
	dev_t number; /* 0: of a removal that takes what is there */
	bool userns;
	uid_t uid; /* of the container's root on the host */
	gid_t gid;
	dev_t root_dev; /* the host's root directory */
	ino_t root_ino;
};

static void device_close(struct device *d)
{
	running_close(&d->running);
}
#define autodevice __attribute__((cleanup(device_close)))

/* ---- in the container ---- */

static bool is_node(const struct stat *st)
{
	return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

static bool same_node(const struct device *d, const struct stat *st)
{
	return is_node(st) && st->st_rdev == d->number &&
	       (st->st_mode & S_IFMT) == (d->mode & S_IFMT);
}

/* A node on a filesystem of the host's, mounted where nobody else sees it; a detached copy. */
static int make_mountable(const struct device *d, struct error *err)
{
	static const char *const options[] = {"mode=0700", "size=4k", "nr_inodes=4", "source=none",
					      NULL};
	autoclose int tmpfs = -1, tree = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_sys(err, "cannot make a mount namespace");
	tmpfs = mount_new("tmpfs", options, 0, err);
	if (tmpfs < 0)
		return -1;
	/* Any directory will do: it goes with this namespace. */
	if (mount_place(tmpfs, AT_FDCWD, "/proc", NULL) < 0 ||
	    mknodat(tmpfs, "node", d->mode, d->number) < 0 ||
	    fchownat(tmpfs, "node", d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot make a device node");
	tree = mount_copy(tmpfs, "node", false);
	return tree < 0 ? error_sys(err, "cannot copy a device node") : steal_fd(&tree);
}

static int enter(const struct device *d, struct error *err)
{
	autoclose int root = -1;
	struct stat st;

	if (setns(d->running.init_pidfd, CLONE_NEWNS) < 0)
		return error_sys(err, "cannot enter its mount namespace");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstat(root, &st) < 0)
		return error_sys(err, "cannot open its root directory");
	if (st.st_dev == d->root_dev && st.st_ino == d->root_ino)
		return error_set(err, EINVAL, "it has no files of its own (lxc.rootfs.path): the "
				 "host's devices are its devices");
	return steal_fd(&root);
}

/* The directory that the node is in, made if it must be. */
static int open_parent(const struct device *d, int root, bool make, char name[256],
		       struct error *err)
{
	const char *slash = strrchr(d->inside, '/');
	autofree char *above = strndup(d->inside, (size_t)(slash - d->inside));
	autoclose int parent = -1, made = -1;

	if (make && above && *above)
		made = path_make_dir_in(root, above, 0755);
	parent = path_parent_in(root, d->inside, name);
	if (parent < 0)
		return error_sys(err, "cannot open the directory of \"%s\" in it", d->inside);
	return steal_fd(&parent);
}

static bool forbids_devices(int dir)
{
	struct statvfs fs;

	return fstatvfs(dir, &fs) == 0 && fs.f_flag & ST_NODEV;
}

static int mount_node(const struct device *d, int tree, int parent, const char *name,
		      struct error *err)
{
	int fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_sys(err, "cannot make \"%s\" in it", d->inside);
	close(fd);
	if (mount_place(tree, parent, name, NULL) == 0)
		return 0;
	error_sys(err, "cannot mount the device on \"%s\" in it", d->inside);
	unlinkat(parent, name, 0);
	return -1;
}

static int add_node(struct device *d, struct error *err)
{
	autoclose int tree = d->userns ? make_mountable(d, err) : -1, root = -1, parent = -1;
	struct stat st;
	char name[256];

	if (d->userns && tree < 0)
		return -1;
	root = enter(d, err);
	if (root < 0)
		return -1;
	/* What is made there is made as the container's root, on its filesystems. */
	setfsgid(d->gid);
	setfsuid(d->uid);
	parent = open_parent(d, root, true, name, err);
	if (parent < 0)
		return -1;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (same_node(d, &st))
			return 0;
		return error_set(err, EEXIST, "\"%s\" is in it already", d->inside);
	}
	if (d->userns)
		return mount_node(d, tree, parent, name, err);
	if (forbids_devices(parent))
		return error_set(err, EPERM, "the filesystem of \"%s\" in it allows no devices (it is "
				 "mounted 'nodev')", d->inside);
	if (mknodat(parent, name, d->mode, d->number) < 0)
		return error_sys(err, "cannot make device \"%s\" in it", d->inside);
	return 0;
}

/* The name alone, in its directory: no name is resolved by umount2(2) that could lead elsewhere. */
static int unmount(int parent, const char *name)
{
	return fchdir(parent) < 0 ? -1 : umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW);
}

static int remove_node(struct device *d, struct error *err)
{
	autoclose int root = enter(d, err), parent = -1;
	struct stat st, below;
	char name[256];

	if (root < 0)
		return -1;
	parent = open_parent(d, root, false, name, err);
	if (parent < 0)
		return -1;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot find device \"%s\" in it", d->inside);
	if (!is_node(&st))
		return error_set(err, EINVAL, "\"%s\" in it is not a device", d->inside);
	if (d->number && !same_node(d, &st))
		return error_set(err, EINVAL, "\"%s\" in it is another device (%u:%u) than \"%s\" "
				 "(%u:%u)", d->inside, major(st.st_rdev), minor(st.st_rdev),
				 d->source, major(d->number), minor(d->number));
	/* It may be gone from the host, when it was pulled out. */
	d->mode = st.st_mode;
	d->number = st.st_rdev;
	if (unmount(parent, name) == 0 &&
	    (fstatat(parent, name, &below, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(below.st_mode)))
		return 0; /* what it had covered is not ours */
	setfsgid(d->gid);
	setfsuid(d->uid);
	if (unlinkat(parent, name, 0) < 0)
		return error_sys(err, "cannot remove \"%s\" in it", d->inside);
	return 0;
}

/* ---- the child ---- */

typedef int deed(struct device *, struct error *);

struct verdict {
	int result;
	mode_t mode; /* of the node that was met */
	dev_t number;
	struct error error;
};

static _Noreturn void act(struct device *d, int sock, deed *what)
{
	struct verdict v = {0};

	umask(0);
	v.result = what(d, &v.error);
	v.mode = d->mode;
	v.number = d->number;
	fd_send(sock, &v, sizeof(v), NULL, 0);
	_exit(0);
}

static int in_container(struct device *d, deed *what, struct error *err)
{
	struct verdict v = {0};
	int sock[2], ready;
	ssize_t n = -1;
	pid_t pid;

	if (fd_socketpair(sock) < 0)
		return error_sys(err, "cannot make a socket");
	pid = fork();
	if (pid == 0)
		act(d, sock[1], what);
	close(sock[1]);
	ready = pid < 0 ? -1 : fd_wait(sock[0], TIMEOUT_MS);
	if (ready == 1)
		n = fd_receive(sock[0], &v, sizeof(v), NULL, NULL);
	close(sock[0]);
	if (pid < 0)
		return error_sys(err, "cannot make a process");
	if (ready != 1)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(v))
		return error_set(err, ETIMEDOUT, "cannot change \"%s\" in it within %d seconds",
				 d->inside, TIMEOUT_MS / 1000);
	if (v.result < 0 && err)
		*err = v.error;
	d->mode = v.mode;
	d->number = v.number;
	return v.result;
}

/* ---- outside ---- */

static int choose_owner(struct device *d, struct error *err)
{
	struct conf *conf = container_running_conf(d->container, d->running.rundir, err);
	const struct idmaps *maps;
	unsigned long uid, gid;

	if (!conf)
		return -1;
	maps = idmap_of(conf);
	d->userns = maps->n > 0;
	if (maps->n && idmap_to_host(maps, 'u', 0, &uid) && idmap_to_host(maps, 'g', 0, &gid)) {
		d->uid = (uid_t)uid;
		d->gid = (gid_t)gid;
	}
	conf_free(conf);
	return 0;
}

static int change_rules(const struct device *d, bool allow, struct error *err)
{
	struct cgroup_running at;
	struct journal j;
	char rule[48];
	int result;

	snprintf(rule, sizeof(rule), "%c %u:%u rwm", S_ISCHR(d->mode) ? 'c' : 'b',
		 major(d->number), minor(d->number));
	/* Without a cgroup of its own there are no rules either. */
	result = running_cgroups(&d->running, &j, &at, NULL);
	if (result == 0)
		result = cgroup_set(&at, d->running.rundir, allow ? "devices.allow" : "devices.deny",
				    rule, err);
	else
		result = 0;
	journal_close(&j);
	return result;
}

static int look_at_host(struct device *d, bool must, struct error *err)
{
	struct stat st;

	if (stat("/", &st) < 0)
		return error_sys(err, "cannot look at \"/\"");
	d->root_dev = st.st_dev;
	d->root_ino = st.st_ino;
	if (stat(d->source, &st) < 0)
		return must ? error_sys(err, "cannot find device \"%s\" on the host", d->source) : 0;
	if (!is_node(&st))
		return error_set(err, EINVAL, "\"%s\" is not a device", d->source);
	d->mode = st.st_mode & (S_IFMT | 0777);
	d->number = st.st_rdev;
	return 0;
}

static int prepare(struct device *d, bool must_exist, struct error *err)
{
	if (look_at_host(d, must_exist, err) < 0)
		return -1;
	if (*d->inside != '/') {
		error_set(err, EINVAL, "\"%s\" is not a whole path in the container", d->inside);
		return error_mend(err, "lxc-device -n %s add %s /dev/NAME", d->container->name,
				  d->source);
	}
	if (running_find(d->container, &d->running, err) < 0)
		return -1;
	if (d->running.init_pidfd < 0)
		return error_set(err, EAGAIN, "its init does not run yet");
	return choose_owner(d, err);
}

/* What was said before it was found names the container where that is needed. */
static int said(const struct device *d, int result, struct error *err)
{
	return result == 0 || d->running.rundir < 0 ? result
						    : error_within(err, "%s", d->container->name);
}

#define DEVICE_INIT(c, from, to) {.container = (c), .source = (from), \
	.inside = (to) ? (to) : (from), .running = {.rundir = -1, .init_pidfd = -1}}

int lxcore_device_add(lxcore_container *c, const char *device, const char *inside,
		      lxcore_error *err)
{
	autodevice struct device d = DEVICE_INIT(c, device, inside);
	int result = prepare(&d, true, err);

	if (result == 0)
		result = in_container(&d, add_node, err);
	if (result == 0 && change_rules(&d, true, err) < 0) {
		in_container(&d, remove_node, NULL);
		result = -1;
	}
	return said(&d, result, err);
}

int lxcore_device_remove(lxcore_container *c, const char *device, const char *inside,
			 lxcore_error *err)
{
	autodevice struct device d = DEVICE_INIT(c, device, inside);
	int result = prepare(&d, false, err);

	if (result == 0)
		result = in_container(&d, remove_node, err);
	if (result == 0)
		result = change_rules(&d, false, err);
	return said(&d, result, err);
}
