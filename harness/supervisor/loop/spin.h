/* Loops that wait for another thread without a system call. */
#ifndef REENACT_SPIN_H
#define REENACT_SPIN_H
#include "ptrace/task.h"

enum spin {
  SPINS,      /* stopped; its loop changes nothing, so how often it went round can never be known */
  WORKS,      /* stopped; it gets somewhere, or cannot be proven not to */
  OTHER_STOP, /* something else happened: *status tells */
};

/* Interrupts a task that runs in user mode and looks whether it goes in circles. */
enum spin look_for_spin(struct task *t, int *status);

#endif
