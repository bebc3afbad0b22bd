/* Memory that a guest makes executable: files are looked through at once, code made at run time when it is first executed. */
#define _GNU_SOURCE
#include "text.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "arch.h"
#include "calls.h"
#include "mechanisms.h"
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

static void expect(struct task *t, uint64_t start, uint64_t end, uint64_t protection) {
  add_range(&t->process->text, (struct range){.start = start, .end = end, .protection = (int)protection});
}

static int is_made(const struct call *c) {
  return rewrites_cpuid() && c->args[3] & MAP_ANONYMOUS && !(c->args[3] & MAP_SHARED);
}

/* Of a file without such instructions nothing is to be done once its place is known. */
enum action on_map(struct task *t, struct call *c) {
  if (is_made(c)) return hold_back(t, c);
  if (!(c->args[3] & MAP_ANONYMOUS) && asks_nothing(t, (int)c->args[4])) return RUN;
  return AFTER;
}

enum action after_map(struct task *t, struct call *c) {
  if (c->result < 0 && c->result >= -4095) return DONE;
  uint64_t start = (uint64_t)c->result, end = end_of(start, c->args[1]);
  drop_range(t->process->text, start, end);
  if (!(c->args[3] & MAP_ANONYMOUS)) rewrite_mapping(t, start, end, (int)c->args[4], c->args[5]);
  else if (is_made(c)) expect(t, start, end, c->args[2]);
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
  else if (rewrites_cpuid()) expect(t, start, end, c->args[2]);
  return DONE;
}

/* Where the processor could not read the instruction at `counter` any further; 0: that is not why it stopped. */
static uint64_t missing_text(struct task *t, uint64_t counter) {
  siginfo_t info;
  if (ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) != 0 || info.si_code != SEGV_ACCERR) return 0;
  uint64_t at = (uint64_t)(uintptr_t)info.si_addr;
  return at - counter < ARCH_LONGEST ? at : 0;
}

int execute_made(struct task *t) {
  if (!t->process->text || !arch_load(t)) return 0;
  uint64_t counter = arch_counter(t), at = missing_text(t, counter);
  const struct range *found = at ? range_at(t->process->text, at) : NULL;
  if (!found || found->file) return 0;
  const struct range r = *found;
  uint64_t start = at / CHUNK * CHUNK, end = start + CHUNK;
  if (start < r.start) start = r.start;
  if (end > r.end) end = r.end;
  if (arch_call(t, &(struct call){SYS_mprotect, {start, end - start, (uint64_t)r.protection}, 0}) != 0) return 0;
  drop_range(t->process->text, start, end);
  rewrite_made(t, counter, end);
  return 1;
}
