/* futex(2): waiting, waking, moving waiters; first in, first out. */
#define _GNU_SOURCE
#include "futex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "ptrace/guest.h"
#include "ptrace/kernel.h"

/* Marks the places of files. */
#define SHARED (UINT64_C(1) << 63)

static uint64_t order;

uint64_t futex_next_order(void) { return ++order; }

/* A mapping, as far as futexes care. */
struct area {
  unsigned long start, end, offset;
  uint64_t file;
  int shared;
};

static const char *areas_of(struct task *t) {
  static char maps[1 << 20];
  return guest_proc(t, "maps", maps, sizeof maps) > 0 ? maps : NULL;
}

/* Reads the next line that is one; where the text goes on, or NULL after the last. */
static const char *next_area(const char *line, struct area *a) {
  unsigned long major, minor, inode;
  char mode[8];
  for (const char *end; *line; line = end) {
    end = strchr(line, '\n');
    end = end ? end + 1 : line + strlen(line);
    if (sscanf(line, "%lx-%lx %7s %lx %lx:%lx %lu", &a->start, &a->end, mode, &a->offset, &major, &minor, &inode) != 7) continue;
    a->file = SHARED | major << 52 | minor << 40 | inode;
    a->shared = mode[3] == 's';
    return end;
  }
  return NULL;
}

/* A shared futex is known by inode and offset; one in private memory is the space's own after all. */
static struct place shared_place(struct task *t, uint64_t address) {
  struct place own = {t->process->space, address};
  struct area a;
  for (const char *maps = areas_of(t); maps && (maps = next_area(maps, &a));)
    if (address >= a.start && address < a.end)
      return a.shared ? (struct place){a.file, address - a.start + a.offset} : own;
  return own;
}

struct place futex_place(struct task *t, uint64_t address, int private) {
  return private ? (struct place){t->process->space, address} : shared_place(t, address);
}

int futex_is_at(const struct task *t, struct place p) {
  return t->futex.space == p.space && t->futex.address == p.address;
}

static struct task *first_at(struct place p, uint32_t bits) {
  struct task *first = NULL;
  for (struct task *t = tasks; t; t = t->next)
    if (t->futex.waiting && futex_is_at(t, p) && (t->futex.bits & bits || t->futex.kind))
      if (!first || t->futex.order < first->futex.order) first = t;
  return first;
}

struct task *futex_first(struct place p) { return first_at(p, FUTEX_ALL); }

/* A waiter with priority inheritance is never woken like this. */
static long wake(struct place p, long count, uint32_t bits) {
  long woken = 0;
  for (struct task *t; woken < count && (t = first_at(p, bits)); woken++) {
    if (t->futex.kind) return -EINVAL;
    t->futex.waiting = 0;
    t->futex.woken = 1;
  }
  return woken;
}

/* Whether the address is a place of a file matters only where a task waits at one. */
static int is_shared_awaited(void) {
  for (const struct task *t = tasks; t; t = t->next)
    if (t->futex.waiting && t->futex.space & SHARED) return 1;
  return 0;
}

long futex_wake(struct task *by, uint64_t address, long count, uint32_t bits, int private) {
  return wake(futex_place(by, address, private || !is_shared_awaited()), count, bits);
}

/* Where a waiter finds the word it was moved to, in its own memory; 0 nowhere. */
static uint64_t word_of(struct task *t) {
  struct area a;
  if (!t->futex.moved) return t->call.args[0];
  if (t->futex.space == t->process->space) return t->futex.address;
  for (const char *maps = areas_of(t); maps && (maps = next_area(maps, &a));)
    if (a.shared && a.file == t->futex.space && t->futex.address - a.offset < a.end - a.start)
      return a.start + t->futex.address - a.offset;
  return 0;
}

/* Once for each place: the word of a lock whose owner died keeps its mark until it is taken. */
void futex_wake_robust_waiters(const struct task *dead) {
  const uint32_t owner_died = 0x40000000;
  uint32_t value;
  futex_owner_died(dead);
  for (struct task *t = tasks; t; t = t->next) {
    if (!t->futex.waiting || t->futex.kind || t->state != BLOCKED || t->call.nr != SYS_futex) continue;
    if (!guest_read(t, word_of(t), &value, sizeof value) || !(value & owner_died)) continue;
    struct place here = {t->futex.space, t->futex.address};
    if (t == first_at(here, FUTEX_ALL)) wake(here, 1, FUTEX_ALL);
  }
}

static enum action answer(struct task *t, struct call *c, int64_t result) {
  t->futex.waiting = 0;
  c->result = result;
  return DONE;
}

/* An errno, or 0 once the task is in its queue. */
static int enqueue(struct task *t, const struct call *c, uint32_t bits, int private) {
  uint32_t value;
  if (!guest_read(t, c->args[0], &value, sizeof value)) return -EFAULT;
  if (value != (uint32_t)c->args[2]) return -EAGAIN;
  struct place p = futex_place(t, c->args[0], private);
  t->futex.space = p.space;
  t->futex.address = p.address;
  t->futex.bits = bits;
  t->futex.order = futex_next_order();
  t->futex.kind = FUTEX_PLAIN;
  t->futex.waiting = 1;
  t->futex.woken = t->futex.moved = 0;
  return 0;
}

/* A wait that a stop interrupted continues with its old deadline, at the queue's end. */
static enum action wait_for(struct task *t, struct call *c, int command, int private) {
  int absolute = command == FUTEX_WAIT_BITSET, error = 0;
  uint32_t bits = absolute ? (uint32_t)c->args[5] : FUTEX_ALL;
  if (!t->retry) {
    int real = (int)c->args[1] & FUTEX_CLOCK_REALTIME;
    if (bits == 0 || c->args[0] % 4) return answer(t, c, -EINVAL);
    error = clock_deadline(t, c->args[3], absolute, real ? CLOCK_REALTIME : CLOCK_MONOTONIC, &t->deadline);
  }
  if (!t->retry || (!t->futex.waiting && !t->futex.woken)) error = error ? error : enqueue(t, c, bits, private);
  if (error) return answer(t, c, error);
  if (t->futex.woken) return answer(t, c, 0);
  if (t->deadline != NEVER && clock_now() >= t->deadline) return answer(t, c, -ETIMEDOUT);
  if (!guest_signals(t, NULL, NULL)) return BLOCK;
  t->futex.waiting = 0;
  c->result = t->deadline == NEVER ? RESTART : RESTART_REST;
  return LEAVE;
}

static enum action requeue(struct task *t, struct call *c, int compare, int private) {
  uint32_t value;
  struct place from = futex_place(t, c->args[0], private), to = futex_place(t, c->args[4], private);
  if (compare) {
    if (!guest_read(t, c->args[0], &value, sizeof value)) return answer(t, c, -EFAULT);
    if (value != (uint32_t)c->args[5]) return answer(t, c, -EAGAIN);
  }
  long woken = wake(from, (int32_t)c->args[2], FUTEX_ALL), moved = 0;
  if (woken < 0) return answer(t, c, woken);
  for (struct task *w; moved < (int32_t)c->args[3] && (w = first_at(from, FUTEX_ALL)); moved++) {
    if (w->futex.kind) return answer(t, c, -EINVAL);
    w->futex.moved = 1;
    w->futex.space = to.space;
    w->futex.address = to.address;
    w->futex.order = futex_next_order();
    if (from.space == to.space && from.address == to.address) break;
  }
  return answer(t, c, woken + moved);
}

/* FUTEX_WAKE_OP: changes the second word by a small operation, and wakes there too if its old value compares. */
static enum action wake_op(struct task *t, struct call *c, int private) {
  uint32_t code = (uint32_t)c->args[5], old, next;
  int operation = code >> 28 & 7, comparison = code >> 24 & 15;
  int32_t operand = (int32_t)(code << 8) >> 20, against = (int32_t)(code << 20) >> 20;
  if (code >> 31) operand = (int32_t)(1u << (operand & 31));
  if (!guest_read(t, c->args[4], &old, sizeof old)) return answer(t, c, -EFAULT);
  switch (operation) {
    case FUTEX_OP_SET: next = (uint32_t)operand; break;
    case FUTEX_OP_ADD: next = old + (uint32_t)operand; break;
    case FUTEX_OP_OR: next = old | (uint32_t)operand; break;
    case FUTEX_OP_ANDN: next = old & ~(uint32_t)operand; break;
    case FUTEX_OP_XOR: next = old ^ (uint32_t)operand; break;
    default: return answer(t, c, -ENOSYS);
  }
  if (!guest_write(t, c->args[4], &next, sizeof next)) return answer(t, c, -EFAULT);
  int32_t was = (int32_t)old;
  int holds = comparison == FUTEX_IF_EQ   ? was == against
              : comparison == FUTEX_IF_NE ? was != against
              : comparison == FUTEX_IF_LT ? was < against
              : comparison == FUTEX_IF_LE ? was <= against
              : comparison == FUTEX_IF_GT ? was > against
                                              : was >= against;
  long woken = futex_wake(t, c->args[0], (int32_t)c->args[2], FUTEX_ALL, private);
  if (holds && woken >= 0) woken += futex_wake(t, c->args[4], (int32_t)c->args[3], FUTEX_ALL, private);
  return answer(t, c, woken);
}

enum action on_futex(struct task *t, struct call *c) {
  int command = (int)c->args[1] & FUTEX_COMMAND, private = !!((int)c->args[1] & FUTEX_PRIVATE_FLAG);
  uint32_t bits = command == FUTEX_WAKE_BITSET ? (uint32_t)c->args[5] : FUTEX_ALL;
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: return wait_for(t, c, command, private);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: return answer(t, c, futex_wake(t, c->args[0], (int32_t)c->args[2], bits, private));
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: return requeue(t, c, command == FUTEX_CMP_REQUEUE, private);
    case FUTEX_WAKE_OP: return wake_op(t, c, private);
    default: return on_futex_pi(t, c, command, private);
  }
}

enum action on_tid_address(struct task *t, struct call *c) {
  t->clear_tid = c->args[0];
  return RUN;
}
