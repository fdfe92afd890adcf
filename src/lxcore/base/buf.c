/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Growing text, lists of strings, and the few string questions asked everywhere. */
#include "buf.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool buf_grow(struct buf *b, size_t more)
{
	size_t need = b->len + more + 1;
	size_t cap = b->cap ? b->cap : 64;
	char *s;

	if (b->failed)
		return false;
	if (need <= b->cap)
		return true;
	while (cap < need)
		cap *= 2;
	s = realloc(b->s, cap);
	if (!s) {
		b->failed = true;
		return false;
	}
	b->s = s;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (!buf_grow(b, n))
		return;
	if (n)
		memcpy(b->s + b->len, bytes, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0 || !buf_grow(b, (size_t)n))
		return;
	va_start(ap, format);
	vsnprintf(b->s + b->len, (size_t)n + 1, format, ap);
	va_end(ap);
	b->len += (size_t)n;
}

char *buf_steal(struct buf *b)
{
	char *s;

	buf_add(b, "", 0);
	s = b->failed ? NULL : b->s;
	if (!s)
		free(b->s);
	*b = BUF_INIT;
	return s;
}

void buf_free(struct buf *b)
{
	free(b->s);
	*b = BUF_INIT;
}

int strv_take(struct strv *list, char *text)
{
	char **v = text ? realloc(list->v, (list->n + 2) * sizeof(char *)) : NULL;

	if (!v) {
		free(text);
		return -1;
	}
	list->v = v;
	v[list->n++] = text;
	v[list->n] = NULL;
	return 0;
}

int strv_add(struct strv *list, const char *text)
{
	return strv_take(list, strdup(text));
}

bool strv_has(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], text) == 0)
			return true;
	return false;
}

void strv_remove(struct strv *list, size_t index)
{
	free(list->v[index]);
	memmove(list->v + index, list->v + index + 1, (list->n - index) * sizeof(char *));
	list->n--;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(char *), compare_strings);
}

void strv_free(struct strv *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct strv){0};
}

int strv_split(struct strv *list, const char *text, const char *separators)
{
	while (*(text += strspn(text, separators))) {
		size_t n = strcspn(text, separators);

		if (strv_take(list, strndup(text, n)) < 0)
			return -1;
		text += n;
	}
	return 0;
}

int strv_split_quoted(struct strv *list, const char *text)
{
	while (*(text += strspn(text, " \t"))) {
		char quote = (*text == '"' || *text == '\'') ? *text++ : 0;
		size_t n = quote ? strcspn(text, (char[]){quote, 0}) : strcspn(text, " \t");

		if (strv_take(list, strndup(text, n)) < 0)
			return -1;
		text += n + (quote && text[n]);
	}
	return 0;
}

char *str_printf(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	if (vasprintf(&s, format, ap) < 0)
		s = NULL;
	va_end(ap);
	return s;
}

bool str_starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

bool str_ends(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

bool str_to_u64(const char *text, unsigned long long *ret)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*ret = value;
	return true;
}

bool str_to_i64(const char *text, long long *ret)
{
	long long value;
	char *end;

	if (!isdigit((unsigned char)text[*text == '-' || *text == '+']))
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end)
		return false;
	*ret = value;
	return true;
}
