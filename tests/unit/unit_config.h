/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that tests of the configuration language use, and how they ask for values. */
#ifndef TESTS_UNIT_CONFIG_H
#define TESTS_UNIT_CONFIG_H

#include "config/conf.h"

extern const struct conf_section *const config_sections[];

/* A configuration of that text, which must be read without an error. */
struct conf *config_load(const char *text);
#define GETS(c, key, expected) config_gets(c, key, expected, __LINE__)
void config_gets(const struct conf *c, const char *key, const char *expected, unsigned line);

#endif
