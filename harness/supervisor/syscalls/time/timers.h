/* The timers that belong to a process: alarm, setitimer, timer_create. */
#ifndef REENACT_TIMERS_H
#define REENACT_TIMERS_H
#include "ptrace/task.h"

/* When the next timer is due that sends the process a signal, or NEVER. */
int64_t signal_due(const struct process *p);

/* 1 when there is one: then every call of the process is an event. */
int is_timed(const struct process *p);

/* The same of timer_create's alone. */
int64_t posix_due(const struct process *p);

/* The process ends. */
void forget_intervals(struct process *p);

/* The process ends, or executes a program: timer_create's timers are gone. */
void forget_timers(struct process *p);

#endif
