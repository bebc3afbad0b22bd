/* Calls that move several messages, or wait for a full buffer: made in parts that do not sleep. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/answer.h"
#include "arch/arch.h"
#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "ptrace/guest.h"
#include "sockets.h"

/* A struct mmsghdr is that long; the kernel takes no more of them at once. */
enum { MESSAGE = 64, MOST = 1024 };

static int is_late(const struct task *t) { return t->deadline != NEVER && clock_now() >= t->deadline; }

static enum action finish(struct task *t, struct call *c, int64_t otherwise) {
  c->result = t->done ? (int64_t)t->done : otherwise;
  return DONE;
}

static int64_t earlier(int64_t a, int64_t b) { return a == NEVER || (b != NEVER && b < a) ? b : a; }

/* The rest to move, once the descriptor is ready for some of it. */
static enum action next_part(struct task *t, struct call *c, int sending, uint64_t size) {
  int fd = guest_descriptor(t, (int)c->args[0]);
  if (fd < 0) return RUN;
  int64_t own = socket_deadline(fd, sending);
  close(fd);
  if (!t->retry) {
    t->done = 0;
    t->deadline = earlier(t->deadline, own);
  }
  if (guest_poll(t, (int)c->args[0], sending ? POLLOUT : POLLIN) == 0) {
    if (is_late(t)) return finish(t, c, -EAGAIN);
    if (!guest_signals(t, NULL, NULL)) return BLOCK;
    return t->done ? finish(t, c, 0) : interrupt(c, own == NEVER ? RESTART : -EINTR);
  }
  struct call part = *c;
  part.args[1] += t->done * size;
  part.args[2] -= t->done;
  part.args[3] = (c->args[3] | MSG_DONTWAIT) & ~(uint64_t)MSG_WAITALL;
  if (c->nr == SYS_recvmmsg) part.args[4] = 0;
  arch_replace(t, &part);
  return AFTER;
}

static enum action after_part(struct task *t, struct call *c, uint64_t wanted, int enough) {
  if (c->result == -EAGAIN) return is_late(t) ? finish(t, c, -EAGAIN) : AGAIN;
  if (c->result <= 0) return finish(t, c, c->result);
  t->done += (uint64_t)c->result;
  return t->done < wanted && !enough ? AGAIN : finish(t, c, 0);
}

enum action on_recvmmsg(struct task *t, struct call *c) {
  if (c->args[3] & (MSG_DONTWAIT | MSG_ERRQUEUE)) return RUN;
  if (!t->retry) {
    c->result = clock_deadline(t, c->args[4], 0, 1, &t->deadline);
    if (c->result) return DONE;
  }
  return next_part(t, c, 0, MESSAGE);
}

static uint64_t messages(const struct call *c) {
  return (uint32_t)c->args[2] < MOST ? (uint32_t)c->args[2] : MOST;
}

enum action after_recvmmsg(struct task *t, struct call *c) {
  return after_part(t, c, messages(c), c->args[3] & MSG_WAITFORONE);
}

enum action on_sendmmsg(struct task *t, struct call *c) {
  if (c->args[3] & MSG_DONTWAIT) return RUN;
  int fd = guest_descriptor(t, (int)c->args[0]);
  if (fd >= 0) settle_port(fd), close(fd);
  return next_part(t, c, 1, MESSAGE);
}

enum action after_sendmmsg(struct task *t, struct call *c) { return after_part(t, c, messages(c), 0); }

/* Only MSG_WAITALL on a stream waits for more than the first bytes. */
static int is_patient(const struct call *c) {
  return c->args[3] & MSG_WAITALL && !(c->args[3] & (MSG_DONTWAIT | MSG_PEEK | MSG_ERRQUEUE | MSG_OOB));
}

enum action on_recvfrom(struct task *t, struct call *c) {
  return is_patient(c) ? next_part(t, c, 0, 1) : on_read(t, c);
}

enum action after_recvfrom(struct task *t, struct call *c) {
  if (!is_patient(c)) return after_write(t, c);
  int fd = guest_descriptor(t, (int)c->args[0]), whole = fd < 0 || is_datagram(fd);
  if (fd >= 0) close(fd);
  return after_part(t, c, c->args[2], whole);
}
