/* Calls that may sleep on a descriptor: the supervisor looks first, so that no guest ever sleeps in the kernel. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "loop/answer.h"
#include "arch/arch.h"
#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "syscalls/files/events.h"
#include "ptrace/guest.h"
#include "syscalls/identity/identity.h"
#include "syscalls/files/inodes.h"
#include "procfs/memory_file.h"
#include "pieces.h"
#include "rewrite/untraced.h"
#include "sockets.h"
#include "terminals.h"
#include "syscalls/time/timerfd.h"
#include "vectors.h"
#include "ptrace/watch.h"

enum kind { UNKNOWN, PLAIN, OUTSIDE, ENTROPY, MAY_SLEEP, ANONYMOUS };

/* The container's own stdout and stderr: how fast the log is read must not affect the order. */
static int is_outside(const struct stat *st) {
  static struct stat own[2];
  static int known;
  if (!known) known = fstat(1, &own[0]) == 0 && fstat(2, &own[1]) == 0;
  for (int i = 0; i < 2; i++)
    if (st->st_dev == own[i].st_dev && st->st_ino == own[i].st_ino) return 1;
  return 0;
}

/* Which kind of file `fd` (our duplicate) is; `flags` are its file status flags. */
static enum kind kind_of(int fd, struct stat *st, int *flags) {
  enum { MEMORY = 1, RANDOM = 8, URANDOM = 9 };
  if (fstat(fd, st) != 0) return UNKNOWN;
  *flags = fcntl(fd, F_GETFL);
  if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISBLK(st->st_mode)) return PLAIN;
  if (S_ISCHR(st->st_mode) && major(st->st_rdev) == MEMORY)
    return minor(st->st_rdev) == RANDOM || minor(st->st_rdev) == URANDOM ? ENTROPY : PLAIN;
  if ((st->st_mode & S_IFMT) == 0) return ANONYMOUS;
  return is_outside(st) ? OUTSIDE : MAY_SLEEP;
}

static int now(int fd, short events) {
  struct pollfd one = {.fd = fd, .events = events};
  return poll(&one, 1, 0) != 0;
}

static int is_late(const struct task *t) { return t->deadline != NEVER && clock_now() >= t->deadline; }

/* Made without sleeping, as far as possible: a large write to a full pipe goes in parts, see after_write. */
static enum action in_parts(struct task *t, struct call *c, int fd, int flags) {
  struct call part = *c;
  if (t->done) rest_of_write(t, &part, t->done);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  t->forced_nonblocking = 1;
  arch_replace(t, &part);
  return AFTER;
}

static enum action read_entropy(struct task *t, struct call *c) {
  struct { uint64_t base, length; } pieces[64];
  int vector = c->nr == SYS_readv || c->nr == SYS_preadv || c->nr == SYS_preadv2;
  uint64_t count = c->args[2];
  if (!vector) {
    c->result = random_to_guest(t, c->args[1], count);
    return DONE;
  }
  c->result = -EINVAL;
  if (count > 64) return DONE;
  c->result = guest_read(t, c->args[1], pieces, (size_t)count * sizeof *pieces) ? 0 : -EFAULT;
  for (uint64_t i = 0; i < count && c->result >= 0; i++) {
    int64_t n = random_to_guest(t, pieces[i].base, pieces[i].length);
    c->result = n < 0 ? n : c->result + n;
  }
  return DONE;
}

/* Waits until the descriptor is ready, a signal comes, or a socket's own time-out passes. */
static enum action wait_on(struct task *t, struct call *c, int fd, int sending) {
  if (!t->retry) t->deadline = socket_deadline(fd, sending);
  c->result = t->done ? (int64_t)t->done : -EAGAIN;
  if (is_late(t)) return DONE;
  if (!guest_signals(t, NULL, NULL)) return BLOCK;
  return t->done ? DONE : interrupt(c, t->deadline == NEVER ? RESTART : -EINTR);
}

/* Whether a call waits at all, by its own flags. */
static int waits(const struct call *c) {
  switch (c->nr) {
    case SYS_recvfrom: return !(c->args[3] & (MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB));
    case SYS_recvmsg: return !(c->args[2] & (MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB));
    case SYS_sendto: return !(c->args[3] & MSG_DONTWAIT);
    case SYS_sendmsg: return !(c->args[2] & MSG_DONTWAIT);
    default: return 1;
  }
}

/* The call as its thread made it, though it may be made many times: its list of places is taken once. */
static enum action made_once(struct task *t, struct call *c, enum action (*make)(struct task *, struct call *)) {
  int changed = 0;
  if (t->retry) changed = vector_lay_out(t);
  else vector_forget(t);
  enum action action = make(t, c);
  if (!t->retry && (action == BLOCK || (action == AFTER && t->forced_nonblocking))) vector_keep(t, c);
  if (action == RUN && changed) return AFTER;
  if (action != AFTER) vector_take_back(t);
  return action;
}

static enum action make_read(struct task *t, struct call *c) {
  struct stat st;
  int flags = 0, fd = guest_descriptor(t, (int)c->args[0]);
  enum action action = RUN;
  if (fd < 0) return RUN;
  enum kind kind = kind_of(fd, &st, &flags);
  int patient = !(flags & O_NONBLOCK) && waits(c);
  t->done = 0;
  struct timerfd *timer = kind == ANONYMOUS && c->nr == SYS_read ? timerfd_of(t, (int)c->args[0]) : NULL;
  if (kind == ENTROPY) action = read_entropy(t, c);
  else if (kind == PLAIN) action = read_memory_file(t, c, fd, &st);
  else if (timer) action = read_timerfd(t, c, timer, patient);
  else if (kind == ANONYMOUS) action = patient ? in_parts(t, c, fd, flags) : are_watched() ? AFTER : RUN;
  /* The kernel stops a background task that reads from a terminal, but only if it gets the call. */
  else if (kind == MAY_SLEEP && patient && S_ISCHR(st.st_mode) && !t->retry) action = in_parts(t, c, fd, flags);
  else if (kind == MAY_SLEEP && patient && !now(fd, POLLIN)) action = wait_on(t, c, fd, 0);
  else if (c->nr == SYS_recvmsg && c->args[2] & MSG_WAITALL && patient) action = in_parts(t, c, fd, flags);
  close(fd);
  return action;
}

enum action on_read(struct task *t, struct call *c) { return made_once(t, c, make_read); }

/* A connection that begins with its first data. */
static int opens_fast(const struct call *c) {
  enum { FASTOPEN = 0x20000000 };
  return (c->nr == SYS_sendto && c->args[3] & FASTOPEN) || (c->nr == SYS_sendmsg && c->args[2] & FASTOPEN);
}

/* An eventfd that has room may not have it for so much: once one has a high count, each write to one is tried first. */
static int is_high(struct task *t, const struct call *c, enum kind kind) {
  static int high;
  uint64_t value;
  if (kind == ANONYMOUS && guest_read(t, c->args[1], &value, sizeof value)) high |= value >> 32 != 0;
  return kind == ANONYMOUS && high;
}

static enum action make_write(struct task *t, struct call *c) {
  struct stat st;
  int flags = 0, fd = guest_descriptor(t, (int)c->args[0]);
  enum action action = RUN;
  if (fd < 0) return RUN;
  enum kind kind = kind_of(fd, &st, &flags);
  if (!t->retry) t->done = 0;
  if (kind == PLAIN && S_ISREG(st.st_mode) && (flags & O_ACCMODE) != O_RDONLY) inode_written(st.st_dev, st.st_ino);
  if (kind == OUTSIDE && (flags & O_NONBLOCK)) {
    enum { LOOK_AGAIN_MS = 20 };
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    while (poll(&one, 1, LOOK_AGAIN_MS) == 0 && !time_is_over()) continue;
  }
  if (kind == MAY_SLEEP && S_ISCHR(st.st_mode)) action = AFTER;
  int patient = !(flags & O_NONBLOCK) && waits(c), datagram = S_ISSOCK(st.st_mode) && is_datagram(fd);
  if (datagram || opens_fast(c)) settle_port(fd);
  if ((kind == MAY_SLEEP || kind == ANONYMOUS) && patient) {
    int ready = now(fd, POLLOUT);
    /* Not ready does not mean that nothing fits: so the call is tried once. */
    if (!ready && t->retry) action = wait_on(t, c, fd, 1);
    else if (!ready || datagram || S_ISCHR(st.st_mode) || is_high(t, c, kind) || size_of_write(t, c) > 4096) {
      if (!t->retry) t->deadline = socket_deadline(fd, 1);
      action = in_parts(t, c, fd, flags);
    }
  }
  close(fd);
  return action;
}

enum action on_write(struct task *t, struct call *c) { return made_once(t, c, make_write); }

static enum action finish_part(struct task *t, struct call *c) {
  int forced_nonblocking = t->forced_nonblocking;
  int fd = forced_nonblocking || signals_unseen ? guest_descriptor(t, (int)c->args[0]) : -1;
  if (fd >= 0 && forced_nonblocking) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  if (fd >= 0 && signals_unseen && is_write(c) && is_terminal(fd)) settle_terminals();
  if (fd >= 0) close(fd);
  t->forced_nonblocking = 0;
  settle_events(t, c);
  if (!forced_nonblocking) return RUN;
  if (c->result == -EAGAIN && !is_late(t)) return AGAIN;
  struct call rest = *c;
  if (c->result > 0) t->done += (uint64_t)c->result;
  if (c->result > 0 && is_write(c) && rest_of_write(t, &rest, t->done)) return AGAIN;
  if (t->done > 0) c->result = (int64_t)t->done;
  return DONE;
}

enum action after_write(struct task *t, struct call *c) {
  enum action action = finish_part(t, c);
  vector_take_back(t);
  return action;
}

enum action on_accept(struct task *t, struct call *c) { return on_read(t, c); }

/* A lock that is held is waited for here; the lock itself belongs to the description both of us have. */
enum action on_flock(struct task *t, struct call *c) {
  int fd = guest_descriptor(t, (int)c->args[0]), wanted = (int)c->args[1];
  if (fd < 0 || wanted & LOCK_NB) {
    if (fd >= 0) close(fd);
    return RUN;
  }
  c->result = flock(fd, wanted | LOCK_NB) == 0 ? 0 : -errno;
  close(fd);
  if (c->result != -EAGAIN) return DONE;
  return guest_signals(t, NULL, NULL) ? interrupt(c, RESTART) : BLOCK;
}

/* Waiting locks become trying ones. A lease would stop a task that opens its file for seconds of the real clock. */
enum action on_fcntl(struct task *t, struct call *c) {
  enum { OFD_SETLK = 37, OFD_SETLKW = 38, SET_OWNER = 15, SET_LEASE = 1024, NOTIFY = 1026 };
  int command = (int)c->args[1];
  if (command == F_SETOWN || command == SET_OWNER || command == NOTIFY) signals_unseen = 1;
  c->result = -EINVAL;
  if (command == SET_LEASE && c->args[2] != F_UNLCK) return DONE;
  if (command == F_SETLK) untraced_call(t);
  if (command != F_SETLKW && command != OFD_SETLKW) return RUN;
  struct call trying = *c;
  trying.args[1] = command == F_SETLKW ? F_SETLK : OFD_SETLK;
  arch_replace(t, &trying);
  return AFTER;
}

enum action after_fcntl(struct task *t, struct call *c) {
  (void)t;
  return c->result == -EAGAIN || c->result == -EACCES ? AGAIN : DONE;
}
