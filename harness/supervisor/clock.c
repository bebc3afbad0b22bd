/* Virtual time: starts where it is told to, ticks with events, jumps when everybody waits. */
#define _GNU_SOURCE
#include "clock.h"

#include <errno.h>
#include <time.h>

#include "guest.h"

enum { TICK = 1000, NANO = 1000000000 };
/* The machine seems to have been up for this long, so that no monotonic clock shows a suspicious zero. */
static const int64_t UP = 1000LL * NANO;
static const int64_t FAR = 1LL << 61;

static int64_t start, now;

void clock_begin(int64_t seconds) {
  start = seconds * NANO;
  now = 0;
}

int64_t clock_now(void) { return now; }
void clock_tick(void) { now += TICK; }
void clock_jump(int64_t when) {
  if (when > now) now = when;
}
int64_t clock_since_1970(void) { return start + now; }

uint64_t clock_cycles(void) {
  clock_tick();
  return (uint64_t)(UP + now);
}

int64_t clock_read(long id) {
  switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI: return start + now;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM: return UP + now;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID: return now;
    default: return id < 0 ? now : -1; /* a process' or thread's own clock */
  }
}

int64_t clock_after(int64_t nanoseconds) {
  if (nanoseconds <= 0) return now;
  return nanoseconds > FAR - now ? FAR : now + nanoseconds;
}

int clock_span(struct task *t, uint64_t address, int64_t *nanoseconds) {
  int64_t raw[2];
  if (!guest_read(t, address, raw, sizeof raw)) return -EFAULT;
  if (raw[0] < 0 || raw[1] < 0 || raw[1] >= NANO) return -EINVAL;
  *nanoseconds = raw[0] > FAR / NANO ? FAR : raw[0] * NANO + raw[1];
  return 0;
}

int clock_deadline(struct task *t, uint64_t address, int absolute, long id, int64_t *deadline) {
  int64_t span;
  *deadline = NEVER;
  if (address == 0) return 0;
  int error = clock_span(t, address, &span);
  if (error) return error;
  *deadline = clock_after(absolute ? span - clock_read(id) : span);
  return 0;
}
