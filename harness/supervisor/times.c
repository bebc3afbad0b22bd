/* The calls that read the clock or sleep by it. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "calls.h"
#include "clock.h"
#include "guest.h"

enum { NANO = 1000000000, USERS_HZ = 10000000 };

static enum action put(struct task *t, struct call *c, uint64_t address, const void *data, size_t size) {
  return answer(c, guest_write(t, address, data, size) ? 0 : -EFAULT);
}

/* A process' or thread's own clock is named by the inverse of its number, and three bits. */
static int64_t read_clock(uint64_t which) {
  int id = (int)which;
  pid_t owner = id < 0 ? (pid_t)~(id >> 3) : 0;
  return owner && !find_task(owner) ? -1 : clock_read(id);
}

enum action on_clock_gettime(struct task *t, struct call *c) {
  int64_t now = read_clock(c->args[0]);
  if (now < 0) return answer(c, -EINVAL);
  int64_t shown[2] = {now / NANO, now % NANO};
  return put(t, c, c->args[1], shown, sizeof shown);
}

enum action on_clock_getres(struct task *t, struct call *c) {
  int64_t shown[2] = {0, 1};
  if (read_clock(c->args[0]) < 0) return answer(c, -EINVAL);
  return c->args[1] ? put(t, c, c->args[1], shown, sizeof shown) : answer(c, 0);
}

enum action on_gettimeofday(struct task *t, struct call *c) {
  int64_t now = clock_since_1970(), shown[2] = {now / NANO, now % NANO / 1000};
  int32_t zone[2] = {0, 0};
  if (c->args[1] && !guest_write(t, c->args[1], zone, sizeof zone)) return answer(c, -EFAULT);
  return c->args[0] ? put(t, c, c->args[0], shown, sizeof shown) : answer(c, 0);
}

enum action on_time(struct task *t, struct call *c) {
  int64_t now = clock_since_1970() / NANO;
  if (c->args[0] && !guest_write(t, c->args[0], &now, sizeof now)) return answer(c, -EFAULT);
  return answer(c, now);
}

/* One wait for both calls: absolute waits tell no remainder. */
static enum action sleep_until(struct task *t, struct call *c, int absolute, long id, uint64_t span, uint64_t rest) {
  uint64_t caught = 0;
  if (!t->retry) {
    int error = clock_deadline(t, span, absolute, id, &t->deadline);
    if (error || t->deadline == NEVER) return answer(c, error ? error : -EFAULT);
  }
  if (clock_now() >= t->deadline) {
    c->result = 0;
    return YIELD;
  }
  uint64_t pending = guest_signals(t, NULL, &caught);
  if (!pending) return BLOCK;
  if (!(pending & caught)) return interrupt(c, absolute ? RESTART_UNHANDLED : RESTART_REST);
  int64_t left = t->deadline - clock_now(), shown[2] = {left / NANO, left % NANO};
  if (!absolute && rest) guest_write(t, rest, shown, sizeof shown);
  return answer(c, -EINTR);
}

enum action on_nanosleep(struct task *t, struct call *c) {
  return sleep_until(t, c, 0, CLOCK_MONOTONIC, c->args[0], c->args[1]);
}

enum action on_clock_nanosleep(struct task *t, struct call *c) {
  int id = (int)c->args[0];
  if (read_clock(c->args[0]) < 0) return answer(c, -EINVAL);
  if (id == CLOCK_THREAD_CPUTIME_ID || id == CLOCK_MONOTONIC_RAW) return answer(c, -EOPNOTSUPP);
  return sleep_until(t, c, c->args[1] & TIMER_ABSTIME, id, c->args[2], c->args[3]);
}

enum action on_times(struct task *t, struct call *c) {
  int64_t ticks = clock_now() / USERS_HZ, shown[4] = {ticks, 0, 0, 0};
  if (c->args[0] && !guest_write(t, c->args[0], shown, sizeof shown)) return answer(c, -EFAULT);
  return answer(c, clock_read(CLOCK_MONOTONIC) / USERS_HZ);
}

enum action on_getrusage(struct task *t, struct call *c) {
  int64_t shown[18] = {0};
  int who = (int)c->args[0];
  if (who < -1 || who > 1) return answer(c, -EINVAL);
  if (who >= 0) shown[0] = clock_now() / NANO, shown[1] = clock_now() % NANO / 1000;
  return put(t, c, c->args[1], shown, sizeof shown);
}
