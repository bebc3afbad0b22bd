/* Futexes, whose queues live here: no guest thread sleeps on one in the kernel. */
#ifndef REENACT_FUTEX_H
#define REENACT_FUTEX_H
#include "ptrace/task.h"

/* Where a futex lives: an address of one memory, or a place of a file that several memories share. */
struct place {
  uint64_t space, address;
};
struct place futex_place(struct task *t, uint64_t address, int private);

/* The task that has waited there longest; NULL without one. */
struct task *futex_first(struct place p);
int futex_is_at(const struct task *t, struct place p);

/* The number of the next waiter. */
uint64_t futex_next_order(void);

/* Commands on locks with priority inheritance. */
enum action on_futex_pi(struct task *t, struct call *c, int command, int private);

/* Wakes up to `count` waiters whose bits match; how many it woke. */
long futex_wake(struct task *by, uint64_t address, long count, uint32_t bits, int private);

/* A task died or executes a program: the kernel has marked the locks it held, and their waiters must look again. */
void futex_wake_robust_waiters(const struct task *t);

/* The same for locks with priority inheritance, which are given to the longest waiter. */
void futex_owner_died(const struct task *t);

#endif
