/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The talk with a hook while it runs: it asks for the configuration and may change it, where its moment
 * allows that.  What is said is in hooks_talk.h.
 */
#include "parts/hooks_talk.h"
#include "base/fd.h"
#include "base/log.h"
#include "parts/hooks_lua.h"

#include <stdio.h>
#include <string.h>

/* Before the pre-start hooks these have had their effect. */
static const char *const settled[] = {
	"lxc.cgroup.dir", "lxc.cgroup.relative", "lxc.console", "lxc.ephemeral", "lxc.hook",
	"lxc.idmap", "lxc.log", "lxc.monitor", "lxc.namespace", "lxc.rootfs.managed", "lxc.time.offset",
};

static bool is_below(const char *key, const char *group)
{
	size_t n = strlen(group);

	return strncmp(key, group, n) == 0 && (!key[n] || key[n] == '.');
}

static int check_change(const struct hooks_talk *t, const char *key, struct error *err)
{
	const char *moment = hooks_moment_name(t->moment);

	if (!t->call->change) {
		error_set(err, EPERM, "cannot change %s: a %s hook may only read the configuration",
			  key, moment);
		return error_mend(err, "change it in pre-start (for one boot), create or clone (to be "
				       "kept)");
	}
	for (size_t i = 0; !t->call->keep && i < ARRAY_SIZE(settled); i++) {
		if (!is_below(key, settled[i]))
			continue;
		error_set(err, EBUSY, "cannot change %s: in pre-start it has had its effect already",
			  key);
		return error_mend(err, "set it in the configuration, or change it in create or clone");
	}
	return 0;
}

/* One setting; an empty value clears. */
static int change(const struct hooks_talk *t, const char *key, const char *value, struct error *err)
{
	if (t->call->ret_changed)
		*t->call->ret_changed = true;
	if (t->call->keep)
		return conf_set(t->call->change, key, value, err);
	return conf_define(t->call->change, key, value, NULL, err);
}

static int set_lines(const struct hooks_talk *t, const char *key, const char *value,
		     struct error *err)
{
	autostrv struct strv lines = {0};

	if (strv_split(&lines, value, "\n") < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (change(t, key, "", err) < 0)
		return -1;
	for (size_t i = 0; i < lines.n; i++)
		if (change(t, key, lines.v[i], err) < 0)
			return -1;
	return 0;
}

/* ---- the verbs ---- */

static int do_get(struct hooks_talk *t, char **words, struct buf *out, struct error *err)
{
	return conf_get(t->call->conf, words[1], out, err);
}

static int do_keys(struct hooks_talk *t, char **words, struct buf *out, struct error *err)
{
	autostrv struct strv names = {0};

	if (conf_list_keys(t->call->conf, words[1], &names) < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < names.n; i++)
		buf_addf(out, "%s\n", names.v[i]);
	return 0;
}

/* What was there stays when the new value is refused. */
static int do_set(struct hooks_talk *t, char **words, struct buf *out, struct error *err)
{
	autobuf struct buf old = BUF_INIT;

	if (check_change(t, words[1], err) < 0 || conf_get(t->call->conf, words[1], &old, err) < 0)
		return -1;
	if (set_lines(t, words[1], words[2], err) == 0)
		return 0;
	set_lines(t, words[1], old.s ? old.s : "", NULL);
	return -1;
}

static int do_append(struct hooks_talk *t, char **words, struct buf *out, struct error *err)
{
	if (check_change(t, words[1], err) < 0)
		return -1;
	if (!words[2][0])
		return error_set(err, EINVAL, "%s: there is no value to add", words[1]);
	return change(t, words[1], words[2], err);
}

static int do_unset(struct hooks_talk *t, char **words, struct buf *out, struct error *err)
{
	return check_change(t, words[1], err) < 0 ? -1 : change(t, words[1], "", err);
}

static int do_log(struct hooks_talk *t, char **words, struct buf *out, struct error *err)
{
	int level = log_level_parse(words[1]);

	if (!level)
		return error_set(err, EINVAL, "there is no log level \"%s\"", words[1]);
	log_write((enum log_level)level, "hooks", "%s: %s", hooks_moment_name(t->moment), words[2]);
	return 0;
}

static int no_such_moment(const char *name, struct error *err)
{
	autobuf struct buf known = BUF_INIT;

	for (int i = 0; i < HOOK_N_MOMENTS; i++)
		buf_addf(&known, "%s%s", i ? ", " : "", hooks_moment_name((enum hook_moment)i));
	error_set(err, EINVAL, "it has a function \"%s\", and there is no such moment", name);
	return error_mend(err, "make it a local function, or name a moment, with _ for -: %s",
			  known.s ? known.s : "");
}

static int do_has(struct hooks_talk *t, char **words, struct buf *out, struct error *err)
{
	for (size_t i = 1; words[i]; i++) {
		int moment = hooks_moment_of(words[i]);

		if (moment < 0)
			return no_such_moment(words[i], err);
		if (t->module)
			t->module->moments |= 1u << moment;
	}
	if (t->module)
		t->module->known = true;
	return 0;
}

static int do_fail(struct hooks_talk *t, char **words, struct buf *out, struct error *err)
{
	long long code = 0;

	t->failed = true;
	error_clear(&t->why);
	error_set(&t->why, str_to_i64(words[1], &code) && code > 0 ? (int)code : ECANCELED, "%s",
		  words[2]);
	if (words[3][0])
		error_mend(&t->why, "%s", words[3]);
	return 0;
}

static const struct verb {
	const char *name;
	size_t words; /* with the verb itself; 0: any number */
	int (*act)(struct hooks_talk *t, char **words, struct buf *out, struct error *err);
} verbs[] = {
	{"get", 2, do_get},     {"keys", 2, do_keys}, {"set", 3, do_set}, {"append", 3, do_append},
	{"unset", 2, do_unset}, {"log", 3, do_log},   {"has", 0, do_has}, {"fail", 4, do_fail},
};

static int act(struct hooks_talk *t, char **words, size_t n, struct buf *out, struct error *err)
{
	for (size_t i = 0; n && i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, words[0]) == 0 && (!verbs[i].words || verbs[i].words == n))
			return verbs[i].act(t, words, out, err);
	return error_set(err, EINVAL, "a hook asks for what there is not");
}

static void add_word(struct buf *out, const char *word)
{
	buf_add(out, word, strlen(word) + 1);
}

bool hooks_talk_answer(int fd, void *talk)
{
	autofree char *message = malloc(HOOKS_MESSAGE + 1);
	char *words[HOOKS_WORDS + 1] = {NULL}, code[16];
	autobuf struct buf out = BUF_INIT, answer = BUF_INIT;
	struct error err = {0};
	size_t n = 0;
	ssize_t got = message ? fd_receive(fd, message, HOOKS_MESSAGE, NULL, NULL) : -1;

	if (got <= 0)
		return false;
	message[got] = '\0';
	for (char *at = message; at < message + got && n < HOOKS_WORDS; at += strlen(at) + 1)
		words[n++] = at;
	if (act(talk, words, n, &out, &err) == 0) {
		add_word(&answer, "ok");
		add_word(&answer, out.s ? out.s : "");
	} else {
		snprintf(code, sizeof(code), "%d", err.code);
		add_word(&answer, "no");
		add_word(&answer, code);
		add_word(&answer, err.text);
		add_word(&answer, err.mend);
	}
	if (answer.failed || answer.len > HOOKS_MESSAGE)
		return false;
	return fd_send(fd, answer.s, answer.len, NULL, 0) >= 0;
}

int hooks_talk_hello(int fd, const char *const *words, int script, int root, struct error *err)
{
	autobuf struct buf hello = BUF_INIT;
	int fds[2] = {script, root};

	for (size_t i = 0; i < N_HELLO; i++)
		add_word(&hello, words[i]);
	if (hello.failed || fd_send(fd, hello.s, hello.len, fds, root >= 0 ? 2 : 1) < 0)
		return error_sys(err, "cannot talk to it");
	return 0;
}
