/* A list of the timers that are armed; only the virtual clock decides which one is due. */
#define _GNU_SOURCE
#include "timer.h"

#include "clock.h"
#include "ptrace/guest.h"

enum { MICRO = 1000, NANO = 1000000000 };

static struct timer *armed;

static void disarm(struct timer *timer) {
  struct timer **at = &armed;
  while (*at && *at != timer) at = &(*at)->next;
  if (*at) *at = timer->next;
  timer->armed = 0;
}

void timer_set(struct timer *timer, int64_t span, int64_t every) {
  disarm(timer);
  timer->every = every;
  if (span == 0) return;
  struct timer **last = &armed;
  while (*last) last = &(*last)->next;
  *last = timer;
  timer->next = NULL;
  timer->armed = 1;
  timer->due = clock_after(span);
}

int64_t timer_left(const struct timer *timer) {
  if (!timer->armed) return 0;
  return timer->due > clock_now() + MICRO ? timer->due - clock_now() : MICRO;
}

static struct timer *earliest(int working) {
  struct timer *first = NULL;
  for (struct timer *one = armed; one; one = one->next)
    if ((working || !one->of_work) && (!first || one->due < first->due)) first = one;
  return first;
}

int64_t timers_due(int working) {
  const struct timer *first = earliest(working);
  return first ? first->due : NEVER;
}

void timers_put_off(int64_t span) {
  for (struct timer *one = armed; one; one = one->next)
    if (one->of_work && span > 0 && __builtin_add_overflow(one->due, span, &one->due)) one->due = INT64_MAX;
}

/* A timer that is due several times at once fires once for all of them. */
int timers_fire(void) {
  int fired = 0;
  for (struct timer *one; (one = earliest(1)) && one->due <= clock_now(); fired++) {
    int64_t times = one->every ? 1 + (clock_now() - one->due) / one->every : 1;
    /* A due time beyond all time never comes. */
    int64_t span, next;
    int ends = !one->every || __builtin_mul_overflow(times, one->every, &span) ||
               __builtin_add_overflow(one->due, span, &next);
    if (ends) disarm(one);
    else one->due = next;
    one->fire(one, times);
  }
  return fired;
}

int timer_spans(struct task *t, uint64_t address, int64_t spans[2]) {
  for (int i = 0; i < 2; i++) {
    int error = clock_span(t, address + 16 * (uint64_t)i, &spans[i]);
    if (error) return error;
  }
  return 0;
}

int timer_show(struct task *t, uint64_t address, const struct timer *timer) {
  int64_t left = timer_left(timer), every = timer->every;
  int64_t shown[4] = {every / NANO, every % NANO, left / NANO, left % NANO};
  return address == 0 || guest_write(t, address, shown, sizeof shown);
}
