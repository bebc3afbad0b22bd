/* The table of supervised threads: a list, since few are alive at once and their order is the schedule's. */
#define _GNU_SOURCE
#include "task.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ranges.h"
#include "timers.h"
#include "traps.h"
#include "vectors.h"

struct task *tasks;
uint64_t signals_sent;
int signals_unseen;

struct task *find_task(pid_t tid) {
  for (struct task *t = tasks; t; t = t->next)
    if (t->tid == tid) return t;
  return NULL;
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
  return t;
}

void forget_memory(struct process *p) {
  if (p->memory >= 0) close(p->memory);
  if (p->handle >= 0) close(p->handle);
  p->memory = p->handle = -1;
}

void remove_task(struct task *t) {
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
