/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The security label that the container's processes run under: an AppArmor profile or an SELinux
 * context, whichever the host has.  Each has a file of its own; here are the keys, and what attached
 * processes need.
 */
#include "base/auto.h"
#include "base/fd.h"
#include "parts/label/lsm.h"

#include <string.h>

#define FIELD(name) offsetof(struct label_conf, name)
static const struct conf_key keys[] = {
	{"lxc.apparmor.profile", &conf_string, FIELD(profile),
	 .syntax = "generated|unconfined|unchanged|PROFILE",
	 .summary = "AppArmor profile of the container, on hosts that have AppArmor."},
	{"lxc.apparmor.allow_incomplete", &conf_bool, FIELD(allow_incomplete), .preset = "0",
	 .summary = "Start although this kernel's AppArmor cannot restrict mounts."},
	{"lxc.apparmor.allow_nesting", &conf_bool, FIELD(allow_nesting), .preset = "0",
	 .summary = "A generated profile lets the container start containers itself, and load profiles "
		    "for them: the kernel keeps these in a namespace of the container's own."},
	{"lxc.apparmor.raw", &conf_list, FIELD(raw), .syntax = "RULE",
	 .summary = "A line for a generated profile. What a rule 'deny' refuses leaves no record; "
		    "that of 'audit deny' is told where a start fails by it."},
	{"lxc.selinux.context", &conf_string, FIELD(context), .syntax = "CONTEXT",
	 .summary = "SELinux context of the container."},
	{"lxc.selinux.context.keyring", &conf_string, FIELD(keyring), .syntax = "CONTEXT",
	 .summary = "SELinux context of the container's session keyring; lxc.selinux.context when "
		    "unset."},
	{"lxc.selinux.context.rootfs", &conf_string, FIELD(rootfs), .syntax = "CONTEXT",
	 .summary = "SELinux context that all files of the root filesystem are given, once, before a "
		    "start."},
	{NULL},
};
static const struct conf_section section = {"label", sizeof(struct label_conf), keys};

static int check(const struct boot *b, struct error *err)
{
	const struct label_conf *s = conf_of(b->conf, &section);

	return selinux_check(b, s, err) < 0 || apparmor_check(b, s, err) < 0 ? -1 : 0;
}

static int prepare(struct boot *b, struct error *err)
{
	const struct label_conf *s = conf_of(b->conf, &section);

	return selinux_prepare(b, s, err) < 0 ? -1 : apparmor_prepare(b, s, err);
}

static int enter(struct boot *b, struct error *err)
{
	const struct label_conf *s = conf_of(b->conf, &section);

	return selinux_enter(b, s, err) < 0 || apparmor_enter(b, s, err) < 0 ? -1 : 0;
}

char *label_name_in_log(const struct conf *c, const char *name, const char *lxcpath)
{
	const struct label_conf *s = conf_of(c, &section);
	const char *type = s->context ? strrchr(s->context, '_') : NULL;

	if (!selinux_is_enabled())
		return apparmor_name(s, name, lxcpath);
	/* As the record has it: without the categories, which it may write in another way. */
	return type ? strndup(s->context, (size_t)(type - s->context) + 2) : NULL;
}

/* ---- attached processes ---- */

/* Init's label: "PROFILE (enforce)" and a newline under AppArmor, the context under SELinux. */
static char *label_of(pid_t pid, bool apparmor)
{
	autofree char *path = str_printf("/proc/%d/attr/%s", pid,
					 apparmor ? "apparmor/current" : "current");
	autobuf struct buf text = BUF_INIT;

	if (!path || (file_read(AT_FDCWD, path, &text) < 0 && errno != ENOENT))
		return NULL;
	if (!text.s) {
		/* Before Linux 5.8 AppArmor had no directory of its own. */
		autofree char *old = str_printf("/proc/%d/attr/current", pid);

		if (!old || file_read(AT_FDCWD, old, &text) < 0)
			return NULL;
	}
	text.s[strcspn(text.s, "\n")] = '\0';
	if (apparmor && strstr(text.s, " ("))
		*strstr(text.s, " (") = '\0';
	return buf_steal(&text);
}

static int open_attribute(bool apparmor)
{
	int fd = apparmor ? open("/proc/self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC) : -1;

	return fd >= 0 ? fd : open("/proc/self/attr/exec", O_WRONLY | O_CLOEXEC);
}

int label_attach(const struct conf *c, pid_t init, const char *context, struct error *err)
{
	bool selinux = selinux_is_enabled(), apparmor = !selinux && apparmor_is_enabled();
	autofree char *label = NULL, *text = NULL;
	autoclose int fd = -1;

	if (context && !selinux && !apparmor) {
		error_set(err, ENOTSUP, "cannot run under label \"%s\": this host has neither AppArmor "
					"nor SELinux", context);
		return error_mend(err, "leave the label out");
	}
	if (!selinux && !apparmor)
		return 0;
	label = context ? strdup(context) : label_of(init, apparmor);
	if (!label)
		return error_sys(err, "cannot read the security label of its init");
	if (!*label || strcmp(label, "unconfined") == 0)
		return 0;
	text = str_printf("%s%s", apparmor ? "exec " : "", label);
	fd = open_attribute(apparmor);
	if (!text || fd < 0 || write(fd, text, strlen(text)) < 0)
		return error_sys(err, "cannot take the security label \"%s\"", label);
	return 0;
}

const struct part part_label = {
	.name = "label",
	.section = &section,
	.check = check,
	.prepare = prepare,
	.enter = enter,
	.release = apparmor_release,
};
