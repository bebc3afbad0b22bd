/* The mark cannot be guessed, and when it is written, every process that could read it from the pipe is stopped or dead. */
#include "appendix.h"

#include <stdio.h>
#include <string.h>

#include "common/sha256.h"
#include "common/write_all.h"

static char mark[2 * SHA256_SIZE + 1];
static int begun;

static void hex_mac(const uint8_t key[KEY_SIZE], const void *bytes, size_t size, char to[2 * SHA256_SIZE + 1]) {
  uint8_t mac[SHA256_SIZE];
  hmac_sha256(key, KEY_SIZE, bytes, size, mac);
  for (int i = 0; i < SHA256_SIZE; i++) snprintf(to + 2 * i, 3, "%02x", mac[i]);
}

void appendix_key(const uint8_t key[KEY_SIZE]) {
  static const char purpose[] = "reenact-appendix/1";
  hex_mac(key, purpose, strlen(purpose), mark);
}

void appendix_begin(uint64_t core_size) {
  char line[sizeof mark + 16];
  int n = snprintf(line, sizeof line, "%s %012llu\n", mark, (unsigned long long)core_size);
  write_all(2, line, (size_t)n);
  begun = 1;
}

void appendix_add(const uint8_t key[KEY_SIZE], const void *bytes, size_t size) {
  char mac[2 * SHA256_SIZE + 1];
  if (!begun) appendix_begin(0);
  hex_mac(key, bytes, size, mac);
  write_all(2, bytes, size);
  write_all(2, "\n", 1);
  write_all(2, mac, sizeof mac - 1);
  write_all(2, "\n", 1);
}
