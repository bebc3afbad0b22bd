/* Walks a dying thread's stack. */
#ifndef REENACT_STACK_H
#define REENACT_STACK_H
#include "crash/maps.h"

enum { MAX_FRAMES = 256 };

struct frame {
  uint64_t address; /* the program counter, then return addresses, innermost first */
  const char *by;   /* how it was found: one of the words of docs/determinism.md */
};

struct stack {
  struct frame frames[MAX_FRAMES];
  int count;
  const char *ended; /* why there are no more (docs/determinism.md) */
};

/* Goes on only as long as everything is consistent; `t->registers` must be loaded. */
void walk_stack(struct task *t, const struct maps *m, struct stack *s);

#endif
