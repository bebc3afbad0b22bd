/* Timers that are read through a descriptor. */
#ifndef REENACT_TIMERFD_H
#define REENACT_TIMERFD_H
#include "ptrace/task.h"

/* The timer behind one of the guest's descriptors, or NULL. */
struct timerfd *timerfd_of(struct task *t, int fd);

/* A read of a timer, by a guest that would wait for it or not. */
enum action read_timerfd(struct task *t, struct call *c, struct timerfd *timer, int patient);

#endif
