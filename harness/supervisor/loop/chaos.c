/* A stream of chances of its own: the guest's random bytes stay those of its seed. */
#include "chaos.h"

static uint64_t state;
static int on;

void chaos_begin(uint64_t seed) {
  on = 1;
  state = (seed + 1) * 0x9e3779b97f4a7c15 ^ 0x4348414f53;
}

int in_chaos(void) { return on; }

/* SplitMix64's finaliser over a counter. */
unsigned chaos_draw(unsigned below) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return (unsigned)((z ^ z >> 31) >> 32) % below;
}

unsigned chaos_length(unsigned bits) {
  unsigned longest = 2u << chaos_draw(bits);
  return longest / 2 + chaos_draw(longest / 2);
}
