/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of a container's ids, for root and for ordinary users; see mapped.h. */
#include "store/mapped.h"
#include "base/auto.h"
#include "parts/idmap.h"

#include <sys/stat.h>

int mapped_do(mapped_act *act, void *data, struct error *err)
{
	autoidmaps struct idmaps maps = {0};
	const struct idmap_call call = {
		.maps = &maps, .act = act, .data = data, .uid = geteuid(), .gid = getegid(),
	};

	if (geteuid() == 0)
		return act(data, err);
	return idmaps_as_they_are(&maps, err) < 0 ? -1 : idmap_do(&call, err);
}

struct creation {
	const struct storage *s;
	const struct storage_new *new;
};

static int create(void *data, struct error *err)
{
	const struct creation *c = data;

	return c->s->driver->create(c->s->source, c->new, err);
}

int mapped_create(const struct storage *s, const struct storage_new *new, struct error *err)
{
	struct creation c = {s, new};

	return mapped_do(create, &c, err);
}

static int destroy(void *data, struct error *err)
{
	const struct storage *s = data;

	return s->driver->destroy(s->source, err);
}

/* What belongs to the user alone needs no namespace, which not every host grants. */
int mapped_destroy(const struct storage *s, struct error *err)
{
	struct error first = {0};

	if (destroy((void *)s, &first) == 0)
		return 0;
	if (geteuid() != 0 && (first.code == EACCES || first.code == EPERM))
		return mapped_do(destroy, (void *)s, err);
	if (err)
		*err = first;
	errno = first.code;
	return -1;
}

int mapped_remove(const char *path, struct error *err)
{
	const struct storage dir = {&storage_dir, path};

	return mapped_destroy(&dir, err);
}
