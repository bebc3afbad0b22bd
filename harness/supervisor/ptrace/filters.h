/* What a filter decided that is not ours alone: the guest's own ask for a tracer, and the engine's refuse. */
#ifndef REENACT_FILTERS_H
#define REENACT_FILTERS_H
#include "task.h"

/* A guest is about to have a filter. */
void filters_expected(void);

/* 1 from then on. A filter's author expects only the calls that the program makes. */
int guests_filter(void);

/* At a seccomp stop: 1 when a guest's own filter asked for it. Without a tracer there is no such call: it is skipped. */
int filter_stop(struct task *t);

/* At a stop by a signal: 1 when it is our own filter's, for an unclassified call, which is answered ENOSYS
   whatever the engine's filter says of it; the run cannot be vouched for. */
int filter_trap(struct task *t, int signal);

#endif
