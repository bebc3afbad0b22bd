/* Futexes, whose queues live here: no guest thread sleeps on one in the kernel. */
#ifndef REENACT_FUTEX_H
#define REENACT_FUTEX_H
#include "task.h"

/* Wakes up to `count` waiters whose bits match; how many it woke. */
long futex_wake(struct task *by, uint64_t address, long count, uint32_t bits, int private);

/* Somebody died: the kernel has marked the locks it held, and who waits for one is to look. */
void futex_wake_heirs(void);

#endif
