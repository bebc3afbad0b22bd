/* Takes turns away between two stops: after steps that chance decided, or because a task goes in circles. */
#define _GNU_SOURCE
#include "walk.h"

#include "arch/arch.h"
#include "chaos.h"
#include "computing.h"
#include "schedule.h"
#include "spin.h"
#include "ptrace/step.h"
#include "supervisor.h"

enum { WALK_BITS = 11, LONGEST_PATIENCE = 100, CIRCLES_AFTER = 40000000 /* ns of processor time */ };

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

/* Unless it was killed meanwhile, which its end will tell. */
static int is_lost(struct task *t) {
  if (!arch_load(t)) return 0;
  give_up_on(HALF_RESTORED);
  return 1;
}

static int stopped_otherwise(struct task *t, int status) {
  if (status == LEFT_ALONE) return 0;
  end_stretch(t);
  if (!on_stop(t, t->tid, status)) return 1;
  resume(t);
  return 0;
}

int circles(struct task *t, int *patience) {
  int status;
  int64_t so_far = spent_so_far(t);
  /* Steps are slow on a busy machine, where a short stretch looks long. */
  if (is_kept(t) && so_far < CIRCLES_AFTER) return 0;
  switch (look_for_spin(t, &status)) {
    case SPINS:
      if (!rewind_spin(t)) return is_lost(t);
      t->spins = 1;
      t->state = READY;
      return 1;
    case WORKS:
      spent_in_steps(t, so_far);
      /* A task that a timer will reach in any case need not be looked at again soon. */
      *patience = *patience < LONGEST_PATIENCE && !is_kept(t) ? 2 * *patience : LONGEST_PATIENCE;
      resume(t);
      return 0;
    default: return stopped_otherwise(t, status);
  }
}

int overtakes(struct task *t) {
  int status;
  enum rewound so = rewind_overdue(t, &status);
  if (so == LOST) return is_lost(t);
  return so == STOPPED_SO ? stopped_otherwise(t, status) : 1;
}
