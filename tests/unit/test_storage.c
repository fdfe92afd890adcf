/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Types of root filesystems, directories, and layers. */
#include "storage/overlay.h"
#include "storage/storage.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static void storage_types(void)
{
	static const struct {
		const char *text, *source, *refusal;
	} cases[] = {
		{"dir:/a", "/a"},
		{"/nonexistent/a", "/nonexistent/a"},
		{"/nonexistent/a:b", "/nonexistent/a:b"},
		{"dir:/a:b", "/a:b"},
		{"overlay:/a:/b", "/a:/b"},
		{"overlayfs:/a:/b", "/a:/b"},
		{"zfs:pool/a", "pool/a"},
		{"lvm:/dev/g/v", "/dev/g/v"},
		{"nbd:/a.qcow2:1", "/a.qcow2:1"},
		{"directory:/a", NULL, "type \"directory\": there is no such type"},
		{"di:/a", NULL, "there is no such type"},
		{"tape:/a", NULL, "type \"tape\": there is no such type"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct storage s = {0};
		struct error err = {0};
		int result = storage_parse(cases[i].text, &s, &err);

		SAME_NUMBER(result, cases[i].source ? 0 : -1);
		SAME(s.source, cases[i].source);
		if (cases[i].refusal)
			HAS(err.text, cases[i].refusal);
	}
	SAME_NUMBER(storage_driver_find("dir") == &storage_dir, 1);
	SAME_NUMBER(storage_driver_find("zfs") == &storage_zfs, 1);
	SAME_NUMBER(storage_driver_find("tape") == NULL, 1);
}

static void directories_come_and_go(void)
{
	struct unit_dir dir = unit_dir();
	char *kept = unit_file(&dir, "kept", "x");
	char path[128], deep[128];
	const struct storage_new new = {.name = "c"};
	struct error err = {0};
	int at;

	snprintf(path, sizeof(path), "%s/c/rootfs", dir.path);
	SAME_NUMBER(storage_dir.check(path, &err), -1);
	HAS(err.text, "cannot find the root filesystem");
	SAME_NUMBER(storage_dir.create(path, &new, &err), 0);
	SAME_NUMBER(storage_dir.check(path, &err), 0);
	SAME_NUMBER(storage_dir.check(kept, &err), -1);
	HAS(err.text, "it is not a directory");
	/* A tree deeper than there may be open descriptors, and links out of it. */
	at = open(path, O_PATH | O_DIRECTORY);
	SAME_NUMBER(symlinkat(dir.path, at, "out"), 0);
	for (int i = 0; i < 1500; i++) {
		int next;

		mkdirat(at, "d", 0755);
		next = openat(at, "d", O_PATH | O_DIRECTORY);
		close(at);
		at = next;
	}
	close(at);
	SAME_NUMBER(storage_dir.destroy(path, &err), 0);
	SAME_NUMBER(access(path, F_OK), -1);
	SAME_NUMBER(access(kept, F_OK), 0);
	SAME_NUMBER(storage_dir.destroy(path, &err), 0);
	/* The last name being a link, nothing behind it is touched. */
	snprintf(deep, sizeof(deep), "%s/link", dir.path);
	SAME_NUMBER(symlink(dir.path, deep), 0);
	SAME_NUMBER(storage_dir.destroy(deep, &err), -1);
	SAME_NUMBER(access(kept, F_OK), 0);
	free(kept);
	unit_remove(&dir);
}

/* ---- layers ---- */

static void layers_are_taken_apart(void)
{
	static const struct {
		const char *source;
		size_t lowers; /* 0: refused */
		const char *first, *upper, *work;
	} cases[] = {
		{"/a/rootfs:/b/overlay/delta", 1, "/a/rootfs", "/b/overlay/delta", "/b/overlay/work"},
		{"/c:/b:/a:/x/delta.12", 3, "/c", "/x/delta.12", "/x/work.12"},
		{"/a:b/r:/u:v/delta0", 1, "/a:b/r", "/u:v/delta0", "/u:v/work"},
		{"/only", 0, NULL, NULL, NULL},
		{"", 0, NULL, NULL, NULL},
		{"a:/b", 0, NULL, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		autooverlay struct overlay o = {0};
		struct error err = {0};
		autofree char *again = NULL;

		SAME_NUMBER(overlay_parse(cases[i].source, &o, &err), cases[i].lowers ? 0 : -1);
		if (!cases[i].lowers) {
			HAS(err.text, "LOWER:UPPER");
			continue;
		}
		SAME_NUMBER(o.lower.n, cases[i].lowers);
		SAME(o.lower.v[0], cases[i].first);
		SAME(o.upper, cases[i].upper);
		SAME(o.work, cases[i].work);
		again = overlay_source(&o);
		SAME(again, cases[i].source);
	}
}

static void a_sealed_layer_is_the_topmost_lower_one(void)
{
	struct unit_dir dir = unit_dir();
	autooverlay struct overlay o = {0};
	struct error err = {0};
	char path[128], expected[512];
	autofree char *first = NULL, *second = NULL;
	struct stat st;

	snprintf(path, sizeof(path), "%s/rootfs", dir.path);
	SAME_NUMBER(mkdir(path, 0), 0);
	SAME_NUMBER(chmod(path, 01751), 0);
	SAME_NUMBER(setxattr(path, "user.mine", "x", 1, 0), 0);
	SAME_NUMBER(overlay_push(&o, dir.path, path, &err), 0);
	first = overlay_source(&o);
	snprintf(expected, sizeof(expected), "%s:%s/overlay/delta", path, dir.path);
	SAME(first, expected);
	SAME_NUMBER(overlay_make_upper(&o, &err), 0);
	SAME_NUMBER(overlay_is_written(&o, &err), 0);
	SAME_NUMBER(stat(o.upper, &st), 0);
	SAME_NUMBER(st.st_mode & 07777, 01751);
	SAME_NUMBER(getxattr(o.upper, "user.mine", NULL, 0), 1);
	free(unit_file(&dir, "overlay/delta/file", "x"));
	SAME_NUMBER(overlay_is_written(&o, &err), 1);
	SAME_NUMBER(overlay_push(&o, dir.path, path, &err), 0);
	second = overlay_source(&o);
	snprintf(expected, sizeof(expected), "%s/overlay/delta:%s:%s/overlay/delta.1", dir.path,
		 path, dir.path);
	SAME(second, expected);
	unit_remove(&dir);
}

void suite_storage(void)
{
	static const struct unit_test tests[] = {
		{"types of root filesystems", storage_types},
		{"directories are made and removed", directories_come_and_go},
		{"layers are taken apart", layers_are_taken_apart},
		{"a sealed layer is the topmost lower one", a_sealed_layer_is_the_topmost_lower_one},
		{NULL, NULL},
	};

	unit_suite("storage", tests);
}
