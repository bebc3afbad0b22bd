/* Sending signals and waiting for them; a blocked guest with a pending signal enters the kernel, which delivers it. */
#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "loop/answer.h"
#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "crash/crash.h"
#include "rewrite/cycles.h"
#include "loop/ends.h"
#include "loop/event_log.h"
#include "ptrace/guest.h"
#include "loop/schedule.h"
#include "stop.h"
#include "loop/traps.h"

void deliver(struct task *t, int signal) {
  crash_note(t, signal);
  log_signal(t, signal);
  cycles_interrupt(t);
  t->signal = trap_deliver(t, signal);
  t->again = t->again && guest_ignored(t) >> (signal - 1) & 1;
}

enum action on_kill(struct task *t, struct call *c) {
  (void)t, (void)c;
  return AFTER;
}

/* A task that a signal kills dies beside the running one, so it is waited for here. */
enum action after_kill(struct task *t, struct call *c) {
  signals_sent++;
  wait_for_woken(t, c);
  reap_dying();
  return RUN;
}

enum action on_pause(struct task *t, struct call *c) {
  (void)c;
  return guest_signals(t, NULL, NULL) ? RUN : BLOCK;
}

enum action on_sigsuspend(struct task *t, struct call *c) {
  uint64_t blocked;
  if (c->args[1] != sizeof blocked || !guest_read(t, c->args[0], &blocked, sizeof blocked)) return RUN;
  return guest_signals(t, &blocked, NULL) ? RUN : BLOCK;
}

enum action on_sigtimedwait(struct task *t, struct call *c) {
  uint64_t wanted;
  if (c->args[3] != sizeof wanted || !guest_read(t, c->args[0], &wanted, sizeof wanted)) return RUN;
  if (!t->retry) {
    int error = clock_deadline(t, c->args[2], 0, 1, &t->deadline);
    c->result = error;
    if (error) return DONE;
  }
  if (guest_awaited(t) & wanted) return RUN;
  if (guest_signals(t, NULL, NULL)) return interrupt(c, -EINTR);
  c->result = -EAGAIN;
  return t->deadline != NEVER && clock_now() >= t->deadline ? DONE : BLOCK;
}
