/* Settles a program that was just executed: its vector, its traps, and what cannot be supervised at all. */
#define _GNU_SOURCE
#include "exec.h"

#include <string.h>

#include "arch/arch.h"
#include "ptrace/guest.h"
#include "ptrace/mechanisms.h"
#include "rewrite/ranges.h"
#include "rewrite/rewrite.h"
#include "supervisor.h"
#include "syscalls/time/timers.h"
#include "traps.h"
#include "vector.h"

void settle_program(struct task *t) {
  forget_memory(t->process);
  forget_timers(t->process);
  forget_ranges(&t->process->text);
  t->process->space = new_space();
  t->process->caller = 0;
  memset(t->process->vector, 0, sizeof t->process->vector);
  if (!arch_load(t)) return;
  if (arch_foreign(t)) give_up_on(FOREIGN_PROGRAM);
  else if (!guest_readable(t)) give_up_on(UNREADABLE_PROGRAM);
  else {
    settle_vector(t);
    traps_settle_program(t);
    if (traps_cpuid() && !arch_trap_cpuid(t)) give_up_on(CPUID_LEAKS);
    rewrite_program(t);
  }
}
