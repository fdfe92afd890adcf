/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256 (FIPS 180-4), for names and numbers that must be the same as other programs make them. */
#ifndef LXCORE_BASE_SHA256_H
#define LXCORE_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

void sha256(const void *bytes, size_t n, uint8_t ret[SHA256_BYTES]);

/* The same for what comes piece by piece. */
struct sha256 {
	uint32_t state[8];
	uint64_t n;
	uint8_t rest[64];
};
void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *bytes, size_t n);
void sha256_end(struct sha256 *s, uint8_t ret[SHA256_BYTES]);
/* As people write it: 64 hexadecimal digits. */
void sha256_text(const uint8_t hash[SHA256_BYTES], char ret[2 * SHA256_BYTES + 1]);

#endif
