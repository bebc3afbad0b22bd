/* Signals by which the processor's traps reach us, and what the guest itself wants done about them. */
#ifndef REENACT_TRAPS_H
#define REENACT_TRAPS_H
#include "ptrace/task.h"

/* 1 for a call that sets or asks for the action of such a signal: it stops, unlike others of its number. */
int trap_watches(const struct call *c);

/* Traps raise this signal from now on; called before the first program starts. */
void traps_use(int signal);

/* A new process has its parent's actions, its own or the very same ones; the first has no parent. */
void traps_inherit(struct process *child, struct process *parent, int shared);

/* The process ends. */
void traps_forget(struct process *p);

/* At the exit stop of an exec: the new program's actions are the default's, or ignore what was ignored. */
void traps_settle_program(struct task *t);

/* At a stop by any signal: 1 when it does not concern the guest, which goes on as if nothing had happened. */
int trap_stop(struct task *t, int signal);

/* Before such a signal reaches the guest: the kernel is to do what the guest asked for. What to deliver; 0 nothing. */
int trap_deliver(struct task *t, int signal);

/* Corrects the sets of ignored and caught signals that the kernel tells by what the guest asked for. */
void traps_correct(const struct process *p, uint64_t *ignored, uint64_t *caught);

#endif
