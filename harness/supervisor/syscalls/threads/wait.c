/* wait4 and waitid: the guest's kernel is asked without sleeping, and again when a child may have changed. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/wait.h>

#include "arch/arch.h"
#include "loop/calls.h"
#include "ptrace/guest.h"
#include "syscalls/signals/tracing.h"

enum { PID_AT = 16, BELOW_STACK = 1024 };

static enum action without_sleep(struct task *t, struct call *c, int at) {
  if (c->args[at] & WNOHANG) return RUN;
  struct call trying = *c;
  trying.args[at] |= WNOHANG;
  arch_replace(t, &trying);
  return AFTER;
}

enum action on_wait4(struct task *t, struct call *c) {
  if (tracing_wait(t, c)) return DONE;
  if (c->args[2] & WNOHANG && tracing_awaits(t, c)) return AFTER;
  return without_sleep(t, c, 2);
}

enum action after_wait4(struct task *t, struct call *c) {
  int64_t none[18] = {0};
  if (c->result > 0 && c->args[3]) guest_write(t, c->args[3], none, sizeof none);
  if (c->result > 0) signals_sent++; /* another thread may wait for the same child */
  /* The kernel does not know which tasks a guest traces. */
  if (c->result == -ECHILD && tracing_awaits(t, c)) c->result = 0;
  return c->result == 0 && !(c->args[2] & WNOHANG) ? AGAIN : DONE;
}

enum action on_waitid(struct task *t, struct call *c) {
  int32_t nobody = 0;
  struct call told = *c;
  /* A caller that passes no place for the result gets none: the kernel writes it to its dead stack. */
  if (!c->args[2]) told.args[2] = arch_stack(t) - BELOW_STACK;
  if (c->args[3] & WNOHANG) return RUN;
  guest_write(t, told.args[2] + PID_AT, &nobody, sizeof nobody);
  return without_sleep(t, &told, 3);
}

/* Without a child that changed, the kernel says 0 and leaves si_pid 0. */
enum action after_waitid(struct task *t, struct call *c) {
  int32_t pid = 0;
  int64_t none[18] = {0};
  if (c->result != 0) return DONE;
  if (c->args[4]) guest_write(t, c->args[4], none, sizeof none);
  uint64_t told = c->args[2] ? c->args[2] : arch_stack(t) - BELOW_STACK;
  if (guest_read(t, told + PID_AT, &pid, sizeof pid) && pid == 0) return AGAIN;
  signals_sent++;
  return DONE;
}
