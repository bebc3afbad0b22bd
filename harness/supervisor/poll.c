/* poll, select and epoll_wait: looked at from here without sleeping; their time-outs are the virtual clock's. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "arch.h"
#include "calls.h"
#include "clock.h"
#include "guest.h"
#include "signalfd.h"

enum { MAX_POLLED = 1024, NANO = 1000000000, MILLI = 1000000, MICRO = 1000, BELOW_STACK = 1024 };

/* A signal counts by the mask the call brings along, if it brings one. */
static int interrupted(struct task *t, uint64_t mask_address) {
  uint64_t mask;
  if (mask_address && guest_read(t, mask_address, &mask, sizeof mask)) return guest_signals(t, &mask, NULL) != 0;
  return guest_signals(t, NULL, NULL) != 0;
}

static int expired(const struct task *t) { return t->deadline != NEVER && clock_now() >= t->deadline; }

/* 1 when any of the guest's descriptors has an event; our duplicates live only as long as this takes. */
static int any_ready(struct task *t, const struct pollfd *asked, size_t count) {
  static struct pollfd ours[MAX_POLLED];
  int ready = 0;
  for (size_t i = 0; i < count; i++) {
    int signals = signalfd_ready(t, asked[i].fd);
    ours[i].fd = -1;
    ready |= signals == 1 && asked[i].events & POLLIN;
    if (signals >= 0) continue;
    ours[i] = (struct pollfd){asked[i].fd < 0 ? -1 : guest_descriptor(t, asked[i].fd), asked[i].events, 0};
    if (asked[i].fd >= 0 && ours[i].fd < 0) ready = 1; /* POLLNVAL, which the kernel tells */
  }
  if (!ready) ready = poll(ours, count, 0) != 0;
  for (size_t i = 0; i < count; i++)
    if (ours[i].fd >= 0) close(ours[i].fd);
  return ready;
}

static int milliseconds(struct task *t, int64_t timeout) {
  t->deadline = timeout < 0 ? NEVER : clock_after(timeout * MILLI);
  return 0;
}

enum action on_poll(struct task *t, struct call *c) {
  static struct pollfd asked[MAX_POLLED];
  size_t count = (size_t)c->args[1];
  int precise = c->nr == SYS_ppoll;
  if (c->args[1] > MAX_POLLED) return answer(c, -EINVAL);
  if (!guest_read(t, c->args[0], asked, count * sizeof *asked) && count) return answer(c, -EFAULT);
  if (!t->retry) {
    int error = precise ? clock_deadline(t, c->args[2], 0, 1, &t->deadline) : milliseconds(t, (int)c->args[2]);
    if (error) return answer(c, error);
  }
  if (any_ready(t, asked, count) || interrupted(t, precise ? c->args[3] : 0)) return precise && c->args[2] ? AFTER : RUN;
  if (!expired(t)) return BLOCK;
  for (size_t i = 0; i < count; i++) asked[i].revents = 0;
  if (count && !guest_write(t, c->args[0], asked, count * sizeof *asked)) return answer(c, -EFAULT);
  if (precise && c->args[2]) guest_write(t, c->args[2], (int64_t[2]){0, 0}, 16);
  c->result = 0;
  return YIELD;
}

/* The kernel leaves the rest of the time-out, measured by its own clock. */
static void put_rest(struct task *t, uint64_t address, int64_t unit) {
  int64_t rest = t->deadline > clock_now() ? t->deadline - clock_now() : 0;
  if (t->deadline != NEVER) guest_write(t, address, (int64_t[2]){rest / NANO, rest % NANO / unit}, 16);
}

enum action after_ppoll(struct task *t, struct call *c) {
  put_rest(t, c->args[2], 1);
  return RUN;
}

enum action after_select(struct task *t, struct call *c) {
  put_rest(t, c->args[4], c->nr == SYS_select ? MICRO : 1);
  return RUN;
}

static int select_deadline(struct task *t, const struct call *c) {
  int64_t span[2];
  if (c->nr == SYS_pselect6) return clock_deadline(t, c->args[4], 0, 1, &t->deadline);
  t->deadline = NEVER;
  if (!c->args[4]) return 0;
  if (!guest_read(t, c->args[4], span, sizeof span)) return -EFAULT;
  if (span[0] < 0 || span[1] < 0) return -EINVAL;
  t->deadline = span[0] > INT32_MAX ? clock_after(INT64_MAX) : clock_after(span[0] * NANO + span[1] % NANO * MICRO);
  return 0;
}

enum action on_select(struct task *t, struct call *c) {
  static const short meaning[3] = {POLLIN, POLLOUT, POLLPRI};
  static struct pollfd asked[MAX_POLLED];
  uint8_t sets[3][MAX_POLLED / 8] = {{0}};
  uint64_t pack[2], mask = 0;
  int limit = (int)c->args[0];
  if (limit < 0) return answer(c, -EINVAL);
  if (limit > MAX_POLLED) limit = MAX_POLLED;
  size_t size = (size_t)(limit + 63) / 64 * 8, count = 0;
  for (int i = 0; i < 3; i++)
    if (c->args[1 + i] && !guest_read(t, c->args[1 + i], sets[i], size) && size) return answer(c, -EFAULT);
  for (int fd = 0; fd < limit; fd++) {
    short events = 0;
    for (int i = 0; i < 3; i++)
      if (sets[i][fd / 8] >> fd % 8 & 1) events |= meaning[i];
    if (events) asked[count++] = (struct pollfd){fd, events, 0};
  }
  int error = t->retry ? 0 : select_deadline(t, c);
  if (error) return answer(c, error);
  if (c->nr == SYS_pselect6 && c->args[5] && guest_read(t, c->args[5], pack, sizeof pack)) mask = pack[0];
  if (any_ready(t, asked, count) || interrupted(t, mask)) return c->args[4] ? AFTER : RUN;
  if (!expired(t)) return BLOCK;
  memset(sets, 0, sizeof sets);
  for (int i = 0; i < 3; i++)
    if (c->args[1 + i]) guest_write(t, c->args[1 + i], sets[i], size);
  if (c->args[4]) guest_write(t, c->args[4], (int64_t[2]){0, 0}, 16);
  c->result = 0;
  return YIELD;
}

/* Asked by the guest itself, since our asking would find no signal and take what is ready off the kernel's list. */
static enum action try_epoll(struct task *t, const struct call *c) {
  struct call trying = *c;
  trying.args[3] = c->nr == SYS_epoll_pwait2 ? arch_stack(t) - BELOW_STACK : 0;
  if (c->nr == SYS_epoll_pwait2) guest_write(t, trying.args[3], (int64_t[2]){0, 0}, 16);
  arch_replace(t, &trying);
  return AFTER;
}

enum action after_epoll(struct task *t, struct call *c) { return c->result == 0 && !expired(t) ? AGAIN : DONE; }

/* An epoll descriptor is itself readable when it has events to tell. */
enum action on_epoll(struct task *t, struct call *c) {
  if (!t->retry) {
    int error = c->nr == SYS_epoll_pwait2 ? clock_deadline(t, c->args[3], 0, 1, &t->deadline)
                                          : milliseconds(t, (int)c->args[3]);
    if (error) return answer(c, error);
  }
  if (are_signals_read()) return try_epoll(t, c);
  if (guest_poll(t, (int)c->args[0], POLLIN) != 0) return RUN;
  if (interrupted(t, c->nr == SYS_epoll_wait ? 0 : c->args[4])) return RUN;
  if (!expired(t)) return BLOCK;
  c->result = 0;
  return YIELD;
}
