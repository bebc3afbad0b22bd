/* Programs that compute until a timer's signal comes: the clock passes with what they compute, at places that are the
   same in every replay. */
#ifndef REENACT_COMPUTING_H
#define REENACT_COMPUTING_H
#include "ptrace/task.h"

/* A system call begins that the clock counts. */
void pass_time(struct task *t);

/* An instruction was answered: 1 when the thread may run on, 0 when another thread or a timer may be due. */
int goes_on(struct task *t);

/* A thread of a process with such a timer is let run in user mode, until its next stop. */
void begin_stretch(struct task *t);

/* `t` stopped, or ended: a thread that ran does not continue from where it was let run. */
void end_stretch(const struct task *t);

/* What a thread has spent in its stretch; what it spends from there on, in steps of ours, is not to count. */
int64_t spent_so_far(const struct task *t);
void spent_in_steps(const struct task *t, int64_t so_far);

/* 1 when the thread that runs can be made to stand where it was let run. */
int is_kept(const struct task *t);

/* 1 when `t` computes for so long that its timer must have been due, and can be made to stand where it was then. */
int is_overdue(const struct task *t);

/* The outcome of letting a thread run. */
enum rewound {
  REWOUND,    /* its turn is over: it stands behind its last stop, a fixed number of instructions later */
  STOPPED_SO, /* something else happened: *status tells, or LEFT_ALONE */
  LOST,       /* the run can no longer be trusted */
};

/* Stops a thread that is overdue, and moves the clock to its timer. */
enum rewound rewind_overdue(struct task *t, int *status);

/* The same for a stopped thread that goes in circles until its timer comes; the clock stays. 1 unless it is lost. */
int rewind_spin(struct task *t);

#endif
