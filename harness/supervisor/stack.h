/* Walks a dying thread's stack by frame pointers. */
#ifndef REENACT_STACK_H
#define REENACT_STACK_H
#include "maps.h"

enum { MAX_FRAMES = 256 };

struct stack {
  uint64_t frames[MAX_FRAMES]; /* the program counter, then return addresses, innermost first */
  int count;
  const char *ended; /* why there are no more (docs/determinism.md) */
};

/* Follows the chain only as long as everything about it holds; `t->registers` must be loaded. */
void walk_stack(struct task *t, const struct maps *m, struct stack *s);

#endif
