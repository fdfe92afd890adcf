/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes on the command line: size.h. */
#include "size.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool size_parse(const char *text, uint64_t *ret)
{
	static const char units[] = "bkmgt";
	unsigned long long n;
	unsigned shift = 20;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (*end && end[1] == '\0' && strchr(units, *end | 0x20))
		shift = 10 * (unsigned)(strchr(units, *end | 0x20) - units);
	else if (*end)
		return false;
	if (errno || n == 0 || n > (uint64_t)INT64_MAX >> shift)
		return false;
	*ret = n << shift;
	return true;
}
