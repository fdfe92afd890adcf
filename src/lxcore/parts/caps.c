/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capabilities: what root of the container may never do (lxc.cap.drop), or all that it may
 * (lxc.cap.keep).  The bounding set is cut, and nothing is left in the inheritable and ambient sets
 * that could bring a capability back; the process keeps what it has until it executes init, because
 * the parts behind this one still need it (capabilities(7)).
 */
#include "parts/caps.h"
#include "base/auto.h"
#include "base/fd.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const char *const names[] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
	"setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw",
	"ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct",
	"sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod",
	"lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
	"wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
};

struct caps_conf {
	/* One list in the order as written, and what it means: its first fields are the keys'. */
	char drop, keep; /* only one of the two is true; they are the keys' fields */
	uint64_t mask;
	struct strv list;
};

int caps_number(const char *name)
{
	unsigned long long n;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	if (!str_to_u64(name, &n) || n > 63 || prctl(PR_CAPBSET_READ, n) < 0)
		return -1;
	return (int)n;
}

/* ---- keys ---- */

static struct caps_conf *conf_around(const void *field, const struct conf_key *key)
{
	return (struct caps_conf *)((char *)field - key->offset);
}

static void forget(struct caps_conf *s)
{
	strv_free(&s->list);
	*s = (struct caps_conf){0};
}

static int add_word(struct caps_conf *s, bool keep, const char *word, struct error *err)
{
	int cap = caps_number(word);

	if (strcmp(word, "none") == 0 && keep) {
		strv_free(&s->list);
		s->mask = 0;
		return 0;
	}
	if (cap < 0)
		return error_set(err, EINVAL, "\"%s\" is no capability; they are named as 'net_admin', "
				 "without CAP_ in front", word);
	if (s->mask & (1ULL << cap))
		return 0;
	s->mask |= 1ULL << cap;
	return strv_add(&s->list, word) < 0 ? error_set(err, ENOMEM, "out of memory") : 0;
}

static int set_caps(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	struct caps_conf *s = conf_around(field, key);
	bool keep = field == &s->keep;
	autostrv struct strv words = {0};

	if (keep ? s->drop : s->keep)
		return error_set(err, EINVAL, "lxc.cap.drop and lxc.cap.keep cannot both be set");
	if (strv_split(&words, value, " \t") < 0)
		return error_set(err, ENOMEM, "out of memory");
	/* All or nothing: a refused value must leave the field as it was. */
	for (size_t i = 0; i < words.n; i++) {
		bool none = keep && strcmp(words.v[i], "none") == 0;

		if (!none && caps_number(words.v[i]) < 0)
			return add_word(s, keep, words.v[i], err);
	}
	for (size_t i = 0; i < words.n; i++)
		if (add_word(s, keep, words.v[i], err) < 0)
			return -1;
	*(char *)field = 1;
	return 0;
}

static void get_caps(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	const struct caps_conf *s = conf_around(field, key);

	if (!*(const char *)field)
		return;
	for (size_t i = 0; i < s->list.n; i++)
		buf_addf(out, "%s\n", s->list.v[i]);
	if (!s->list.n)
		buf_puts(out, "none\n");
}

static void clear_caps(void *field, const struct conf_key *key, const char *sub)
{
	/* Either key, emptied, takes back both. */
	forget(conf_around(field, key));
}

static const struct conf_type type_caps = {"CAPABILITY...", set_caps, get_caps, clear_caps, NULL};
static const struct conf_key keys[] = {
	{"lxc.cap.drop", &type_caps, offsetof(struct caps_conf, drop),
	 .summary = "Capabilities that nothing in the container may have."},
	{"lxc.cap.keep", &type_caps, offsetof(struct caps_conf, keep),
	 .syntax = "none|CAPABILITY...",
	 .summary = "The only capabilities that anything in the container may have; none: no "
		    "capability at all."},
	{NULL},
};
static const struct conf_section section = {"caps", sizeof(struct caps_conf), keys};

/* ---- doing it ---- */

uint64_t caps_allowed(const struct conf *c)
{
	const struct caps_conf *s = conf_of(c, &section);

	return s->keep ? s->mask : ~s->mask;
}

int caps_of_process(pid_t pid, uint64_t *ret)
{
	autofree char *path = str_printf("/proc/%d/status", pid);
	autobuf struct buf text = BUF_INIT;
	unsigned long long mask;
	const char *line;

	if (!path || file_read(AT_FDCWD, path, &text) < 0)
		return -1;
	line = strstr(text.s, "\nCapBnd:");
	if (!line || sscanf(line, "\nCapBnd: %llx", &mask) != 1) {
		errno = EINVAL;
		return -1;
	}
	*ret = mask;
	return 0;
}

/* What is inheritable survives an execve by way of file capabilities (capabilities(7)). */
static int clear_inheritable(struct error *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) < 0)
		return error_sys(err, "cannot read the capabilities");
	if (!data[0].inheritable && !data[1].inheritable)
		return 0;
	data[0].inheritable = data[1].inheritable = 0;
	if (syscall(SYS_capset, &head, data) < 0)
		return error_sys(err, "cannot clear the inheritable capabilities");
	return 0;
}

int caps_limit_to(uint64_t mask, struct error *err)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		if (mask & (1ULL << cap) || prctl(PR_CAPBSET_DROP, cap) == 0)
			continue;
		if (errno == EINVAL) /* the kernel's last capability was the one before */
			break;
		error_sys(err, "cannot drop capability %s",
			  cap < ARRAY_SIZE(names) ? names[cap] : "of a newer kernel");
		return error_mend(err, "run it as root: it needs CAP_SETPCAP");
	}
	/* ENOSYS and EINVAL: a kernel without ambient capabilities. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return clear_inheritable(err);
}

static int enter(struct boot *b, struct error *err)
{
	return caps_limit_to(caps_allowed(b->conf), err);
}

const struct part part_caps = {
	.name = "caps",
	.section = &section,
	.enter = enter,
};
