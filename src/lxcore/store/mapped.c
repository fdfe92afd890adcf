/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of a container's ids, for root and for ordinary users; see mapped.h. */
#include "store/mapped.h"
#include "base/auto.h"
#include "parts/rootfs.h"
#include "storage/overlay.h"

#include <string.h>
#include <sys/mman.h>

const struct idmaps *mapped_on_disk(const struct conf *conf)
{
	static const struct idmaps none;

	return rootfs_is_idmapped(conf) ? &none : idmap_of(conf);
}

struct copy_map mapped_lines(const struct idmaps *maps, char kind, struct copy_ids **ret)
{
	size_t n = 0;

	*ret = maps && maps->n ? calloc(maps->n, sizeof(**ret)) : NULL;
	for (size_t i = 0; *ret && i < maps->n; i++)
		if (maps->v[i].kind == kind)
			(*ret)[n++] = (struct copy_ids){(uint32_t)maps->v[i].ns,
							(uint32_t)maps->v[i].host,
							(uint32_t)maps->v[i].range};
	return (struct copy_map){*ret, n};
}

int mapped_do(mapped_act *act, void *data, struct error *err)
{
	autoidmaps struct idmaps maps = {0};
	const struct idmap_call call = {
		.maps = &maps, .act = act, .data = data, .uid = geteuid(), .gid = getegid(),
		.mounts = true, /* an overlay is mounted to be looked into */
	};

	if (geteuid() == 0)
		return act(data, err);
	return idmaps_as_they_are(&maps, err) < 0 ? -1 : idmap_do(&call, err);
}

int mapped_as_root(const struct conf *conf, mapped_act *act, void *data, struct error *err)
{
	autoidmaps struct idmaps maps = {0};
	const struct idmap_call call = {.maps = &maps, .act = act, .data = data};
	uid_t uid;
	gid_t gid;

	if (geteuid() == 0 || !idmap_of(conf)->n)
		return act(data, err);
	if (idmaps_with_caller(idmap_of(conf), &maps, &uid, &gid) < 0)
		return error_set(err, ENOMEM, "out of memory");
	return idmap_do(&call, err);
}

struct shared {
	mapped_act *act;
	void *data, *result, *memory; /* which a child has in common with us */
	size_t size;
};

static int act_and_tell(void *data, struct error *err)
{
	const struct shared *s = data;
	int result = s->act(s->data, err);

	memcpy(s->memory, s->result, s->size);
	return result;
}

int mapped_do_for(mapped_act *act, void *data, void *result, size_t size, struct error *err)
{
	struct shared s = {act, data, result, NULL, size};
	int done;

	if (geteuid() == 0)
		return act(data, err);
	s.memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s.memory == MAP_FAILED)
		return error_set(err, ENOMEM, "out of memory");
	memcpy(s.memory, result, size);
	done = mapped_do(act_and_tell, &s, err);
	memcpy(result, s.memory, size);
	munmap(s.memory, size);
	return done;
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

static int make_upper(void *overlay, struct error *err)
{
	return overlay_make_upper(overlay, err);
}

int mapped_make_upper(const struct overlay *o, struct error *err)
{
	return mapped_do(make_upper, (void *)o, err);
}

static int is_written(void *overlay, struct error *err)
{
	return overlay_is_written(overlay, err);
}

int mapped_is_written(const struct overlay *o, struct error *err)
{
	return mapped_do(is_written, (void *)o, err);
}
