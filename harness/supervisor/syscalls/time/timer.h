/* Timers of the virtual clock, whatever they do when they are due. */
#ifndef REENACT_TIMER_H
#define REENACT_TIMER_H
#include <stdint.h>

struct timer {
  struct timer *next; /* armed ones, in the order of their arming */
  int armed;
  int of_work;        /* counts processor time, which does not pass while all sleep */
  int64_t due, every; /* of the virtual clock; 0: once */
  void (*fire)(struct timer *self, int64_t times);
};

/* Sets a timer for `span` nanoseconds from now; 0 stops it. */
void timer_set(struct timer *timer, int64_t span, int64_t every);

/* What is left until it is due, never 0 while it is armed. */
int64_t timer_left(const struct timer *timer);

/* The earliest moment at which a timer is due, or NEVER; `working` counts those of processor time too. */
int64_t timers_due(int working);

/* No thread works for `span` nanoseconds: timers of processor time come so much later. */
void timers_put_off(int64_t span);

/* Fires what is due, the earliest first; how many. */
int timers_fire(void);

/* The timer's memory may hold a struct itimerspec's four numbers: valid, or an errno. */
struct task;
int timer_spans(struct task *t, uint64_t address, int64_t spans[2]);

/* Shows a timer as a struct itimerspec; 1 when that could be written, or was not asked for. */
int timer_show(struct task *t, uint64_t address, const struct timer *timer);

#endif
