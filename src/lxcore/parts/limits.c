/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits of the container's init, which all it starts inherits: resource limits, and what is written
 * into its directory of /proc (oom_score_adj and the like).  Set from the host, because the container
 * must not be able to do it.
 */
#include "parts/limits.h"
#include "base/auto.h"
#include "base/fd.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

struct limits_conf {
	struct conf_pairs prlimits, proc;
};

static const struct conf_word resources[] = {
	{"as", RLIMIT_AS},           {"core", RLIMIT_CORE},       {"cpu", RLIMIT_CPU},
	{"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},     {"locks", RLIMIT_LOCKS},
	{"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
	{"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},     {"rss", RLIMIT_RSS},
	{"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},   {"sigpending", RLIMIT_SIGPENDING},
	{"stack", RLIMIT_STACK},     {NULL, 0},
};

/* ---- keys ---- */

static int find_resource(const char *name)
{
	unsigned long long n;

	for (const struct conf_word *w = resources; w->word; w++)
		if (strcmp(w->word, name) == 0)
			return w->value;
	return str_to_u64(name, &n) && n < RLIM_NLIMITS ? (int)n : -1;
}

static bool parse_value(const char *text, size_t n, rlim_t *ret)
{
	autofree char *word = NULL;
	unsigned long long value;

	while (n && strchr(" \t", *text)) {
		text++;
		n--;
	}
	while (n && strchr(" \t", text[n - 1]))
		n--;
	word = strndup(text, n);
	if (!word)
		return false;
	if (strcmp(word, "unlimited") == 0)
		*ret = RLIM_INFINITY;
	else if (str_to_u64(word, &value))
		*ret = value;
	else
		return false;
	return true;
}

static bool parse_limit(const char *value, struct rlimit *ret)
{
	size_t n = strcspn(value, ":");

	if (!parse_value(value, n, &ret->rlim_cur))
		return false;
	ret->rlim_max = ret->rlim_cur;
	return !value[n] || parse_value(value + n + 1, strlen(value + n + 1), &ret->rlim_max);
}

static int set_prlimit(void *field, const struct conf_key *key, const char *sub, const char *value,
		       struct error *err)
{
	struct rlimit limit;

	if (find_resource(sub) < 0)
		return error_set(err, EINVAL, "there is no resource limit \"%s\"", sub);
	if (!parse_limit(value, &limit))
		return error_set(err, EINVAL, "\"%s\" is no limit; one is written SOFT or SOFT:HARD, "
				 "each a number or 'unlimited'", value);
	if (limit.rlim_cur > limit.rlim_max)
		return error_set(err, EINVAL, "the soft limit of \"%s\" is above the hard limit",
				 value);
	return conf_pairs.set(field, key, sub, value, err);
}

static void add_value(struct buf *out, rlim_t value)
{
	if (value == RLIM_INFINITY)
		buf_puts(out, "unlimited");
	else
		buf_addf(out, "%llu", (unsigned long long)value);
}

static void get_prlimit(const void *field, const struct conf_key *key, const char *sub,
			struct buf *out)
{
	const struct conf_pairs *pairs = field;
	struct rlimit limit;

	for (size_t i = 0; i < pairs->n; i++) {
		if ((*sub && strcmp(sub, pairs->v[i].name) != 0) ||
		    !parse_limit(pairs->v[i].value, &limit))
			continue;
		if (!*sub)
			buf_addf(out, "%s%s = ", key->name, pairs->v[i].name);
		add_value(out, limit.rlim_cur);
		if (limit.rlim_max != limit.rlim_cur) {
			buf_puts(out, ":");
			add_value(out, limit.rlim_max);
		}
		if (!*sub)
			buf_puts(out, "\n");
	}
}

static void clear_prlimit(void *field, const struct conf_key *key, const char *sub)
{
	conf_pairs.clear(field, key, sub);
}

static const struct conf_type type_prlimit = {"SOFT[:HARD]", set_prlimit, get_prlimit,
					      clear_prlimit, conf_replaces};

static const struct conf_key keys[] = {
	{"lxc.prlimit.", &type_prlimit, offsetof(struct limits_conf, prlimits),
	 .summary = "A resource limit of setrlimit(2): nofile, nproc, memlock, core ..."},
	{"lxc.proc.", &conf_pairs_list, offsetof(struct limits_conf, proc),
	 .summary = "Write this value to a file of init's directory in /proc, such as "
		    "lxc.proc.oom_score_adj."},
	{NULL},
};
static const struct conf_section section = {"limits", sizeof(struct limits_conf), keys};

/* ---- apply ---- */

static int set_limit(pid_t pid, const struct conf_pair *pair, struct error *err)
{
	autobuf struct buf hard = BUF_INIT;
	int resource = find_resource(pair->name);
	struct rlimit limit, now;
	int code;

	if (resource < 0 || !parse_limit(pair->value, &limit))
		return error_set(err, EINVAL, "cannot set limit \"%s\"", pair->name);
	if (prlimit(pid, (__rlimit_resource_t)resource, &limit, NULL) == 0)
		return 0;
	code = errno;
	error_sys(err, "cannot set limit %s to \"%s\" (lxc.prlimit.%s)", pair->name, pair->value,
		  pair->name);
	if (code == EPERM && prlimit(pid, (__rlimit_resource_t)resource, NULL, &now) == 0) {
		add_value(&hard, now.rlim_max);
		error_mend(err, "lxc.prlimit.%s = %s      (the hard limit here, which only "
			   "CAP_SYS_RESOURCE may raise)", pair->name, hard.s ? hard.s : "?");
	}
	return -1;
}

static int write_proc(pid_t pid, const struct conf_pair *pair, struct error *err)
{
	autofree char *path = str_printf("/proc/%d/%s", pid, pair->name);

	if (!path)
		return error_sys(err, "cannot set lxc.proc.%s", pair->name);
	for (char *at = path + strlen(path) - strlen(pair->name); *at; at++)
		if (*at == '.')
			*at = '/';
	if (file_write(AT_FDCWD, path, pair->value) == 0)
		return 0;
	error_sys(err, "cannot write \"%s\" to %s (lxc.proc.%s)", pair->value, path, pair->name);
	if (strcmp(pair->name, "oom_score_adj") == 0 && errno == EACCES)
		error_mend(err, "lxc.proc.oom_score_adj = 0      (only CAP_SYS_RESOURCE may lower it)");
	return -1;
}

int limits_apply(const struct conf *c, pid_t pid, struct error *err)
{
	const struct limits_conf *s = conf_of(c, &section);

	for (size_t i = 0; i < s->proc.n; i++)
		if (write_proc(pid, &s->proc.v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < s->prlimits.n; i++)
		if (set_limit(pid, &s->prlimits.v[i], err) < 0)
			return -1;
	return 0;
}

static int connect_limits(struct boot *b, struct error *err)
{
	return limits_apply(b->conf, b->init.pid, err);
}

const struct part part_limits = {
	.name = "limits",
	.section = &section,
	.connect = connect_limits,
};
