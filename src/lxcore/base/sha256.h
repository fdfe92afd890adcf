/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256 (FIPS 180-4), for names and numbers that must be the same as other programs make them. */
#ifndef LXCORE_BASE_SHA256_H
#define LXCORE_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

void sha256(const void *bytes, size_t n, uint8_t ret[SHA256_BYTES]);

#endif
