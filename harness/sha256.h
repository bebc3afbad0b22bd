/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104): what the end trailer is authenticated with. */
#ifndef REENACT_SHA256_H
#define REENACT_SHA256_H
#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32 };

/* Writes the 32-byte HMAC of `text` under `key` (at most 64 bytes) to `mac`. */
void hmac_sha256(const uint8_t *key, size_t key_size, const void *text, size_t text_size,
                 uint8_t mac[SHA256_SIZE]);

#endif
