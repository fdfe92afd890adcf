/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all fuzzers share.  Each is one file with LLVMFuzzerTestOneInput (libFuzzer), linked with the
 * library built for it (run says how), and begins with what CORPUS/NAME holds.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A copy as a text, in memory of exactly its size, so that a step beyond shows. */
static inline char *fuzz_text(const uint8_t *bytes, size_t n)
{
	char *text = malloc(n + 1);

	if (!text)
		abort();
	memcpy(text, bytes, n);
	text[n] = '\0';
	return text;
}

/* An error that was told has words, ends within its room, and carries no control character. */
static inline void fuzz_check_error(int result, const struct error *err)
{
	size_t n = strnlen(err->text, sizeof(err->text));

	if (n == sizeof(err->text) || strnlen(err->mend, sizeof(err->mend)) == sizeof(err->mend) ||
	    (result < 0 && (!n || !err->code)))
		abort();
}

#endif
