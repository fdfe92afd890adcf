/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of words joined by '|', each of which stands for a bit. */
#ifndef LXC_TOOLS_BITS_H
#define LXC_TOOLS_BITS_H

struct bit_word {
	const char *name;
	unsigned bit;
};

/* Bits of the words, in any case; 0: one is none of them.  The table ends with a name that is NULL. */
unsigned bits_parse(const struct bit_word *table, const char *text);

/* MOUNT PID UTSNAME IPC USER NETWORK CGROUP TIME, and as the kernel calls them. */
extern const struct bit_word namespace_words[];

#endif
