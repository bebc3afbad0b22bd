/* The supervisor's loop: lets one guest thread run to its next stop, and says what the stop means. */
#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arch/arch.h"
#include "calls.h"
#include "chaos.h"
#include "syscalls/time/clock.h"
#include "computing.h"
#include "crash/crash.h"
#include "ends.h"
#include "event_log.h"
#include "exec.h"
#include "ptrace/filters.h"
#include "syscalls/files/folders.h"
#include "syscalls/ipc/futex.h"
#include "ptrace/guest.h"
#include "syscalls/identity/identity.h"
#include "syscalls/files/inodes.h"
#include "ptrace/placement.h"
#include "syscalls/identity/random.h"
#include "schedule.h"
#include "ptrace/seize.h"
#include "syscalls/signals/signals.h"
#include "syscalls/signals/stop.h"
#include "rewrite/text.h"
#include "syscalls/threads/threads.h"
#include "syscalls/time/timers.h"
#include "syscalls/signals/tracing.h"
#include "rewrite/untraced.h"
#include "traps.h"
#include "walk.h"
#include "ptrace/watch.h"

static struct supervised found = {.unsupported = -1};
enum { CROWD = 32 }; /* of so many threads, one is waited for alone */

static int wants_log;
static pid_t newborn; /* its first stop came before its parent's stop */

void give_up_on(int reason) {
  if (found.unsupported < 0) found.unsupported = reason;
}

/* A call's number decides; an unclassified one gets ENOSYS, and the run cannot be trusted. */
static int on_call(struct task *t) {
  if (!arch_load(t)) return 0;
  arch_widen(t);
  t->retry = t->again;
  t->again = 0;
  if (!t->retry) {
    pass_time(t);
    pass_time_of_sleep();
    fire_timers();
    t->deadline = NEVER;
    t->done = 0;
    log_call(t);
    if (clock_now() > turn_end(t) && others_wait(t)) {
      t->unasked = 1;
      t->state = READY;
      return 0;
    }
  }
  if (leaves_early(t)) return 0;
  return perform(t, ask(t));
}

static int on_answer(struct task *t) {
  const struct handler *h = handler_of(t->call.nr);
  t->second_half = 0;
  t->at_user = 1;
  if (t->leaves) {
    log_answer(t, t->leaves);
    arch_answer(t, t->leaves);
    return 1;
  }
  t->call.result = arch_result(t);
  enum action action = h->exit ? h->exit(t, &t->call) : RUN;
  if (action == DONE) arch_answer(t, t->call.result);
  if (action != AGAIN) log_answer(t, t->call.result);
  if (action != AGAIN && t->retry) mark_success();
  if (action != AGAIN) return 1;
  t->again = 1;
  t->state = BLOCKED;
  t->tried = mark_try(t);
  return 0;
}

/* A process with a timer stops at calls that pass too: a loop of them must see the timer's signal at the same call. */
static int on_passing(struct task *t) {
  if (!arch_load(t)) return 0;
  if (!arch_enters(t)) {
    t->at_user = 1;
    if (t->event) log_answer(t, arch_result(t));
  } else if (handler_of(t->call.nr)->passes && !trap_watches(&t->call)) {
    log_call(t);
    if (!is_timed(t->process)) return 1;
    pass_time(t);
    fire_timers();
  }
  return 1;
}

static int on_birth(struct task *parent, int vfork) {
  enum { SHARES_MEMORY = 0x100, SHARES_ACTIONS = 0x800, THREAD = 0x10000, CLEARS_TID = 0x200000 };
  unsigned long pid = 0;
  int status = 0;
  ptrace(PTRACE_GETEVENTMSG, parent->tid, NULL, &pid);
  if (!arch_load(parent)) return 0;
  uint64_t flags = parent->call.nr == SYS_clone ? parent->call.args[0] : 0;
  struct task *child = add_task((pid_t)pid, flags & THREAD ? parent->process : NULL);
  child->no_clock = parent->no_clock;
  if (!(flags & THREAD)) child->process->parent = parent->process->tgid;
  if (!(flags & THREAD)) traps_inherit(child->process, parent->process, flags & SHARES_ACTIONS);
  if (flags & CLEARS_TID) child->clear_tid = parent->call.args[3];
  if (!(flags & THREAD)) inherit_memory(child->process, parent->process, vfork || flags & SHARES_MEMORY);
  int met = newborn == child->tid;
  newborn = 0;
  if (!met && (!await_certain(child->tid, &status) || !WIFSTOPPED(status))) record_end(child, status);
  else clone_met(parent, child);
  if (find_task((pid_t)pid) && vfork) {
    parent->state = VFORKING;
    parent->vfork_child = child->tid;
    return 0;
  }
  return 1;
}

/* The exec'ing thread has taken its leader's tid, and all other threads are gone. */
static int on_exec(struct task *t, pid_t pid) {
  unsigned long former = 0;
  int status;
  ptrace(PTRACE_GETEVENTMSG, pid, NULL, &former);
  struct task *self = find_task((pid_t)former);
  futex_wake_robust_waiters(self ? self : t);
  if (self && self != t) futex_wake_robust_waiters(t);
  if (self && self != t) {
    remove_task(t);
    renumber_task(self, pid);
    t = self;
  }
  ptrace(PTRACE_SYSCALL, t->tid, NULL, NULL);
  if (!await_certain(t->tid, &status)) return 0;
  if (!WIFSTOPPED(status)) {
    record_end(t, status);
    return 0;
  }
  wake_joiner(t);
  t->second_half = 0;
  release_vfork_parent(t->process->tgid);
  settle_program(t);
  tracing_exec(t);
  if (wants_log) log_begin();
  return 1;
}

int on_stop(struct task *t, pid_t pid, int status) {
  if (WIFEXITED(status) || WIFSIGNALED(status)) {
    /* A thread that ends by itself ends no other. */
    int alone = t->call.nr == SYS_exit && WIFEXITED(status) && t->process->tasks > 1;
    record_end(t, status);
    if (!alone) reap_dying();
    return 0;
  }
  int signal = WSTOPSIG(status);
  t->at_user = 0;
  switch (status >> 16) {
    case PTRACE_EVENT_SECCOMP: return filter_stop(t) || on_call(t);
    case PTRACE_EVENT_CLONE: case PTRACE_EVENT_FORK: return on_birth(t, 0);
    case PTRACE_EVENT_VFORK: return on_birth(t, 1);
    case PTRACE_EVENT_EXEC: return on_exec(t, pid);
    case PTRACE_EVENT_STOP:
      if (signal == SIGTRAP) return on_continued(t);
      on_group_stop(t);
      return 0;
    default: break;
  }
  if (signal == (SIGTRAP | 0x80)) return t->second_half ? on_answer(t) : on_passing(t);
  if (trap_stop(t, signal) || filter_trap(t, signal)) return goes_on(t);
  if (signal == SIGSEGV && execute_text(t)) return goes_on(t);
  if (tracing_stop(t, signal)) return 0;
  deliver(t, signal);
  return 1;
}

void await_stop(struct task *t) {
  int status;
  t->state = RUNNING;
  if (await_certain(t->tid, &status) && on_stop(t, t->tid, status)) t->state = READY;
}

/* Lets `t` run until another thread has to; NULL waits for any event from outside. */
static void run(struct task *t) {
  int status, quiet = 0, patience = 2, anybody = 0;
  enum walk walked = t ? walk(&t) : NO_WALK;
  if (walked == WALKED) return;
  if (t && walked == NO_WALK) resume(t);
  for (;;) {
    /* Waiting for any task costs more the more there are: others have news only where `t` waits for their end. */
    pid_t whom = t && !anybody && task_count > CROWD ? t->tid : -1, pid = await_guest(whom, &status);
    if (pid < 0 && errno != EINTR && whom == -1) return;
    anybody = pid < 0;
    if (pid < 0 && errno != EINTR) continue;
    if (pid < 0) {
      if (t && time_is_over()) found.spinning = quiet + patience > 10 && others_wait(t);
      if (!t || time_is_over()) return;
      place_anew(t);
      if (is_overdue(t) && overtakes(t)) return;
      if (++quiet < patience || !others_wait(t)) continue;
      if (circles(t, &patience)) return;
      quiet = 0;
      continue;
    }
    if (has_looked()) {
      if (time_is_over()) return;
      place_anew(t);
    }
    struct task *stopped = find_task(pid);
    if (!stopped) newborn = pid;
    if (!stopped) continue;
    quiet = 0;
    end_stretch(stopped);
    untraced_count(stopped);
    int runs_on = on_stop(stopped, pid, status);
    if (is_over() || ends_run(found.unsupported)) return;
    if (runs_on && (stopped == t || find_task(pid) == t)) resume(t);
    else if (!t || stopped == t) return;
  }
}

/* Leaves the child stopped, so that its exec cannot come before we listen. */
static int stop_at_gate(pid_t child, int gate) {
  int status;
  if (!seize(child, gate)) return 0;
  ptrace(PTRACE_INTERRUPT, child, NULL, NULL);
  return await_certain(child, &status) && WIFSTOPPED(status) && write(gate, "", 1) == 1;
}

struct supervised supervise(pid_t child, int gate, const struct supervision *s, long deadline_ms) {
  clock_begin(s->clock_start);
  random_begin(s->seed);
  if (s->chaos) chaos_begin(s->seed);
  traps_use(SIGSEGV);
  traps_use(SIGILL);
  identity_begin(s->cpus);
  inodes_begin();
  folders_begin(s->reversed);
  ends_begin(child);
  crash_begin(s->core);
  wants_log = s->log;
  watch_real_time(deadline_ms);
  if (!stop_at_gate(child, gate)) {
    give_up_on(CANNOT_TRACE);
    return found;
  }
  add_task(child, NULL);
  place(child);
  while (!is_over() && !ends_run(found.unsupported) && tasks && !time_is_over())
    run(choose_task());
  stop_watching();
  found.over = is_over();
  found.status = status_at_end();
  if (found.over) found.crash = crash_record(found.status);
  return found;
}
