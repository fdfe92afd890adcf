/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inner face of the hooks part: its settings, and hooks that are written in Lua. */
#ifndef LXCORE_PARTS_HOOKS_LUA_H
#define LXCORE_PARTS_HOOKS_LUA_H

#include "parts/hooks.h"
#include "parts/hooks_talk.h"

#define HOOKS_PROGRAM LXCORE_LIBEXECDIR "/" HOOKS_HELPER

struct hooks_conf {
	struct strv list[HOOK_N_MOMENTS];
	struct strv modules; /* lxc.hook.lua */
	unsigned version, timeout;
	unsigned long long memory;
};

/* What a boot keeps of its hooks. */
struct hooks_boot {
	int ns[8];   /* the container's namespaces, kept for the stop hooks; -1: the host's */
	int program; /* what runs Lua hooks, for where its file cannot be seen; 0: not kept */
	size_t n_modules;
	struct hooks_module {
		int script;       /* opened where it could be seen; -1 */
		bool known;       /* it told which moments it has: */
		unsigned moments; /* 1 << enum hook_moment, OR-ed */
	} modules[];
};

/* Is the value of a key a hook in Lua: 'lua:FILE words', 'FILE.lua words', or a file that begins with
 * '#!.../lxc-lua-hook'? */
bool hooks_is_lua(const char *value);
/* Its file as written; to be freed. */
char *hooks_lua_file(const char *value);
/* Can it be read (NULL: only inside, later), and is there what runs it?  Before any process is born. */
int hooks_check_lua(const char *file, const char *key, struct error *err);
int hooks_open_script(const char *file, const char *key, struct error *err);
/* Run the value of a key, or module number 'module' of the configuration (value NULL). */
int hooks_run_lua(enum hook_moment moment, const struct hook_call *call, const char *value,
		  size_t module, const struct strv *env, struct error *err);

/* ---- the talk with one ---- */

struct hooks_talk {
	enum hook_moment moment;
	const struct hook_call *call;
	struct hooks_module *module; /* or NULL */
	bool failed;                 /* it told why: */
	struct error why;
};
/* Answer one message (struct proc_run's 'talk'); false at the end. */
bool hooks_talk_answer(int fd, void *talk);
/* The first message, with script and root (-1: none). */
int hooks_talk_hello(int fd, const char *const *words, int script, int root, struct error *err);

/* ---- what is shared by both kinds ---- */

/* The end of what it said, on one line; nothing in it may steer the terminal that shows it. */
void hooks_add_last_words(struct buf *out, const struct buf *said);
/* The moment's words behind those that the user wrote: NAME lxc TYPE (version 0), and extra ones. */
void hooks_fixed_words(enum hook_moment moment, const struct hook_call *call, struct strv *out);

#endif
