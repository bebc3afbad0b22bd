/* Signals on their way to a guest. */
#ifndef REENACT_SIGNALS_H
#define REENACT_SIGNALS_H
#include "ptrace/task.h"

/* At the stop before it: the guest is to have this signal as soon as it runs, which may be its end. */
void deliver(struct task *t, int signal);

#endif
