/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The container's host name, and the machine type that uname(2) tells its processes. */
#include "parts/uts.h"
#include "base/auto.h"

#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>

struct uts_conf {
	char *name;
	int arch;
};
enum { ARCH_UNCHANGED, ARCH_32, ARCH_64 };

static const struct conf_word arches[] = {
	/* The first word of each kind is what is shown. */
	{"x86_64", ARCH_64}, {"i686", ARCH_32}, {"unchanged", ARCH_UNCHANGED},
	{"arm", ARCH_32}, {"armel", ARCH_32}, {"armhf", ARCH_32}, {"armv7l", ARCH_32},
	{"athlon", ARCH_32}, {"i386", ARCH_32}, {"i486", ARCH_32}, {"i586", ARCH_32},
	{"linux32", ARCH_32}, {"mips", ARCH_32}, {"mipsel", ARCH_32}, {"ppc", ARCH_32},
	{"powerpc", ARCH_32}, {"x32", ARCH_32}, {"x86", ARCH_32},
	{"aarch64", ARCH_64}, {"amd64", ARCH_64}, {"arm64", ARCH_64}, {"linux64", ARCH_64},
	{"loongarch64", ARCH_64}, {"loong64", ARCH_64}, {"mips64", ARCH_64}, {"mips64el", ARCH_64},
	{"ppc64", ARCH_64}, {"ppc64el", ARCH_64}, {"ppc64le", ARCH_64}, {"powerpc64", ARCH_64},
	{"riscv64", ARCH_64}, {"s390x", ARCH_64}, {NULL, 0},
};

static int set_name(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	if (strlen(value) >= sizeof(((struct utsname *)0)->nodename))
		return error_set(err, EINVAL, "\"%s\" is longer than a host name can be (%zu bytes)",
				 value, sizeof(((struct utsname *)0)->nodename) - 1);
	return conf_string.set(field, key, sub, value, err);
}

static void get_name(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	conf_string.get(field, key, sub, out);
}

static void clear_name(void *field, const struct conf_key *key, const char *sub)
{
	conf_string.clear(field, key, sub);
}

static int set_arch(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	if (conf_choice.set(field, key, sub, value, NULL) == 0)
		return 0;
	return error_set(err, EINVAL, "\"%s\" is no known architecture; write it as uname -m or "
				      "dpkg --print-architecture do", value);
}

static void get_arch(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	if (*(const int *)field != ARCH_UNCHANGED)
		conf_choice.get(field, key, sub, out);
}

static void clear_arch(void *field, const struct conf_key *key, const char *sub)
{
	*(int *)field = ARCH_UNCHANGED;
}

static const struct conf_type type_name = {"NAME", set_name, get_name, clear_name, conf_replaces};
static const struct conf_type type_arch = {"ARCHITECTURE", set_arch, get_arch, clear_arch,
					   conf_replaces};
static const struct conf_key keys[] = {
	{"lxc.uts.name", &type_name, offsetof(struct uts_conf, name),
	 .summary = "The container's host name."},
	{"lxc.arch", &type_arch, offsetof(struct uts_conf, arch), .extra = arches,
	 .summary = "Architecture that the container's processes see: a 32-bit one makes uname tell "
		    "a 32-bit machine."},
	{NULL},
};
static const struct conf_section section = {"uts", sizeof(struct uts_conf), keys};

static unsigned long personality_for(int arch)
{
	return arch == ARCH_UNCHANGED ? UTS_PERSONALITY_UNCHANGED :
	       arch == ARCH_32 ? PER_LINUX32 : PER_LINUX;
}

unsigned long uts_personality_of(const struct conf *c)
{
	const struct uts_conf *s = conf_of(c, &section);

	return personality_for(s->arch);
}

bool uts_personality_parse(const char *arch, unsigned long *ret)
{
	for (const struct conf_word *w = arches; w->word; w++)
		if (strcmp(w->word, arch) == 0) {
			*ret = personality_for(w->value);
			return true;
		}
	return false;
}

/* With lxc.namespace.share.uts the name is the other container's. */
static bool is_shared(const struct boot *b)
{
	autobuf struct buf with = BUF_INIT;

	return conf_get(b->conf, "lxc.namespace.share.uts", &with, NULL) == 0 && with.len;
}

static int prepare(struct boot *b, struct error *err)
{
	const struct uts_conf *s = conf_of(b->conf, &section);
	struct utsname host;

	if (!s->name || (b->clone_flags & CLONE_NEWUTS) || is_shared(b) || uname(&host) < 0 ||
	    strcmp(host.nodename, s->name) == 0)
		return 0;
	error_set(err, EINVAL, "cannot name the container \"%s\": it keeps the host's uts namespace, "
		  "so that would rename the host (lxc.uts.name, %s)", s->name,
		  conf_where(b->conf, "lxc.uts.name"));
	return error_mend(err, "remove lxc.uts.name, or 'uts' from lxc.namespace.keep");
}

static int enter(struct boot *b, struct error *err)
{
	const struct uts_conf *s = conf_of(b->conf, &section);

	if (s->name && (b->clone_flags & CLONE_NEWUTS) &&
	    sethostname(s->name, strlen(s->name)) < 0)
		return error_sys(err, "cannot set host name \"%s\" (lxc.uts.name)", s->name);
	if (s->arch != ARCH_UNCHANGED && personality(personality_for(s->arch)) < 0)
		return error_sys(err, "cannot set the architecture (lxc.arch)");
	return 0;
}

const struct part part_uts = {
	.name = "uts",
	.section = &section,
	.prepare = prepare,
	.enter = enter,
};
