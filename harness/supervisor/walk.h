/* Turns of chaos that end between two instructions. */
#ifndef REENACT_WALK_H
#define REENACT_WALK_H
#include "task.h"

enum walk {
  NO_WALK, /* the task is to be resumed; it may be another one after an exec */
  WALKED,  /* its turn is over */
  GONE_ON, /* its next stop is to be waited for, as that of a task that runs */
};

enum walk walk(struct task **chosen);

/* What a stop means (supervisor.c); 1 when the task may run on. */
int on_stop(struct task *t, pid_t pid, int status);

#endif
