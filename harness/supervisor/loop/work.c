/* Counts the virtual time of each thread's turns; none passes while all sleep. */
#define _GNU_SOURCE
#include "work.h"

#include <stddef.h>
#include <time.h>

#include "syscalls/time/clock.h"

static struct task *worker;
static int64_t since;

void work_begin(struct task *t) {
  worker = t;
  since = clock_now();
  clock_show_work(since - t->process->work.all, since - t->work.all);
}

void work_add(struct task *t, int64_t span) {
  if (span < 0) return;
  t->work.all += span;
  t->process->work.all += span;
}

void work_end(void) {
  if (worker) work_add(worker, clock_now() - since);
  worker = NULL;
}

struct work work_of(const struct task *t, int whole) {
  struct work w = whole ? t->process->work : t->work;
  if (worker && (whole ? worker->process == t->process : worker == t)) w.all += clock_now() - since;
  return w;
}

void work_inherit(const struct task *t) {
  const struct process *p = t->process;
  if (t == worker) work_end();
  struct task *parent = p->tasks == 1 ? find_task(p->parent) : NULL;
  if (!parent) return;
  parent->process->children.all += p->work.all + p->children.all;
  parent->process->children.called += p->work.called + p->children.called;
}

/* A process' or thread's own clock is named by the inverse of its number, and three bits. */
int64_t work_shown(const struct task *t, long id) {
  enum { OF_THREAD = 4 };
  if (id == CLOCK_PROCESS_CPUTIME_ID) return work_of(t, 1).all;
  if (id == CLOCK_THREAD_CPUTIME_ID) return work_of(t, 0).all;
  if (id >= 0) return -1;
  pid_t owner = (pid_t)~(id >> 3);
  const struct task *of = owner ? find_task(owner) : t;
  return of ? work_of(of, !(id & OF_THREAD)).all : -1;
}
