/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the values of lxc.limit.* mean: sizes, processors, devices and their rates. */
#include "parts/cgroup/resources.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>

/* Digits, and up to three behind a point: the number times a thousand, and what follows. */
static bool read_thousandths(const char *text, unsigned long long *ret, const char **ret_rest)
{
	unsigned long long n = 0, unit = 1000;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (n > 1ULL << 50)
			return false;
		n = n * 10 + (unsigned)(*text - '0') * 1000ULL;
	}
	if (*text == '.') {
		text++;
		if (*text < '0' || *text > '9')
			return false;
		for (; *text >= '0' && *text <= '9'; text++) {
			unit /= 10;
			if (!unit)
				return false;
			n += (unsigned)(*text - '0') * unit;
		}
	}
	*ret = n;
	*ret_rest = text;
	return true;
}

static unsigned long long host_memory(void)
{
	struct sysinfo s;

	return sysinfo(&s) < 0 ? 0 : (unsigned long long)s.totalram * s.mem_unit;
}

static bool scale(unsigned long long thousandths, unsigned shift, unsigned long long *ret)
{
	unsigned __int128 n = ((unsigned __int128)thousandths << shift) / 1000;

	*ret = (unsigned long long)n;
	return n < (unsigned __int128)1 << 62;
}

bool resources_bytes(const char *text, unsigned long long *ret)
{
	static const char units[] = "kmgtpe";
	unsigned long long n;
	const char *rest, *unit;
	unsigned shift = 0;

	if (!read_thousandths(text, &n, &rest))
		return false;
	if (strcmp(rest, "%") == 0) {
		if (n > 100000)
			return false;
		*ret = (unsigned long long)((unsigned __int128)host_memory() * n / 100000);
		return true;
	}
	unit = *rest ? strchr(units, *rest | 0x20) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		rest++;
		if (strcmp(rest, "iB") == 0)
			rest += 2;
		else if (strcmp(rest, "B") == 0)
			rest++;
	} else if (n % 1000) {
		return false;
	}
	return !*rest && scale(n, shift, ret);
}

bool resources_quota(const char *text, unsigned *ret)
{
	unsigned long long n;
	const char *rest;

	/* The kernel refuses less than a millisecond in each period. */
	if (!read_thousandths(text, &n, &rest) || *rest || n < 10 || n > 10000000)
		return false;
	*ret = (unsigned)(n * (RESOURCES_PERIOD_US / 1000));
	return true;
}

static bool read_cpu(const char **text, unsigned *ret)
{
	unsigned n = 0;

	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		n = n * 10 + (unsigned)(**text - '0');
		if (n > 65535)
			return false;
	}
	*ret = n;
	return true;
}

bool resources_cpus(const char *text, bool (*each)(void *data, unsigned cpu), void *data)
{
	for (;; text++) {
		unsigned first, last;

		if (!read_cpu(&text, &first))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!read_cpu(&text, &last) || last < first)
				return false;
		}
		for (unsigned cpu = first; cpu <= last; cpu++)
			if (!each(data, cpu))
				return false;
		if (*text != ',')
			return !*text;
	}
}

bool resources_io(const char *text, struct resources_io *ret)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;

	if (!n || n >= sizeof(ret->device) || strchr(text, '%'))
		return false;
	memcpy(ret->device, text, n);
	ret->device[n] = '\0';
	ret->rate = 0;
	if (strcmp(colon + 1, "unlimited") != 0 &&
	    (!resources_bytes(colon + 1, &ret->rate) || !ret->rate))
		return false;
	if (*ret->device != '/') {
		unsigned major, minor;
		char more;

		return sscanf(ret->device, "%u:%u%c", &major, &minor, &more) == 2;
	}
	return true;
}

/* The disk that a partition is on: its directory in sysfs is below the disk's. */
static int is_partition(const char *device, const char *sys, struct error *err)
{
	autofree char *target = realpath(sys, NULL);
	char *slash = target ? strrchr(target, '/') : NULL;

	error_set(err, EINVAL, "\"%s\" is a partition, and the kernel counts whole disks alone",
		  device);
	if (!slash)
		return -1;
	*slash = '\0';
	slash = strrchr(target, '/');
	return slash ? error_mend(err, "use its disk: /dev/%s", slash + 1) : -1;
}

int resources_device(const char *device, unsigned *ret_major, unsigned *ret_minor,
		     struct error *err)
{
	char sys[80], part[100];
	struct stat st;

	if (*device == '/') {
		if (stat(device, &st) < 0)
			return error_sys(err, "cannot look at \"%s\"", device);
		if (!S_ISBLK(st.st_mode))
			return error_set(err, ENOTBLK, "\"%s\" is no block device", device);
		*ret_major = major(st.st_rdev);
		*ret_minor = minor(st.st_rdev);
	} else if (sscanf(device, "%u:%u", ret_major, ret_minor) != 2) {
		return error_set(err, EINVAL, "\"%s\" is no device", device);
	}
	snprintf(sys, sizeof(sys), "/sys/dev/block/%u:%u", *ret_major, *ret_minor);
	snprintf(part, sizeof(part), "%s/partition", sys);
	if (access(sys, F_OK) < 0) {
		error_set(err, ENODEV, "this host has no block device %u:%u", *ret_major,
			  *ret_minor);
		return error_mend(err, "lsblk      (shows those that there are)");
	}
	return access(part, F_OK) == 0 ? is_partition(device, sys, err) : 0;
}
