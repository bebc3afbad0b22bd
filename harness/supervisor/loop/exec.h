/* What a new program is born with. */
#ifndef REENACT_EXEC_H
#define REENACT_EXEC_H
#include "ptrace/task.h"

/* At the exit stop of a successful exec: makes the auxiliary vector the same everywhere, and takes cpuid away. */
void settle_program(struct task *t);

#endif
