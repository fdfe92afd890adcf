/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of containers, lxc-copy(1). */
#include "base/auto.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/path.h"
#include "life/events.h"
#include "store/clone.h"
#include "store/layers.h"

#include <string.h>
#include <sys/random.h>

/* A name that nobody has, as lxc-copy -e chooses them. */
static int choose_name(struct lxcore_container *c, const char *path, char **ret, struct error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	unsigned char raw[6];
	char end[7] = "";

	for (int tries = 0; tries < 100; tries++) {
		autofree char *dir = NULL;

		if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
			return error_sys(err, "cannot get random bytes");
		for (size_t i = 0; i < sizeof(raw); i++)
			end[i] = letters[raw[i] % (sizeof(letters) - 1)];
		*ret = str_printf("%s_%s", c->name, end);
		dir = *ret ? str_printf("%s/%s", path, *ret) : NULL;
		if (!dir)
			return error_set(err, ENOMEM, "out of memory");
		if (access(dir, F_OK) < 0)
			return 0;
		free(steal_ptr(ret));
	}
	return error_set(err, EEXIST, "cannot find a name for the copy in \"%s\"", path);
}

static int check_how(lxcore_container *c, const struct lxcore_copy *how, const char *path,
		     struct error *err)
{
	if (how->tmpfs && !how->snapshot)
		return error_set(err, EINVAL, "cannot keep in memory what a full copy writes: that "
				 "needs a snapshot (-s)");
	if (how->name && strcmp(how->name, c->name) == 0 && strcmp(path, c->lxcpath) == 0) {
		error_set(err, EEXIST, "cannot copy it onto itself");
		return error_mend(err, "lxc-copy -n %s -N NEWNAME", c->name);
	}
	return 0;
}

/* Whoever asks for no result cannot keep it, and starts it as any other. */
static int mark(struct clone *k, struct error *err)
{
	return k->how->ephemeral && k->data ? passing_mark(k->to, &k->done.hold, err) : 0;
}

static int copy(lxcore_container *c, const struct lxcore_copy *how, const char *path,
		const char *name, struct lxcore_copied *ret, struct error *err)
{
	struct clone k = {
		.from = c, .to = lxcore_open(path, name, err), .how = how,
		.share = how->snapshot ? SHARE_OR_FAIL : SHARE_NOT, .last = mark, .data = ret,
	};
	int result = k.to ? clone_make(&k, err) : -1;

	if (result == 0)
		events_tell(path, name, LXCORE_EVENT_CREATE, c->name);
	if (result == 0 && ret) {
		*ret = k.done;
		ret->name = strdup(name);
	}
	lxcore_close(k.to);
	return result;
}

int lxcore_copy(lxcore_container *c, const struct lxcore_copy *how, struct lxcore_copied *ret,
		lxcore_error *err)
{
	autofree char *path = how->path ? store_lxcpath(how->path, err) : strdup(c->lxcpath);
	autofree char *chosen = NULL;

	if (!path || check_how(c, how, path, err) < 0 ||
	    (!how->name && choose_name(c, path, &chosen, err) < 0) ||
	    copy(c, how, path, how->name ? how->name : chosen, ret, err) < 0)
		return error_within(err, "%s", c->name);
	return 0;
}

void lxcore_copied_free(struct lxcore_copied *r)
{
	free(steal_ptr(&r->name));
	if (r->hold)
		close(r->hold);
	r->hold = 0;
}
