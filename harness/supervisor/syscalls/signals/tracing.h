/* Guests that trace guests: ptrace(2) as far as crash reporters and leak checkers use it. */
#ifndef REENACT_TRACING_H
#define REENACT_TRACING_H
#include "ptrace/task.h"

/* A signal is about to reach a guest: 1 when another one traces it and is to decide. */
int tracing_stop(struct task *t, int signal);

/* A program was executed. */
void tracing_exec(struct task *t);

/* A thread ended: the guests that its process traced go on, once the process is gone. */
void tracing_end(struct task *t);

/* wait4: 1 when a stop of a traced guest answers it, as `c->result` says. */
int tracing_wait(struct task *t, struct call *c);

/* 1 when a wait has a task to wait for that the kernel does not know as the caller's own. */
int tracing_awaits(const struct task *t, const struct call *c);

#endif
