/* The usual endings of handlers. */
#ifndef REENACT_ANSWER_H
#define REENACT_ANSWER_H
#include "ptrace/task.h"

/* The kernel skips the call, and the guest sees this result. */
static inline enum action answer(struct call *c, int64_t result) {
  c->result = result;
  return DONE;
}

/* A signal ends the wait: the kernel handles the signal, and then turns `result` into an errno or makes the call again. */
static inline enum action interrupt(struct call *c, int64_t result) {
  c->result = result;
  return LEAVE;
}

#endif
