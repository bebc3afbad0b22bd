/* Single steps: the same number of them ends at the same instruction in every replay. */
#define _GNU_SOURCE
#include "step.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "arch.h"
#include "guest.h"

int wait_for_stop(struct task *t, int *status) {
  while (waitpid(t->tid, status, __WALL) != t->tid)
    if (errno != EINTR) return 0;
  return 1;
}

int may_step(struct task *t) {
  char status[4096];
  if (guest_proc(t, "status", status, sizeof status) < 0) return 0;
  static const char *const names[] = {"\nSigBlk:\t", "\nSigIgn:\t"};
  for (int i = 0; i < 2; i++) {
    const char *at = strstr(status, names[i]);
    if (!at || strtoull(at + strlen(names[i]), NULL, 16) & 1ull << (SIGTRAP - 1)) return 0;
  }
  return 1;
}

int step(struct task *t, int *status) {
  *status = LEFT_ALONE;
  if (ptrace(PTRACE_SINGLESTEP, t->tid, NULL, NULL) != 0 || !wait_for_stop(t, status)) return 0;
  if (!WIFSTOPPED(*status) || *status >> 8 != SIGTRAP) return 0;
  siginfo_t info;
  struct user_regs_struct ignored;
  /* A breakpoint of the guest's own, or a signal that somebody sent, looks the same. */
  if (ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) != 0) return 0;
  if (info.si_code != TRAP_TRACE && info.si_code != TRAP_BRKPT && info.si_code != TRAP_HWBKPT) return 0;
  return !arch_at_random(t, &ignored);
}
