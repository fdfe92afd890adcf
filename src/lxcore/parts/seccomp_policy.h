/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A system-call policy as written (seccomp_policy.c) and as the kernel runs it (seccomp_compile.c). */
#ifndef LXCORE_PARTS_SECCOMP_POLICY_H
#define LXCORE_PARTS_SECCOMP_POLICY_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

struct policy_arg {
	unsigned index;
	int op; /* enum scmp_compare of seccomp.h */
	uint64_t value, mask;
};

struct policy_rule {
	char *name;      /* of the system call; NULL: 'number' */
	int number;
	uint32_t arch;   /* as libseccomp and the kernel number them; 0: all that this machine runs */
	uint32_t action; /* SECCOMP_RET_... with its data */
	unsigned n_args;
	struct policy_arg args[6];
	unsigned line;
};

struct policy {
	uint32_t action; /* of what no rule names */
	bool native_only; /* version 1 knows no other architecture than the machine's own */
	struct policy_rule *v;
	size_t n;
};

/* 'file' is for messages alone. */
int policy_parse(struct policy *p, const char *text, const char *file, struct error *err);
void policy_free(struct policy *p);
#define autopolicy __attribute__((cleanup(policy_free)))

/* Architectures whose programs this machine runs, its own first; ended by 0. */
extern const uint32_t policy_host_arches[];

/* What the kernel runs: an array of struct sock_filter, as bytes. */
struct policy_program {
	struct buf code;
	char library[192]; /* path of the libseccomp that made it */
};
/* Compile in a process of its own, so that libseccomp never stays in this one. */
int policy_compile(const struct policy *p, const char *file, struct policy_program *ret,
		   struct error *err);

/* Programs compiled before (seccomp_cache.c): found only for the very same text, libseccomp, kernel
 * and version of ours. */
bool policy_cache_find(const char *text, struct buf *ret_code);
void policy_cache_keep(const char *text, const struct policy_program *program);

#endif
