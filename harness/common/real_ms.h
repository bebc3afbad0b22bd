/* The real clock, which no guest sees. */
#ifndef REENACT_REAL_MS_H
#define REENACT_REAL_MS_H
#include <time.h>

/* Milliseconds, never set back. */
static inline long real_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
