/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A moment as people write it; see when.h. */
#include "when.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "90", "90s", "10m", "2h", "7d" ago. */
static bool parse_ago(const char *text, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 9 || (text[digits] && text[digits + 1]))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text[digits] == units[i].unit) {
			*ret = now_ms() - strtoll(text, NULL, 10) * units[i].seconds * 1000;
			return *ret >= 0;
		}
	return false;
}

static bool parse_moment(const char *text, int64_t *ret)
{
	static const char *const forms[] = {
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
		"%Y-%m-%d", "%H:%M:%S", "%H:%M",
	};
	time_t today = time(NULL);

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm;
		const char *end;
		time_t when;

		localtime_r(&today, &tm);
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		tm.tm_isdst = -1;
		end = strptime(text, forms[i], &tm);
		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		when = *end ? timegm(&tm) : mktime(&tm);
		*ret = (int64_t)when * 1000;
		return when >= 0;
	}
	return false;
}

/* "1795799411", "1795799411.25" since 1970. */
static bool parse_seconds(const char *text, int64_t *ret)
{
	size_t digits = strspn(text, "0123456789"), more = 0;
	int64_t unit = 100;

	*ret = strtoll(text, NULL, 10) * 1000;
	if (!digits || digits > 12)
		return false;
	if (text[digits] != '.')
		return !text[digits];
	for (text += digits + 1; text[more] >= '0' && text[more] <= '9'; more++, unit /= 10)
		*ret += (text[more] - '0') * unit;
	return more && !text[more];
}

bool when_parse(const char *text, int64_t *ret_ms)
{
	if (*text == '@')
		return parse_seconds(text + 1, ret_ms);
	return parse_ago(text, ret_ms) || parse_moment(text, ret_ms);
}

const char *when_text(int64_t ms, char text[40])
{
	time_t seconds = (time_t)(ms / 1000);
	char zone[8] = "";
	struct tm tm;
	size_t n;

	localtime_r(&seconds, &tm);
	n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	/* +0100 becomes +01:00. */
	if (strftime(zone, sizeof(zone), "%z", &tm) == 5)
		snprintf(text + n, 40 - n, "%.3s:%s", zone, zone + 3);
	return text;
}
