/* One instruction of a thread. */
#ifndef REENACT_STEP_H
#define REENACT_STEP_H
#include "task.h"

enum { LEFT_ALONE = -1 }; /* no status of the kernel's: 0 is one */

/* Waits for the next stop of a thread that runs; 0 when it is no more. */
int wait_for_stop(struct task *t, int *status);

/* 0 where a step would change what the thread sees: the kernel resets a SIGTRAP that is blocked or ignored. */
int may_step(struct task *t);

/* 1 after one instruction; 0 when another stop came first, or LEFT_ALONE when there was none. */
int step(struct task *t, int *status);

#endif
