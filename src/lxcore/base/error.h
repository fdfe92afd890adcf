/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors: a chain of words that travels by pointer through every call that can fail.
 *
 * A function that can fail takes a 'struct error *' last and returns 0 or a value, or -1 with the
 * error filled.  The innermost call makes it ('cannot <verb> <object>: <reason>'), each level on the
 * way up may put in front what it was doing, and whoever knows it adds the command that mends it:
 *
 *     return error_sys(err, "cannot open \"%s\"", path);            cannot open "/x": No such file ...
 *     return error_within(err, "network");                          network: cannot ...
 *     error_mend(err, "lxc-net start      (makes the default bridge)");
 *
 * The texts live inside the struct, so an error can be sent over a socket as it is.  It is valid to
 * pass NULL where the caller does not care.  Success never touches an error.
 */
#ifndef LXCORE_BASE_ERROR_H
#define LXCORE_BASE_ERROR_H

struct error {
	int code;        /* an errno value that says what kind of failure it is; 0: no error */
	char text[1024]; /* the chain of words, without newline */
	char mend[512];  /* what mends it, or empty; lines are separated by '\n' */
};

/* Fill 'err'; all of these return -1, so that a failing function can return their result. */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with errno as code, and ': ' and its words at the end. */
int error_sys(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Put 'words: ' in front of what is there. */
int error_within(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Say what mends it (does not replace what a lower level said already). */
int error_mend(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void error_clear(struct error *err);

#endif
