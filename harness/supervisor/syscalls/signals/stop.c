/* Stopped by SIGSTOP and its like: listening, as the kernel calls it, until SIGCONT or SIGKILL wakes the process. */
#define _GNU_SOURCE
#include "stop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/ends.h"
#include "ptrace/guest.h"
#include "ptrace/kernel.h"
#include "loop/schedule.h"

/* The other threads take part as soon as they run: a thread that waits in a call is let run on, to be interrupted there. */
void on_group_stop(struct task *t) {
  ptrace(PTRACE_LISTEN, t->tid, NULL, NULL);
  t->state = STOPPED;
  t->process->stops = 1;
  signals_sent++;
}

/* Its stop may be reported before the end of the call that continued it. */
int on_continued(struct task *t) {
  if (t->state == STOPPED) t->state = READY;
  return 1;
}

pid_t process_behind(struct task *by, int fd) {
  char file[32], text[512];
  snprintf(file, sizeof file, "fdinfo/%d", fd);
  const char *at = guest_proc(by, file, text, sizeof text) > 0 ? strstr(text, "\nPid:\t") : NULL;
  return at ? atoi(at + 6) : 0;
}

/* Whether a call that sent a signal meant this process. */
static int is_meant(struct task *by, const struct call *c, const struct process *p) {
  pid_t to = (pid_t)c->args[0];
  const struct task *one = c->nr == SYS_tkill ? find_task(to) : NULL;
  if (c->nr == SYS_tkill) return one && one->process == p;
  if (c->nr == SYS_pidfd_send_signal) return process_behind(by, to) == p->tgid;
  if (c->nr != SYS_kill || to > 0) return to == p->tgid;
  if (to == -1) return p != by->process;
  return getpgid(p->tgid) == (to ? -to : getpgid(by->process->tgid));
}

static int signal_of(const struct call *c) {
  return (int)c->args[c->nr == SYS_tgkill || c->nr == SYS_rt_tgsigqueueinfo ? 2 : 1];
}

/* Every end removes tasks from the list, so each search begins anew; a leader's end is reported last. */
static struct task *next_woken(int leaders) {
  for (struct task *t = tasks; t; t = t->next)
    if (t->state == STOPPED && t->process->stops == 0 && (t->tid == t->process->tgid) == leaders) return t;
  return NULL;
}

void wait_for_woken(struct task *by, const struct call *c) {
  int signal = signal_of(c);
  struct task *t;
  if (c->result != 0 || (signal != SIGCONT && signal != SIGKILL)) return;
  for (t = tasks; t; t = t->next)
    if (is_meant(by, c, t->process)) t->process->stops = 0;
  while ((t = next_woken(0))) await_stop(t);
  reap_dying();
  while ((t = next_woken(1))) await_stop(t);
}
