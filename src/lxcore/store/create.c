/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making a container with a template: its configuration, an empty root filesystem, and a template that
 * fills it.  The template's processes inherit the lock of the mark (birth.h), so nothing is removed
 * under someone who still writes.
 */
#include "base/error.h"
#include "life/events.h"
#include "store/birth.h"
#include "base/fd.h"
#include "base/path.h"
#include "config/global.h"
#include "parts/idmap.h"
#include "parts/rootfs.h"
#include "store/first.h"
#include "store/mapped.h"
#include "store/template.h"
#include "store/template_secrets.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int write_header(struct lxcore_container *c, const char *template, const char *const *args,
			struct error *err)
{
	autobuf struct buf text = BUF_INIT, old = BUF_INIT;
	autostrv struct strv secrets = {0};

	if (template_secrets(template, &secrets) < 0 || strv_add(&secrets, "password") < 0)
		return error_set(err, ENOMEM, "out of memory");
	buf_addf(&text, "# Template used to create this container: %s\n", template);
	buf_puts(&text, "# Parameters passed to the template:");
	for (size_t i = 0; args && args[i]; i++) {
		const char *secret = template_secret_in(&secrets, args[i]);

		/* A password is nobody else's business, and a newline would end the comment. */
		if (secret)
			buf_addf(&text, " %.*s...", (int)(secret - args[i]), args[i]);
		else
			buf_addf(&text, " %s", strpbrk(args[i], "\r\n") ? "..." : args[i]);
	}
	buf_puts(&text, "\n# For additional config options, please look at "
			"lxc.container.conf(5)\n\n");
	if (file_read(AT_FDCWD, c->config_file, &old) < 0)
		return error_sys(err, "cannot read \"%s\"", c->config_file);
	buf_add(&text, old.s, old.len);
	if (text.failed || file_replace(AT_FDCWD, c->config_file, text.s, 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", c->config_file);
	return 0;
}

/* An ordinary user's containers live in user namespaces: without other words in the first range. */
static int add_own_maps(struct conf *conf, struct error *err)
{
	autoidmaps struct idmaps maps = {0};
	autobuf struct buf text = BUF_INIT;

	if (idmaps_first(&maps, err) < 0)
		return -1;
	for (size_t i = 0; i < maps.n; i++) {
		buf_addf(&text, "%c %lu %lu %lu", maps.v[i].kind, maps.v[i].ns, maps.v[i].host,
			 maps.v[i].range);
		if (text.failed || conf_set(conf, "lxc.idmap", text.s, err) < 0)
			return -1;
		buf_free(&text);
	}
	return 0;
}

/* What the configuration begins with: the default one, or the one that was asked for. */
static int load_first_config(struct lxcore_container *c, const struct lxcore_create *how,
			     struct error *err)
{
	autofree char *file = how->config ? strdup(how->config) : NULL;

	if (!file && global_get("lxc.default_config", &file, err) < 0)
		return -1;
	c->conf = conf_new(c->sections.v);
	if (!c->conf)
		return error_set(err, ENOMEM, "out of memory");
	/* No default configuration is an empty one; a file that was asked for must be there. */
	if (file && (how->config || access(file, F_OK) == 0))
		return conf_load(c->conf, file, err);
	return 0;
}

/* With what is this container's own. */
static int write_first_config(struct lxcore_container *c, const char *rootfs, struct error *err)
{
	autobuf struct buf name = BUF_INIT;

	if (rootfs && conf_set(c->conf, "lxc.rootfs.path", rootfs, err) < 0)
		return -1;
	if (conf_get(c->conf, "lxc.uts.name", &name, err) < 0 ||
	    (!name.len && conf_set(c->conf, "lxc.uts.name", c->name, err) < 0))
		return -1;
	if (file_replace(AT_FDCWD, c->config_file, conf_text(c->conf), 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", c->config_file);
	return 0;
}

/* ---- storage ---- */

static struct storage_new wanted_storage(const struct lxcore_container *c,
					 const struct lxcore_create *how)
{
	struct storage_new new = {
		.name = c->name, .dir = c->dir,
		.spec = {
			.dir = how->dir, .fstype = how->fstype, .size = how->fssize,
			.vg = how->vgname, .lv = how->lvname, .thinpool = how->thinpool,
			.rbd_name = how->rbdname, .rbd_pool = how->rbdpool,
			.rbd_user = how->rbduser, .zfs_root = how->zfsroot,
		},
	};

	store_owner(c->conf, &new.uid, &new.gid);
	return new;
}

/* Where it will be: 'TYPE:SOURCE', to be freed. */
static int place_storage(const struct storage_new *new, const struct lxcore_create *how, char **ret,
			 struct error *err)
{
	const struct storage_driver *driver = storage_choose(how->storage, new, err);
	autofree char *source = NULL;

	if (!driver || driver->place(new, &source, err) < 0)
		return -1;
	*ret = str_printf("%s:%s", driver->name, source);
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}

/* Write down what is going to be made, and make it. */
static int make_storage(struct birth *b, const char *rootfs, const struct storage_new *new,
			struct error *err)
{
	struct storage s;

	if (storage_parse(rootfs, &s, err) < 0)
		return -1;
	/* A directory lies in the container's, or the user had placed it himself, and it stays. */
	if (s.driver != &storage_dir && birth_makes(b, rootfs, err) < 0)
		return -1;
	if (mapped_create(&s, new, err) == 0)
		return 0;
	if (err && err->code == EEXIST)
		birth_makes_nothing(b, NULL);
	return -1;
}

/* The directory below which a template finds its mount. */
static int make_mount_point(const char *path, struct error *err)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	return error_sys(err, "cannot make \"%s\"", path);
}

/*
 * The template fills the root filesystem where it is, or mounted for the template alone: the mount
 * goes with the last process of it, and with our descriptor.
 */
static int fill_storage(struct lxcore_container *c, const char *rootfs, const char *template,
			const struct lxcore_create *how, int partial, struct error *err)
{
	autofree char *at = str_printf("%s/rootfs", c->dir);
	autoclose int tree = -1;
	struct storage s;
	int result;

	if (!at)
		return error_set(err, ENOMEM, "out of memory");
	if (storage_parse(rootfs, &s, err) < 0)
		return -1;
	if (!s.driver->mounted_outside)
		return template_run(c, template, s.source, -1, how, partial, err);
	if (make_mount_point(at, err) < 0)
		return -1;
	tree = s.driver->mount(s.source, NULL, err);
	if (tree < 0)
		return -1;
	result = template_run(c, template, at, tree, how, partial, err);
	close_fd(&tree);
	return result == 0 && s.driver->disconnect ? s.driver->disconnect(s.source, err) : result;
}

/* ---- all of it ---- */

static int fill(struct birth *b, const struct lxcore_create *how, const char *template,
		struct error *err)
{
	struct lxcore_container *c = b->c;
	autofree char *rootfs = NULL;
	struct storage_new new;

	if (load_first_config(c, how, err) < 0 ||
	    (geteuid() != 0 && !idmap_any(c->conf) && add_own_maps(c->conf, err) < 0) ||
	    idmap_claim(c->conf, c->lxcpath, c->name, err) < 0)
		return -1;
	new = wanted_storage(c, how);
	if (template && place_storage(&new, how, &rootfs, err) < 0)
		return -1;
	if (write_first_config(c, rootfs, err) < 0)
		return -1;
	if (template && (make_storage(b, rootfs, &new, err) < 0 ||
			 fill_storage(c, rootfs, template, how, b->partial, err) < 0 ||
			 write_header(c, template, how->args, err) < 0))
		return -1;
	/* What the template wrote must be a configuration. */
	return lxcore_load(c, NULL, err);
}

static int check_create(const struct lxcore_create *how, struct error *err)
{
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
	if (fill(&b, how, template, err) == 0 &&
	    store_run_hooks(c, HOOK_CREATE, NULL, err) == 0 &&
	    (!template || first_record(c, err) == 0))
		return birth_finish(&b, err);
	birth_abandon(&b);
	return -1;
}

int lxcore_create(lxcore_container *c, const struct lxcore_create *how, lxcore_error *err)
{
	int result = create(c, how, err);

	if (result == 0)
		events_tell(c->lxcpath, c->name, LXCORE_EVENT_CREATE, NULL);

	return result < 0 && !str_starts(err ? err->text : "", c->name) ?
		       error_within(err, "%s", c->name) : result;
}
