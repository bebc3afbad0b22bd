/* Single steps: the same number of them ends at the same instruction in every replay. */
#define _GNU_SOURCE
#include "step.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "arch/arch.h"
#include "guest.h"

#define TRAP (UINT64_C(1) << (SIGTRAP - 1))

int wait_for_stop(struct task *t, int *status) {
  while (waitpid(t->tid, status, __WALL) != t->tid)
    if (errno != EINTR) return 0;
  return 1;
}

int begin_steps(struct task *t, struct steps *s) {
  char status[4096];
  s->unblocked = 0;
  if (guest_proc(t, "status", status, sizeof status) < 0) return 0;
  if (ptrace(PTRACE_GETSIGMASK, t->tid, (void *)sizeof s->mask, &s->mask) != 0) return 0;
  uint64_t taken = guest_mask(status, "\nSigIgn:\t") | guest_mask(status, "\nSigPnd:\t") | guest_mask(status, "\nShdPnd:\t");
  if (taken & TRAP) return 0;
  uint64_t without = s->mask & ~TRAP;
  if (s->mask & TRAP) s->unblocked = ptrace(PTRACE_SETSIGMASK, t->tid, (void *)sizeof without, &without) == 0;
  return !(s->mask & TRAP) || s->unblocked;
}

void end_steps(struct task *t, const struct steps *s) {
  uint64_t now;
  if (!s->unblocked || ptrace(PTRACE_GETSIGMASK, t->tid, (void *)sizeof now, &now) != 0) return;
  /* Unless it has set another one meanwhile. */
  if (now == (s->mask & ~TRAP)) ptrace(PTRACE_SETSIGMASK, t->tid, (void *)sizeof s->mask, &s->mask);
}

int step(struct task *t, int *status) {
  *status = LEFT_ALONE;
  if (ptrace(PTRACE_SINGLESTEP, t->tid, NULL, NULL) != 0 || !wait_for_stop(t, status)) return 0;
  if (!WIFSTOPPED(*status) || *status >> 8 != SIGTRAP) return 0;
  siginfo_t info;
  /* A breakpoint of the guest's own, or a signal from another process, looks the same. */
  if (ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) != 0) return 0;
  return info.si_code == TRAP_TRACE || info.si_code == TRAP_BRKPT || info.si_code == TRAP_HWBKPT;
}
