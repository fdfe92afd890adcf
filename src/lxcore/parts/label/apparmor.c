/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AppArmor: the profile that confines the container.  It is taken on just before init starts, by
 * writing to the process's own attribute in our own procfs: on a host without AppArmor there is
 * nothing that a profile could do, and configurations that name one are the rule, so they start.
 */
#include "base/auto.h"
#include "base/fd.h"
#include "base/path.h"
#include "parts/label/lsm.h"

#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define SECURITYFS "/sys/kernel/security/apparmor"
#define DEFAULT_PROFILE "lxc-container-default-cgns"
#define CACHE_DIR LXCORE_CACHEDIR "/apparmor"
#define PARSER_LIMIT_MS 60000
#define NAMESPACES SECURITYFS "/policy/namespaces"
#define JOURNAL "apparmor-profile" /* value: the file of a profile that is or was loaded */
#define JOURNAL_NAMESPACE "apparmor-namespace" /* value: the directory of a namespace of policies */
#define MOST_NAME 246 /* what leaves room for what the kernel and the parser add to a name */

bool apparmor_is_enabled(void)
{
	char answer = 'N';
	autoclose int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

static bool is(const struct label_conf *s, const char *word)
{
	return s->profile && strcmp(s->profile, word) == 0;
}

static bool confines(const struct label_conf *s)
{
	return !is(s, "unconfined") && !is(s, "unchanged");
}

/* ---- a generated profile ---- */

/* "lxc-NAME_<LXCPATH>": one of its own for each container of each path. */
static char *generated_name(const char *name, const char *lxcpath)
{
	unsigned long long hash = 0xcbf29ce484222325ULL; /* FNV-1a, 64 bits */
	char *whole = str_printf("lxc-%s_<%s>", name, lxcpath);

	if (!whole || strlen(whole) <= MOST_NAME)
		return whole;
	for (const char *at = whole; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3ULL;
	free(whole);
	return str_printf("lxc-%016llx", hash);
}

char *apparmor_name(const struct label_conf *s, const char *name, const char *lxcpath)
{
	if (!confines(s))
		return NULL;
	if (is(s, "generated"))
		return generated_name(name, lxcpath);
	return strdup(s->profile ? s->profile : DEFAULT_PROFILE);
}

static char *profile_name(const struct boot *b, const struct label_conf *s)
{
	return apparmor_name(s, b->name, b->lxcpath);
}

/* 'name' as the last part of a path. */
static char *path_of_name(const char *dir, const char *name)
{
	char *path = str_printf("%s/%s", dir, name);

	for (char *at = path ? path + strlen(dir) + 1 : NULL; at && *at; at++)
		if (*at == '/')
			*at = '-';
	return path;
}

static char *profile_file(const struct boot *b, const char *name)
{
	autofree char *dir = str_printf("%s/%s/apparmor", b->lxcpath, b->name);

	return dir ? path_of_name(dir, name) : NULL;
}

static int run_parser(const char *what, const char *file, struct error *err)
{
	const char *argv[] = {"apparmor_parser", what, CACHE_DIR, file, NULL};
	struct proc_run run = {.argv = argv, .timeout_ms = PARSER_LIMIT_MS};
	autobuf struct buf said = BUF_INIT;
	int status = proc_run(&run, &said, err);

	if (status == 0)
		return 0;
	if (status < 0)
		return error_mend(err, "apt-get install apparmor      (it brings apparmor_parser)\n"
				       "lxc.apparmor.profile = unconfined      (do without AppArmor)");
	if (said.s)
		said.s[strcspn(said.s, "\n")] = '\0';
	error_set(err, EINVAL, "apparmor_parser refused \"%s\": %s", file,
		  said.s ? said.s : "no word why");
	return error_mend(err, "look at lxc.apparmor.raw\n"
			       "lxc.apparmor.profile = unconfined      (do without AppArmor)");
}

/*
 * A container that may have containers may load profiles for them: into a namespace of policies that
 * is its own.  Its processes have two labels, stacked: the profile, and the one of that namespace.
 */
static bool can_stack(const struct label_conf *s)
{
	autobuf struct buf answer = BUF_INIT;

	return s->allow_nesting &&
	       file_read(AT_FDCWD, SECURITYFS "/features/domain/stack", &answer) == 0 &&
	       str_starts(answer.s, "yes");
}

static int make_namespace(struct boot *b, const char *profile, struct error *err)
{
	autofree char *path = path_of_name(NAMESPACES, profile);

	if (!path)
		return error_set(err, ENOMEM, "out of memory");
	if (journal_record(&b->journal, JOURNAL_NAMESPACE, path, err) < 0)
		return -1;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return error_sys(err, "cannot make the AppArmor namespace \"%s\"", path);
	b->apparmor_stacks = true;
	return 0;
}

static int load_generated(struct boot *b, const struct label_conf *s, struct error *err)
{
	autofree char *name = profile_name(b, s);
	autofree char *file = name ? profile_file(b, name) : NULL;
	bool stacks = can_stack(s);
	autofree char *text = name ? apparmor_profile_text(name, s, b->userns, stacks) : NULL;
	autofree char *dir = str_printf("%s/%s/apparmor", b->lxcpath, b->name);

	if (!file || !text || !dir)
		return error_set(err, ENOMEM, "out of memory");
	if (path_make_dirs(dir, 0700) < 0 || path_make_dirs(CACHE_DIR, 0755) < 0)
		return error_sys(err, "cannot make \"%s\"", dir);
	if (journal_record(&b->journal, JOURNAL, file, err) < 0)
		return -1;
	if (file_replace(AT_FDCWD, file, text, 0600) < 0)
		return error_sys(err, "cannot write the AppArmor profile \"%s\"", file);
	if (run_parser("-rWL", file, err) < 0)
		return -1;
	return stacks ? make_namespace(b, name, err) : 0;
}

void apparmor_release(const struct release *r)
{
	const char *file = NULL, *namespace = NULL;

	while ((namespace = journal_previous(r->journal, JOURNAL_NAMESPACE, namespace)))
		rmdir(namespace);
	while ((file = journal_previous(r->journal, JOURNAL, file))) {
		autofree char *dir = strdup(file);

		if (access(file, F_OK) < 0)
			continue;
		run_parser("-RWL", file, NULL);
		unlink(file);
		if (dir && strrchr(dir, '/')) {
			*strrchr(dir, '/') = '\0';
			rmdir(dir);
		}
	}
}

/* ---- doors ---- */

int apparmor_check(const struct boot *b, const struct label_conf *s, struct error *err)
{
	if (!confines(s) || s->allow_incomplete || !apparmor_is_enabled())
		return 0;
	if (access(SECURITYFS "/features/mount/mask", F_OK) == 0 || errno != ENOENT)
		return 0;
	error_set(err, ENOTSUP, "this kernel's AppArmor cannot restrict mounts");
	return error_mend(err, "lxc.apparmor.allow_incomplete = 1      (confine it as far as it goes)\n"
			       "lxc.apparmor.profile = unconfined      (do without AppArmor)");
}

/* Inside a container that is confined itself one keeps its profile, unless another is asked for. */
static bool is_confined(void)
{
	autobuf struct buf label = BUF_INIT;

	return file_read(AT_FDCWD, "/proc/self/attr/current", &label) == 0 &&
	       !str_starts(label.s, "unconfined") && !str_starts(label.s, "/usr/bin/lxc-start");
}

int apparmor_prepare(struct boot *b, const struct label_conf *s, struct error *err)
{
	b->apparmor = apparmor_is_enabled() && (s->profile || !is_confined());
	return b->apparmor && is(s, "generated") ? load_generated(b, s, err) : 0;
}

static int change_profile(int proc, const char *name, struct error *err)
{
	autofree char *text = str_printf("changeprofile %s", name);
	struct statfs fs;

	/* What is written to something that merely looks like procfs confines nothing
	 * (CVE-2019-16884 was that). */
	if (proc < 0 || fstatfs(proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return error_set(err, ENOSYS, "there is no procfs of the container");
	if (!text)
		return error_sys(err, "cannot take the profile");
	if (file_write(proc, "self/attr/apparmor/current", text) == 0)
		return 0;
	/* Before Linux 5.8 AppArmor had no directory of its own. */
	if (errno == ENOENT && faccessat(proc, "self/attr/apparmor/current", F_OK, 0) < 0 &&
	    file_write(proc, "self/attr/current", text) == 0)
		return 0;
	return error_sys(err, "cannot take the profile");
}

int apparmor_enter(struct boot *b, const struct label_conf *s, struct error *err)
{
	autofree char *name = NULL;

	if (is(s, "unchanged") || !b->apparmor)
		return 0;
	name = is(s, "unconfined") ? strdup("unconfined") : profile_name(b, s);
	if (name && b->apparmor_stacks) {
		autofree char *profile = steal_ptr(&name), *namespace = path_of_name("", profile);

		name = namespace ? str_printf("%s//&:%s:", profile, namespace + 1) : NULL;
	}
	if (!name)
		return error_set(err, ENOMEM, "out of memory");
	if (change_profile(b->proc, name, err) == 0)
		return 0;
	error_within(err, "cannot run under AppArmor profile \"%s\" (lxc.apparmor.profile)", name);
	if (err && err->code == ENOENT)
		error_mend(err, "lxc.apparmor.profile = generated      (this profile is not loaded)\n"
				"lxc.apparmor.profile = unconfined      (do without AppArmor)");
	return -1;
}
