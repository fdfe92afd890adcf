/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Growing text.  'struct buf' starts as BUF_INIT; s is NULL until the first byte is added and always
 * ends in NUL after that.  Allocation failure ends the addition silently and sets 'failed', to be
 * looked at once at the end; buf_steal() returns NULL then.
 *
 * 'struct strv' is a growing list of strings that it owns, always followed by a NULL pointer, so v
 * can serve as an argument vector.
 */
#ifndef LXCORE_BASE_BUF_H
#define LXCORE_BASE_BUF_H

#include "auto.h"

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *s;
	size_t len, cap;
	bool failed;
};
#define BUF_INIT ((struct buf){0})

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *text);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Take the text (never NULL unless memory ran out); b is empty afterwards. */
char *buf_steal(struct buf *b);
void buf_free(struct buf *b);
#define autobuf __attribute__((cleanup(buf_free)))

struct strv {
	char **v; /* n strings and a NULL; NULL itself while n is 0 */
	size_t n;
};
int strv_add(struct strv *list, const char *text);     /* copies; -1 when memory ran out */
int strv_take(struct strv *list, char *text);          /* takes ownership, frees it on failure */
bool strv_has(const struct strv *list, const char *text);
void strv_remove(struct strv *list, size_t index);
void strv_sort(struct strv *list);
void strv_free(struct strv *list);
#define autostrv __attribute__((cleanup(strv_free)))
/* Split at any of the characters in 'separators', leaving out empty words. */
int strv_split(struct strv *list, const char *text, const char *separators);
/* Split into words as a command line: blanks separate, '...' and "..." keep them; no escapes. */
int strv_split_quoted(struct strv *list, const char *text);

char *str_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool str_starts(const char *text, const char *start);
bool str_ends(const char *text, const char *end);
/* Whole decimal number, nothing before or behind; false when it is none or does not fit. */
bool str_to_u64(const char *text, unsigned long long *ret);
bool str_to_i64(const char *text, long long *ret);

#endif
