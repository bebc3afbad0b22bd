/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104): what the end trailer is authenticated with, and what names files. */
#ifndef REENACT_SHA256_H
#define REENACT_SHA256_H
#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32 };

/* A digest under way. */
struct sha256 {
  uint32_t state[8];
  uint64_t size;
  uint8_t block[64];
};

void sha256_begin(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t size);
void sha256_finish(struct sha256 *s, uint8_t digest[SHA256_SIZE]);

/* Writes the 32-byte HMAC of `text` under `key` (at most 64 bytes) to `mac`. */
void hmac_sha256(const uint8_t *key, size_t key_size, const void *text, size_t text_size,
                 uint8_t mac[SHA256_SIZE]);

#endif
