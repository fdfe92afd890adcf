/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts as descriptors: see mount.h. */
#include "base/mount.h"
#include "base/auto.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* ---- option strings ---- */

enum kind { ATTRIBUTE, SUPER, PROPAGATION, NOTHING, BIND, RBIND, MOVE, REMOUNT };

static const struct option {
	const char *name;
	enum kind kind;
	uint64_t set, clear;
} options[] = {
	{"defaults", NOTHING, 0, 0},
	{"ro", ATTRIBUTE, MOUNT_ATTR_RDONLY, 0},
	{"rw", ATTRIBUTE, 0, MOUNT_ATTR_RDONLY},
	{"nosuid", ATTRIBUTE, MOUNT_ATTR_NOSUID, 0},
	{"suid", ATTRIBUTE, 0, MOUNT_ATTR_NOSUID},
	{"nodev", ATTRIBUTE, MOUNT_ATTR_NODEV, 0},
	{"dev", ATTRIBUTE, 0, MOUNT_ATTR_NODEV},
	{"noexec", ATTRIBUTE, MOUNT_ATTR_NOEXEC, 0},
	{"exec", ATTRIBUTE, 0, MOUNT_ATTR_NOEXEC},
	{"nosymfollow", ATTRIBUTE, MOUNT_ATTR_NOSYMFOLLOW, 0},
	{"nodiratime", ATTRIBUTE, MOUNT_ATTR_NODIRATIME, 0},
	{"diratime", ATTRIBUTE, 0, MOUNT_ATTR_NODIRATIME},
	/* The three ways of keeping access times are one field: setting one clears the others. */
	{"noatime", ATTRIBUTE, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
	{"strictatime", ATTRIBUTE, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
	{"relatime", ATTRIBUTE, 0, MOUNT_ATTR__ATIME},
	{"atime", ATTRIBUTE, 0, MOUNT_ATTR__ATIME},
	{"norelatime", ATTRIBUTE, 0, MOUNT_ATTR__ATIME},
	{"nostrictatime", ATTRIBUTE, 0, MOUNT_ATTR__ATIME},
	{"sync", SUPER, 0, 0},
	{"async", SUPER, 0, 0},
	{"dirsync", SUPER, 0, 0},
	{"lazytime", SUPER, 0, 0},
	{"mand", SUPER, 0, 0},
	{"nomand", SUPER, 0, 0},
	{"bind", BIND, 0, 0},
	{"rbind", RBIND, 0, 0},
	{"move", MOVE, 0, 0},
	{"remount", REMOUNT, 0, 0},
	{"private", PROPAGATION, MS_PRIVATE, 0},
	{"rprivate", PROPAGATION, MS_PRIVATE | MS_REC, 0},
	{"shared", PROPAGATION, MS_SHARED, 0},
	{"rshared", PROPAGATION, MS_SHARED | MS_REC, 0},
	{"slave", PROPAGATION, MS_SLAVE, 0},
	{"rslave", PROPAGATION, MS_SLAVE | MS_REC, 0},
	{"unbindable", PROPAGATION, MS_UNBINDABLE, 0},
	{"runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC, 0},
};

static int apply(struct mount_options *o, const struct option *known)
{
	struct mount_change *c = &o->change;

	switch (known->kind) {
	case ATTRIBUTE:
		/* The last word on a subject holds. */
		c->set = (c->set & ~known->clear) | known->set;
		c->clear = (c->clear & ~known->set) | known->clear;
		return 0;
	case SUPER:
		return strv_add(&o->super, known->name);
	case PROPAGATION:
		c->propagation = known->set & ~(uint64_t)MS_REC;
		c->propagation_recursive = known->set & MS_REC;
		return 0;
	case BIND:
	case RBIND:
		o->bind = true;
		o->recursive |= known->kind == RBIND;
		return 0;
	case MOVE:
		o->move = true;
		return 0;
	case REMOUNT:
		o->remount = true;
		return 0;
	case NOTHING:
		return 0;
	}
	return 0;
}

static int add_word(struct mount_options *o, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].name, word) == 0)
			return apply(o, &options[i]);
	if (str_starts(word, "idmap=")) {
		free(o->idmap);
		o->idmap = strdup(word + strlen("idmap="));
		return o->idmap ? 0 : -1;
	}
	return strv_add(&o->data, word);
}

/* Length of the first word: up to a comma outside of double quotes. */
static size_t word_length(const char *text)
{
	bool quoted = false;
	size_t n;

	for (n = 0; text[n] && (quoted || text[n] != ','); n++)
		quoted ^= text[n] == '"';
	return n;
}

int mount_options_parse(const char *text, struct mount_options *ret)
{
	*ret = (struct mount_options){0};
	for (;; text++) {
		size_t n = word_length(text);
		autofree char *word = strndup(text, n);

		if (!word || (n && add_word(ret, word) < 0))
			return -1;
		text += n;
		if (!*text)
			break;
	}
	/* A filesystem that is mounted read-only as a whole shall not even write its journal. */
	if (ret->change.set & MOUNT_ATTR_RDONLY)
		return strv_add(&ret->super, "ro");
	return 0;
}

void mount_options_free(struct mount_options *o)
{
	strv_free(&o->super);
	strv_free(&o->data);
	free(steal_ptr(&o->idmap));
}

/* ---- new filesystems ---- */

/* The filesystem's own words on what is wrong: lines 'e tmpfs: ...' of fsopen(2)'s log. */
static void add_kernel_words(int fs, char *into, size_t size)
{
	char line[200];
	ssize_t n;

	*into = '\0';
	while ((n = read(fs, line, sizeof(line) - 1)) > 0) {
		size_t used = strlen(into);

		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		if (n > 2 && (line[0] == 'e' || line[0] == 'w') && line[1] == ' ')
			snprintf(into + used, size - used, "%s%s", used ? "; " : " (", line + 2);
	}
	if (*into) {
		size_t used = strlen(into);

		snprintf(into + used, size - used, ")");
	}
}

static int fail(int fs, struct error *err, const char *fstype, const char *option)
{
	int code = errno;
	char words[300];

	add_kernel_words(fs, words, sizeof(words));
	errno = code;
	return error_set(err, code, "cannot mount a filesystem of type \"%s\"%s%s%s: %s%s", fstype,
			 option ? " with option \"" : "", option ? option : "", option ? "\"" : "",
			 strerror(code), words);
}

static int configure(int fs, const char *option)
{
	const char *equals = strchr(option, '=');
	char name[64];

	if (!equals)
		return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
	if ((size_t)(equals - option) >= sizeof(name)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(name, option, (size_t)(equals - option));
	name[equals - option] = '\0';
	return fsconfig(fs, FSCONFIG_SET_STRING, name, equals + 1, 0);
}

int mount_new(const char *fstype, const char *const *list, unsigned attributes, struct error *err)
{
	autoclose int fs = fsopen(fstype, FSOPEN_CLOEXEC);
	int tree;

	if (fs < 0 && errno == ENODEV)
		return error_set(err, ENODEV,
				 "cannot mount a filesystem of type \"%s\": this kernel has none",
				 fstype);
	if (fs < 0)
		return error_sys(err, "cannot mount a filesystem of type \"%s\"", fstype);
	for (; list && *list; list++)
		if (configure(fs, *list) < 0)
			return fail(fs, err, fstype, *list);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail(fs, err, fstype, NULL);
	tree = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	return tree < 0 ? fail(fs, err, fstype, NULL) : tree;
}

int mount_copy(int dir, const char *path, bool recursive)
{
	return open_tree(dir, path,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH) |
				 (recursive ? AT_RECURSIVE : 0));
}

/* ---- changes ---- */

static bool is_change(const struct mount_change *c)
{
	return c && (c->set || c->clear || c->propagation);
}

static int set_attributes(int mount, const struct mount_change *c)
{
	const unsigned deep = AT_EMPTY_PATH | AT_RECURSIVE, shallow = AT_EMPTY_PATH;
	/* One call where attributes and propagation reach equally far. */
	bool split = c->propagation && c->propagation_recursive == c->shallow;
	struct mount_attr attr = {
		.attr_set = c->set,
		.attr_clr = c->clear,
		.propagation = split ? 0 : c->propagation,
	};

	if ((attr.attr_set || attr.attr_clr || attr.propagation) &&
	    mount_setattr(mount, "", c->shallow ? shallow : deep, &attr, sizeof(attr)) < 0)
		return -1;
	attr = (struct mount_attr){.propagation = c->propagation};
	return split ? mount_setattr(mount, "", c->propagation_recursive ? deep : shallow, &attr,
				     sizeof(attr))
		     : 0;
}

/* Attributes and the flags of mount(2) and statvfs(3) that mean the same. */
static const struct {
	uint64_t attribute;
	unsigned long flag, shown;
} same[] = {
	{MOUNT_ATTR_RDONLY, MS_RDONLY, ST_RDONLY},
	{MOUNT_ATTR_NOSUID, MS_NOSUID, ST_NOSUID},
	{MOUNT_ATTR_NODEV, MS_NODEV, ST_NODEV},
	{MOUNT_ATTR_NOEXEC, MS_NOEXEC, ST_NOEXEC},
	{MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, ST_NODIRATIME},
	{MOUNT_ATTR_NOATIME, MS_NOATIME, ST_NOATIME},
	{MOUNT_ATTR_STRICTATIME, MS_STRICTATIME, 0},
};

/*
 * Linux before 5.12 has no mount_setattr(2): remount the topmost mount of the tree with all flags
 * that it shall have.  The mount has its place already, since mount(2) knows no detached ones.
 */
static int set_attributes_old(int mounted, const struct mount_change *c)
{
	char path[40];
	struct statvfs now;
	uint64_t wanted = 0;
	unsigned long flags = MS_REMOUNT | MS_BIND;

	if (fstatvfs(mounted, &now) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		wanted |= now.f_flag & same[i].shown ? same[i].attribute : 0;
	if (!(now.f_flag & (ST_NOATIME | ST_RELATIME)))
		wanted |= MOUNT_ATTR_STRICTATIME;
	wanted = (wanted & ~c->clear) | c->set;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		flags |= wanted & same[i].attribute ? same[i].flag : 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mounted);
	if ((c->set || c->clear) && mount(NULL, path, NULL, flags, NULL) < 0)
		return -1;
	flags = c->propagation | (c->propagation_recursive ? MS_REC : 0);
	return c->propagation ? mount(NULL, path, NULL, flags, NULL) : 0;
}

int mount_alter(int mounted, const struct mount_change *change)
{
	if (!is_change(change) || set_attributes(mounted, change) == 0)
		return 0;
	return errno == ENOSYS ? set_attributes_old(mounted, change) : -1;
}

int mount_place(int tree, int dir, const char *name, const struct mount_change *change)
{
	bool old = false;

	if (is_change(change) && set_attributes(tree, change) < 0) {
		if (errno != ENOSYS)
			return -1;
		old = true;
	}
	if (move_mount(tree, "", dir, name,
		       MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0 : MOVE_MOUNT_T_EMPTY_PATH)) < 0)
		return -1;
	return old ? set_attributes_old(tree, change) : 0;
}
