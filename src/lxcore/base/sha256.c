/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256, after FIPS 180-4.  See sha256.h. */
#include "base/sha256.h"

#include <string.h>

#define BLOCK 64

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
static const uint32_t round_numbers[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t turn(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void add_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], s[8];

	for (size_t i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (size_t i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, state, sizeof(s));
	for (size_t i = 0; i < 64; i++) {
		uint32_t t1 = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) +
			      ((s[4] & s[5]) ^ (~s[4] & s[6])) + round_numbers[i] + w[i];
		uint32_t t2 = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) +
			      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (size_t i = 0; i < 8; i++)
		state[i] += s[i];
}

static void add_blocks(uint32_t state[8], const uint8_t *at, size_t n)
{
	for (; n; n--, at += BLOCK)
		add_block(state, at);
}

void sha256_begin(struct sha256 *s)
{
	*s = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
				       0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(struct sha256 *s, const void *bytes, size_t n)
{
	size_t have = s->n % BLOCK, most = BLOCK - have;
	const uint8_t *at = bytes;

	s->n += n;
	if (have) {
		size_t some = n < most ? n : most;

		memcpy(s->rest + have, at, some);
		at += some;
		n -= some;
		if (have + some < BLOCK)
			return;
		add_blocks(s->state, s->rest, 1);
	}
	add_blocks(s->state, at, n / BLOCK);
	if (n % BLOCK)
		memcpy(s->rest, at + n - n % BLOCK, n % BLOCK);
}

void sha256_end(struct sha256 *s, uint8_t ret[SHA256_BYTES])
{
	uint8_t end[2 * BLOCK] = {0};
	size_t rest = s->n % BLOCK, size = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;

	memcpy(end, s->rest, rest);
	end[rest] = 0x80;
	for (size_t i = 0; i < 8; i++)
		end[size - 1 - i] = (uint8_t)(s->n * 8 >> 8 * i);
	add_blocks(s->state, end, size / BLOCK);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		ret[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256(const void *bytes, size_t n, uint8_t ret[SHA256_BYTES])
{
	struct sha256 s;

	sha256_begin(&s);
	sha256_add(&s, bytes, n);
	sha256_end(&s, ret);
}

void sha256_text(const uint8_t hash[SHA256_BYTES], char ret[2 * SHA256_BYTES + 1])
{
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		ret[2 * i] = "0123456789abcdef"[hash[i] >> 4];
		ret[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
	}
	ret[2 * SHA256_BYTES] = '\0';
}
