/* How the supervisor comes to look at the real clock while it waits for a guest. */
#ifndef REENACT_WATCH_H
#define REENACT_WATCH_H

/* Interrupts waitpid now and then; a guest that sends the same signal only makes us look at the clock. */
void watch_real_time(void);
void stop_watching(void);

/* 1 when that happened since this was asked last. */
int has_looked(void);

#endif
