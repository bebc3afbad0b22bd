/* SplitMix64: good enough to look random to a guest, and the same bytes on every machine. */
#include "random.h"

#include <string.h>

static uint64_t state;

void random_begin(uint64_t seed) { state = seed * 0x9e3779b97f4a7c15 + 0x5245454e41435431; }

static uint64_t next(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

void random_bytes(void *to, size_t size) {
  uint8_t *p = to;
  while (size > 0) {
    uint64_t word = next();
    size_t n = size < sizeof word ? size : sizeof word;
    memcpy(p, &word, n);
    p += n;
    size -= n;
  }
}
