/* Opening a FIFO, which waits for the other side. */
#ifndef REENACT_FIFO_H
#define REENACT_FIFO_H
#include "task.h"

/* 1 when `path`, seen from the guest's folder `at`, is a FIFO that this open could wait for or let others go on. */
int is_fifo(struct task *t, int at, const char *path, uint64_t flags);

/* The entry of such an open: `flags` is the index of its flags among the arguments. */
enum action on_open_fifo(struct task *t, struct call *c, int flags);

/* Its exit. */
enum action after_open_fifo(struct task *t, struct call *c, uint64_t flags);

#endif
