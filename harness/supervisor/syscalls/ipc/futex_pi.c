/* Futexes with priority inheritance: the word holds its owner's number, and the kernel hands it on to a waiter.
   All threads have one priority here, so that the order is first in, first out. */
#define _GNU_SOURCE
#include <errno.h>
#include <time.h>

#include "loop/answer.h"
#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "futex.h"
#include "ptrace/guest.h"
#include "ptrace/kernel.h"

#define WAITERS UINT32_C(0x80000000)
#define OWNER_DIED UINT32_C(0x40000000)
#define OWNER UINT32_C(0x3fffffff)

enum { LONGEST_CHAIN = 1024 };

static int is_alive(pid_t tid) {
  const struct task *t = find_task(tid);
  return tid == 1 || (t && t->state != GONE);
}

/* Whether the owner waits, over however many locks, for one that `t` owns. */
static int is_deadlock(const struct task *t, pid_t owner) {
  for (int length = 0; owner != t->tid; length++) {
    const struct task *o = find_task(owner);
    if (!o || !o->futex.waiting || o->futex.kind != FUTEX_LOCKS) return 0;
    if (length == LONGEST_CHAIN) return 1;
    owner = o->futex.owner;
  }
  return 1;
}

/* The lock has a new owner: all remaining waiters wait for that one. */
static void pass(struct place p, struct task *to) {
  to->futex.waiting = 0;
  to->futex.woken = 1;
  for (struct task *w = tasks; w; w = w->next)
    if (w->futex.waiting && w->futex.kind == FUTEX_LOCKS && futex_is_at(w, p)) w->futex.owner = to->tid;
}

/* Takes the lock for `who`, who may be another thread than `by`, in whose memory the word is: 1 when it has it,
   0 when it has to wait for `*owner`, or an errno. */
static int take(struct task *by, uint64_t address, struct place p, struct task *who, int others, pid_t *owner) {
  uint32_t word;
  if (!guest_read(by, address, &word, sizeof word)) return -EFAULT;
  *owner = (pid_t)(word & OWNER);
  if (*owner == who->tid) return -EDEADLK;
  const struct task *first = futex_first(p);
  if (first && word & OWNER_DIED && !*owner) *owner = first->futex.owner;
  if (first) return first->futex.kind == FUTEX_LOCKS && first->futex.owner == *owner ? 0 : -EINVAL;
  uint32_t next = *owner ? word | WAITERS : (word & OWNER_DIED) | (uint32_t)who->tid | (others ? WAITERS : 0);
  if (!guest_write(by, address, &next, sizeof next)) return -EFAULT;
  if (!*owner) return 1;
  return is_alive(*owner) ? 0 : -ESRCH;
}

static void wait_at(struct task *t, struct place p, int kind, uint64_t address) {
  t->futex.space = p.space;
  t->futex.address = p.address;
  t->futex.kind = kind;
  t->futex.word = address;
  t->futex.bits = FUTEX_ALL;
  t->futex.order = futex_next_order();
  t->futex.waiting = 1;
  t->futex.woken = 0;
}

static enum action stop_waiting(struct task *t, struct call *c, int64_t result) {
  t->futex.waiting = 0;
  return answer(c, result);
}

/* Asked again; `interrupted` is the result after a signal. */
static enum action go_on_waiting(struct task *t, struct call *c, int interrupted) {
  if (t->futex.woken) return stop_waiting(t, c, 0);
  if (t->deadline != NEVER && clock_now() >= t->deadline) return stop_waiting(t, c, -ETIMEDOUT);
  if (!guest_signals(t, NULL, NULL)) return BLOCK;
  t->futex.waiting = 0;
  return interrupt(c, interrupted);
}

static enum action lock(struct task *t, struct call *c, int command, int private) {
  pid_t owner;
  if (t->retry) return go_on_waiting(t, c, RESTART_ALWAYS);
  int real = command == FUTEX_LOCK_PI || (int)c->args[1] & FUTEX_CLOCK_REALTIME, error = 0;
  if (command != FUTEX_TRYLOCK_PI)
    error = clock_deadline(t, c->args[3], 1, real ? CLOCK_REALTIME : CLOCK_MONOTONIC, &t->deadline);
  if (error) return answer(c, error);
  struct place p = futex_place(t, c->args[0], private);
  int taken = take(t, c->args[0], p, t, 0, &owner);
  if (taken) return answer(c, taken > 0 ? 0 : taken);
  if (command == FUTEX_TRYLOCK_PI) return answer(c, -EAGAIN);
  if (is_deadlock(t, owner)) return answer(c, -EDEADLK);
  wait_at(t, p, FUTEX_LOCKS, c->args[0]);
  t->futex.owner = owner;
  return go_on_waiting(t, c, RESTART_ALWAYS);
}

static enum action unlock(struct task *t, struct call *c, int private) {
  uint32_t word, next = 0;
  if (!guest_read(t, c->args[0], &word, sizeof word)) return answer(c, -EFAULT);
  if ((pid_t)(word & OWNER) != t->tid) return answer(c, -EPERM);
  struct place p = futex_place(t, c->args[0], private);
  struct task *first = futex_first(p);
  if (first && (first->futex.kind != FUTEX_LOCKS || first->futex.owner != t->tid)) return answer(c, -EINVAL);
  if (first) next = WAITERS | (uint32_t)first->tid;
  if (!guest_write(t, c->args[0], &next, sizeof next)) return answer(c, -EFAULT);
  if (first) pass(p, first);
  return answer(c, 0);
}

/* Waits at a condition, to be moved to a lock. */
static enum action wait_to_be_moved(struct task *t, struct call *c, int private) {
  uint32_t word;
  if (t->retry) return go_on_waiting(t, c, t->futex.kind == FUTEX_LOCKS ? -EAGAIN : RESTART_ALWAYS);
  int real = (int)c->args[1] & FUTEX_CLOCK_REALTIME;
  int error = clock_deadline(t, c->args[3], 1, real ? CLOCK_REALTIME : CLOCK_MONOTONIC, &t->deadline);
  if (error) return answer(c, error);
  struct place here = futex_place(t, c->args[0], private), lock = futex_place(t, c->args[4], private);
  if (c->args[4] % 4 || (here.space == lock.space && here.address == lock.address)) return answer(c, -EINVAL);
  if (!guest_read(t, c->args[0], &word, sizeof word)) return answer(c, -EFAULT);
  if (word != (uint32_t)c->args[2]) return answer(c, -EAGAIN);
  wait_at(t, here, FUTEX_MOVES, c->args[4]);
  t->futex.lock_space = lock.space;
  t->futex.lock_address = lock.address;
  return go_on_waiting(t, c, RESTART_ALWAYS);
}

static int is_for(const struct task *w, struct place lock) {
  return w->futex.kind == FUTEX_MOVES && w->futex.lock_space == lock.space && w->futex.lock_address == lock.address;
}

/* FUTEX_CMP_REQUEUE_PI: the first gets the lock or waits for it, some others wait for it. */
static enum action move(struct task *t, struct call *c, int private) {
  struct place from = futex_place(t, c->args[0], private), lock = futex_place(t, c->args[4], private);
  int64_t moved = 0, most = (int32_t)c->args[3];
  uint32_t word;
  pid_t owner;
  if ((int32_t)c->args[2] != 1 || most < 0 || c->args[4] % 4) return answer(c, -EINVAL);
  if (from.space == lock.space && from.address == lock.address) return answer(c, -EINVAL);
  if (!guest_read(t, c->args[0], &word, sizeof word)) return answer(c, -EFAULT);
  if (word != (uint32_t)c->args[5]) return answer(c, -EAGAIN);
  struct task *w = futex_first(from);
  if (!w) return answer(c, 0);
  if (!is_for(w, lock)) return answer(c, -EINVAL);
  int taken = take(t, c->args[4], lock, w, most > 0, &owner);
  if (taken < 0) return answer(c, taken);
  if (taken) {
    owner = w->tid;
    pass(from, w);
    moved = 1;
  }
  /* One more than asked for, since one was to be woken. */
  for (; moved < most + 1 && (w = futex_first(from)); moved++) {
    if (!is_for(w, lock)) return answer(c, -EINVAL);
    if (is_deadlock(w, owner)) return answer(c, -EDEADLK);
    wait_at(w, lock, FUTEX_LOCKS, w->futex.word);
    w->futex.owner = owner;
  }
  return answer(c, moved);
}

void futex_owner_died(const struct task *t) {
  for (struct task *w = tasks; w; w = w->next) {
    if (!w->futex.waiting || w->futex.kind != FUTEX_LOCKS || w->futex.owner != t->tid) continue;
    struct place p = {w->futex.space, w->futex.address};
    struct task *first = futex_first(p);
    if (first->futex.kind != FUTEX_LOCKS) first = w;
    uint32_t word = WAITERS | OWNER_DIED | (uint32_t)first->tid;
    guest_write(first, first->futex.word, &word, sizeof word);
    pass(p, first);
  }
}

enum action on_futex_pi(struct task *t, struct call *c, int command, int private) {
  if (c->args[0] % 4) return answer(c, -EINVAL);
  if ((int)c->args[1] & FUTEX_CLOCK_REALTIME && command != FUTEX_LOCK_PI2 && command != FUTEX_WAIT_REQUEUE_PI)
    return answer(c, -ENOSYS);
  switch (command) {
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_TRYLOCK_PI: return lock(t, c, command, private);
    case FUTEX_UNLOCK_PI: return unlock(t, c, private);
    case FUTEX_WAIT_REQUEUE_PI: return wait_to_be_moved(t, c, private);
    case FUTEX_CMP_REQUEUE_PI: return move(t, c, private);
    default: return answer(c, -ENOSYS);
  }
}
