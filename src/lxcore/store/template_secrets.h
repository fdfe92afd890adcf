/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is said to a template and is nobody else's business.  Everybody may read a process's arguments
 * (/proc/PID/cmdline), so a template that says in its text
 *
 *     secrets='password r'
 *
 * gets '--password=WORD' and '-rWORD' not among its arguments but as lines of a pipe, whose number is
 * in the argument '--secrets-fd'.  What it has read from there is not in there any more for those that
 * it starts.
 */
#ifndef LXCORE_STORE_TEMPLATE_SECRETS_H
#define LXCORE_STORE_TEMPLATE_SECRETS_H

#include "base/buf.h"
#include "base/error.h"

/* The options of the template at 'path' that hold secrets; none when it does not say. */
int template_secrets(const char *path, struct strv *ret);
/* The secret in one of its arguments, a pointer into it; NULL: there is none. */
const char *template_secret_in(const struct strv *secrets, const char *arg);
/* Those with a secret become lines of a pipe (*ret_pipe, or -1), the others are added to 'argv'. */
int template_hand_secrets(const struct strv *secrets, const char *const *args, struct strv *argv,
			  int *ret_pipe, struct error *err);

#endif
