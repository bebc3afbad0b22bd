/* Formats and writes the end trailer (docs/harness.md). */
#include "trailer.h"

#include <stdio.h>
#include <string.h>

#include "common/sha256.h"
#include "common/write_all.h"

void write_trailer(const uint8_t key[KEY_SIZE], const struct ending *end) {
  char line[PAYLOAD_SIZE + 1 + 2 * SHA256_SIZE + 1 + 1];
  uint8_t mac[SHA256_SIZE];
  int n = snprintf(line, PAYLOAD_SIZE, "reenact-end/1 kind=%s value=%d oom=%ld hidden=%ld ms=%ld",
                   end->kind, end->value, end->oom, end->hidden, end->ms);
  if (end->crash) {
    appendix_add(key, end->crash, strlen(end->crash));
    n += snprintf(line + n, (size_t)(PAYLOAD_SIZE - n), " crash=%zu", strlen(end->crash));
  }
  if (end->log) {
    appendix_add(key, end->log, end->log_size);
    n += snprintf(line + n, (size_t)(PAYLOAD_SIZE - n), " log=%zu", end->log_size);
  }
  unsigned unproven = end->unproven < MOST_UNPROVEN ? end->unproven : MOST_UNPROVEN;
  if (unproven) n += snprintf(line + n, (size_t)(PAYLOAD_SIZE - n), " unproven=%u", unproven);
  memset(line + n, ' ', (size_t)(PAYLOAD_SIZE - n));
  hmac_sha256(key, KEY_SIZE, line, PAYLOAD_SIZE, mac);
  line[PAYLOAD_SIZE] = '\n';
  for (int i = 0; i < SHA256_SIZE; i++) snprintf(line + PAYLOAD_SIZE + 1 + 2 * i, 3, "%02x", mac[i]);
  line[sizeof line - 2] = '\n';
  write_all(2, line, sizeof line - 1);
}
