/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing manual pages in mdoc(7).  Whoever writes a page's text needs to know nothing of it. */
#include "mdoc.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define DATE "November 20, 2026"

void mdoc_begin(FILE *out, const char *name, int section, const char *purpose)
{
	fprintf(out, ".\\\" SPDX-License-Identifier: LGPL-2.1-or-later\n"
		".\\\" Made from the tables of the program; change it there.\n"
		".Dd " DATE "\n.Dt ");
	for (const char *c = name; *c; c++)
		fputc(toupper((unsigned char)*c), out);
	fprintf(out, " %d\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", section, name, purpose);
}

static void print_char(FILE *out, char c)
{
	if (c == '\\')
		fputs("\\e", out);
	else if (c == '-')
		fputs("\\-", out);
	else
		fputc(c, out);
}

void mdoc_line(FILE *out, const char *text)
{
	bool bold = false, first = true;

	for (; *text; text++, first = false) {
		if (first && strchr(".'", *text))
			fputs("\\&", out);
		if (*text == '`') {
			bold = !bold;
			fputs(bold ? "\\fB" : "\\fR", out);
			continue;
		}
		print_char(out, *text);
		/* mandoc wants a sentence to begin its own line. */
		if (*text == '.' && text[1] == ' ' && text[2] && !islower((unsigned char)text[2])) {
			fputc('\n', out);
			text++;
			if (strchr(".'", text[1]))
				fputs("\\&", out);
		}
	}
	fputc('\n', out);
}

static const char *end_of_line(const char *text)
{
	return text + strcspn(text, "\n");
}

static const char *literal(FILE *out, const char *text)
{
	fputs(".Bd -literal -offset indent\n", out);
	while (*text == ' ') {
		const char *end = end_of_line(text);

		text += strspn(text, " ");
		fputs("\\&", out);
		for (; text < end; text++)
			print_char(out, *text);
		fputc('\n', out);
		text += *text == '\n';
	}
	fputs(".Ed\n", out);
	return text;
}

void mdoc_text(FILE *out, const char *text)
{
	bool first = true;

	while (*text) {
		const char *end = end_of_line(text);
		char line[2048];

		if (*text == '\n') {
			text++;
			continue;
		}
		if (*text == ' ') {
			text = literal(out, text);
			continue;
		}
		if (!first)
			fputs(".Pp\n", out);
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		mdoc_line(out, line);
		first = false;
		text = end;
	}
}

static int section_of(const char *name)
{
	if (strcmp(name, "lxc") == 0)
		return 7;
	return strncmp(name, "lxc-", 4) == 0 && strcmp(name, "lxc-usernet") != 0 ? 1 : 5;
}

/* Sorted by section, as manuals have it. */
void mdoc_see_also(FILE *out, const char *names)
{
	static const int sections[] = {1, 5, 7};
	char word[64];
	bool any = false;

	fputs(".Sh SEE ALSO\n", out);
	for (size_t s = 0; s < 3; s++) {
		int n;

		for (const char *at = names; sscanf(at, " %63s%n", word, &n) == 1; at += n) {
			if (section_of(word) != sections[s])
				continue;
			fprintf(out, "%s.Xr %s %d", any ? " ,\n" : "", word, sections[s]);
			any = true;
		}
	}
	fputc('\n', out);
}
