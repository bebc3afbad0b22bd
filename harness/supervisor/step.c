/* Single steps: the same number of them ends at the same instruction in every replay. */
#define _GNU_SOURCE
#include "step.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "arch.h"

int wait_for_stop(struct task *t, int *status) {
  while (waitpid(t->tid, status, __WALL) != t->tid)
    if (errno != EINTR) return 0;
  return 1;
}

int step(struct task *t, int *status) {
  *status = LEFT_ALONE;
  if (ptrace(PTRACE_SINGLESTEP, t->tid, NULL, NULL) != 0 || !wait_for_stop(t, status)) return 0;
  if (!WIFSTOPPED(*status) || *status >> 8 != SIGTRAP) return 0;
  struct user_regs_struct ignored;
  return !arch_at_random(t, &ignored);
}
