/* Tries each mechanism once, in a child whose own layout and traps do not matter. */
#define _GNU_SOURCE
#include "mechanisms.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
#include "kernel.h"

static const struct {
  enum mechanism bit;
  const char *name;
} all[] = {{CALL_TRACE, "call_trace"},
           {FIXED_LAYOUT, "fixed_layout"},
           {CLOCK_TRAP, "clock_trap"},
           {CPUID_TRAP, "cpuid_trap"},
           {CPUID_REWRITE, "cpuid_rewrite"}};

enum { COUNT = sizeof all / sizeof *all, ACTION_AVAILABLE = 2 };

static unsigned unwanted;

int do_without(const char *name) {
  for (int i = 0; i < COUNT; i++)
    if (strcmp(all[i].name, name) == 0) return unwanted |= all[i].bit, 1;
  return 0;
}

int wanted(enum mechanism m) { return !(unwanted & m); }

int traps_cpuid(void) {
  static int known = -1;
  if (known < 0) known = wanted(CPUID_TRAP) && arch_can_trap_cpuid();
  return known;
}

int rewrites_cpuid(void) { return wanted(CPUID_REWRITE) && !traps_cpuid(); }

/* The child's side: what it can do to itself, as its exit status. */
static unsigned try_out(int gate) {
  uint32_t action = SECCOMP_TRACE;
  unsigned set = 0;
  char go;
  if (write(gate, "", 1) != 1 || read(gate, &go, 1) != 1) return 0;
  if (syscall(SYS_seccomp, ACTION_AVAILABLE, 0, &action) == 0) set |= CALL_TRACE;
  if (personality(ADDR_NO_RANDOMIZE) != -1) set |= FIXED_LAYOUT;
  if (arch_trap_clock()) set |= CLOCK_TRAP;
  if (arch_can_trap_cpuid()) set |= CPUID_TRAP;
  if (arch_can_rewrite_cpuid()) set |= CPUID_REWRITE;
  return set;
}

unsigned mechanisms_here(void) {
  int gate[2], status = 0, seized = 0;
  char ready;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) != 0) return 0;
  pid_t child = fork();
  if (child == 0) {
    /* As the program's own process: not dumpable, so that only root may trace it. */
    prctl(PR_SET_DUMPABLE, 1);
    _exit((int)try_out(gate[0]));
  }
  close(gate[0]);
  if (child > 0 && read(gate[1], &ready, 1) == 1) {
    seized = ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0;
    if (write(gate[1], "", 1) != 1) kill(child, SIGKILL);
  }
  close(gate[1]);
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  unsigned set = child > 0 && WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : 0;
  /* A rewritten instruction traps into the tracer. */
  return (seized ? set : set & ~(unsigned)(CALL_TRACE | CPUID_REWRITE)) & ~unwanted;
}

const char *names_of(unsigned set) {
  static char text[128];
  text[0] = 0;
  for (int i = 0; i < COUNT; i++) {
    if (!(set & all[i].bit)) continue;
    if (text[0]) strcat(text, ",");
    strcat(text, all[i].name);
  }
  return text;
}
