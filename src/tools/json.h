/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing JSON, one call a value.  'name' is the member's name inside an object and NULL inside a
 * list or at the top.  Members come out on one line; the elements of a list on lines of their own
 * when it was opened with json_rows, so that a long listing stays readable and greppable.
 */
#ifndef LXC_TOOLS_JSON_H
#define LXC_TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool more;     /* a value stands before in this list or object */
	unsigned depth;
	unsigned rows; /* bit 'depth': each element of that list has its own line */
};

void json_object(struct json *j, const char *name);
void json_list(struct json *j, const char *name);
void json_rows(struct json *j, const char *name);
/* Close what was opened last: '}' or ']'; at the top a newline follows. */
void json_end(struct json *j, char closing);

/* NULL is written as null; bytes that are no UTF-8 as U+FFFD, for JSON knows no bytes. */
void json_text(struct json *j, const char *name, const char *value);
void json_number(struct json *j, const char *name, int64_t value);
/* A number that is not known (negative) is null. */
void json_known(struct json *j, const char *name, int64_t value);
void json_bool(struct json *j, const char *name, bool value);
/* A list of strings that ends with NULL; NULL itself is an empty one. */
void json_texts(struct json *j, const char *name, const char *const *values);

#endif
