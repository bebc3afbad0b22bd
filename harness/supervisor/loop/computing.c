/* A timer's signal must reach a thread that computes until it comes, at the same instruction in every replay: behind its
   last stop. There the thread is made to stand again once it has computed for half as long again as the time that was
   left. Real time decides whether the signal comes, as it does on Linux, but never where. */
#define _GNU_SOURCE
#include "computing.h"

#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "arch/arch.h"
#include "ptrace/checkpoint.h"
#include "syscalls/time/clock.h"
#include "schedule.h"
#include "ptrace/step.h"
#include "syscalls/time/timers.h"

enum { MILLI = 1000000, STEPS = 1024, DOUBLINGS = 20 };

/* A thread computes at least so long before it is made to stand elsewhere than it does. */
static const int64_t SHORTEST = 100 * MILLI;
/* Processor time of a stretch counts as the highest of these that it reached, each the eightfold of the one before. */
static const int64_t FIRST_CLASS = 5 * MILLI;
/* What is copied for a process with a timer: small copies cost no more than a stop, all others are rationed. */
enum { SMALL = 256 << 10, RATION = 512 << 20, MORE = 32 << 20 };

/* What runs now. */
static struct {
  struct task *task;
  int64_t spent, began; /* processor time, virtual time */
  int64_t suspected;    /* processor time after which it may be overdue; 0: not yet */
  uint64_t counter, stack;
  int kept, doublings;
} stretch;

static int64_t spent(const struct process *p) {
  enum { OF_PROCESS = 2 };
  struct timespec t = {0, 0};
  clock_gettime((clockid_t)(~(unsigned)p->tgid << 3 | OF_PROCESS), &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* A timer that was set anew, or fired and is due again, is another one. */
static struct computing *of(struct process *p, int64_t due) {
  struct computing *c = &p->computing;
  if (c->due == due) return c;
  c->due = due;
  checkpoint_remap(); /* what it mapped without a timer was not seen */
  c->calls = 0;
  c->place = 0, c->times = c->credit = 0, c->longs = 0;
  c->ration = c->ration + MORE < RATION ? c->ration + MORE : RATION;
  if (!c->met) c->met = 1, c->ration = RATION;
  return c;
}

static int reads_clock(long nr) { return nr == SYS_clock_gettime || nr == SYS_gettimeofday || nr == SYS_time; }

static int maps(long nr) {
  switch (nr) {
    case SYS_mmap:
    case SYS_munmap:
    case SYS_mremap:
    case SYS_mprotect:
    case SYS_brk:
    case SYS_shmat:
    case SYS_shmdt: return 1;
    default: return 0;
  }
}

/* A thread that makes many calls before a timer, or only looks at the clock, waits for it. */
void pass_time(struct task *t) {
  if (maps(t->call.nr)) checkpoint_remap();
  int64_t due = signal_due(t->process);
  unsigned calls = due == NEVER ? 0 : ++of(t->process, due)->calls;
  int64_t before = clock_now();
  if (reads_clock(t->call.nr)) clock_look(calls);
  else clock_event(calls);
  t->work.called += clock_now() - before;
  t->process->work.called += clock_now() - before;
}

int goes_on(struct task *t) {
  t->at_user = 1;
  checkpoint_remap();
  fire_timers();
  if (clock_now() <= turn_end(t) || !others_wait(t)) return 1;
  t->state = READY;
  return 0;
}

void begin_stretch(struct task *t) {
  int64_t due = signal_due(t->process);
  if (stretch.task == t || due == NEVER || !arch_load(t)) return;
  struct computing *c = of(t->process, due);
  stretch.counter = arch_counter(t), stretch.stack = arch_stack(t);
  size_t bytes = checkpoint_take(t, c->ration > SMALL ? c->ration : SMALL);
  stretch.kept = bytes > 0;
  if (bytes > SMALL) c->ration -= bytes;
  if (bytes == 0) c->ration = 0;
  stretch.doublings = stretch.counter == c->rewound_to && stretch.stack == c->rewound_stack ? c->rewound : 0;
  stretch.began = clock_now();
  stretch.suspected = 0;
  stretch.spent = spent(t->process);
  stretch.task = t;
}

int64_t spent_so_far(const struct task *t) { return stretch.task == t ? spent(t->process) - stretch.spent : 0; }

void spent_in_steps(const struct task *t, int64_t so_far) {
  if (stretch.task == t) stretch.spent = spent(t->process) - so_far;
}

static int64_t counted(int64_t nanoseconds) {
  int64_t class = FIRST_CLASS;
  while (class <= nanoseconds / 8) class *= 8;
  return class;
}

/* The shortest of all long stretches that began at one place counts for all: load makes them longer, never shorter. A
   processor that was taken away for a while makes a short one look long, but not several in a row. What was counted
   shows only in that the timer's signal comes. */
static void count(struct process *p, int64_t took) {
  enum { IN_A_ROW = 16, BETWEEN = 64 };
  int64_t due = signal_due(p);
  if (due == NEVER) return;
  struct computing *c = of(p, due);
  if (++c->since > BETWEEN) c->place = 0, c->times = c->credit = 0, c->longs = 0;
  if (took < FIRST_CLASS) return;
  c->since = 0;
  if (c->place != stretch.counter) {
    c->credit += c->times * (c->times >= IN_A_ROW ? counted(c->least) : FIRST_CLASS);
    c->place = stretch.counter, c->times = 0, c->least = took;
  }
  c->times++;
  if (took < c->least) c->least = took;
  if (++c->longs >= IN_A_ROW && c->credit + c->times * counted(c->least) >= due - clock_now()) clock_jump(due);
}

void end_stretch(const struct task *t) {
  if (t == stretch.task) count(t->process, spent_so_far(t));
  stretch.task = NULL;
}

int is_kept(const struct task *t) { return stretch.task == t && stretch.kept; }

/* Asked again a little later: time for which the processor was taken away looks like work, once. */
int is_overdue(const struct task *t) {
  if (!is_kept(t)) return 0;
  int64_t due = signal_due(t->process), enough = (due - stretch.began) / 2 * 3, took = spent_so_far(t);
  if (due == NEVER) return 0;
  if (enough < SHORTEST) enough = SHORTEST;
  if (took >> stretch.doublings < enough) return 0;
  if (!stretch.suspected) stretch.suspected = took;
  return took - stretch.suspected >= FIRST_CLASS;
}

/* Some instructions further than its last stop, so that a loop has gone round. */
static enum rewound go_back(struct task *t, int *status) {
  struct computing *c = &t->process->computing;
  struct steps steps;
  *status = LEFT_ALONE;
  stretch.task = NULL;
  if (!checkpoint_restore(t)) return LOST;
  clock_set_back(stretch.began);
  int left = begin_steps(t, &steps) ? STEPS : 0, stepped = left > 0;
  while (left > 0 && step(t, status)) left--;
  if (stepped) end_steps(t, &steps);
  if (left > 0) return STOPPED_SO;
  t->state = READY;
  t->at_user = 1;
  if (!arch_load(t)) return LOST;
  c->rewound_to = arch_counter(t), c->rewound_stack = arch_stack(t);
  c->rewound = stretch.doublings < DOUBLINGS ? stretch.doublings + 1 : DOUBLINGS;
  return REWOUND;
}

enum rewound rewind_overdue(struct task *t, int *status) {
  int64_t due = signal_due(t->process);
  *status = LEFT_ALONE;
  if (ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL) != 0 || !wait_for_stop(t, status)) return STOPPED_SO;
  if (!WIFSTOPPED(*status) || *status >> 16 != PTRACE_EVENT_STOP || WSTOPSIG(*status) != SIGTRAP) return STOPPED_SO;
  enum rewound so = go_back(t, status);
  if (so == REWOUND) clock_jump(due);
  return so;
}

int rewind_spin(struct task *t) {
  int status;
  if (!is_kept(t)) {
    t->at_user = 0;
    return 1;
  }
  return go_back(t, &status) == REWOUND;
}
