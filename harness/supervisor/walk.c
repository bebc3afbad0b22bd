/* Takes turns away between two stops: after steps that chance decided, or because a task goes in circles. */
#define _GNU_SOURCE
#include "walk.h"

#include "chaos.h"
#include "schedule.h"
#include "spin.h"
#include "step.h"

enum { WALK_BITS = 11, LONGEST_PATIENCE = 100 };

enum walk walk(struct task **chosen) {
  struct task *t = *chosen;
  pid_t tid = t->tid;
  int status;
  struct steps steps;
  if (!in_chaos() || t->second_half || t->signal || chaos_draw(2) || !others_wait(t) || !begin_steps(t, &steps)) return NO_WALK;
  t->state = RUNNING;
  t->heard = signals_sent;
  for (unsigned left = chaos_length(WALK_BITS); left > 0; left--) {
    if (step(t, &status)) continue;
    end_steps(t, &steps);
    if (status == LEFT_ALONE) return GONE_ON;
    if (!on_stop(t, tid, status)) return WALKED;
    /* It may be about to enter the kernel with a call that would not sleep now: it must go on at once. */
    *chosen = find_task(tid);
    return *chosen ? NO_WALK : WALKED;
  }
  end_steps(t, &steps);
  t->state = READY;
  return WALKED;
}

int circles(struct task *t, int *patience) {
  int status;
  switch (look_for_spin(t, &status)) {
    case SPINS:
      t->spins = 1;
      t->state = READY;
      return 1;
    case WORKS:
      *patience = *patience < LONGEST_PATIENCE ? 2 * *patience : LONGEST_PATIENCE;
      resume(t);
      return 0;
    default:
      if (status == LEFT_ALONE) return 0;
      if (!on_stop(t, t->tid, status)) return 1;
      resume(t);
      return 0;
  }
}
