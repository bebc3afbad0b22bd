/* alarm and setitimer: three timers of each process, kept by the virtual clock. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

#include "loop/calls.h"
#include "clock.h"
#include "ptrace/guest.h"
#include "timers.h"

enum { MICRO = 1000, MILLION = 1000000, NANO = 1000000000 };

#define OWNER(timer, which) ((struct process *)(void *)((char *)(timer) - offsetof(struct process, intervals[which])))

static void send(const struct process *p, int signal) {
  kill(p->tgid, signal);
  signals_sent++;
}

static void fire_real(struct timer *timer, int64_t times) {
  (void)times;
  send(OWNER(timer, ITIMER_REAL), SIGALRM);
}

static void fire_virtual(struct timer *timer, int64_t times) {
  (void)times;
  send(OWNER(timer, ITIMER_VIRTUAL), SIGVTALRM);
}

static void fire_profiling(struct timer *timer, int64_t times) {
  (void)times;
  send(OWNER(timer, ITIMER_PROF), SIGPROF);
}

static struct timer *timer_of(struct task *t, int which) {
  static void (*const fires[])(struct timer *, int64_t) = {fire_real, fire_virtual, fire_profiling};
  struct timer *timer = &t->process->intervals[which];
  timer->fire = fires[which];
  timer->of_work = which != ITIMER_REAL;
  return timer;
}

int64_t signal_due(const struct process *p) {
  int64_t due = posix_due(p);
  for (int i = 0; i < 3; i++)
    if (p->intervals[i].armed && (due == NEVER || p->intervals[i].due < due)) due = p->intervals[i].due;
  return due;
}

int is_timed(const struct process *p) { return signal_due(p) != NEVER; }

void forget_intervals(struct process *p) {
  for (int i = 0; i < 3; i++) timer_set(&p->intervals[i], 0, 0);
}

enum action on_alarm(struct task *t, struct call *c) {
  struct timer *timer = timer_of(t, ITIMER_REAL);
  c->result = (timer_left(timer) + NANO - 1) / NANO;
  timer_set(timer, (int64_t)(uint32_t)c->args[0] * NANO, 0);
  return DONE;
}

static int show(struct task *t, uint64_t address, const struct timer *timer) {
  int64_t left = timer_left(timer), every = timer->every;
  int64_t shown[4] = {every / NANO, every % NANO / MICRO, left / NANO, left % NANO / MICRO};
  return address == 0 || guest_write(t, address, shown, sizeof shown);
}

enum action on_setitimer(struct task *t, struct call *c) {
  int64_t wanted[4] = {0};
  c->result = -EFAULT;
  if (c->args[1] && !guest_read(t, c->args[1], wanted, sizeof wanted)) return DONE;
  c->result = -EINVAL;
  for (int i = 0; i < 4; i++)
    if (wanted[i] < 0 || wanted[i] > (i % 2 ? MILLION - 1 : INT32_MAX)) return DONE;
  if (c->args[0] > ITIMER_PROF) return DONE;
  struct timer *timer = timer_of(t, (int)c->args[0]);
  c->result = show(t, c->args[2], timer) ? 0 : -EFAULT;
  timer_set(timer, wanted[2] * NANO + wanted[3] * MICRO, wanted[0] * NANO + wanted[1] * MICRO);
  return DONE;
}

enum action on_getitimer(struct task *t, struct call *c) {
  c->result = -EINVAL;
  if (c->args[0] > ITIMER_PROF) return DONE;
  c->result = c->args[1] && show(t, c->args[1], timer_of(t, (int)c->args[0])) ? 0 : -EFAULT;
  return DONE;
}
