/* The table of supervised threads: a list, since few are alive at once and their order is the schedule's. */
#define _GNU_SOURCE
#include "task.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rewrite/ranges.h"
#include "syscalls/time/timers.h"
#include "loop/traps.h"
#include "syscalls/io/vectors.h"

/* By the last bits of their numbers. */
enum { BUCKETS = 1024 };
static struct task *buckets[BUCKETS];

struct task *tasks;
int task_count;
uint64_t signals_sent;
int signals_unseen;

struct task *find_task(pid_t tid) {
  struct task *t = buckets[(unsigned)tid % BUCKETS];
  while (t && t->tid != tid) t = t->same_bucket;
  return t;
}

static void file(struct task *t) {
  t->same_bucket = buckets[(unsigned)t->tid % BUCKETS];
  buckets[(unsigned)t->tid % BUCKETS] = t;
}

static void unfile(struct task *t) {
  struct task **at = &buckets[(unsigned)t->tid % BUCKETS];
  while (*at != t) at = &(*at)->same_bucket;
  *at = t->same_bucket;
}

void renumber_task(struct task *t, pid_t tid) {
  unfile(t);
  t->tid = tid;
  file(t);
}

uint64_t new_space(void) {
  static uint64_t last;
  return ++last;
}

static struct process *new_process(pid_t tgid) {
  struct process *p = calloc(1, sizeof *p);
  if (!p) _exit(125);
  *p = (struct process){.tgid = tgid, .memory = -1, .handle = -1, .space = new_space()};
  traps_inherit(p, NULL, 0);
  return p;
}

void inherit_memory(struct process *child, const struct process *parent, int same) {
  if (same) child->space = parent->space;
  child->clock_at = parent->clock_at;
  child->text = same ? share_ranges(parent->text) : copy_ranges(parent->text);
  child->caller = parent->caller;
  memcpy(child->vector, parent->vector, sizeof child->vector);
}

struct task *add_task(pid_t tid, struct process *process) {
  struct task *t = calloc(1, sizeof *t), *last = tasks;
  if (!t) _exit(125);
  t->tid = tid;
  t->process = process ? process : new_process(tid);
  t->process->tasks++;
  t->state = READY;
  t->deadline = NEVER;
  while (last && last->next) last = last->next;
  t->previous = last;
  if (last) last->next = t;
  else tasks = t;
  file(t);
  task_count++;
  return t;
}

void forget_memory(struct process *p) {
  if (p->memory >= 0) close(p->memory);
  if (p->handle >= 0) close(p->handle);
  p->memory = p->handle = -1;
}

void remove_task(struct task *t) {
  unfile(t);
  task_count--;
  if (t->previous) t->previous->next = t->next;
  else tasks = t->next;
  if (t->next) t->next->previous = t->previous;
  vector_forget(t);
  if (--t->process->tasks == 0) {
    forget_memory(t->process);
    forget_ranges(&t->process->text);
    forget_intervals(t->process);
    forget_timers(t->process);
    traps_forget(t->process);
    free(t->process);
  }
  free(t);
}
