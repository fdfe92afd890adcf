/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text for people: escaping, measuring, breaking into lines.  The rules stand in text.h. */
#include "text.h"

#include <string.h>

void *must_have(void *allocated)
{
	if (allocated)
		return allocated;
	fputs("cannot go on: out of memory\n", stderr);
	exit(1);
}

size_t text_decode(const char *text, unsigned *ret)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 :
		s[0] >> 3 == 30 ? 4 : 0;
	unsigned c = n == 1 ? s[0] : s[0] & (0xff >> (n + 1));

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (n == 0 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

/* Bidirectional controls make a name read as another one (CVE-2021-42574). */
static bool is_harmless(unsigned c)
{
	return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !(c >= 0x200e && c <= 0x200f) &&
	       !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff;
}

static void print_but(FILE *out, const char *text, const char *allowed)
{
	unsigned c = 0;

	for (size_t n; *text; text += n) {
		n = text_decode(text, &c);
		if (n > 0 && (is_harmless(c) || (c < 0x80 && strchr(allowed, (int)c)))) {
			fwrite(text, 1, n, out);
			continue;
		}
		n = n ? n : 1;
		for (size_t i = 0; i < n; i++)
			fprintf(out, "\\x%02x", (unsigned char)text[i]);
	}
}

void text_print(FILE *out, const char *text)
{
	print_but(out, text, "");
}

void text_print_lines(FILE *out, const char *text)
{
	print_but(out, text, "\n\t");
}

char *text_escape(const char *text)
{
	char *ret = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&ret, &size));

	text_print(out, text);
	fclose(out);
	return must_have(ret);
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* Bytes of the word at 'text'; an option in square brackets is one word with its argument. */
static size_t word_at(const char *text)
{
	size_t n = 0, depth = 0;

	for (; text[n] && (depth > 0 || text[n] != ' '); n++) {
		depth += text[n] == '[';
		depth -= text[n] == ']' && depth > 0;
	}
	return n;
}

void text_wrap(FILE *out, const char *text, size_t indent, size_t width)
{
	size_t column = indent, word;

	for (bool first = true; *(text += strspn(text, " ")); text += word, first = false) {
		word = word_at(text);
		if (!first && column + 1 + word > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, word, out);
		column += word;
	}
	fputc('\n', out);
}
