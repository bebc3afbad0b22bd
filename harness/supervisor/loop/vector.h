/* A program's auxiliary vector, the same on every kernel. */
#ifndef REENACT_VECTOR_H
#define REENACT_VECTOR_H
#include "ptrace/task.h"

/* At the exit stop of an exec: writes the vector anew, and moves the stack as if the kernel had made it so. */
void settle_vector(struct task *t);

#endif
