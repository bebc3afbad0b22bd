/* The calls that read the clock or sleep by it. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <time.h>

#include "loop/answer.h"
#include "loop/calls.h"
#include "clock.h"
#include "ptrace/guest.h"
#include "loop/work.h"

enum { NANO = 1000000000, USERS_HZ = 10000000 };

static enum action put(struct task *t, struct call *c, uint64_t address, const void *data, size_t size) {
  return answer(c, guest_write(t, address, data, size) ? 0 : -EFAULT);
}

enum action on_clock_gettime(struct task *t, struct call *c) {
  int64_t now = clock_shown(t, (int)c->args[0]);
  if (now < 0) return answer(c, -EINVAL);
  int64_t shown[2] = {now / NANO, now % NANO};
  return put(t, c, c->args[1], shown, sizeof shown);
}

enum action on_clock_getres(struct task *t, struct call *c) {
  int64_t shown[2] = {0, 1};
  if (clock_shown(t, (int)c->args[0]) < 0) return answer(c, -EINVAL);
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

/* One wait for both calls: absolute waits return no remainder. */
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
  if (clock_shown(t, id) < 0) return answer(c, -EINVAL);
  if (id == CLOCK_THREAD_CPUTIME_ID || id == CLOCK_MONOTONIC_RAW) return answer(c, -EOPNOTSUPP);
  return sleep_until(t, c, c->args[1] & TIMER_ABSTIME, id, c->args[2], c->args[3]);
}

enum action on_times(struct task *t, struct call *c) {
  struct work own = work_of(t, 1), children = t->process->children;
  int64_t shown[4] = {(own.all - own.called) / USERS_HZ, own.called / USERS_HZ,
                      (children.all - children.called) / USERS_HZ, children.called / USERS_HZ};
  if (c->args[0] && !guest_write(t, c->args[0], shown, sizeof shown)) return answer(c, -EFAULT);
  return answer(c, clock_read(CLOCK_MONOTONIC) / USERS_HZ);
}

static void put_span(int64_t shown[2], int64_t nanoseconds) {
  shown[0] = nanoseconds / NANO;
  shown[1] = nanoseconds % NANO / 1000;
}

enum action on_getrusage(struct task *t, struct call *c) {
  enum { CHILDREN = -1, THREAD = 1 };
  int64_t shown[18] = {0};
  int who = (int)c->args[0];
  if (who < CHILDREN || who > THREAD) return answer(c, -EINVAL);
  struct work w = who == CHILDREN ? t->process->children : work_of(t, who != THREAD);
  put_span(shown, w.all - w.called);
  put_span(shown + 2, w.called);
  return put(t, c, c->args[1], shown, sizeof shown);
}
