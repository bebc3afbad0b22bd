/* Leaves a frame of a Go program, from one of its stacks to another where it has to be. */
#ifndef REENACT_GO_STACK_H
#define REENACT_GO_STACK_H
#include "go_lines.h"
#include "level.h"

/* The kind of the caller's address. */
enum go_return {
  GO_CALLED,      /* where a call comes back to */
  GO_INTERRUPTED, /* the very instruction at which a signal made Go call something */
  GO_BEGINNING,   /* the beginning of a goroutine: nothing called it, and no call stands before the address */
};

/* To the caller of the function that holds the counter; NULL, or what is wrong with it, as a walk says it. */
const char *leave_go(struct task *t, const struct maps *m, const struct go_place *in, struct level *l, enum go_return *how);

#endif
