/* One processor for supervisor and guests, of whom one runs at a time: to wake another one costs more than the whole stop. */
#define _GNU_SOURCE
#include "placement.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/real_ms.h"

enum { LOOK_EVERY_MS = 200, MOST_WAIT_MS = 50 };

static cpu_set_t allowed;
static int here = -1; /* a processor's number, or -1: we stay where the kernel puts us */
static int64_t looked_ms, own_wait, guest_wait;
static pid_t guest;

/* For how long, in ns, a thread was ready to run and could not. */
static int64_t waited(pid_t tid) {
  char path[48], text[96] = "";
  snprintf(path, sizeof path, "/proc/%d/schedstat", (int)tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  if (read(fd, text, sizeof text - 1) <= 0) *text = 0;
  close(fd);
  const char *second = strchr(text, ' ');
  return second ? strtoll(second, NULL, 10) : 0;
}

static void move_to(int processor, pid_t child) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((unsigned)processor, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) return;
  here = processor;
  /* A guest that became another user stays where it is, and runs all the same. */
  if (child) sched_setaffinity(child, sizeof one, &one);
  for (const struct task *t = tasks; t; t = t->next) sched_setaffinity(t->tid, sizeof one, &one);
}

void place(pid_t child) {
  int processor = sched_getcpu();
  if (processor < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  move_to(processor, child);
  looked_ms = real_ms();
  own_wait = waited(getpid());
}

void place_anew(const struct task *t) {
  int64_t now = real_ms();
  if (here < 0 || now - looked_ms < LOOK_EVERY_MS) return;
  int64_t own = waited(getpid()), theirs = t ? waited(t->tid) : 0;
  int64_t ns = own - own_wait + (t && t->tid == guest ? theirs - guest_wait : 0);
  int crowded = ns / 1000000 * LOOK_EVERY_MS > MOST_WAIT_MS * (now - looked_ms);
  looked_ms = now, own_wait = own, guest_wait = theirs, guest = t ? t->tid : 0;
  if (!crowded) return;
  int next = here;
  do next = (next + 1) % CPU_SETSIZE;
  while (!CPU_ISSET((unsigned)next, &allowed));
  move_to(next, 0);
}
