/* POSIX and System V queues and semaphores: tried without waiting, and again when another task has run. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "ptrace/guest.h"
#include "loop/supervisor.h"

enum { NANO = 1000000000, IPC_STATUS = 2, OPERATIONS = 500 };

static int is_late(const struct task *t) { return t->deadline != NEVER && clock_now() >= t->deadline; }

static void set_patience(struct task *t, int number, int patient) {
  int fd = guest_descriptor(t, number);
  if (fd < 0) return;
  int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, patient ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
  close(fd);
}

/* mq_timedsend and mq_timedreceive: their time-outs are moments of the real-time clock. */
enum action on_queue(struct task *t, struct call *c) {
  int fd = guest_descriptor(t, (int)c->args[0]), patient = fd >= 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
  if (fd >= 0) close(fd);
  if (!patient) return RUN;
  if (!t->retry) {
    c->result = clock_deadline(t, c->args[4], 1, 0, &t->deadline);
    if (c->result) return DONE;
  }
  set_patience(t, (int)c->args[0], 0);
  struct call trying = *c;
  trying.args[4] = 0;
  arch_replace(t, &trying);
  return AFTER;
}

enum action after_queue(struct task *t, struct call *c) {
  set_patience(t, (int)c->args[0], 1);
  signals_sent++; /* mq_notify's */
  if (c->result != -EAGAIN) return DONE;
  if (!is_late(t)) return AGAIN;
  c->result = -ETIMEDOUT;
  return DONE;
}

static int flags_of_message(long nr) { return nr == SYS_msgsnd ? 3 : 4; }

enum action on_message(struct task *t, struct call *c) {
  int at = flags_of_message(c->nr);
  if (c->args[at] & IPC_NOWAIT) return RUN;
  struct call trying = *c;
  trying.args[at] |= IPC_NOWAIT;
  arch_replace(t, &trying);
  return AFTER;
}

/* A queue or set that existed when the wait began and no longer exists was removed. */
enum action after_message(struct task *t, struct call *c) {
  if (t->retry && c->result == -EINVAL) c->result = -EIDRM;
  return c->result == (c->nr == SYS_msgsnd ? -EAGAIN : -ENOMSG) ? AGAIN : DONE;
}

struct operation {
  uint16_t number;
  int16_t change, flags;
};

/* Every operation is changed in the guest's own memory into one that does not wait, for the length of the call. */
static int rewrite(struct task *t, const struct call *c, int patient) {
  static struct operation all[OPERATIONS];
  size_t count = c->args[2];
  if (count == 0 || count > OPERATIONS || !guest_read(t, c->args[1], all, count * sizeof *all)) return 0;
  for (size_t i = 0; i < count; i++) {
    if (!patient && all[i].flags & IPC_NOWAIT) return 0; /* none of them waits */
    if (patient) all[i].flags &= (int16_t)~IPC_NOWAIT;
    else all[i].flags |= IPC_NOWAIT;
  }
  return guest_write(t, c->args[1], all, count * sizeof *all);
}

/* The kernel does not tell which of several operations failed: then it is unknown whether the call would wait. */
static int is_mixed(struct task *t, const struct call *c) {
  static struct operation all[OPERATIONS];
  size_t count = c->args[2], waiting = 0;
  if (count < 2 || count > OPERATIONS || !guest_read(t, c->args[1], all, count * sizeof *all)) return 0;
  for (size_t i = 0; i < count; i++) waiting += !(all[i].flags & IPC_NOWAIT);
  return waiting > 0 && waiting < count;
}

enum action on_semaphore(struct task *t, struct call *c) {
  if (!t->retry) {
    c->result = clock_deadline(t, c->nr == SYS_semtimedop ? c->args[3] : 0, 0, 1, &t->deadline);
    if (c->result) return DONE;
  }
  if (is_mixed(t, c)) {
    give_up_on((int)c->nr);
    c->result = -EAGAIN;
    return DONE;
  }
  if (!rewrite(t, c, 0)) return RUN;
  struct call trying = {SYS_semop, {c->args[0], c->args[1], c->args[2]}, 0};
  arch_replace(t, &trying);
  return AFTER;
}

enum action after_semaphore(struct task *t, struct call *c) {
  rewrite(t, c, 1);
  if (t->retry && c->result == -EINVAL) c->result = -EIDRM;
  return c->result == -EAGAIN && !is_late(t) ? AGAIN : DONE;
}

/* Times in the answer of IPC_STAT: all that are set become the clock's start. */
enum action after_control(struct task *t, struct call *c) {
  static const int sem[] = {48, 64}, msg[] = {48, 56, 64}, shm[] = {56, 64, 72};
  const int *at = c->nr == SYS_semctl ? sem : c->nr == SYS_msgctl ? msg : shm;
  int64_t start = (clock_since_1970() - clock_now()) / NANO, when;
  uint64_t address = c->args[c->nr == SYS_semctl ? 3 : 2];
  int command = (int)c->args[c->nr == SYS_semctl ? 2 : 1] & 0xff;
  /* The answers of IPC_STAT, X_STAT and X_STAT_ANY. */
  int stat = c->nr == SYS_semctl ? 18 : c->nr == SYS_msgctl ? 11 : 13;
  if (c->result < 0 || (command != IPC_STATUS && command != stat && command != stat + 2)) return RUN;
  for (int i = 0; i < (c->nr == SYS_semctl ? 2 : 3); i++)
    if (guest_read(t, address + (uint64_t)at[i], &when, sizeof when) && when)
      guest_write(t, address + (uint64_t)at[i], &start, sizeof start);
  return RUN;
}
