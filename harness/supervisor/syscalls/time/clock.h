/* The one clock every guest sees: it moves with the guests' actions, never with real time. */
#ifndef REENACT_CLOCK_H
#define REENACT_CLOCK_H
#include "vdso/page.h"
#include "ptrace/task.h"

/* Sets the clock to `start` seconds after 1970. */
void clock_begin(int64_t start);

/* Nanoseconds since the clock's beginning. */
int64_t clock_now(void);

/* An event: time passes a little, and more when it is one of many `calls` of a process that waits for a timer. */
void clock_event(unsigned calls);

/* The same for one that only looks at the clock: more when nothing else was done for long. */
void clock_look(unsigned calls);

/* No thread can run before `when`. */
void clock_jump(int64_t when);

/* Undoes the reads since then. */
void clock_set_back(int64_t when);

/* A guest that reads the clock on its own stops when a read would get to `when`. */
void clock_limit(int64_t when);

/* The shared memory that holds the clock, or -1, and what its reader has to know once it is at `address`. */
int clock_segment(void);
struct clock_settings clock_settings(uint64_t address);

/* Whether the running thread may make calls that do not stop (untraced.h), and how many were made since this was asked last. */
void clock_allow_untraced(int allows);
int64_t clock_untraced(void);

/* Nanoseconds since 1970. */
int64_t clock_since_1970(void);

/* The value of the time stamp counter, at a thousand million a second; reading it is an event. */
uint64_t clock_cycles(void);

/* The time of clock `id`, in nanoseconds; -1 for one of processor time, or that does not exist. */
int64_t clock_read(long id);

/* The same as a thread sees it, processor time too. */
int64_t clock_shown(const struct task *t, long id);

/* What a guest that reads processor time by itself subtracts from the clock. */
void clock_show_work(int64_t of_process, int64_t of_thread);

/* The virtual deadline of a wait for `nanoseconds`, which may be hostile. */
int64_t clock_after(int64_t nanoseconds);

/* Reads a struct timespec as nanoseconds; 0 when it cannot be read or is not valid. */
int clock_span(struct task *t, uint64_t address, int64_t *nanoseconds);

/* The deadline of a time-out at `address` (0: none), relative, or absolute on clock `id`; an errno or 0. */
int clock_deadline(struct task *t, uint64_t address, int absolute, long id, int64_t *deadline);

#endif
