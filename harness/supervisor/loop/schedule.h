/* Who runs: one guest thread at a time, until it must wait. */
#ifndef REENACT_SCHEDULE_H
#define REENACT_SCHEDULE_H
#include "ptrace/task.h"

/* The task to run next, stopped and settled; NULL when none can run before something outside happens. */
struct task *choose_task(void);

/* Puts an action into effect on a task at an entry stop; 1 when the task may run on. */
int perform(struct task *t, enum action action);

/* Asks the handler of the call the task stands at. */
enum action ask(struct task *t);

/* Lets a task run on; `ptrace` may find it dead, which its end then shows. */
void resume(struct task *t);

/* When others get their turn, by the clock: it moves with each call of the running thread. */
int64_t turn_end(const struct task *t);

/* 1 when another thread could run, or a timer could fire. */
int others_wait(const struct task *t);

/* A call was made: where another thread sleeps until a moment, many calls make time pass faster. */
void pass_time_of_sleep(void);

/* The same for calls that were made without a stop, while no thread slept. */
void count_calls(int64_t made);

/* Sends the signals of timers that are due. */
void fire_timers(void);

/* Waits for the next stop or end of a thread that is certain to come to one; it is ready then, or out of the books. */
void await_stop(struct task *t);

/* The count to remember when a repeated call failed: once it has changed, another try may succeed. */
uint64_t mark_try(const struct task *t);

/* A repeated call succeeded, which others may have waited for. */
void mark_success(void);

/* The vfork parent of `child` may run on: the child has a memory of its own, or is dead. */
void release_vfork_parent(pid_t child);

/* A leader ends before its threads: the kernel will tell of it only after the last one. */
int leaves_early(struct task *t);

/* Wakes the task that waits for `t` to leave its memory, which the kernel shows by zeroing a word of it. */
void wake_joiner(struct task *t);

/* Takes a task that ended out of the books. */
void on_death(struct task *t, int status);

#endif
