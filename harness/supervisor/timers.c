/* alarm and setitimer: deadlines of the virtual clock, kept by process. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/time.h>

#include "calls.h"
#include "clock.h"
#include "guest.h"
#include "schedule.h"

enum { MICRO = 1000, MILLION = 1000000, NANO = 1000000000 };

static int64_t left(const struct process *p) {
  if (p->alarm == NEVER) return 0;
  return p->alarm > clock_now() ? p->alarm - clock_now() : 1000;
}

enum action on_alarm(struct task *t, struct call *c) {
  struct process *p = t->process;
  uint32_t seconds = (uint32_t)c->args[0];
  c->result = (left(p) + NANO - 1) / NANO;
  p->alarm = seconds ? clock_after((int64_t)seconds * NANO) : NEVER;
  p->alarm_every = 0;
  return DONE;
}

static int show(struct task *t, uint64_t address) {
  int64_t rest = left(t->process), every = t->process->alarm_every;
  int64_t shown[4] = {every / NANO, every % NANO / MICRO, rest / NANO, rest % NANO / MICRO};
  return address == 0 || guest_write(t, address, shown, sizeof shown);
}

/* Timers that count processor time would need a processor that is the same everywhere: they never fire. */
enum action on_setitimer(struct task *t, struct call *c) {
  struct process *p = t->process;
  int64_t wanted[4] = {0};
  c->result = -EFAULT;
  if (c->args[1] && !guest_read(t, c->args[1], wanted, sizeof wanted)) return DONE;
  c->result = -EINVAL;
  for (int i = 0; i < 4; i++)
    if (wanted[i] < 0 || wanted[i] > (i % 2 ? MILLION - 1 : INT32_MAX)) return DONE;
  if (c->args[0] > 2) return DONE;
  c->result = show(t, c->args[2]) ? 0 : -EFAULT;
  if (c->args[0] != ITIMER_REAL) return DONE;
  int64_t first = wanted[2] * NANO + wanted[3] * MICRO;
  p->alarm = first ? clock_after(first) : NEVER;
  p->alarm_every = wanted[0] * NANO + wanted[1] * MICRO;
  return DONE;
}

enum action on_getitimer(struct task *t, struct call *c) {
  int64_t none[4] = {0};
  if (c->args[0] == ITIMER_REAL) c->result = show(t, c->args[1]) ? 0 : -EFAULT;
  else c->result = guest_write(t, c->args[1], none, sizeof none) ? 0 : -EFAULT;
  return DONE;
}
