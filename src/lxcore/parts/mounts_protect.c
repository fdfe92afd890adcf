/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of /proc and /sys the container shall not see or not change: lxc.mount.mask, lxc.mount.readonly.
 *
 * A mask is an empty, read-only file or directory of a filesystem that is made for nothing else; no
 * name in the container's tree takes part, least of all its /dev/null, which may be a link to what
 * the mask would then show (CVE-2025-31133).  Each is mounted by the descriptor of the procfs or
 * sysfs that was mounted just before, so it covers what it is meant to.
 */
#include "parts/mounts.h"
#include "base/auto.h"
#include "base/mount.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define READ_ONLY MOUNT_ATTR_RDONLY

/* ---- the keys ---- */

/* Nothing but a place below the two filesystems is meant. */
static bool is_place(const char *path)
{
	autostrv struct strv parts = {0};

	return (str_starts(path, "/proc/") || str_starts(path, "/sys/")) &&
	       strv_split(&parts, path, "/") == 0 && parts.n > 1 && !strv_has(&parts, "..") &&
	       !strv_has(&parts, ".");
}

static int set_places(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	autostrv struct strv words = {0};
	struct strv *places = field;

	if (strv_split(&words, value, " \t") < 0)
		return error_set(err, ENOMEM, "cannot keep the value: out of memory");
	for (size_t i = 0; i < words.n; i++)
		if (strcmp(words.v[i], "none") != 0 && !is_place(words.v[i]))
			return error_set(err, EINVAL, "\"%s\" is no place below /proc or /sys",
					 words.v[i]);
	for (size_t i = 0; i < words.n; i++) {
		if (strcmp(words.v[i], "none") == 0)
			strv_free(places);
		else if (!strv_has(places, words.v[i]) && strv_add(places, words.v[i]) < 0)
			return error_set(err, ENOMEM, "cannot keep the value: out of memory");
	}
	return 0;
}

static void get_places(const void *field, const struct conf_key *key, const char *sub,
		       struct buf *out)
{
	const struct strv *places = field;

	for (size_t i = 0; i < places->n; i++)
		buf_addf(out, "%s\n", places->v[i]);
}

static void clear_places(void *field, const struct conf_key *key, const char *sub)
{
	strv_free(field);
}

const struct conf_type mounts_places_type = {"none|PATH...", set_places, get_places, clear_places,
					     NULL};

/* ---- the mounts ---- */

static bool any_below(const struct strv *places, const char *below)
{
	for (size_t i = 0; i < places->n; i++)
		if (str_starts(places->v[i], below))
			return true;
	return false;
}

/*
 * An empty file "f" and an empty directory "d", read-only, mounted where the procfs or sysfs will be
 * mounted over it: parts of a mount that is nowhere cannot be copied before Linux 6.15.
 */
int mounts_make_blanks(const struct mounts_places *p, const char *below, int at, int *ret,
		       struct error *err)
{
	static const char *const options[] = {"mode=0555", "size=4096", "source=none", NULL};
	static const struct mount_change read_only = {.set = READ_ONLY};
	autoclose int tree = -1;

	if (!any_below(&p->mask, below))
		return 0;
	tree = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
			 err);
	if (tree < 0)
		return -1;
	if (mknodat(tree, "f", S_IFREG | 0444, 0) < 0 || mkdirat(tree, "d", 0555) < 0 ||
	    mount_place(tree, at, "", &read_only) < 0)
		return error_sys(err, "cannot make what masks are made of");
	*ret = steal_fd(&tree);
	return 0;
}

static int mask_one(int mount, const char *place, int blanks, struct error *err)
{
	static const struct mount_change read_only = {.set = READ_ONLY};
	autoclose int tree = -1;
	struct stat st;

	if (fstatat(mount, place, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == EACCES ? 0 :
			error_sys(err, "cannot look at \"%s\" of it", place);
	tree = mount_copy(blanks, S_ISDIR(st.st_mode) ? "d" : "f", false);
	if (tree < 0 || mount_place(tree, mount, place, &read_only) < 0)
		return error_sys(err, "cannot mask \"%s\" of it (lxc.mount.mask)", place);
	return 0;
}

int mounts_make_read_only(int mount, const char *place, struct error *err)
{
	static const struct mount_change read_only = {.set = READ_ONLY};
	autoclose int tree = mount_copy(mount, place, false);

	if (tree < 0 && errno == ENOENT) /* a kernel without it */
		return 0;
	if (tree < 0 || mount_place(tree, mount, place, &read_only) < 0)
		return error_sys(err, "cannot make \"%s\" of it read-only", place);
	return 0;
}

int mounts_protect(const struct mounts_places *p, int mount, const char *below, int blanks,
		   struct error *err)
{
	const size_t skip = strlen(below);
	int result = 0;

	for (size_t i = 0; result == 0 && i < p->readonly.n; i++)
		if (str_starts(p->readonly.v[i], below))
			result = mounts_make_read_only(mount, p->readonly.v[i] + skip, err);
	for (size_t i = 0; result == 0 && i < p->mask.n; i++)
		if (str_starts(p->mask.v[i], below))
			result = mask_one(mount, p->mask.v[i] + skip, blanks, err);
	return result;
}
