/* Filters: answers of ours, of the guest's own, and of the engine's, which stands above a tracer's. */
#define _GNU_SOURCE
#include "filters.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>

#include "loop/answer.h"
#include "arch/arch.h"
#include "loop/calls.h"
#include "loop/event_log.h"
#include "filter.h"
#include "kernel.h"
#include "loop/supervisor.h"

static int guests_have_some;

void filters_expected(void) { guests_have_some = 1; }
int guests_filter(void) { return guests_have_some; }

int filter_stop(struct task *t) {
  unsigned long data = FILTER_MARK;
  if (!guests_have_some || ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &data) != 0) return 0;
  if (data == FILTER_MARK || data == FILTER_MARK_NARROW) return 0;
  if (!arch_load(t)) return 1;
  log_call(t);
  log_answer(t, -ENOSYS);
  arch_skip(t, -ENOSYS);
  return 1;
}

int filter_trap(struct task *t, int signal) {
  enum { BY_FILTER = 1 };
  siginfo_t info;
  if (signal != SIGSYS || ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) != 0) return 0;
  if (info.si_code != BY_FILTER || info.si_errno != FILTER_MARK || !arch_load(t)) return 0;
  if (info.si_arch == AUDIT_I386) give_up_on(NARROW_CALL);
  else give_up_on(info.si_syscall >= 0 && info.si_syscall < 1000 ? info.si_syscall : 999);
  arch_skip(t, -ENOSYS);
  return 1;
}

/* A thread whose calls a listener answers would sleep in the kernel, out of our reach: so there are no listeners. */
enum action on_seccomp(struct task *t, struct call *c) {
  enum { SET_FILTER = 1, NEW_LISTENER = 8 };
  (void)t;
  if ((uint32_t)c->args[0] != SET_FILTER) return RUN;
  filters_expected();
  return c->args[1] & NEW_LISTENER ? answer(c, -EINVAL) : RUN;
}
