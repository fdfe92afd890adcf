/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mount{SOURCE, TARGET, FSTYPE, OPTIONS}: puts a mount into the container.
 *
 * The source is opened and the mount made where the hook is; its target is resolved below the
 * container's root.  Of a container that is built already the mount namespace is entered for that, by a
 * child, for there is no way back for a process that shares its directories with others.
 */
#include "hook.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/path.h"
#include "base/proc.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct request {
	const char *source, *target, *fstype;
	struct mount_options options;
	int tree; /* what is to be put there */
};

static int make_tree(struct request *q, struct error *err)
{
	autostrv struct strv list = {0};

	if (q->options.bind) {
		q->tree = mount_copy(AT_FDCWD, q->source, q->options.recursive);
		return q->tree < 0 ? error_sys(err, "cannot mount \"%s\"", q->source) : 0;
	}
	strv_take(&list, str_printf("source=%s", *q->source ? q->source : q->fstype));
	for (size_t i = 0; i < q->options.super.n; i++)
		strv_add(&list, q->options.super.v[i]);
	for (size_t i = 0; i < q->options.data.n; i++)
		if (!str_starts(q->options.data.v[i], "create="))
			strv_add(&list, q->options.data.v[i]);
	q->tree = mount_new(q->fstype, (const char *const *)list.v, 0, err);
	return q->tree < 0 ? -1 : 0;
}

static int open_target(const struct hook *h, const struct request *q, struct error *err)
{
	int fd = strv_has(&q->options.data, "create=dir") ? path_make_dir_in(h->root, q->target, 0755) :
		 strv_has(&q->options.data, "create=file") ?
		 path_make_file_in(h->root, q->target, 0644) :
		 path_open_in(h->root, q->target, O_PATH, 0);

	if (fd >= 0)
		return fd;
	error_sys(err, "cannot mount on \"%s\" in the container", q->target);
	return errno == ENOENT ? error_mend(err, "options = \"create=dir\" (or create=file) makes it") :
		-1;
}

static int place(const struct hook *h, struct request *q, struct error *err)
{
	autoclose int target = open_target(h, q, err);

	if (target < 0)
		return -1;
	if (mount_place(q->tree, target, "", &q->options.change) < 0)
		return error_sys(err, "cannot mount \"%s\" on \"%s\" in the container",
				 *q->source ? q->source : q->fstype, q->target);
	return 0;
}

static int join_and_place(const struct hook *h, struct request *q, struct error *err)
{
	autofree char *path = str_printf("/proc/%s/ns/mnt", h->word[HELLO_PID]);
	autoclose int ns = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (ns < 0 || setns(ns, CLONE_NEWNS) < 0)
		return error_sys(err, "cannot enter the container's mount namespace");
	return place(h, q, err);
}

static int place_from_outside(const struct hook *h, struct request *q, struct error *err)
{
	struct error told = {0};
	int pair[2], status = 0;
	pid_t pid;

	if (fd_socketpair(pair) < 0)
		return error_sys(err, "cannot make a socket");
	pid = fork();
	if (pid == 0) {
		if (join_and_place(h, q, &told) < 0)
			fd_send(pair[1], &told, sizeof(told), NULL, 0);
		_exit(told.code != 0);
	}
	close(pair[1]);
	if (pid < 0)
		error_sys(err, "cannot make a process");
	else if (fd_receive(pair[0], &told, sizeof(told), NULL, NULL) == sizeof(told) && err)
		*err = told;
	close(pair[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	return pid < 0 || status ? -1 : 0;
}

static const char *word(lua_State *L, const char *name, const char *otherwise)
{
	lua_getfield(L, 1, name);
	return lua_isnil(L, -1) ? otherwise : hook_check_path(L, -1);
}

int hook_mount(lua_State *L)
{
	struct hook *h = hook_of(L);
	struct request q = {.tree = -1};
	struct error err = {0};
	int result;

	luaL_checktype(L, 1, LUA_TTABLE);
	q.source = word(L, "source", "");
	q.target = word(L, "target", "");
	q.fstype = word(L, "fstype", "none");
	result = mount_options_parse(word(L, "options", "bind"), &q.options);
	if (result < 0)
		error_set(&err, ENOMEM, "out of memory");
	else if (h->root < 0)
		result = error_set(&err, ENOENT, "cannot mount anything: the container's root cannot "
				   "be reached in a %s hook", h->word[HELLO_MOMENT]);
	else
		result = make_tree(&q, &err);
	if (result == 0)
		result = hook_is(h, HELLO_PLACE, "host") ? place_from_outside(h, &q, &err) :
							   place(h, &q, &err);
	mount_options_free(&q.options);
	close_fd(&q.tree);
	return result < 0 ? hook_raise(L, &err) : 0;
}
