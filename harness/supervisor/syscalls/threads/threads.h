/* Births of threads and processes. */
#ifndef REENACT_THREADS_H
#define REENACT_THREADS_H
#include "ptrace/task.h"

/* At a child's first stop: both find the flags in their registers that the guest gave to clone. */
void clone_met(struct task *parent, struct task *child);

#endif
