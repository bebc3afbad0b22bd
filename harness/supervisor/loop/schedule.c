/* Chooses by turns: the first after the last runner that can run; when none can, the clock jumps to a deadline. */
#define _GNU_SOURCE
#include "schedule.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "arch/arch.h"
#include "chaos.h"
#include "calls.h"
#include "syscalls/time/clock.h"
#include "computing.h"
#include "ends.h"
#include "event_log.h"
#include "ptrace/filters.h"
#include "syscalls/ipc/futex.h"
#include "ptrace/guest.h"
#include "syscalls/time/timers.h"
#include "work.h"
#include "syscalls/signals/tracing.h"

/* A turn is short, so that a woken thread runs soon; it grows with what it costs to look for the next one. */
enum { MAX_JUMPS = 1000, TURN = 100, TICKS_AN_ASK = 16, ASKS_A_REPEAT = 8, LONGEST_TURN = 5000, LONGEST_TURN_BITS = 12 };

static uint64_t progress; /* counts what may have changed the answer to a repeated call */
static pid_t last;
static int64_t turn = TURN; /* of the running thread, in ticks of the clock */
static int64_t asked;       /* handlers in vain since the last turn began */
static int64_t calls;       /* since a sleeper's time came */

enum action ask(struct task *t) {
  const struct handler *h = handler_of(t->call.nr);
  return h->entry ? h->entry(t, &t->call) : RUN;
}

int perform(struct task *t, enum action action) {
  const struct call harmless = {.nr = SYS_getpid};
  t->second_half = action == AFTER || action == LEAVE;
  t->leaves = action == LEAVE ? (int)t->call.result : 0;
  if (action == LEAVE) arch_replace(t, &harmless);
  if (action == DONE || action == YIELD) {
    log_answer(t, t->call.result);
    arch_skip(t, t->call.result);
  }
  t->state = action == BLOCK ? BLOCKED : READY;
  if (action == BLOCK || action == LEAVE) t->kept = t->call, t->until = t->deadline;
  return action != BLOCK && action != YIELD;
}

/* How long `t` may read the clock before another thread must run, or a signal comes. */
static int64_t limit_of(const struct task *t) {
  int64_t due = timers_due(1), limit = due == NEVER ? INT64_MAX : due;
  return others_wait(t) && turn_end(t) < limit ? turn_end(t) : limit;
}

static int64_t earliest_waking(void) {
  int64_t earliest = NEVER;
  for (const struct task *t = tasks; t; t = t->next)
    if (t->state == BLOCKED && !t->traced.stop && t->deadline != NEVER && (earliest == NEVER || t->deadline < earliest))
      earliest = t->deadline;
  return earliest;
}

void resume(struct task *t) {
  int watched = is_timed(t->process) || is_logging();
  clock_limit(limit_of(t));
  clock_allow_untraced(!watched && !guests_filter() && earliest_waking() == NEVER);
  if (t->at_user && !t->signal && !t->once) begin_stretch(t);
  t->state = RUNNING;
  t->heard = signals_sent;
  int signal = t->signal;
  t->signal = 0;
  if (t->once) ptrace(PTRACE_SINGLESTEP, t->tid, NULL, (void *)(intptr_t)signal);
  else ptrace(t->second_half || watched ? PTRACE_SYSCALL : PTRACE_CONT, t->tid, NULL, (void *)(intptr_t)signal);
}

/* Some calls are never restarted after a handler. */
static int answer_to_signal(long nr) {
  switch (nr) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_semop:
    case SYS_semtimedop: return -EINTR;
    case SYS_msgsnd:
    case SYS_msgrcv: return RESTART_UNHANDLED;
    default: return RESTART;
  }
}

/* Calls that end only by a wake, a signal or a moment, which the scheduler sees: there is no need to ask again. */
static int is_told(long nr) {
  switch (nr) {
    case SYS_futex:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait: return 1;
    default: return 0;
  }
}

static int is_worth_asking(const struct task *t) {
  if (t->futex.woken || t->heard != signals_sent || signals_unseen || t->process->stops) return 1;
  return !is_told(t->call.nr) || (t->deadline != NEVER && clock_now() >= t->deadline);
}

/* 1 when a blocked task can run now. */
static int unblocks(struct task *t) {
  if (t->again) {
    if (guest_signals(t, NULL, NULL)) {
      t->again = 0;
      arch_answer(t, t->done ? (int64_t)t->done : answer_to_signal(t->call.nr));
      return 1;
    }
    if (t->tried == mark_try(t)) return 0;
    arch_repeat(t);
    asked += ASKS_A_REPEAT;
    return 1;
  }
  if (!is_worth_asking(t)) return 0;
  t->retry = 1;
  asked++;
  enum action action = ask(t);
  if (action == BLOCK) return 0;
  if (t->deadline != NEVER && clock_now() >= t->deadline) calls = 0;
  perform(t, action);
  return 1;
}

static int can_run(struct task *t) {
  if (t->traced.stop) return 0;
  if (t->state == BLOCKED) return unblocks(t);
  if (t->state != READY) return 0;
  if (!t->unasked) return 1;
  t->unasked = 0;
  return perform(t, ask(t)) || t->state == READY;
}

/* The task after which the search begins. */
static struct task *before_the_next(void) {
  unsigned count = 0;
  if (!in_chaos()) return find_task(last);
  for (struct task *t = tasks; t; t = t->next) count++;
  struct task *t = tasks;
  for (unsigned skip = count ? chaos_draw(count) : 0; skip > 0; skip--) t = t->next;
  return t;
}

static struct task *first_that_can(int spinners) {
  struct task *start = before_the_next(), *t = start ? start->next : NULL;
  for (int turn = 0; turn < 2; turn++) {
    for (; t; t = t->next)
      if (t->spins == spinners && can_run(t)) return t;
    t = tasks;
  }
  return NULL;
}

static struct task *somebody_circles(void) {
  for (struct task *t = tasks; t; t = t->next)
    if (t->spins) return t;
  return NULL;
}

static int64_t earliest_deadline(void) {
  int64_t earliest = earliest_waking(), timer = timers_due(somebody_circles() != NULL);
  return earliest == NEVER || (timer != NEVER && timer < earliest) ? timer : earliest;
}

/* A thread sleeps beside one that makes call after call: what is computed between two calls takes time as well,
   of which nothing is known but that there is some. Without this a sleep of 100 ms lasts 100,000 calls. */
void pass_time_of_sleep(void) {
  enum { PATIENCE = 1000, LUMP = 64, TICKS_A_CALL = 15 };
  if (++calls < PATIENCE || calls % LUMP) return;
  int64_t due = earliest_waking(), later = clock_now() + LUMP * TICKS_A_CALL * CLOCK_TICK;
  if (due != NEVER) clock_jump(due < later ? due : later);
}

void count_calls(int64_t made) { calls += made; }

void fire_timers(void) {
  if (!timers_fire()) return;
  calls = 0;
  progress++;
  reap_dying();
}

/* A thread that went in circles may find something changed. */
static void end_circles(const struct task *but) {
  for (struct task *t = tasks; t; t = t->next)
    if (t != but) t->spins = 0;
}

static void begin_turn(struct task *t) {
  if (!t->again) progress++;
  if (!t->spins) end_circles(t);
  last = t->tid;
  t->chosen = clock_now();
  work_begin(t);
  turn = TURN + asked * TICKS_AN_ASK < LONGEST_TURN ? TURN + asked * TICKS_AN_ASK : LONGEST_TURN;
  if (in_chaos()) turn = chaos_length(LONGEST_TURN_BITS);
  if (!t->again) asked = 0;
}

/* A timer without a listener must not keep us from looking at the real clock. */
struct task *choose_task(void) {
  work_end();
  for (int jumps = 0; jumps < MAX_JUMPS; jumps++) {
    fire_timers();
    struct task *t = first_that_can(0);
    int64_t due = t ? NEVER : earliest_deadline();
    /* A thread that goes in circles runs only after another did something, or when no other is left. */
    if (!t && due == NEVER) t = first_that_can(1);
    if (t) {
      begin_turn(t);
      return t;
    }
    progress++;
    /* Only the kernel can still change something: all must try again, even a task that waits for a child. */
    if (due == NEVER) signals_sent++;
    if (due == NEVER) return NULL;
    struct task *circling = somebody_circles();
    if (circling) work_add(circling, due - clock_now());
    else timers_put_off(due - clock_now());
    clock_jump(due);
    calls = 0;
    end_circles(NULL);
  }
  return NULL;
}

int64_t turn_end(const struct task *t) { return t->chosen + turn * CLOCK_TICK; }

int others_wait(const struct task *t) {
  if (timers_due(1) != NEVER) return 1;
  for (const struct task *o = tasks; o; o = o->next)
    if (o != t && !o->traced.stop && (o->state == READY || o->state == BLOCKED)) return 1;
  return 0;
}

/* Only a child's change, which is counted with the signals, can end a wait for it. */
uint64_t mark_try(const struct task *t) {
  return t->call.nr == SYS_wait4 || t->call.nr == SYS_waitid ? signals_sent : progress;
}
void mark_success(void) { progress++; }

void release_vfork_parent(pid_t child) {
  for (struct task *t = tasks; t; t = t->next)
    if (t->state == VFORKING && t->vfork_child == child) t->state = READY;
}

void wake_joiner(struct task *t) {
  struct task *other = tasks;
  while (other && (other == t || other->process->space != t->process->space)) other = other->next;
  if (t->clear_tid && other) futex_wake(other, t->clear_tid, 1, UINT32_MAX, 0);
  t->clear_tid = 0;
}

int leaves_early(struct task *t) {
  char stat[512];
  const char *at;
  if (t->call.nr != SYS_exit || t->tid != t->process->tgid || t->process->tasks == 1) return 0;
  resume(t);
  t->state = GONE;
  do at = guest_proc(t, "stat", stat, sizeof stat) > 0 ? strrchr(stat, ')') : NULL;
  while (at && at[2] != 'Z' && at[2] != 'X');
  wake_joiner(t);
  futex_wake_robust_waiters(t);
  progress++;
  return 1;
}

void on_death(struct task *t, int status) {
  (void)status;
  progress++;
  work_inherit(t);
  t->futex.waiting = 0;
  futex_wake_robust_waiters(t);
  tracing_end(t);
  wake_joiner(t);
  if (t->process->tasks == 1) {
    signals_sent++;
    release_vfork_parent(t->process->tgid);
  }
  remove_task(t);
}
