/* The events of inotify. */
#ifndef REENACT_EVENTS_H
#define REENACT_EVENTS_H
#include "ptrace/task.h"

/* 1 when any guest ever asked for such events. */
int are_watched(void);

/* After a read of something without a name: cookies of inotify's events become ours. */
void settle_events(struct task *t, const struct call *c);

#endif
