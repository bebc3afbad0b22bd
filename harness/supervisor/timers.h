/* The timers that belong to a process: alarm, setitimer, timer_create. */
#ifndef REENACT_TIMERS_H
#define REENACT_TIMERS_H
#include "task.h"

/* 1 when one of alarm's or setitimer's timers runs: then every call of the process is an event. */
int is_timed(const struct process *p);

/* The process ends. */
void forget_intervals(struct process *p);

/* The process ends, or executes a program: timer_create's timers are gone. */
void forget_timers(struct process *p);

#endif
