/* timerfd: the kernel's own timer, never armed by its clock but fired from here, so that poll and epoll see it. */
#define _GNU_SOURCE
#include "timerfd.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop/answer.h"
#include "loop/calls.h"
#include "clock.h"
#include "ptrace/guest.h"

/* A descriptor's number is of no use once it is duplicated: so the kernel keeps our own number as the timer's period. */
static const int64_t NAMES = 1LL << 32;
enum { SWEEP = 256 };

struct timerfd {
  struct timer timer; /* first, so that it can be found from there */
  struct timerfd *next;
  int64_t name;
  int clock;
  uint64_t times; /* it was due since the last read */
  pid_t tgid;     /* where a descriptor of it was seen last */
  int fd;
};

static struct timerfd *timers;
static int64_t last_name;
static int count, sweep_at = SWEEP;

static int64_t name_of(struct task *t, int fd) {
  char file[32], text[1024];
  long long seconds;
  snprintf(file, sizeof file, "fdinfo/%d", fd);
  const char *at = guest_proc(t, file, text, sizeof text) > 0 ? strstr(text, "it_interval: (") : NULL;
  return at && sscanf(at, "it_interval: (%lld", &seconds) == 1 ? seconds - NAMES : 0;
}

struct timerfd *timerfd_of(struct task *t, int fd) {
  struct timerfd *one = timers;
  int64_t name = timers ? name_of(t, fd) : 0;
  while (one && one->name != name) one = one->next;
  if (one) one->tgid = t->process->tgid, one->fd = fd;
  return one;
}

/* Searches a process' descriptors for this timer; notes where it is, and returns whether it was found. */
static int seek(struct task *t, struct timerfd *one) {
  char path[32];
  int found = 0;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)t->tid);
  DIR *folder = opendir(path);
  for (struct dirent *e; folder && !found && (e = readdir(folder));)
    if (*e->d_name != '.' && name_of(t, atoi(e->d_name)) == one->name)
      found = 1, one->tgid = t->process->tgid, one->fd = atoi(e->d_name);
  if (folder) closedir(folder);
  return found;
}

/* A guest's descriptor of it, as our duplicate; -1 when all are closed. */
static int borrow(struct timerfd *one) {
  struct task *t = find_task(one->tgid);
  if (!t || name_of(t, one->fd) != one->name) {
    for (t = tasks; t && !seek(t, one);) t = t->next;
    if (!t) return -1;
  }
  return guest_descriptor(t, one->fd);
}

static void forget(struct timerfd *one) {
  struct timerfd **at = &timers;
  while (*at != one) at = &(*at)->next;
  *at = one->next;
  timer_set(&one->timer, 0, 0);
  free(one);
  count--;
}

/* Readable from now on, or not: an expiry a nanosecond from now comes at once, and the next one never. */
static void show(const struct timerfd *one, int fd) {
  struct itimerspec when = {{NAMES + one->name, 0}, {0, one->times ? 1 : 0}};
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  timerfd_settime(fd, 0, &when, NULL);
  if (one->times) poll(&wait, 1, 1000);
}

static void fire(struct timer *timer, int64_t times) {
  struct timerfd *one = (struct timerfd *)(void *)timer;
  int fd = borrow(one);
  if (fd < 0) {
    forget(one);
    return;
  }
  /* The kernel's own timer is an event once, until it is read. */
  int first = one->times == 0;
  one->times += (uint64_t)times;
  if (first) show(one, fd);
  close(fd);
}

static void sweep(void) {
  for (struct timerfd *one = timers, *next; one; one = next) {
    next = one->next;
    int fd = borrow(one);
    if (fd < 0) forget(one);
    else close(fd);
  }
  sweep_at = 2 * count + SWEEP;
}

enum action on_timerfd_create(struct task *t, struct call *c) {
  (void)t;
  c->result = -EINVAL;
  return clock_read((int)c->args[0]) < 0 ? DONE : AFTER;
}

enum action after_timerfd_create(struct task *t, struct call *c) {
  struct timerfd *one = c->result < 0 ? NULL : calloc(1, sizeof *one);
  int fd = one ? guest_descriptor(t, (int)c->result) : -1;
  if (fd < 0) {
    free(one);
    return RUN;
  }
  if (count >= sweep_at) sweep();
  *one = (struct timerfd){.next = timers, .name = ++last_name, .clock = (int)c->args[0], .tgid = t->process->tgid};
  one->fd = (int)c->result;
  one->timer.fire = fire;
  timers = one;
  count++;
  show(one, fd);
  close(fd);
  return RUN;
}

enum action on_timerfd_settime(struct task *t, struct call *c) {
  struct timerfd *one = timerfd_of(t, (int)c->args[0]);
  int64_t spans[2];
  if (!one) return RUN; /* no timer: the kernel answers with the error */
  if (c->args[1] & ~3u) return answer(c, -EINVAL);
  int error = timer_spans(t, c->args[2], spans);
  if (error) return answer(c, error);
  if (!timer_show(t, c->args[3], &one->timer)) return answer(c, -EFAULT);
  if (spans[1] && c->args[1] & TFD_TIMER_ABSTIME) spans[1] -= clock_read(one->clock), spans[1] += spans[1] == 0;
  timer_set(&one->timer, spans[1], spans[0]);
  int fd = guest_descriptor(t, (int)c->args[0]);
  one->times = 0;
  show(one, fd);
  close(fd);
  return answer(c, 0);
}

enum action on_timerfd_gettime(struct task *t, struct call *c) {
  struct timerfd *one = timerfd_of(t, (int)c->args[0]);
  if (!one) return RUN;
  return answer(c, c->args[1] && timer_show(t, c->args[1], &one->timer) ? 0 : -EFAULT);
}

enum action read_timerfd(struct task *t, struct call *c, struct timerfd *one, int patient) {
  if (c->args[2] < sizeof one->times) return answer(c, -EINVAL);
  if (one->times == 0 && !patient) return answer(c, -EAGAIN);
  if (one->times == 0) return guest_signals(t, NULL, NULL) ? interrupt(c, RESTART) : BLOCK;
  if (!guest_write(t, c->args[1], &one->times, sizeof one->times)) return answer(c, -EFAULT);
  int fd = guest_descriptor(t, (int)c->args[0]);
  one->times = 0;
  show(one, fd);
  close(fd);
  return answer(c, sizeof one->times);
}
