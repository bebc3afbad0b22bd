/* Job control: processes that are stopped, and go on. */
#ifndef REENACT_STOP_H
#define REENACT_STOP_H
#include "ptrace/task.h"

/* The kernel has stopped a thread together with its process, until it is continued. */
void on_group_stop(struct task *t);

/* A thread goes on that was stopped; 1: it can run. */
int on_continued(struct task *t);

/* The process that a pidfd of the guest stands for; 0 when it is none, or the process is gone. */
pid_t process_behind(struct task *by, int fd);

/* A signal was sent that may have continued or killed stopped processes: waits for all that it woke. */
void wait_for_woken(struct task *by, const struct call *c);

#endif
