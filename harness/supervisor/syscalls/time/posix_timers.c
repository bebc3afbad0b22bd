/* timer_create and its family: timers of a process that send a signal each time they are due. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "loop/answer.h"
#include "loop/calls.h"
#include "clock.h"
#include "ptrace/guest.h"
#include "timers.h"

enum { MAX_TIMERS = 4096, TO_THREAD = 4 };

struct posix_timer {
  struct timer timer; /* first, so that it can be found from there */
  struct posix_timer *next;
  pid_t tgid, tid; /* tid 0: any thread takes the signal */
  int id, clock, silent, signal;
  void *value;
  int64_t missed, told; /* times it was due while its signal was pending; the same of the signal before */
};

static int is_pending(const struct posix_timer *p) {
  uint64_t all;
  struct task *t = find_task(p->tid ? p->tid : p->tgid);
  return t && guest_pending(t, !p->tid, &all) && all >> (p->signal - 1) & 1;
}

static void fire(struct timer *timer, int64_t times) {
  struct posix_timer *p = (struct posix_timer *)(void *)timer;
  if (p->silent) return;
  if (is_pending(p)) {
    p->missed += times;
    return;
  }
  siginfo_t info = {.si_signo = p->signal, .si_code = SI_TIMER};
  info.si_timerid = p->id;
  info.si_value.sival_ptr = p->value;
  p->told = p->missed;
  p->missed = times - 1;
  if (p->tid) syscall(SYS_rt_tgsigqueueinfo, p->tgid, p->tid, p->signal, &info);
  else syscall(SYS_rt_sigqueueinfo, p->tgid, p->signal, &info);
  signals_sent++;
}

static struct posix_timer *timer_of(struct task *t, uint64_t id) {
  struct posix_timer *p = t->process->timers;
  while (p && (uint32_t)p->id != (uint32_t)id) p = p->next;
  return p;
}

/* What a struct sigevent asks for; an errno or 0. */
static int settle_event(struct task *t, uint64_t address, struct posix_timer *p) {
  struct { void *value; int32_t signal, notify, tid; } event;
  if (!guest_read(t, address, &event, sizeof event)) return -EFAULT;
  p->value = event.value;
  p->signal = event.signal;
  p->silent = event.notify == SIGEV_NONE;
  if (p->silent) return 0;
  if (event.signal < 1 || event.signal > 64) return -EINVAL;
  if (event.notify == TO_THREAD) {
    struct task *taker = find_task(event.tid);
    if (!taker || taker->process != t->process) return -EINVAL;
    p->tid = event.tid;
  } else if (event.notify != SIGEV_SIGNAL && event.notify != SIGEV_THREAD) {
    return -EINVAL;
  }
  return 0;
}

int64_t posix_due(const struct process *owner) {
  int64_t due = NEVER;
  for (const struct posix_timer *p = owner->timers; p; p = p->next)
    if (p->timer.armed && !p->silent && (due == NEVER || p->timer.due < due)) due = p->timer.due;
  return due;
}

enum action on_timer_create(struct task *t, struct call *c) {
  struct process *owner = t->process;
  int clock = (int)c->args[0];
  if (clock_shown(t, clock) < 0) return answer(c, -EINVAL);
  int live = 0;
  for (const struct posix_timer *one = owner->timers; one; one = one->next) live++;
  if (live >= MAX_TIMERS || owner->next_timer == INT32_MAX) return answer(c, -EAGAIN);
  struct posix_timer made = {.tgid = owner->tgid, .id = owner->next_timer, .clock = clock, .signal = SIGALRM};
  made.timer.fire = fire;
  made.timer.of_work = clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
  made.value = (void *)(uintptr_t)made.id;
  int error = c->args[1] ? settle_event(t, c->args[1], &made) : 0;
  if (error) return answer(c, error);
  if (!guest_write(t, c->args[2], &made.id, sizeof made.id)) return answer(c, -EFAULT);
  struct posix_timer *p = malloc(sizeof *p);
  if (!p) return answer(c, -EAGAIN);
  *p = made;
  p->next = owner->timers;
  owner->timers = p;
  owner->next_timer++;
  return answer(c, 0);
}

enum action on_timer_settime(struct task *t, struct call *c) {
  struct posix_timer *p = timer_of(t, c->args[0]);
  int64_t spans[2];
  if (!p) return answer(c, -EINVAL);
  int error = c->args[2] ? timer_spans(t, c->args[2], spans) : -EINVAL;
  if (error) return answer(c, error);
  if (!timer_show(t, c->args[3], &p->timer)) return answer(c, -EFAULT);
  if (spans[1] && c->args[1] & TIMER_ABSTIME) spans[1] -= clock_shown(t, p->clock), spans[1] += spans[1] == 0;
  timer_set(&p->timer, spans[1], spans[0]);
  p->missed = p->told = 0;
  return answer(c, 0);
}

enum action on_timer_gettime(struct task *t, struct call *c) {
  struct posix_timer *p = timer_of(t, c->args[0]);
  if (!p) return answer(c, -EINVAL);
  return answer(c, c->args[1] && timer_show(t, c->args[1], &p->timer) ? 0 : -EFAULT);
}

enum action on_timer_getoverrun(struct task *t, struct call *c) {
  struct posix_timer *p = timer_of(t, c->args[0]);
  if (!p) return answer(c, -EINVAL);
  int64_t missed = !p->silent && is_pending(p) ? p->told : p->missed;
  return answer(c, missed < INT32_MAX ? missed : INT32_MAX);
}

enum action on_timer_delete(struct task *t, struct call *c) {
  struct posix_timer **at = &t->process->timers, *p = timer_of(t, c->args[0]);
  if (!p) return answer(c, -EINVAL);
  while (*at != p) at = &(*at)->next;
  *at = p->next;
  timer_set(&p->timer, 0, 0);
  free(p);
  return answer(c, 0);
}

void forget_timers(struct process *owner) {
  for (struct posix_timer *p; (p = owner->timers);) {
    owner->timers = p->next;
    timer_set(&p->timer, 0, 0);
    free(p);
  }
}
