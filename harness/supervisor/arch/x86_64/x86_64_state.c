/* x86-64: the registers of a thread, whole, so that it can be made to run again from where it stood. */
#define _GNU_SOURCE
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "arch/arch.h"

enum { MOST_VECTORS = 1 << 14 };

/* Of the thread that is let run; only one is at a time. */
static struct user_regs_struct kept;
static struct {
  size_t size;
  _Alignas(64) uint8_t bytes[MOST_VECTORS];
} vectors;

/* A call that the kernel is about to make again is not at its end yet. */
static int is_restarted(const struct user_regs_struct *r) {
  enum { FIRST = -516, LAST = -512 };
  long result = (long)r->rax;
  return (long)r->orig_rax >= 0 && result >= FIRST && result <= LAST;
}

int arch_keep(struct task *t) {
  struct iovec all = {vectors.bytes, sizeof vectors.bytes};
  if (ptrace(PTRACE_GETREGS, t->tid, NULL, &kept) != 0 || is_restarted(&kept)) return 0;
  if (ptrace(PTRACE_GETREGSET, t->tid, (void *)NT_X86_XSTATE, &all) != 0) return 0;
  vectors.size = all.iov_len;
  return 1;
}

int arch_put_back(struct task *t) {
  struct iovec all = {vectors.bytes, vectors.size};
  struct user_regs_struct r = kept;
  r.orig_rax = (unsigned long long)-1;
  return ptrace(PTRACE_SETREGS, t->tid, NULL, &r) == 0 &&
         ptrace(PTRACE_SETREGSET, t->tid, (void *)NT_X86_XSTATE, &all) == 0;
}
