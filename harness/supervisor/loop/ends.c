/* Ends: of the program, which ends the run, and of those that were killed beside the running thread. */
#define _GNU_SOURCE
#include "ends.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "crash/crash.h"
#include "schedule.h"
#include "ptrace/watch.h"

static pid_t root;
static int over, status_of_root;

void ends_begin(pid_t program) { root = program; }
int is_program(const struct process *p) { return p->tgid == root; }
int is_over(void) { return over; }
int status_at_end(void) { return status_of_root; }

void record_end(struct task *t, int status) {
  if (t->tid == root && is_program(t->process)) over = 1, status_of_root = status;
  crash_end(t, status);
  on_death(t, status);
}

/* A thread that executes a program takes its leader's place: the kernel never reports that leader's end. */
static void mark_who_works(void) {
  for (struct task *t = tasks; t; t = t->next) t->process->works = 0;
  for (struct task *t = tasks; t; t = t->next)
    if (t->state == RUNNING) t->process->works = 1;
}

/* Leaders last: the kernel reports their end only when their threads are reaped. */
void reap_dying(void) {
  mark_who_works();
  for (int leaders = 0; leaders < 2; leaders++)
    for (struct task *t = tasks, *next; t; t = next) {
      unsigned long message;
      int status;
      next = t->next;
      if ((t->tid == t->process->tgid) != leaders) continue;
      if (t->state == STOPPED || t->process->works || (t->state == GONE && t->process->tasks > 1)) continue;
      if (ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &message) == 0 || errno != ESRCH) continue;
      int alive;
      do alive = await_certain(t->tid, &status);
      while (alive && WIFSTOPPED(status));
      if (!alive) return; /* its end is not known, and must not be made up */
      record_end(t, status);
    }
}
