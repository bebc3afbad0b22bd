/* Memory that a guest makes executable is looked through when it is first executed: what is only read stays as it is. */
#define _GNU_SOURCE
#include "text.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "arch.h"
#include "calls.h"
#include "guest.h"
#include "instructions.h"
#include "maps.h"
#include "mechanisms.h"
#include "ranges.h"
#include "rewrite.h"
#include "schedule.h"
#include "step.h"
#include "walk.h"

/* What becomes executable at the first execution of one of its bytes, so that a compiler's pages do so once. */
enum { CHUNK = 1 << 16, PAGE = 4096, MOST_STEPS = 1 << 16 };

static uint64_t end_of(uint64_t start, uint64_t size) { return (start + size + PAGE - 1) / PAGE * PAGE; }

/* The kernel does it without the right to execute, which the program gets where it does. */
static enum action hold_back(struct task *t, const struct call *c) {
  struct call other = *c;
  other.args[2] = (c->args[2] & ~(uint64_t)PROT_EXEC) | PROT_READ;
  arch_replace(t, &other);
  return AFTER;
}

/* Something else is there now. */
static void forget(struct process *p, uint64_t start, uint64_t end) {
  drop_range(p->text, start, end);
  drop_range(p->held, start, end);
}

static void expect(struct task *t, struct range r) {
  t->process->caller = arch_caller(t);
  add_range(&t->process->held, r);
}

/* Code that the program makes itself; where cpuid traps, such code is taken to ask for nothing else. */
static int is_made(const struct call *c) { return rewrites_cpuid() && c->args[3] & MAP_ANONYMOUS && !(c->args[3] & MAP_SHARED); }

/* A file that asks the processor; NULL for all others, and for memory shared with others. */
static const struct file *asking_file(struct task *t, const struct call *c) {
  return c->args[3] & (MAP_ANONYMOUS | MAP_SHARED) ? NULL : asking(t, (int)c->args[4]);
}

enum action on_map(struct task *t, struct call *c) {
  if (c->args[3] & MAP_FIXED) forget(t->process, c->args[0], end_of(c->args[0], c->args[1]));
  return is_made(c) || asking_file(t, c) ? hold_back(t, c) : RUN;
}

enum action after_map(struct task *t, struct call *c) {
  if (c->result < 0 && c->result >= -4095) return DONE;
  uint64_t start = (uint64_t)c->result;
  forget(t->process, start, end_of(start, c->args[1]));
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

static int protect(struct task *t, struct range r, uint64_t protection) {
  return arch_call(t, &(struct call){SYS_mprotect, {r.start, r.end - r.start, protection}, 0}) == 0;
}

/* It may be executed no more, until it is looked through again. */
static int hold_again(struct task *t, struct range r) {
  if (t->process->made_steps >= MOST_STEPS || !arch_load(t)) return 0;
  return protect(t, r, (uint64_t)r.protection & ~(uint64_t)PROT_EXEC) && add_range(&t->process->held, r);
}

/* Made code that holds bytes which may be such an instruction, or data: what is executed proves itself, step by step,
   until the thread leaves the code, which it may then not execute again. Returns 1 when the thread goes on. */
static int walk_made(struct task *t, struct range r, unsigned others) {
  static const uint8_t nothing[ARCH_LONGEST];
  pid_t tid = t->tid;
  struct steps steps;
  int status = LEFT_ALONE, inside = 1;
  uint64_t at = arch_counter(t);
  if (t->process->made_steps >= MOST_STEPS || !begin_steps(t, &steps)) return leave_unproven(others), 1;
  while (inside && ++t->process->made_steps < MOST_STEPS) {
    uint8_t code[ARCH_LONGEST] = {0}, length;
    guest_read_some(t, at, code, sizeof code);
    if (instruction_at(code, &length) >= 0) others = rewrite_made(t, at, r.end);
    int stepped = others && step(t, &status);
    if (!others || !arch_load(t)) break;
    arch_hide_step(t, stepped ? code : nothing);
    if (!stepped) break;
    at = arch_counter(t);
    inside = at >= r.start && at < r.end;
    status = LEFT_ALONE;
  }
  end_steps(t, &steps);
  int goes_on = status == LEFT_ALONE || on_stop(t, tid, status);
  /* Where a signal is on its way, or a call, no other call can be made: the code stays as it is. */
  int trapped = WIFSTOPPED(status) && status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80);
  if (goes_on && others && (status == LEFT_ALONE || (trapped && !t->signal)) && hold_again(t, r)) others = 0;
  leave_unproven(others);
  return goes_on;
}

int execute_text(struct task *t) {
  if (!t->process->held || !arch_load(t)) return 0;
  uint64_t counter = arch_counter(t), at = missing_text(t, counter);
  const struct range *found = at ? range_at(t->process->held, at) : NULL;
  if (!found) return 0;
  struct range r = part_of(t, *found, at);
  if (!protect(t, r, (uint64_t)r.protection)) return 0;
  drop_range(t->process->held, r.start, r.end);
  unsigned others = r.file ? 0 : rewrite_made(t, counter, r.end);
  if (others) return walk_made(t, r, others) ? 1 : -1;
  if (r.file) rewrite_text(t, r);
  return 1;
}
