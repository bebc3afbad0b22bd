/* Proves a spin: single steps until all registers repeat, once round again, and no byte of memory has changed. */
#define _GNU_SOURCE
#include "spin.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
#include "ptrace/guest.h"
#include "ptrace/step.h"

enum { MAX_STEPS = 2000, PAGE = 4096, MAX_PAGES = 1 << 15, MAX_VECTORS = 1 << 14 };

static int is_running(struct task *t) {
  char stat[512];
  const char *at = guest_proc(t, "stat", stat, sizeof stat) > 0 ? strrchr(stat, ')') : NULL;
  return at && at[2] == 'R';
}

static int registers(struct task *t, struct user_regs_struct *r) {
  return ptrace(PTRACE_GETREGS, t->tid, NULL, r) == 0;
}

static uint64_t mix(uint64_t hash, const uint64_t *words, size_t count) {
  for (size_t i = 0; i < count; i++) hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15, hash ^= hash >> 29;
  return hash;
}

/* Mixes the present pages of one mapping; 0 when there are too many to look at. */
static int mix_range(struct task *t, int pagemap, uint64_t from, uint64_t to, uint64_t *hash, long *left) {
  static uint64_t entries[512], page[PAGE / 8];
  for (uint64_t at = from; at < to; at += sizeof entries / 8 * PAGE) {
    size_t count = (to - at) / PAGE < 512 ? (size_t)((to - at) / PAGE) : 512;
    if (pread(pagemap, entries, 8 * count, (off_t)(at / PAGE * 8)) != (ssize_t)(8 * count)) return 0;
    for (size_t i = 0; i < count; i++) {
      if (!(entries[i] >> 62)) continue;
      if ((*left)-- <= 0) return 0;
      if (guest_read(t, at + i * PAGE, page, PAGE)) *hash = mix(*hash, page, PAGE / 8);
    }
  }
  return 1;
}

/* A digest of everything the task can write; 0 when it cannot be had. */
static int memory_digest(struct task *t, uint64_t *hash) {
  char path[64], *maps = malloc(1 << 20);
  long left = MAX_PAGES;
  int ok = maps && guest_proc(t, "maps", maps, 1 << 20) > 0;
  snprintf(path, sizeof path, "/proc/%d/pagemap", (int)t->tid);
  int pagemap = open(path, O_RDONLY | O_CLOEXEC);
  ok = ok && pagemap >= 0;
  *hash = 1;
  for (char *line = maps; ok && line && *line; line = strchr(line, '\n'), line += line != NULL) {
    unsigned long from, to;
    char mode[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && mode[1] == 'w')
      ok = mix_range(t, pagemap, from, to, hash, &left);
  }
  if (pagemap >= 0) close(pagemap);
  free(maps);
  return ok;
}

/* Registers of vectors and floats, as the processor stores them. */
struct vectors {
  size_t size;
  uint8_t bytes[MAX_VECTORS];
};

static int vectors(struct task *t, struct vectors *v) {
  struct iovec all = {v->bytes, sizeof v->bytes};
  if (ptrace(PTRACE_GETREGSET, t->tid, (void *)NT_X86_XSTATE, &all) != 0) return 0;
  v->size = all.iov_len;
  return 1;
}

static int same_vectors(struct task *t, const struct vectors *before) {
  static struct vectors now;
  return vectors(t, &now) && now.size == before->size && memcmp(now.bytes, before->bytes, now.size) == 0;
}

/* The thread stands still at `first`. */
static enum spin goes_round(struct task *t, const struct user_regs_struct *first, int *status) {
  static struct vectors began;
  struct user_regs_struct now;
  uint64_t before, after;
  int period = 0;
  if (!vectors(t, &began)) return WORKS;
  do {
    if (!step(t, status) || !registers(t, &now)) return OTHER_STOP;
    if (++period > MAX_STEPS) return WORKS;
  } while (memcmp(first, &now, sizeof now) != 0);
  if (!same_vectors(t, &began) || !memory_digest(t, &before)) return WORKS;
  for (int i = 0; i < period; i++)
    if (!step(t, status) || !registers(t, &now)) return OTHER_STOP;
  if (memcmp(first, &now, sizeof now) != 0 || !same_vectors(t, &began) || !memory_digest(t, &after)) return WORKS;
  return before == after ? SPINS : WORKS;
}

enum spin look_for_spin(struct task *t, int *status) {
  struct user_regs_struct first;
  struct steps steps;
  *status = LEFT_ALONE;
  if (!is_running(t)) return OTHER_STOP;
  if (ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL) != 0 || !wait_for_stop(t, status)) return OTHER_STOP;
  if (!WIFSTOPPED(*status) || *status >> 16 != PTRACE_EVENT_STOP) return OTHER_STOP;
  if (!registers(t, &first)) return OTHER_STOP;
  if (arch_calls(&first)) return WORKS; /* in the kernel, on its behalf */
  if (!begin_steps(t, &steps)) return WORKS;
  enum spin found = goes_round(t, &first, status);
  end_steps(t, &steps);
  return found;
}
