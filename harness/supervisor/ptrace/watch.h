/* How the supervisor comes to look at the real clock while it waits for a guest. */
#ifndef REENACT_WATCH_H
#define REENACT_WATCH_H
#include <sys/types.h>

/* Begins to interrupt `await_guest`, every few milliseconds, until `deadline_ms` of the real clock (0: none) has come. */
void watch_real_time(long deadline_ms);
void stop_watching(void);

/* waitpid, and the only call of ours that a signal can cut short: a poll that says EINTR would be taken for an answer. */
pid_t await_guest(pid_t whom, int *status);

/* Waits for a task that is certain to stop or end soon; 0 when even that takes too long. */
int await_certain(pid_t tid, int *status);

/* 1 when it was interrupted since this was asked last. */
int has_looked(void);

/* 1 once the deadline has come. */
int time_is_over(void);

#endif
