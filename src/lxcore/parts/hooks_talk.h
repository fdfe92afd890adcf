/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a hook program and we say to each other, over the socket that one in Lua gets.
 *
 * The first message goes to the hook: the words of 'enum hooks_hello' with the descriptors of its
 * script and, where there is one, of the container's root.  After that the hook asks, one message at a
 * time, and gets an answer to each.  Every message is strings, each ended by NUL:
 *
 *     get KEY                 "ok" VALUE (lists: a line each)
 *     keys PREFIX             "ok" NAMES, a line each
 *     set KEY VALUE           "ok"; lists: the lines of VALUE take the place of all
 *     append KEY VALUE        "ok"
 *     unset KEY               "ok"
 *     log LEVEL TEXT          "ok"
 *     has MOMENT...           "ok"; which moments a module knows
 *     fail CODE TEXT MEND     "ok"; why it will end with a failure
 *
 * or "no" CODE TEXT MEND when that is refused.
 */
#ifndef LXCORE_PARTS_HOOKS_TALK_H
#define LXCORE_PARTS_HOOKS_TALK_H

#define HOOKS_HELPER "lxc-lua-hook"
#define HOOKS_MESSAGE 65536 /* the longest message */
#define HOOKS_WORDS 24      /* the most strings in one */

enum hooks_hello {
	HELLO_NAME, HELLO_LXCPATH, HELLO_MOMENT, HELLO_STATE,
	HELLO_SCRIPT,  /* its path, for messages */
	HELLO_MODULE,  /* "1": it is one of lxc.hook.lua, and need not know the moment */
	HELLO_SECONDS, /* time and memory that it may use */
	HELLO_BYTES,
	HELLO_PID,     /* of init; "0": there is none */
	HELLO_ROOT,    /* path of the root, for messages; "": there is none */
	HELLO_PLACE,   /* "host", "mounts": the host's tree in the container's namespaces, "inside" */
	HELLO_OWN,     /* how many words are the user's own; then come so many fixed ones: */
	HELLO_FIXED,
	HELLO_CONFIG,  /* what may be changed: "": nothing, "boot": for this boot, "kept" */
	N_HELLO
};

#endif
