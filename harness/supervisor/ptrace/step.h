/* One instruction of a thread. */
#ifndef REENACT_STEP_H
#define REENACT_STEP_H
#include "task.h"

enum { LEFT_ALONE = -1 }; /* no status of the kernel's: 0 is one */

/* Waits for the next stop of a thread that runs; 0 when it is no more. */
int wait_for_stop(struct task *t, int *status);

/* A step makes the kernel reset a SIGTRAP that is blocked or ignored. */
struct steps {
  uint64_t mask; /* the thread's own */
  int unblocked;
};

/* Before steps of a stopped thread: lets SIGTRAP through; 0 where that would change what the thread sees. */
int begin_steps(struct task *t, struct steps *s);

/* Once it is stopped after the last of them. */
void end_steps(struct task *t, const struct steps *s);

/* 1 after one instruction; 0 when another stop came first, or LEFT_ALONE when there was none. */
int step(struct task *t, int *status);

#endif
