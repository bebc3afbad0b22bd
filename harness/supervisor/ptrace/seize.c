/* ptrace's options for all traced tasks: their descendants are traced as well, and end with us. */
#define _GNU_SOURCE
#include "seize.h"

#include <sys/ptrace.h>
#include <unistd.h>

int seize(pid_t child, int gate) {
  const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE |
                       PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
  char ready;
  /* Until the child says so it may still be as untouchable as we are. */
  return read(gate, &ready, 1) == 1 && ptrace(PTRACE_SEIZE, child, NULL, (void *)options) == 0;
}
