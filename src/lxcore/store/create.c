/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making a container: its directory, its configuration, an empty root filesystem, and a template
 * that fills it.  While that goes on 'partial' is there and locked - by us and by every process of
 * the template, which inherits the lock - so that a half-made container is never taken for a whole
 * one, nor for a leftover while somebody still writes to it.
 */
#include "base/error.h"
#include "store/store.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "config/global.h"
#include "parts/idmap.h"
#include "parts/rootfs.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int list_templates(struct buf *out)
{
	autodir DIR *dir = opendir(LXCORE_TEMPLATEDIR);
	autostrv struct strv names = {0};
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (str_starts(entry->d_name, "lxc-"))
			strv_add(&names, entry->d_name + 4);
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		buf_addf(out, "%s%s", i ? " " : "", names.v[i]);
	return (int)names.n;
}

static int find_template(const char *name, char **ret, struct error *err)
{
	autobuf struct buf known = BUF_INIT;

	*ret = *name == '/' ? strdup(name) : str_printf("%s/lxc-%s", LXCORE_TEMPLATEDIR, name);
	if (!*ret)
		return error_set(err, ENOMEM, "out of memory");
	if (access(*ret, X_OK) == 0 && (*name == '/' || !strchr(name, '/')))
		return 0;
	error_set(err, ENOENT, "cannot find the template \"%s\" (\"%s\")", name, *ret);
	if (list_templates(&known) > 0)
		return error_mend(err, "use one of: %s", known.s);
	return -1;
}

static int write_header(struct lxcore_container *c, const char *template, const char *const *args,
			struct error *err)
{
	autobuf struct buf text = BUF_INIT, old = BUF_INIT;

	buf_addf(&text, "# Template used to create this container: %s\n", template);
	buf_puts(&text, "# Parameters passed to the template:");
	for (size_t i = 0; args && args[i]; i++)
		/* A password is nobody else's business, and a newline would end the comment. */
		buf_addf(&text, " %s", str_starts(args[i], "--password=") ? "--password=..." :
			 strpbrk(args[i], "\r\n") ? "..." : args[i]);
	buf_puts(&text, "\n# For additional config options, please look at "
			"lxc.container.conf(5)\n\n");
	if (file_read(AT_FDCWD, c->config_file, &old) < 0)
		return error_sys(err, "cannot read \"%s\"", c->config_file);
	buf_add(&text, old.s, old.len);
	if (text.failed || file_replace(AT_FDCWD, c->config_file, text.s, 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", c->config_file);
	return 0;
}

static int run_template(struct lxcore_container *c, const char *template, const char *rootfs,
			const struct lxcore_create *how, int partial, struct error *err)
{
	autostrv struct strv argv = {0};
	char text[64];
	struct proc_run run = {
		.own_output = !how->quiet, .own_input = !how->quiet, .private_mounts = true,
		.dies_with_us = true, .keep_fd = partial, .umask = 022,
	};
	int status;

	strv_add(&argv, template);
	strv_take(&argv, str_printf("--path=%s", c->dir));
	strv_take(&argv, str_printf("--name=%s", c->name));
	strv_take(&argv, str_printf("--rootfs=%s", rootfs));
	for (size_t i = 0; how->args && how->args[i]; i++)
		strv_add(&argv, how->args[i]);
	run.argv = (const char *const *)argv.v;
	status = proc_run(&run, NULL, err);
	if (status < 0)
		return -1;
	if (status)
		return error_set(err, ECHILD, "cannot create it: the template \"%s\" ended with %s",
				 template, proc_status_text(status, text));
	return 0;
}

/* What the configuration begins with: the default one, and what is this container's own. */
static int write_first_config(struct lxcore_container *c, const struct lxcore_create *how,
			      const char *rootfs, struct error *err)
{
	autofree char *file = how->config ? strdup(how->config) : NULL;
	autobuf struct buf name = BUF_INIT;
	autofree char *place = rootfs ? str_printf("dir:%s", rootfs) : NULL;
	struct conf *conf;

	if (!file && global_get("lxc.default_config", &file, err) < 0)
		return -1;
	conf = c->conf = conf_new(c->sections.v);
	if (!conf)
		return error_set(err, ENOMEM, "out of memory");
	/* No default configuration is an empty one; a file that was asked for must be there. */
	if (file && (how->config || access(file, F_OK) == 0) && conf_load(conf, file, err) < 0)
		return -1;
	if (place && conf_set(conf, "lxc.rootfs.path", place, err) < 0)
		return -1;
	if (conf_get(conf, "lxc.uts.name", &name, err) < 0 ||
	    (!name.len && conf_set(conf, "lxc.uts.name", c->name, err) < 0))
		return -1;
	if (file_replace(AT_FDCWD, c->config_file, conf_text(conf), 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", c->config_file);
	return 0;
}

static void mapped_root(const struct conf *conf, uid_t *uid, gid_t *gid)
{
	unsigned long id;

	*uid = idmap_to_host(idmap_of(conf), 'u', 0, &id) ? (uid_t)id : 0;
	*gid = idmap_to_host(idmap_of(conf), 'g', 0, &id) ? (gid_t)id : 0;
}

/* Make and lock 'partial' in a directory; the descriptor that holds it. */
static int mark_partial(const char *dir, struct error *err)
{
	autofree char *path = str_printf("%s/" STORE_PARTIAL, dir);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	autoclose int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0 ||
	    fd_write_all(fd, STORE_PARTIAL_WORDS, strlen(STORE_PARTIAL_WORDS)) < 0)
		return error_sys(err, "cannot make \"%s\"", path ? path : STORE_PARTIAL);
	return steal_fd(&fd);
}

static int unmark_partial(struct lxcore_container *c, struct error *err)
{
	autofree char *path = str_printf("%s/" STORE_PARTIAL, c->dir);

	if (!path || unlink(path) < 0)
		return error_sys(err, "cannot finish its creation");
	return 0;
}

static int fill(struct lxcore_container *c, const struct lxcore_create *how, const char *template,
		int partial, struct error *err)
{
	autofree char *rootfs = NULL;
	uid_t uid;
	gid_t gid;

	if (template)
		rootfs = how->dir ? strdup(how->dir) : str_printf("%s/rootfs", c->dir);
	if (write_first_config(c, how, rootfs, err) < 0)
		return -1;
	mapped_root(c->conf, &uid, &gid);
	if (rootfs && storage_dir.create(rootfs, uid, gid, err) < 0)
		return -1;
	/* Whatever our caller's umask is: the container's users must get through its root. */
	if (rootfs && chmod(rootfs, 0755) < 0)
		return error_sys(err, "cannot set the mode of \"%s\"", rootfs);
	if (template && run_template(c, template, rootfs, how, partial, err) < 0)
		return -1;
	if (template && write_header(c, template, how->args, err) < 0)
		return -1;
	/* What the template wrote must be a configuration. */
	return lxcore_load(c, NULL, err);
}

static int check_create(struct lxcore_container *c, const struct lxcore_create *how,
			struct error *err)
{
	bool locked;

	if (store_is_partial(c, &locked))
		return error_set(err, EBUSY, "another command is creating it");
	if (lxcore_is_defined(c)) {
		error_set(err, EEXIST, "cannot create it: it exists already (\"%s\")", c->dir);
		return error_mend(err, "use another name, or lxc-destroy -n %s", c->name);
	}
	if (how->storage && strcmp(how->storage, "dir") && strcmp(how->storage, "best") &&
	    strcmp(how->storage, "none")) {
		error_set(err, ENOTSUP, "cannot create it on \"%s\": this storage is not supported "
			  "yet (-B)", how->storage);
		return error_mend(err, "leave -B out, or use -B dir");
	}
	if (how->dir && *how->dir != '/')
		return error_set(err, EINVAL, "cannot use \"%s\" for its root filesystem: the path is "
				 "not absolute (--dir)", how->dir);
	return 0;
}

/*
 * Make its directory with the locked mark in it, all at once: it is made as what store_tidy() would
 * remove, and renamed.  There must be nothing yet of that name but an empty directory: it would be
 * somebody's.
 */
static int make_dir(struct lxcore_container *c, int *ret_partial, struct error *err)
{
	autofree char *fresh = store_trash_path(c);
	autoclose int partial = -1;

	if (path_make_dirs(c->lxcpath, 0755) < 0)
		return error_sys(err, "cannot make \"%s\"", c->lxcpath);
	if (!fresh || storage_dir.destroy(fresh, err) < 0)
		return -1;
	/* The mode is what it is to be whatever our caller's umask is. */
	if (mkdir(fresh, 0770) < 0 || chmod(fresh, 0770) < 0)
		return error_sys(err, "cannot make a directory in \"%s\"", c->lxcpath);
	partial = mark_partial(fresh, err);
	if (partial >= 0 && rename(fresh, c->dir) == 0) {
		*ret_partial = steal_fd(&partial);
		return 0;
	}
	if (partial >= 0) {
		error_sys(err, "cannot make its directory \"%s\"", c->dir);
		error_mend(err, "use another name, or move that directory away");
	}
	storage_dir.destroy(fresh, NULL);
	return -1;
}

static int create_locked(struct lxcore_container *c, const struct lxcore_create *how,
			 const char *template, struct error *err)
{
	autoclose int partial = -1;

	if (make_dir(c, &partial, err) < 0)
		return -1;
	if (fill(c, how, template, partial, err) == 0 && unmark_partial(c, err) == 0)
		return 0;
	/* Nothing of it stays, but a root filesystem that the user had placed himself does. */
	conf_free(c->conf);
	c->conf = NULL;
	store_remove_dir(c, NULL);
	return -1;
}

int lxcore_create(lxcore_container *c, const struct lxcore_create *how, lxcore_error *err)
{
	autofree char *template = NULL;
	autoclose int lock = -1, rundir = -1;
	int result;

	if (check_create(c, how, err) < 0 ||
	    (how->template && find_template(how->template, &template, err) < 0))
		return error_within(err, "%s", c->name);
	rundir = rundir_lock(c->lxcpath, c->name, 0, &lock, err);
	if (rundir < 0)
		return error_within(err, "%s", c->name);
	result = create_locked(c, how, template, err);
	rundir_remove(c->lxcpath, c->name, rundir);
	return result < 0 && !str_starts(err ? err->text : "", c->name) ?
		       error_within(err, "%s", c->name) : result;
}
