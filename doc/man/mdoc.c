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

/* How long "NAME(N)" at the beginning of text is; 0 when that is no name of a page. */
static size_t page_name(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-");

	if (!n || !isalpha((unsigned char)*text) || text[n] != '(' || !strchr("12345678", text[n + 1]) ||
	    text[n + 2] != ')')
		return 0;
	return n + 3;
}

/* ".Xr NAME N" on a line of its own, with what closes behind it; returns what follows. */
static const char *reference(FILE *out, const char *text, size_t n)
{
	fprintf(out, ".Xr %.*s %c", (int)n - 3, text, text[n - 2]);
	for (text += n; *text && strchr(".,;:)", *text); text++)
		fprintf(out, " %c", *text);
	if (*text && *text != ' ')
		fputs(" Ns", out);
	if (*text)
		fputc('\n', out);
	return text + strspn(text, " ");
}

/* Does a sentence end here?  mandoc wants the next one to begin its own line. */
static bool ends_sentence(const char *text)
{
	return *text == '.' && text[1] == ' ' && text[2] && !islower((unsigned char)text[2]);
}

void mdoc_line(FILE *out, const char *text)
{
	bool bold = false, fresh = true; /* fresh: at the beginning of a line */
	char before = ' ';
	size_t n;

	while (*text) {
		n = !bold && strchr(" (", before) ? page_name(text) : 0;
		if (n) {
			fputs(fresh ? "" : before == '(' ? "\\c\n" : "\n", out);
			text = reference(out, text, n);
			before = ' ';
			fresh = true;
			continue;
		}
		if (fresh && strchr(".'", *text))
			fputs("\\&", out);
		if (*text == ' ' && !bold && page_name(text + 1)) {
			; /* the end of the line stands for it */
		} else if (*text == '`') {
			bold = !bold;
			fputs(bold ? "\\fB" : "\\fR", out);
		} else {
			print_char(out, *text);
		}
		fresh = ends_sentence(text);
		before = fresh ? ' ' : *text;
		if (fresh)
			fputc('\n', out);
		text += fresh ? 2 : 1;
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
	static const struct {
		const char *name;
		int section;
	} others[] = {
		{"lxc", 7}, {"lxc-services", 7}, {"lxc-usernet", 5}, {"lxc-user-nic", 8}, {"init.lxc", 8},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i].name, name) == 0)
			return others[i].section;
	return strncmp(name, "lxc-", 4) == 0 ? 1 : 5;
}

/* Sorted by section, as manuals have it. */
void mdoc_see_also(FILE *out, const char *names)
{
	static const int sections[] = {1, 5, 7, 8};
	char word[64];
	bool any = false;

	fputs(".Sh SEE ALSO\n", out);
	for (size_t s = 0; s < 4; s++) {
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
