/* Runs a program so that its seed decides everything it can see (docs/determinism.md). */
#ifndef REENACT_SUPERVISOR_H
#define REENACT_SUPERVISOR_H
#include <stdint.h>
#include <sys/types.h>

struct supervision {
  uint64_t seed;
  long clock_start; /* seconds after 1970 */
  int cpus;         /* what the program is told */
  int chaos;        /* turns by chance of the seed */
  int reversed;     /* folders are read in reverse order before they are sorted */
  int core;         /* write a core when a signal ends the program */
  int log;          /* keep a log of events */
};

/* Why a run cannot be vouched for, in the trailer as kind=unsupported value=…; below 1000 it is a system call, from
   PTRACE_REQUEST on a request of ptrace. */
enum unsupported { FOREIGN_PROGRAM = 1001, UNREADABLE_PROGRAM = 1002, CANNOT_TRACE = 1003, CPUID_LEAKS = 1004,
                   TRAP_FORGETS = 1005, NARROW_CALL = 1006, HALF_RESTORED = 1007, PTRACE_REQUEST = 200000 };

/* Ends the run at once, since the rest would mean nothing; after others the program runs on, to its own end. */
static inline int ends_run(int unsupported) { return unsupported > 1000 && unsupported < PTRACE_REQUEST; }

/* How the program ended. */
struct supervised {
  int over;        /* it ended, with `status` as waitpid gives it */
  int status;
  int spinning;    /* time ran out in a loop that makes no system call while others could run */
  int unsupported; /* an unclassified call's number or an `enum unsupported`; -1 none */
  const char *crash; /* the record of its crash and of other processes', or NULL */
};

/* In the child before its exec: fixed layout, traps, limits, and the filter, once the parent has seized it; 0 if that fails. */
int submit(int gate);

/* In PID 1: seizes the child, opens its gate, and drives it to its end or to `deadline_ms` of the real clock. */
struct supervised supervise(pid_t child, int gate, const struct supervision *s, long deadline_ms);

/* Lets processes come and go until the next pid is the pinned one. */
void pin_pid(void);

/* Remembers why the run cannot be vouched for; the first reason stays. */
void give_up_on(int reason);

#endif
