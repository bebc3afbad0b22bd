/* The event log of run --explain: every system call and signal in their order, to see where two replays part. */
#ifndef REENACT_EVENT_LOG_H
#define REENACT_EVENT_LOG_H
#include "ptrace/task.h"

/* From now on, when the program is there, every call is an event, also those that pass otherwise; what the guest sees stays the same. */
void log_begin(void);
int is_logging(void);

/* At an entry stop whose registers are loaded. */
void log_call(struct task *t);

/* What the call logged last for this thread is answered with. */
void log_answer(struct task *t, int64_t result);

void log_signal(struct task *t, int signal);

/* The log, of 128 bytes an event (docs/harness.md), at most 262,144 of them; NULL when none was asked for. */
const void *log_bytes(size_t *size);

#endif
