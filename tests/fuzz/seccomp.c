/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies of system calls: what is taken has rules that the compiler can be given. */
#include "fuzz.h"
#include "parts/seccomp_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	autofree char *text = fuzz_text(bytes, n);
	autopolicy struct policy policy = {0};
	struct error err = {0};
	int result = policy_parse(&policy, text, "fuzz", &err);

	fuzz_check_error(result, &err);
	for (size_t i = 0; result == 0 && i < policy.n; i++) {
		const struct policy_rule *r = &policy.v[i];

		if (r->n_args > 6 || (!r->name && r->number < 0) || !r->line)
			abort();
		for (unsigned a = 0; a < r->n_args; a++)
			if (r->args[a].index > 5)
				abort();
	}
	return 0;
}
