/* A signal of our own, every few milliseconds of the real clock, while guests run. */
#define _GNU_SOURCE
#include "watch.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

enum { LOOK_EVERY_US = 20000 };

static volatile sig_atomic_t looked;

static void look(int signal) {
  (void)signal;
  looked = 1;
}

int has_looked(void) {
  int was = looked;
  looked = 0;
  return was;
}

void watch_real_time(void) {
  struct sigaction action = {.sa_handler = look};
  struct itimerval every = {{0, LOOK_EVERY_US}, {0, LOOK_EVERY_US}};
  sigset_t one;
  sigaction(SIGALRM, &action, NULL);
  sigemptyset(&one);
  sigaddset(&one, SIGALRM);
  sigprocmask(SIG_UNBLOCK, &one, NULL);
  setitimer(ITIMER_REAL, &every, NULL);
}

void stop_watching(void) {
  struct itimerval none = {{0, 0}, {0, 0}};
  sigset_t all;
  setitimer(ITIMER_REAL, &none, NULL);
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
}
