/* Births, ends and turns of threads, as far as a guest asks for them. */
#define _GNU_SOURCE
#include <errno.h>

#include "calls.h"
#include "schedule.h"

/* A child that nobody traces would find every call that stops failing; namespaces are not for guests. */
enum action on_clone(struct task *t, struct call *c) {
  enum { UNTRACED = 0x00800000, TRACED_TOO = 0x2000 };
  const uint64_t spaces = 0x7e020080;
  (void)t;
  c->result = -EPERM;
  return c->args[0] & (UNTRACED | TRACED_TOO | spaces) ? DONE : RUN;
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
