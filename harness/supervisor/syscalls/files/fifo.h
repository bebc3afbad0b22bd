/* Opening a FIFO, which waits for the other side. */
#ifndef REENACT_FIFO_H
#define REENACT_FIFO_H
#include <sys/stat.h>

#include "ptrace/task.h"

/* 1 when it is a FIFO on which an open with these flags could wait, or wake waiters. */
int waits_as_fifo(const struct stat *st, uint64_t flags);

/* The entry of such an open: `flags` is the index of its flags among the arguments. */
enum action on_open_fifo(struct task *t, struct call *c, int flags);

/* Its exit. */
enum action after_open_fifo(struct task *t, struct call *c, uint64_t flags);

#endif
