/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing manual pages in mdoc(7). */
#ifndef LXC_DOC_MDOC_H
#define LXC_DOC_MDOC_H

#include <stdio.h>

/* Title, section, name and one-line purpose: .Dd to .Nd. */
void mdoc_begin(FILE *out, const char *name, int section, const char *purpose);
/* Paragraphs parted by blank lines; `words` are bold; lines that begin with blanks stay. */
void mdoc_text(FILE *out, const char *text);
/* Running text, with `words` bold and all that mdoc would read as its own made harmless. */
void mdoc_line(FILE *out, const char *text);
/* .Xr for words such as "lxc-stop lxc.conf"; the section is known from the name. */
void mdoc_see_also(FILE *out, const char *names);

#endif
