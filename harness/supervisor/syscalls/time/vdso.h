/* The clock functions that every program finds in its memory. */
#ifndef REENACT_VDSO_H
#define REENACT_VDSO_H
#include "ptrace/task.h"

/* At the exit stop of an exec: puts them where the kernel put its own; 0 when this program's reads will be calls. */
int settle_clock(struct task *t, uint64_t kernels);

#endif
