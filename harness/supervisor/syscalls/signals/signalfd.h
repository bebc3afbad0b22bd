/* Descriptors that signals are read from. */
#ifndef REENACT_SIGNALFD_H
#define REENACT_SIGNALFD_H
#include "ptrace/task.h"

/* 1 when any guest ever made one: then only the guest itself can ask the kernel what is ready. */
int are_signals_read(void);

/* Whether one of the guest's descriptors has a signal for it: 1, 0, or -1 when it is no such descriptor. */
int signalfd_ready(struct task *t, int fd);

#endif
