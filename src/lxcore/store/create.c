/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making a container with a template: its configuration, an empty root filesystem, and a template that
 * fills it.  The template's processes inherit the lock of the mark (birth.h), so nothing is removed
 * under someone who still writes.
 */
#include "base/error.h"
#include "store/birth.h"
#include "base/fd.h"
#include "base/path.h"
#include "config/global.h"
#include "parts/idmap.h"
#include "parts/rootfs.h"
#include "storage/storage.h"
#include "store/template.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

/* Whom the root filesystem belongs to: id-mapped mounts show that of root of the host as anyone's. */
static void mapped_root(const struct conf *conf, uid_t *uid, gid_t *gid)
{
	unsigned long id;

	*uid = *gid = 0;
	if (rootfs_is_idmapped(conf))
		return;
	*uid = idmap_to_host(idmap_of(conf), 'u', 0, &id) ? (uid_t)id : 0;
	*gid = idmap_to_host(idmap_of(conf), 'g', 0, &id) ? (gid_t)id : 0;
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
	if (idmap_claim(c->conf, c->lxcpath, c->name, err) < 0)
		return -1;
	mapped_root(c->conf, &uid, &gid);
	if (rootfs && storage_dir.create(rootfs, &(struct storage_new){.uid = uid, .gid = gid},
					 err) < 0)
		return -1;
	if (template && template_run(c, template, rootfs, how, partial, err) < 0)
		return -1;
	if (template && write_header(c, template, how->args, err) < 0)
		return -1;
	/* What the template wrote must be a configuration. */
	return lxcore_load(c, NULL, err);
}

static int check_create(const struct lxcore_create *how, struct error *err)
{
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

/* Nothing of a failed one stays, but a root filesystem that the user had placed himself does. */
static int create(lxcore_container *c, const struct lxcore_create *how, struct error *err)
{
	autofree char *template = NULL;
	struct birth b;

	if (check_create(how, err) < 0 ||
	    (how->template && template_find(how->template, &template, err) < 0) ||
	    birth_begin(c, &b, err) < 0)
		return -1;
	if (fill(c, how, template, b.partial, err) == 0 &&
	    store_run_hooks(c, HOOK_CREATE, NULL, err) == 0)
		return birth_finish(&b, err);
	birth_abandon(&b);
	return -1;
}

int lxcore_create(lxcore_container *c, const struct lxcore_create *how, lxcore_error *err)
{
	int result = create(c, how, err);

	return result < 0 && !str_starts(err ? err->text : "", c->name) ?
		       error_within(err, "%s", c->name) : result;
}
