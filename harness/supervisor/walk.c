/* Steps a task for a while that chance decides, and takes its turn away then, wherever it is. */
#define _GNU_SOURCE
#include "walk.h"

#include "chaos.h"
#include "schedule.h"
#include "step.h"

enum { WALK_BITS = 11 };

enum walk walk(struct task **chosen) {
  struct task *t = *chosen;
  pid_t tid = t->tid;
  int status;
  if (!in_chaos() || t->second_half || t->signal || chaos_draw(2) || !others_wait(t)) return NO_WALK;
  t->state = RUNNING;
  t->heard = signals_sent;
  for (unsigned left = chaos_length(WALK_BITS); left > 0; left--) {
    if (step(t, &status)) continue;
    if (status == LEFT_ALONE) return GONE_ON;
    if (!on_stop(t, tid, status)) return WALKED;
    /* It may be about to enter the kernel with a call that would not sleep now: it must go on at once. */
    *chosen = find_task(tid);
    return *chosen ? NO_WALK : WALKED;
  }
  t->state = READY;
  return WALKED;
}
