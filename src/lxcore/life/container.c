/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handle that programs hold, its configuration, and what runs behind it. */
#include "base/error.h"
#include "life/container.h"
#include "base/fd.h"
#include "base/path.h"
#include "parts/cgroup/cgroup.h"
#include "parts/network/network.h"

#include <string.h>
#include <sys/stat.h>

const char *lxcore_name(const lxcore_container *c)
{
	return c->name;
}

const char *lxcore_path(const lxcore_container *c)
{
	return c->lxcpath;
}

bool lxcore_is_defined(lxcore_container *c)
{
	return access(c->config_file, F_OK) == 0;
}

/* ---- configuration ---- */

struct conf *container_conf(struct lxcore_container *c, struct error *err)
{
	struct conf *conf;

	if (c->conf)
		return c->conf;
	conf = conf_new(c->sections.v);
	if (!conf) {
		error_set(err, ENOMEM, "cannot read its configuration: out of memory");
		return NULL;
	}
	if ((c->rcfile || lxcore_is_defined(c)) &&
	    conf_load(conf, c->rcfile ? c->rcfile : c->config_file, err) < 0) {
		conf_free(conf);
		return NULL;
	}
	return c->conf = conf;
}

struct conf *container_running_conf(struct lxcore_container *c, int rundir, struct error *err)
{
	autobuf struct buf text = BUF_INIT;
	struct conf *conf = NULL;

	if (file_read(rundir, RUNDIR_CONFIG, &text) < 0)
		error_sys(err, "cannot read the configuration that %s runs with", c->name);
	else
		conf = conf_new(c->sections.v);
	if (conf && conf_load_text(conf, text.s, "config of the running container", err) < 0) {
		conf_free(conf);
		conf = NULL;
	}
	return conf;
}

static int forget_conf(lxcore_container *c, const char *file)
{
	char *copy = file ? strdup(file) : NULL;

	if (file && !copy)
		return -1;
	free(c->rcfile);
	c->rcfile = copy;
	conf_free(c->conf);
	c->conf = NULL;
	return 0;
}

int lxcore_load(lxcore_container *c, const char *file, lxcore_error *err)
{
	if (forget_conf(c, file) < 0)
		return error_set(err, ENOMEM, "%s: out of memory", c->name);
	return container_conf(c, err) ? 0 : error_within(err, "%s", c->name);
}

int lxcore_define(lxcore_container *c, const char *key, const char *value, const char *origin,
		  lxcore_error *err)
{
	struct conf *conf = container_conf(c, err);

	if (!conf || conf_define(conf, key, value, origin, err) < 0)
		return error_within(err, "%s", c->name);
	return 0;
}

int lxcore_set(lxcore_container *c, const char *key, const char *value, lxcore_error *err)
{
	struct conf *conf = container_conf(c, err);

	if (!conf || conf_set(conf, key, value, err) < 0)
		return error_within(err, "%s", c->name);
	return 0;
}

int lxcore_unset(lxcore_container *c, const char *key, lxcore_error *err)
{
	struct conf *conf = container_conf(c, err);

	if (!conf || conf_unset(conf, key, err) < 0)
		return error_within(err, "%s", c->name);
	return 0;
}

int lxcore_save(lxcore_container *c, const char *file, lxcore_error *err)
{
	struct conf *conf = container_conf(c, err);

	if (!conf)
		return error_within(err, "%s", c->name);
	if (!file && path_make_dirs(c->dir, 0770) < 0) {
		error_sys(err, "cannot make \"%s\"", c->dir);
		return error_within(err, "%s", c->name);
	}
	if (file_replace(AT_FDCWD, file ? file : c->config_file, conf_text(conf), 0640) < 0) {
		error_sys(err, "cannot write \"%s\"", file ? file : c->config_file);
		return error_within(err, "%s", c->name);
	}
	return 0;
}

/* As it was started, and where that was left to us, as it turned out. */
static int get_running(struct lxcore_container *c, const char *key, struct buf *value,
		       struct error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	struct conf *conf;
	struct journal j;
	int result;

	if (running_find(c, &r, err) < 0)
		return -1;
	conf = container_running_conf(c, r.rundir, err);
	result = conf ? conf_get(conf, key, value, err) : -1;
	conf_free(conf);
	if (result == 0 && !value->len && journal_load(&j, r.rundir)) {
		network_running_value(&j, key, value);
		journal_close(&j);
	}
	return result;
}

int lxcore_get(lxcore_container *c, const char *key, bool running, char **ret, lxcore_error *err)
{
	struct conf *conf = running ? NULL : container_conf(c, err);
	struct buf value = BUF_INIT;
	int result = -1;

	if (running)
		result = get_running(c, key, &value, err);
	else if (conf)
		result = conf_get(conf, key, &value, err);
	if (result < 0) {
		buf_free(&value);
		return error_within(err, "%s", c->name);
	}
	*ret = buf_steal(&value);
	return 0;
}

const char *const *lxcore_notices(lxcore_container *c)
{
	static const char *const none[] = {NULL};
	const struct strv *notices = c->conf ? conf_notices(c->conf) : NULL;

	return notices && notices->v ? (const char *const *)notices->v : none;
}

static const char *section_of(const struct conf_section *const *sections,
			      const struct conf_key *key)
{
	for (; *sections; sections++)
		for (const struct conf_key *k = (*sections)->keys; k->name; k++)
			if (k == key)
				return (*sections)->name;
	return NULL;
}

/* '*state' is the place of a key, and above bit 16 that of the member that comes next. */
bool lxcore_next_key(size_t *state, struct lxcore_key *ret)
{
	struct boot_sections sections;
	size_t place = *state & 0xffff, member = *state >> 16, next = place;
	const struct conf_key *family, *key;

	boot_list_sections(&sections);
	family = conf_next_key(sections.v, &next);
	if (!family)
		return false;
	key = member ? &family->members[member - 1] : family;
	*ret = (struct lxcore_key){
		.name = family->name, .member = member ? key->name : NULL,
		.syntax = key->syntax ? key->syntax : key->type->syntax,
		.preset = key->preset, .summary = key->summary, .unsupported = key->unsupported,
		.section = section_of(sections.v, family),
	};
	*state = family->members && family->members[member].name ? (member + 1) << 16 | place : next;
	return true;
}

/* ---- what runs ---- */

/* Each user has run directories of his own: of the containers of others he knows nothing. */
static bool is_of_others(const struct lxcore_container *c, uid_t *ret_owner)
{
	struct stat st;

	if (geteuid() == 0 || stat(c->config_file, &st) < 0)
		return false;
	*ret_owner = st.st_uid;
	return st.st_uid != geteuid();
}

/* Neither a mistyped name nor what is another user's passes for a container that happens not to run. */
static int none_running(struct lxcore_container *c, struct error *err)
{
	uid_t owner;

	if (is_of_others(c, &owner)) {
		error_set(err, EACCES, "%s: no permission to see whether it runs: it belongs to "
			  "user %u", c->name, owner);
		return error_mend(err, owner == 0 ? "the same command as root" :
				  "the same command as that user");
	}
	if (lxcore_is_defined(c) || c->rcfile)
		return error_set(err, ESRCH, "%s is not running", c->name);
	error_set(err, ENOENT, "%s: there is no such container in \"%s\"", c->name, c->lxcpath);
	return error_mend(err, "lxc-ls -P %s      (shows those that there are)", c->lxcpath);
}

int running_find(struct lxcore_container *c, struct running *ret, struct error *err)
{
	autoclose int rundir = rundir_open(c->lxcpath, c->name);

	*ret = (struct running){.rundir = -1, .init_pidfd = -1};
	if (rundir < 0 && errno == EACCES)
		return error_sys(err, "cannot look at the run directory of %s", c->name);
	if (rundir < 0 || !rundir_is_locked(rundir))
		return none_running(c, err);
	/* Locked without a state: an operation on a stopped container, or the first microseconds. */
	if (!rundir_read_state(rundir, &ret->state))
		return none_running(c, err);
	ret->init_pidfd = proc_open(ret->state.init);
	ret->rundir = steal_fd(&rundir);
	return 0;
}

void running_close(struct running *r)
{
	close_fd(&r->rundir);
	close_fd(&r->init_pidfd);
}

int running_cgroups(const struct running *r, struct journal *j, struct cgroup_running *ret,
		    struct error *err)
{
	*j = (struct journal){.fd = -1};
	if (!journal_load(j, r->rundir))
		return error_set(err, ENOENT, "its journal cannot be read");
	return cgroup_of_running(j, ret, err);
}

enum lxcore_state lxcore_state(lxcore_container *c)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};

	if (running_find(c, &r, NULL) < 0)
		return LXCORE_STOPPED;
	if (r.state.state == LXCORE_RUNNING && cgroup_is_frozen_at(r.rundir))
		return LXCORE_FROZEN;
	return r.state.state;
}

pid_t lxcore_init_pid(lxcore_container *c)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};

	return running_find(c, &r, NULL) < 0 || r.init_pidfd < 0 ? 0 : r.state.init.pid;
}

pid_t lxcore_supervisor_pid(lxcore_container *c)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};

	return running_find(c, &r, NULL) < 0 ? 0 : r.state.supervisor.pid;
}

int lxcore_last_end(lxcore_container *c, struct lxcore_ended *ret, lxcore_error *err)
{
	struct run_exit e;

	if (!rundir_read_exit(c->lxcpath, c->name, &e))
		return error_set(err, ENOENT, "%s has not run since this host was booted", c->name);
	*ret = (struct lxcore_ended){
		.status = e.status, .when = e.when, .oom_kills = e.oom_kills,
		.out_of_memory = e.out_of_memory,
	};
	return 0;
}

int lxcore_last_exit(lxcore_container *c, int *ret_status, int64_t *ret_when, lxcore_error *err)
{
	struct lxcore_ended e;

	if (lxcore_last_end(c, &e, err) < 0)
		return -1;
	*ret_status = e.status;
	*ret_when = e.when;
	return 0;
}
