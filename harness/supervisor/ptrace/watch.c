/* A signal of our own, every few milliseconds of the real clock, which is let in only while we wait for guests. */
#define _GNU_SOURCE
#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "common/real_ms.h"

enum { LOOK_EVERY_US = 20000 };

static volatile sig_atomic_t looked;
static long last_ms;   /* of the real clock; 0: none */
static sigset_t tick;

static void look(int signal) {
  (void)signal;
  looked = 1;
}

int has_looked(void) {
  int was = looked;
  looked = 0;
  return was;
}

int time_is_over(void) { return last_ms && real_ms() >= last_ms; }

/* A signal that comes right before the wait is no loss: the next one follows. */
pid_t await_guest(pid_t whom, int *status) {
  sigprocmask(SIG_UNBLOCK, &tick, NULL);
  pid_t pid = waitpid(whom, status, __WALL);
  int error = errno;
  sigprocmask(SIG_BLOCK, &tick, NULL);
  errno = error;
  return pid;
}

int await_certain(pid_t tid, int *status) {
  for (;;) {
    if (await_guest(tid, status) == tid) return 1;
    if (errno != EINTR || time_is_over()) return 0;
  }
}

void watch_real_time(long deadline_ms) {
  struct sigaction action = {.sa_handler = look};
  struct itimerval every = {{0, LOOK_EVERY_US}, {0, LOOK_EVERY_US}};
  last_ms = deadline_ms;
  sigaction(SIGALRM, &action, NULL);
  sigemptyset(&tick);
  sigaddset(&tick, SIGALRM);
  setitimer(ITIMER_REAL, &every, NULL);
}

void stop_watching(void) {
  struct itimerval none = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &none, NULL);
}
