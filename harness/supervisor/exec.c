/* Rewrites a new program's auxiliary vector: our own clock functions, random bytes from the seed, one kind of processor. */
#define _GNU_SOURCE
#include "exec.h"

#include <elf.h>

#include "arch.h"
#include "guest.h"
#include "mechanisms.h"
#include "random.h"
#include "supervisor.h"
#include "timers.h"
#include "traps.h"
#include "vdso.h"

enum { CHUNK = 512, MAX_WORDS = 1 << 20 };

/* Words of the guest's stack, read in pieces. */
struct words {
  struct task *task;
  uint64_t start, have, buffer[CHUNK];
};

static int word(struct words *w, uint64_t address, uint64_t *value) {
  if (address < w->start || address >= w->start + 8 * w->have) {
    w->start = address;
    w->have = guest_read_some(w->task, address, w->buffer, sizeof w->buffer) / 8;
    if (w->have == 0) return 0;
  }
  *value = w->buffer[(address - w->start) / 8];
  return 1;
}

static void rewrite(struct task *t, uint64_t at, uint64_t type, uint64_t value) {
  uint8_t seed[16];
  if (type == AT_RANDOM) {
    random_bytes(seed, sizeof seed);
    guest_write(t, value, seed, sizeof seed);
  } else if (type == AT_SYSINFO_EHDR && !settle_clock(t, value)) {
    uint64_t ignored = AT_IGNORE;
    guest_write(t, at, &ignored, sizeof ignored);
  } else if (arch_auxiliary(type, &value)) {
    guest_write(t, at + 8, &value, sizeof value);
  }
}

static void settle_vector(struct task *t) {
  struct words w = {.task = t};
  uint64_t at = arch_stack(t), type, value, left = MAX_WORDS;
  if (!word(&w, at, &value) || value > MAX_WORDS) return;
  at += 8 * (value + 2);
  while (left-- > 0 && word(&w, at, &value) && value != 0) at += 8;
  at += 8;
  while (left-- > 0 && word(&w, at, &type) && word(&w, at + 8, &value) && type != AT_NULL) {
    rewrite(t, at, type, value);
    at += 16;
  }
}

void settle_program(struct task *t) {
  forget_memory(t->process);
  forget_timers(t->process);
  t->process->space = new_space();
  if (!arch_load(t)) return;
  if (arch_foreign(t)) give_up_on(FOREIGN_PROGRAM);
  else if (!guest_readable(t)) give_up_on(UNREADABLE_PROGRAM);
  else {
    settle_vector(t);
    traps_settle_program(t);
    if (wanted(CPUID_TRAP) && !arch_trap_cpuid(t)) give_up_on(CPUID_LEAKS);
    arch_watch_random(t);
  }
}
