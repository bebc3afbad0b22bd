/* A copy of what a process can write, as it was when one of its threads was let run. */
#ifndef REENACT_CHECKPOINT_H
#define REENACT_CHECKPOINT_H
#include "task.h"

/* Keeps registers and memory of a stopped thread that stands in user mode, its registers loaded, in place of what was
   kept before: how many bytes; 0 when that is more than `most`, or cannot be read. */
size_t checkpoint_take(struct task *t, size_t most);

/* Makes a stopped thread what it was, if it has made no system call since; 0: it cannot be put back. */
int checkpoint_restore(struct task *t);

/* A process may have mapped or unmapped memory. */
void checkpoint_remap(void);

#endif
