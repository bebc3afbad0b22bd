/* Programs that compute until a timer's signal comes: the clock passes with what they compute, at places that are the
   same in every replay. */
#ifndef REENACT_COMPUTING_H
#define REENACT_COMPUTING_H
#include "ptrace/task.h"

/* A system call begins that the clock counts. */
void pass_time(struct task *t);

/* An instruction was answered: 1 when the thread may run on, which others or a timer may be waiting for. */
int goes_on(struct task *t);

/* A thread of a process with such a timer is let run in user mode, until its next stop. */
void begin_stretch(struct task *t);

/* `t` stopped, or ended: whoever ran does not run on from where it was let run. */
void end_stretch(const struct task *t);

/* What a thread has spent in its stretch; what it spends from there on, in steps of ours, is not to count. */
int64_t spent_so_far(const struct task *t);
void spent_in_steps(const struct task *t, int64_t so_far);

/* 1 when the thread that runs can be made to stand where it was let run. */
int is_kept(const struct task *t);

/* 1 when `t` computes for so long that its timer must have been due, and can be made to stand where it was then. */
int is_overdue(const struct task *t);

/* What has become of a thread that ran. */
enum rewound {
  REWOUND,    /* its turn is over: it stands behind its last stop, a fixed number of instructions later */
  STOPPED_SO, /* something else happened: *status tells, or LEFT_ALONE */
  LOST,       /* it cannot be vouched for any longer */
};

/* Stops a thread that is overdue, and moves the clock to its timer. */
enum rewound rewind_overdue(struct task *t, int *status);

/* The same for a stopped thread that goes in circles until its timer comes; the clock stays. 1 unless it is lost. */
int rewind_spin(struct task *t);

#endif
