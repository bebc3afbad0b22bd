/* Births, ends and turns of threads, as far as a guest asks for them. */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>

#include "loop/answer.h"
#include "arch/arch.h"
#include "loop/calls.h"
#include "syscalls/signals/stop.h"

/* In an untraced child every call that stops would fail: it is traced, and finds the flags it was
   given; namespaces are not for guests. */
enum action on_clone(struct task *t, struct call *c) {
  enum { TRACED_TOO = 0x2000 };
  const uint64_t spaces = 0x7e020080;
  struct call traced = *c;
  t->untraced = 0;
  if (c->args[0] & (TRACED_TOO | spaces)) return answer(c, -EPERM);
  if (!(c->args[0] & CLONE_UNTRACED)) return RUN;
  t->untraced = 1;
  traced.args[0] &= ~(uint64_t)CLONE_UNTRACED;
  arch_replace(t, &traced);
  return RUN;
}

void clone_met(struct task *parent, struct task *child) {
  uint64_t flags = parent->call.args[0] | CLONE_UNTRACED;
  if (!parent->untraced || parent->call.nr != SYS_clone) return;
  parent->untraced = 0;
  arch_set_argument(parent, 0, flags);
  arch_set_argument(child, 0, flags);
}

/* A parent may take its child's descriptors; some hosts forbid it for others, and so do we. */
enum action on_getfd(struct task *t, struct call *c) {
  pid_t pid = process_behind(t, (int)c->args[0]);
  while (pid > 1 && pid != t->process->tgid) {
    const struct task *other = find_task(pid);
    pid = other ? other->process->parent : 0;
  }
  return pid == 1 ? answer(c, -EPERM) : RUN;
}

enum action on_look(struct task *t, struct call *c) {
  (void)t, (void)c;
  return RUN;
}

enum action on_yield(struct task *t, struct call *c) {
  (void)t;
  c->result = 0;
  return YIELD;
}
