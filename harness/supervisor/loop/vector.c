/* The auxiliary vector as Linux 6.1 lays it out: newer kernels add entries, and each moves the stack by 16 bytes. */
#define _GNU_SOURCE
#include "vector.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "ptrace/guest.h"
#include "syscalls/identity/random.h"
#include "syscalls/time/vdso.h"

/* Of arguments, environment and vector together: a quarter of the stack's limit at most. */
enum { MOST_WORDS = 1 << 18, FIRST_READ = 512, RANDOM_BYTES = 16 };

/* arch/x86/include/uapi/asm/auxvec.h and fs/binfmt_elf.c, create_elf_tables(), of 6.1; AT_NULL last. */
static const uint64_t order[VECTOR_ENTRIES] = {
    AT_SYSINFO_EHDR, ARCH_AT_SIGNAL_STACK, AT_HWCAP, AT_PAGESZ, AT_CLKTCK, AT_PHDR, AT_PHENT, AT_PHNUM, AT_BASE,
    AT_FLAGS, AT_ENTRY, AT_UID, AT_EUID, AT_GID, AT_EGID, AT_SECURE, AT_RANDOM, AT_HWCAP2, AT_EXECFN, AT_PLATFORM,
    AT_NULL};

/* From the stack pointer to its end, or NULL: the number of words before the vector, and of those in it. */
static uint64_t *read_stack(struct task *t, uint64_t at, size_t *before, size_t *in) {
  for (size_t room = FIRST_READ; room <= MOST_WORDS; room *= 4) {
    uint64_t *words = malloc(8 * room);
    if (!words) _exit(125);
    size_t have = guest_read_some(t, at, words, 8 * room) / 8, i = have ? (size_t)words[0] + 2 : 0;
    if (have && words[0] < room) {
      while (i < have && words[i]) i++;
      size_t start = ++i;
      while (i + 1 < have && words[i] != AT_NULL) i += 2;
      if (i + 1 < have) {
        *before = start;
        *in = i + 2 - start;
        return words;
      }
    }
    free(words);
    if (have < room) return NULL;
  }
  return NULL;
}

/* What the kernel said of an entry; 0 where it has no such. */
static uint64_t kernels_value(const uint64_t *vector, uint64_t type) {
  while (vector[0] != AT_NULL && vector[0] != type) vector += 2;
  return vector[1];
}

static void fill_in(struct task *t, const uint64_t *kernels) {
  uint8_t seed[RANDOM_BYTES];
  for (int i = 0; i < VECTOR_ENTRIES; i++) {
    uint64_t type = order[i], value = kernels_value(kernels, type);
    /* Nothing of ours stands there then, and nothing may lead there. */
    if (type == AT_SYSINFO_EHDR && (!value || !settle_clock(t, value))) type = AT_IGNORE, value = 0;
    if (type == AT_RANDOM && value) {
      random_bytes(seed, sizeof seed);
      guest_write(t, value, seed, sizeof seed);
    }
    arch_auxiliary(type, &value);
    t->process->vector[2 * i] = type;
    t->process->vector[2 * i + 1] = value;
  }
}

void settle_vector(struct task *t) {
  size_t before, in;
  uint64_t at = arch_stack(t), *words = read_stack(t, at, &before, &in);
  if (!words) return;
  fill_in(t, words + before);
  int64_t shift = 8 * ((int64_t)in - 2 * VECTOR_ENTRIES);
  if (shift) guest_write(t, at + (uint64_t)shift, words, 8 * before);
  guest_write(t, at + (uint64_t)shift + 8 * before, t->process->vector, sizeof t->process->vector);
  if (shift) arch_move_stack(t, at + (uint64_t)shift);
  free(words);
}
