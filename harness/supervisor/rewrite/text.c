/* Memory that a guest makes executable is looked through when it is first executed: what is only read stays as it is. */
#define _GNU_SOURCE
#include "text.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "arch/arch.h"
#include "loop/calls.h"
#include "crash/maps.h"
#include "ptrace/mechanisms.h"
#include "ranges.h"
#include "rewrite.h"

/* What becomes executable at the first execution of one of its bytes, so that a compiler's pages do so once. */
enum { CHUNK = 1 << 16, PAGE = 4096 };

static uint64_t end_of(uint64_t start, uint64_t size) { return (start + size + PAGE - 1) / PAGE * PAGE; }

/* The kernel does it without the right to execute, which the program gets where it does. */
static enum action hold_back(struct task *t, const struct call *c) {
  struct call other = *c;
  other.args[2] = (c->args[2] & ~(uint64_t)PROT_EXEC) | PROT_READ;
  arch_replace(t, &other);
  return AFTER;
}

static void expect(struct task *t, struct range r) {
  t->process->caller = arch_caller(t);
  add_range(&t->process->text, r);
}

/* Code that the program makes itself; where cpuid traps, such code is taken to ask for nothing else. */
static int is_made(const struct call *c) { return rewrites_cpuid() && c->args[3] & MAP_ANONYMOUS && !(c->args[3] & MAP_SHARED); }

/* A file that asks the processor; NULL for all others, and for memory shared with others. */
static const struct file *asking_file(struct task *t, const struct call *c) {
  return c->args[3] & (MAP_ANONYMOUS | MAP_SHARED) ? NULL : asking(t, (int)c->args[4]);
}

enum action on_map(struct task *t, struct call *c) {
  if (c->args[3] & MAP_FIXED) drop_range(t->process->text, c->args[0], end_of(c->args[0], c->args[1]));
  return is_made(c) || asking_file(t, c) ? hold_back(t, c) : RUN;
}

enum action after_map(struct task *t, struct call *c) {
  if (c->result < 0 && c->result >= -4095) return DONE;
  uint64_t start = (uint64_t)c->result;
  expect(t, (struct range){.start = start, .end = end_of(start, c->args[1]), .offset = c->args[5], .file = asking_file(t, c),
                           .protection = (int)c->args[2]});
  return DONE;
}

enum action on_protect(struct task *t, struct call *c) {
  int is_made = rewrites_cpuid() && !shows_file(t, c->args[0], end_of(c->args[0], c->args[1]));
  return is_made ? hold_back(t, c) : AFTER;
}

enum action after_protect(struct task *t, struct call *c) {
  uint64_t start = c->args[0], end = end_of(start, c->args[1]);
  if (c->result != 0) return DONE;
  if (shows_file(t, start, end)) rewrite_files(t, start, end);
  else if (rewrites_cpuid()) expect(t, (struct range){.start = start, .end = end, .protection = (int)c->args[2]});
  return DONE;
}

/* Where the processor could not read the instruction at `counter` any further; 0: that is not why it stopped. */
static uint64_t missing_text(struct task *t, uint64_t counter) {
  siginfo_t info;
  if (ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) != 0 || info.si_code != SEGV_ACCERR) return 0;
  uint64_t at = (uint64_t)(uintptr_t)info.si_addr;
  return at - counter < ARCH_LONGEST ? at : 0;
}

/* The part of `r` around `at` that the program has not given another protection since. */
static struct range part_of(struct task *t, struct range r, uint64_t at) {
  const struct mapping *m = mapping_at(read_maps(t), at);
  uint64_t start = m && m->start > r.start ? m->start : r.start, end = m && m->end < r.end ? m->end : r.end;
  if (!r.file && start < at / CHUNK * CHUNK) start = at / CHUNK * CHUNK;
  if (!r.file && end > at / CHUNK * CHUNK + CHUNK) end = at / CHUNK * CHUNK + CHUNK;
  r.offset += start - r.start;
  r.start = start, r.end = end;
  return r;
}

int execute_text(struct task *t) {
  if (!t->process->text || !arch_load(t)) return 0;
  uint64_t counter = arch_counter(t), at = missing_text(t, counter);
  const struct range *found = at ? range_at(t->process->text, at) : NULL;
  if (!found || !found->protection) return 0;
  struct range r = part_of(t, *found, at);
  if (arch_call(t, &(struct call){SYS_mprotect, {r.start, r.end - r.start, (uint64_t)r.protection}, 0}) != 0) return 0;
  drop_range(t->process->text, r.start, r.end);
  r.protection = 0;
  if (r.file) rewrite_text(t, r);
  else rewrite_made(t, counter, r.end);
  return 1;
}
