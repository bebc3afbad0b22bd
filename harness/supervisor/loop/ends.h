/* Who has died, and how the program ended. */
#ifndef REENACT_ENDS_H
#define REENACT_ENDS_H
#include "ptrace/task.h"

/* The program's own process: its end is the end of all. */
void ends_begin(pid_t program);

/* Notes the end of a task, with its status from waitpid, and removes it from the table. */
void record_end(struct task *t, int status);

/* Waits for all tasks that were killed while stopped, so that all others see them dead from now on. */
void reap_dying(void);

int is_program(const struct process *p);

/* 1 once the program has ended; its status. */
int is_over(void);
int status_at_end(void);

#endif
