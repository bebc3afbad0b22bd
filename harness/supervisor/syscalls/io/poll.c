/* poll, select and epoll_wait: answered from here, so that no task sleeps; their time-outs are the virtual clock's. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/answer.h"
#include "arch/arch.h"
#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "ptrace/guest.h"
#include "syscalls/signals/signalfd.h"

enum { MAX_POLLED = 1024, BATCH = 64, NANO = 1000000000, MILLI = 1000000, MICRO = 1000, BELOW_STACK = 1024 };

/* The mask a call brings along, by which signals count instead of the thread's own; NULL without one. */
static const uint64_t *mask_at(struct task *t, uint64_t address) {
  static uint64_t mask;
  return address && guest_read(t, address, &mask, sizeof mask) ? &mask : NULL;
}

/* Only the kernel can put a mask back after the handler has run under another one: it will find the signal at once. */
static enum action interrupt_under(const uint64_t *mask, struct call *c, int64_t result, enum action by_kernel) {
  return mask ? by_kernel : interrupt(c, result);
}

static int expired(const struct task *t) { return t->deadline != NEVER && clock_now() >= t->deadline; }

/* Our duplicate of one of the guest's descriptors; where there is none, the kernel's answer for it. */
static struct pollfd borrow(struct task *t, struct pollfd *one) {
  int signals = one->fd < 0 ? -1 : signalfd_ready(t, one->fd);
  struct pollfd ours = {one->fd < 0 || signals >= 0 ? -1 : guest_descriptor(t, one->fd), one->events, 0};
  one->revents = 0;
  if (signals == 1) one->revents = one->events & (POLLIN | POLLRDNORM);
  else if (one->fd >= 0 && ours.fd < 0 && signals < 0) one->revents = POLLNVAL;
  return ours;
}

/* Answers for each descriptor as the kernel would now, and returns how many have events. */
static int look(struct task *t, struct pollfd *all, size_t count) {
  struct pollfd ours[BATCH];
  int ready = 0;
  for (size_t from = 0; from < count; from += BATCH) {
    size_t some = count - from < BATCH ? count - from : BATCH;
    for (size_t i = 0; i < some; i++) ours[i] = borrow(t, &all[from + i]);
    poll(ours, some, 0);
    for (size_t i = 0; i < some; i++) {
      if (ours[i].fd >= 0) all[from + i].revents = ours[i].revents, close(ours[i].fd);
      ready += all[from + i].revents != 0;
    }
  }
  return ready;
}

static int milliseconds(struct task *t, int64_t timeout) {
  t->deadline = timeout < 0 ? NEVER : clock_after(timeout * MILLI);
  return 0;
}

/* The kernel leaves the rest of the time-out, measured by its own clock. */
static void put_rest(struct task *t, uint64_t address, int64_t unit) {
  int64_t rest = t->deadline > clock_now() ? t->deadline - clock_now() : 0;
  if (address && t->deadline != NEVER) guest_write(t, address, (int64_t[2]){rest / NANO, rest % NANO / unit}, 16);
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
  int ready = look(t, asked, count), late = expired(t);
  const uint64_t *mask = mask_at(t, precise ? c->args[3] : 0);
  int signals = !ready && guest_signals(t, mask, NULL) != 0;
  if (!ready && !signals && !late) return BLOCK;
  if (precise) put_rest(t, c->args[2], 1);
  if (signals) return interrupt_under(mask, c, precise ? RESTART_UNHANDLED : RESTART_REST, c->args[2] ? AFTER : RUN);
  if (count && !guest_write(t, c->args[0], asked, count * sizeof *asked)) return answer(c, -EFAULT);
  c->result = ready;
  return ready ? DONE : YIELD;
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

/* The events that each of select's three sets asks for. */
static const short meaning[3] = {POLLIN | POLLRDNORM | POLLRDBAND, POLLOUT | POLLWRNORM | POLLWRBAND, POLLPRI};

/* The events that count for each of them: a hang-up counts as readable, and as nothing else. */
static const short answered[3] = {POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
                                  POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR, POLLPRI};

static int is_in(const uint8_t *set, int fd) { return set[fd / 8] >> fd % 8 & 1; }

/* The kernel looks at no descriptor beyond the process' table, whose size it shows. */
static int table_size(struct task *t) {
  char status[4096];
  const char *at = guest_proc(t, "status", status, sizeof status) > 0 ? strstr(status, "\nFDSize:\t") : NULL;
  return at ? atoi(at + 9) : MAX_POLLED;
}

/* Leaves only the ready descriptors in the sets; returns the number of bits, or -EBADF. */
static int look_at_sets(struct task *t, uint8_t sets[3][MAX_POLLED / 8], int limit) {
  static struct pollfd asked[MAX_POLLED];
  size_t count = 0;
  int bits = 0;
  for (int fd = 0; fd < limit; fd++) {
    short events = 0;
    for (int i = 0; i < 3; i++)
      if (is_in(sets[i], fd)) events |= meaning[i];
    if (events) asked[count++] = (struct pollfd){fd, events, 0};
  }
  look(t, asked, count);
  for (size_t at = 0; at < count; at++) {
    const struct pollfd *one = &asked[at];
    if (one->revents & POLLNVAL && one->fd < table_size(t)) return -EBADF;
    for (int i = 0; i < 3; i++) {
      int there = one->events & meaning[i] && one->revents & answered[i];
      bits += there;
      if (!there) sets[i][one->fd / 8] &= (uint8_t)~(1 << one->fd % 8);
    }
  }
  return bits;
}

enum action on_select(struct task *t, struct call *c) {
  uint8_t sets[3][MAX_POLLED / 8] = {{0}};
  uint64_t pack[2];
  int limit = (int)c->args[0], error = 0, exact = c->nr == SYS_pselect6;
  if (limit < 0) return answer(c, -EINVAL);
  if (limit > MAX_POLLED) limit = MAX_POLLED;
  size_t size = (size_t)(limit + 63) / 64 * 8;
  for (int i = 0; i < 3; i++)
    if (c->args[1 + i] && !guest_read(t, c->args[1 + i], sets[i], size) && size) return answer(c, -EFAULT);
  if (!t->retry) error = select_deadline(t, c);
  if (error) return answer(c, error);
  int bits = look_at_sets(t, sets, limit), late = expired(t);
  const uint64_t *mask = NULL;
  if (exact && c->args[5] && guest_read(t, c->args[5], pack, sizeof pack)) mask = mask_at(t, pack[0]);
  int signals = bits == 0 && guest_signals(t, mask, NULL) != 0;
  if (bits == 0 && !signals && !late) return BLOCK;
  put_rest(t, c->args[4], exact ? 1 : MICRO);
  if (signals) return interrupt_under(mask, c, RESTART_UNHANDLED, c->args[4] ? AFTER : RUN);
  for (int i = 0; i < 3; i++)
    if (bits >= 0 && c->args[1 + i]) guest_write(t, c->args[1 + i], sets[i], size);
  c->result = bits;
  return bits ? DONE : YIELD;
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

/* An epoll descriptor is itself readable when it has events. */
enum action on_epoll(struct task *t, struct call *c) {
  if (!t->retry) {
    int error = c->nr == SYS_epoll_pwait2 ? clock_deadline(t, c->args[3], 0, 1, &t->deadline)
                                          : milliseconds(t, (int)c->args[3]);
    if (error) return answer(c, error);
  }
  if (are_signals_read()) return try_epoll(t, c);
  if (guest_poll(t, (int)c->args[0], POLLIN) != 0) return RUN;
  const uint64_t *mask = mask_at(t, c->nr == SYS_epoll_wait ? 0 : c->args[4]);
  if (guest_signals(t, mask, NULL)) return interrupt_under(mask, c, -EINTR, RUN);
  if (!expired(t)) return BLOCK;
  c->result = 0;
  return YIELD;
}
