/* Turns that end between two stops. */
#ifndef REENACT_WALK_H
#define REENACT_WALK_H
#include "ptrace/task.h"

enum walk {
  NO_WALK, /* the task is to be resumed; it may be another one after an exec */
  WALKED,  /* its turn is over */
  GONE_ON, /* its next stop is to be waited for, as that of a task that runs */
};

/* In chaos, some end after a number of instructions. */
enum walk walk(struct task **chosen);

/* After a while without a stop: 1 when the task goes in circles and others may run; `patience` grows when it does not. */
int circles(struct task *t, int *patience);

/* A thread that is overdue gives way to its timer: 1 when its turn is over. */
int overtakes(struct task *t);

/* What a stop means (supervisor.c); 1 when the task may run on. */
int on_stop(struct task *t, pid_t pid, int status);

#endif
