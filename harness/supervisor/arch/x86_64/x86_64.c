/* x86-64: registers, the layout of calls, and instructions that trap. */
#define _GNU_SOURCE
#include "arch/arch.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ptrace/guest.h"
#include "vdso/page.h"

#ifndef PR_SET_TSC
#define PR_SET_TSC 26
#define PR_TSC_SIGSEGV 2
#endif

enum { ARCH_SET_CPUID_FAULTING = 0x1012, LONG_MODE_CODE = 0x33 };

int arch_load(struct task *t) {
  struct user_regs_struct *r = &t->registers;
  if (ptrace(PTRACE_GETREGS, t->tid, NULL, r) != 0) return 0;
  t->call = (struct call){(long)r->orig_rax, {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9}, 0};
  return 1;
}

void arch_skip(struct task *t, int64_t result) {
  struct user_regs_struct r = t->registers;
  r.orig_rax = (unsigned long long)-1;
  r.rax = (unsigned long long)result;
  ptrace(PTRACE_SETREGS, t->tid, NULL, &r);
}

void arch_replace(struct task *t, const struct call *other) {
  struct user_regs_struct r = t->registers;
  if (t->narrow) {
    arch_narrow(&r, other);
    ptrace(PTRACE_SETREGS, t->tid, NULL, &r);
    return;
  }
  r.orig_rax = r.rax = (unsigned long long)other->nr;
  r.rdi = other->args[0], r.rsi = other->args[1], r.rdx = other->args[2];
  r.r10 = other->args[3], r.r8 = other->args[4], r.r9 = other->args[5];
  r.rax = t->registers.rax;
  ptrace(PTRACE_SETREGS, t->tid, NULL, &r);
}

void arch_set_argument(struct task *t, int index, uint64_t value) {
#define PLACE(name) offsetof(struct user_regs_struct, name)
  static const size_t places[] = {PLACE(rdi), PLACE(rsi), PLACE(rdx), PLACE(r10), PLACE(r8), PLACE(r9)};
#undef PLACE
  ptrace(PTRACE_POKEUSER, t->tid, (void *)places[index], (void *)(uintptr_t)value);
}

int arch_enters(const struct task *t) { return t->registers.rax == (unsigned long long)-ENOSYS; }

int64_t arch_result(struct task *t) {
  struct user_regs_struct r;
  return ptrace(PTRACE_GETREGS, t->tid, NULL, &r) == 0 ? (int64_t)r.rax : -ESRCH;
}

void arch_answer(struct task *t, int64_t result) {
  struct user_regs_struct r = t->registers;
  r.rax = (unsigned long long)result;
  ptrace(PTRACE_SETREGS, t->tid, NULL, &r);
}

void arch_repeat(struct task *t) {
  struct user_regs_struct r = t->registers;
  r.rax = r.orig_rax;
  r.rip -= 2;
  ptrace(PTRACE_SETREGS, t->tid, NULL, &r);
}

uint64_t arch_caller(const struct task *t) { return t->registers.rip - 2; }

uint64_t arch_stack(const struct task *t) { return t->registers.rsp; }

int arch_calls(const struct user_regs_struct *r) { return r->orig_rax != (unsigned long long)-1; }

void arch_put_result(struct user_regs_struct *r, int64_t result) { r->rax = (unsigned long long)result; }

uint16_t arch_machine(void) { return EM_X86_64; }

const char *arch_name(void) { return "x86_64"; }

uint64_t arch_counter(const struct task *t) { return t->registers.rip; }

const char *arch_register(const struct task *t, int index, uint64_t *value) {
  const struct user_regs_struct *r = &t->registers;
  const struct {
    const char *name;
    uint64_t value;
  } all[] = {
      {"rip", r->rip}, {"rsp", r->rsp}, {"rbp", r->rbp}, {"rax", r->rax}, {"rbx", r->rbx}, {"rcx", r->rcx},
      {"rdx", r->rdx}, {"rsi", r->rsi}, {"rdi", r->rdi}, {"r8", r->r8},   {"r9", r->r9},   {"r10", r->r10},
      {"r11", r->r11}, {"r12", r->r12}, {"r13", r->r13}, {"r14", r->r14}, {"r15", r->r15}, {"eflags", r->eflags},
      {"fs_base", r->fs_base}, {"gs_base", r->gs_base},
  };
  if (index < 0 || (size_t)index >= sizeof all / sizeof *all) return NULL;
  *value = all[index].value;
  return all[index].name;
}

int arch_foreign(struct task *t) { return t->registers.cs != LONG_MODE_CODE; }

/* Our own clock functions have an instruction that makes a call; where the guest did away with them (valgrind does),
   the one by which it asked for executable memory. */
static int has_syscall(struct task *t, uint64_t *at, const uint8_t instruction[2]) {
  const struct process *p = t->process;
  const uint64_t image = p->vector[1], places[] = {image ? image + SYSCALL_AT : 0, p->caller}; /* AT_SYSINFO_EHDR comes first */
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    uint8_t there[2];
    if (!places[i] || !guest_read(t, places[i], there, sizeof there) || memcmp(there, instruction, sizeof there) != 0) continue;
    *at = places[i];
    return 1;
  }
  return 0;
}

int64_t arch_call(struct task *t, const struct call *c) {
  struct user_regs_struct before = t->registers, during = before;
  static const uint8_t syscall_instruction[2] = {0x0f, 0x05};
  uint8_t old[2];
  uint64_t blocked, all = UINT64_MAX;
  int status = 0, patch = !has_syscall(t, &during.rip, syscall_instruction);
  if (patch && !guest_read(t, before.rip, old, sizeof old)) return -EFAULT;
  if (patch && !guest_write(t, before.rip, syscall_instruction, sizeof old)) return -EFAULT;
  during.rax = (unsigned long long)c->nr;
  during.orig_rax = (unsigned long long)-1;
  during.rdi = c->args[0], during.rsi = c->args[1], during.rdx = c->args[2];
  during.r10 = c->args[3], during.r8 = c->args[4], during.r9 = c->args[5];
  ptrace(PTRACE_SETREGS, t->tid, NULL, &during);
  /* No signal may come between; nor a single step, which would reset what the guest does with SIGTRAP. */
  ptrace(PTRACE_GETSIGMASK, t->tid, (void *)sizeof blocked, &blocked);
  ptrace(PTRACE_SETSIGMASK, t->tid, (void *)sizeof all, &all);
  for (int stops = 0, ends = 0; stops < 8 && ends < 2; stops++) {
    ptrace(PTRACE_SYSCALL, t->tid, NULL, NULL);
    while (waitpid(t->tid, &status, __WALL) < 0 && errno == EINTR) continue;
    if (!WIFSTOPPED(status)) break;
    ends += status >> 8 == (SIGTRAP | 0x80);
  }
  ptrace(PTRACE_SETSIGMASK, t->tid, (void *)sizeof blocked, &blocked);
  ptrace(PTRACE_GETREGS, t->tid, NULL, &during);
  if (patch) guest_write(t, before.rip, old, sizeof old);
  before.orig_rax = (unsigned long long)-1;
  ptrace(PTRACE_SETREGS, t->tid, NULL, &before);
  return WIFSTOPPED(status) ? (int64_t)during.rax : -ESRCH;
}

/* The kernel forgets the setting at every exec. It is a register of the processor, which a virtual machine's host
   writes: we, who never ask for cpuid, take the same one, or two such writes at each stop cost more than all the rest. */
int arch_trap_cpuid(struct task *t) {
  static int ours;
  int64_t result = arch_call(t, &(struct call){SYS_arch_prctl, {ARCH_SET_CPUID_FAULTING, 0}, 0});
  if (result == 0 && !ours) ours = syscall(SYS_arch_prctl, ARCH_SET_CPUID_FAULTING, 0) == 0;
  /* A thread that was killed meanwhile leaks nothing. */
  return result == 0 || result == -ESRCH;
}

/* Signal frames grow with the processor's registers, so the size is the largest one of today. */
void arch_auxiliary(uint64_t type, uint64_t *value) {
  enum { SIGNAL_STACK = 12288 };
  if (type == AT_HWCAP) *value = 0x078bfbff;
  if (type == AT_HWCAP2) *value = 0;
  if (type == ARCH_AT_SIGNAL_STACK) *value = SIGNAL_STACK;
}

void arch_move_stack(struct task *t, uint64_t to) {
  t->registers.rsp = to;
  ptrace(PTRACE_SETREGS, t->tid, NULL, &t->registers);
}

int arch_trap_clock(void) { return prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0; }

int arch_can_trap_cpuid(void) {
  if (syscall(SYS_arch_prctl, ARCH_SET_CPUID_FAULTING, 0) != 0) return 0;
  return syscall(SYS_arch_prctl, ARCH_SET_CPUID_FAULTING, 1) == 0;
}

int arch_can_rewrite_cpuid(void) { return 1; }
