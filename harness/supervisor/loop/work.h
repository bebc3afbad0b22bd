/* Processor time: what passes on the virtual clock during a thread's turns. */
#ifndef REENACT_WORK_H
#define REENACT_WORK_H
#include "ptrace/task.h"

/* A thread's turn begins; guests see their own processor time without a stop. */
void work_begin(struct task *t);

/* Its turn is over: the time that passes now counts as no thread's work. */
void work_end(void);

/* It went in circles for `span` nanoseconds, which the clock jumped over. */
void work_add(struct task *t, int64_t span);

/* Nanoseconds of a thread, or of its `whole` process, until now. */
struct work work_of(const struct task *t, int whole);

/* A task ended: the work of its process now counts for its parent's children. */
void work_inherit(const struct task *t);

/* The processor time that clock `id` shows to `t`; -1 when it is no such clock. */
int64_t work_shown(const struct task *t, long id);

#endif
