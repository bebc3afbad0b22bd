/* Makes the seccomp filter from the table of calls: what passes runs at full speed, all else stops. */
#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "arch/arch.h"
#include "loop/calls.h"
#include "kernel.h"
#include "vdso/page.h"

enum { X32 = 0x40000000, TMPFILE_BIT = 020000000, SETS_FS = 0x1002 };

/* At worst each number has a fate of its own. */
static struct sock_filter program[2 * MAX_CALLS + 256];
static unsigned short length;

static void add(uint16_t code, uint8_t yes, uint8_t no, uint32_t k) {
  program[length++] = (struct sock_filter){code, yes, no, k};
}

/* Calls of these kinds order and tell nothing; all others of their numbers stop. */
static const struct {
  long nr;
  uint32_t argument, mask, value;
} harmless[] = {
    {SYS_openat, 2, O_DIRECTORY | O_CREAT | O_TRUNC | TMPFILE_BIT, O_DIRECTORY},
    {SYS_fcntl, 1, UINT32_MAX, F_GETFD},
    {SYS_fcntl, 1, UINT32_MAX, F_SETFD},
    {SYS_fcntl, 1, UINT32_MAX, F_GETFL},
    {SYS_fcntl, 1, UINT32_MAX, F_DUPFD},
    {SYS_fcntl, 1, UINT32_MAX, F_DUPFD_CLOEXEC},
    {SYS_arch_prctl, 0, UINT32_MAX, SETS_FS},
    {SYS_mmap, 2, PROT_EXEC, 0},
    {SYS_mprotect, 2, PROT_EXEC, 0},
};

static void let_harmless_pass(void) {
  for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
    add(BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, nr));
    add(BPF_JUMP_EQUAL, 0, 4, (uint32_t)harmless[i].nr);
    add(BPF_LD_WORD, 0, 0, (uint32_t)offsetof(struct seccomp_data, args) + 8 * harmless[i].argument);
    add(BPF_AND, 0, 0, harmless[i].mask);
    add(BPF_JUMP_EQUAL, 0, 1, harmless[i].value);
    add(BPF_RETURN, 0, 0, SECCOMP_ALLOW);
  }
  add(BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, nr));
}

/* What is made in place of calls that stopped often (untraced.h), by numbers, and arguments where others would tell more. */
static const struct {
  long nr;
  uint32_t argument, value;
} marked[] = {{SYS_readlink, 2, 1}, {SYS_faccessat2, 2, F_OK}, {SYS_fcntl, 1, F_SETLK}};

static void let_marked_pass(void) {
  const uint32_t words[] = {(uint32_t)UNTRACED_MARK, UNTRACED_MARK >> 32};
  for (size_t i = 0; i < sizeof marked / sizeof *marked; i++) {
    const uint32_t at = (uint32_t)offsetof(struct seccomp_data, args);
    add(BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, nr));
    add(BPF_JUMP_EQUAL, 0, 11, (uint32_t)marked[i].nr);
    add(BPF_LD_WORD, 0, 0, at + 8 * marked[i].argument);
    add(BPF_JUMP_EQUAL, 0, 9, marked[i].value);
    for (uint32_t word = 0; word < 4; word++) {
      add(BPF_LD_WORD, 0, 0, at + 8 * 4 + 4 * word);
      add(BPF_JUMP_EQUAL, 0, (uint8_t)(7 - 2 * word), words[word % 2]);
    }
    add(BPF_RETURN, 0, 0, SECCOMP_ALLOW);
  }
}

/* What is done about signals that traps raise has to be known (traps.h). */
static void watch_trap_signals(void) {
  add(BPF_JUMP_EQUAL, 0, 5, SYS_rt_sigaction);
  add(BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, args));
  add(BPF_JUMP_EQUAL, 1, 0, SIGSEGV);
  add(BPF_JUMP_EQUAL, 0, 1, SIGILL);
  add(BPF_RETURN, 0, 0, SECCOMP_TRACE | FILTER_MARK);
  add(BPF_RETURN, 0, 0, SECCOMP_ALLOW);
}

/* What is to become of a call, as far as its number says it. */
static uint32_t fate(long nr) {
  const struct handler *h = handler_of(nr);
  if (h->passes) return SECCOMP_ALLOW;
  if (h->entry == answer_nosys) return SECCOMP_ERRNO | ENOSYS;
  if (h->entry == answer_perm) return SECCOMP_ERRNO | EPERM;
  /* Above the engine's filter, which would refuse it, each engine's in its own way. */
  return is_classified(nr) ? SECCOMP_TRACE | FILTER_MARK : SECCOMP_TRAP | FILTER_MARK;
}

/* Calls of 32 bits that a 64-bit program makes by int 0x80. */
static void add_narrow(void) {
  int nr;
  for (size_t i = 0; (nr = arch_narrow_passing(i)); i++) {
    add(BPF_JUMP_EQUAL, 0, 1, (uint32_t)nr);
    add(BPF_RETURN, 0, 0, SECCOMP_ALLOW);
  }
  for (size_t i = 0; (nr = arch_narrow_call(i)); i++) {
    add(BPF_JUMP_EQUAL, 0, 1, (uint32_t)nr);
    add(BPF_RETURN, 0, 0, SECCOMP_TRACE | FILTER_MARK_NARROW);
  }
  add(BPF_RETURN, 0, 0, SECCOMP_TRAP | FILTER_MARK);
}

/* A run of numbers with one fate is one comparison, so that the filter stays short. */
int install_filter(void) {
  length = 0;
  add(BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, arch));
  add(BPF_JUMP_EQUAL, 0, 1, AUDIT_I386);
  size_t jump = length++;
  program[jump] = (struct sock_filter){BPF_JUMP, 0, 0, 0};
  add(BPF_JUMP_EQUAL, 1, 0, AUDIT_X86_64);
  add(BPF_RETURN, 0, 0, SECCOMP_ERRNO | ENOSYS);
  add(BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, nr));
  add(BPF_JUMP_AT_LEAST, 0, 1, X32);
  add(BPF_RETURN, 0, 0, SECCOMP_ERRNO | ENOSYS);
  let_marked_pass();
  let_harmless_pass();
  watch_trap_signals();
  for (long nr = 0, end; nr < MAX_CALLS; nr = end) {
    for (end = nr + 1; end < MAX_CALLS && fate(end) == fate(nr);) end++;
    add(BPF_JUMP_AT_LEAST, 1, 0, (uint32_t)end);
    add(BPF_RETURN, 0, 0, fate(nr));
  }
  add(BPF_RETURN, 0, 0, fate(MAX_CALLS));
  program[jump].k = (uint32_t)(length - jump - 1);
  add(BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, nr));
  add_narrow();
  struct sock_fprog filter = {length, program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return syscall(SYS_seccomp, SECCOMP_MODE_FILTER_CALL, 0, &filter) == 0;
}
