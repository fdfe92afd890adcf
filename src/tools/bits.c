/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words joined by '|', as lxc-attach and lxc-unshare take them. */
#include "bits.h"
#include "lxcore.h"

#include <string.h>
#include <strings.h>

const struct bit_word namespace_words[] = {
	{"MOUNT", LXCORE_NS_MNT}, {"mnt", LXCORE_NS_MNT}, {"PID", LXCORE_NS_PID},
	{"UTSNAME", LXCORE_NS_UTS}, {"uts", LXCORE_NS_UTS}, {"IPC", LXCORE_NS_IPC},
	{"USER", LXCORE_NS_USER}, {"NETWORK", LXCORE_NS_NET}, {"net", LXCORE_NS_NET},
	{"CGROUP", LXCORE_NS_CGROUP}, {"TIME", LXCORE_NS_TIME}, {0}
};

unsigned bits_parse(const struct bit_word *table, const char *text)
{
	unsigned bits = 0;

	while (true) {
		size_t n = strcspn(text, "|");
		const struct bit_word *w = table;

		while (w->name && (strncasecmp(w->name, text, n) != 0 || w->name[n]))
			w++;
		if (!w->name)
			return 0;
		bits |= w->bit;
		if (!text[n])
			return bits;
		text += n + 1;
	}
}
