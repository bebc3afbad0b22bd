/* The child's side: what must be fixed before its exec, so that the program starts the same everywhere. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arch/arch.h"
#include "filter.h"
#include "mechanisms.h"
#include "loop/supervisor.h"

enum { FIRST_PID = 20, STACK = 8 << 20, FILES = 1024 };

/* The stack's limit moves the whole layout; the number of files is read by programs that close them all. */
static void fix_limits(void) {
  struct rlimit r;
  if (getrlimit(RLIMIT_STACK, &r) == 0) r.rlim_cur = STACK, setrlimit(RLIMIT_STACK, &r);
  if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_max >= FILES) {
    r.rlim_cur = r.rlim_max = FILES;
    setrlimit(RLIMIT_NOFILE, &r);
  }
}

/* Nothing is started when a mechanism that was promised is missing after all. */
int submit(int gate) {
  char go;
  if (wanted(FIXED_LAYOUT) && personality(ADDR_NO_RANDOMIZE) == -1) return 0;
  if (wanted(CLOCK_TRAP) && !arch_trap_clock()) return 0;
  fix_limits();
  if (write(gate, "", 1) != 1 || read(gate, &go, 1) != 1) return 0;
  close(gate);
  return install_filter();
}

static int end_at_once(void *unused) {
  (void)unused;
  return 0;
}

/* Processes of the engine's own have taken some numbers before us, by chance more or fewer. A thread takes one as a
   process does, in a quarter of the time; each has ended before the next begins. */
void pin_pid(void) {
  const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_VFORK;
  _Alignas(16) static char stack[4096];
  for (int tries = 0; tries < FIRST_PID; tries++) {
    int tid = clone(end_at_once, stack + sizeof stack, flags, NULL);
    if (tid < 0 || tid >= FIRST_PID - 1) return;
  }
}
