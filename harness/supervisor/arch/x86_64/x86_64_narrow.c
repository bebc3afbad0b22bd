/* 32-bit calls (int 0x80) of a 64-bit program: the ordinary ones are those of 64 bits by another number. */
#define _GNU_SOURCE
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "arch/arch.h"
#include "ptrace/filter.h"

/* Their arguments are laid out alike in both worlds; those that pass need no number of ours. */
static const struct narrow_call {
  int number;
  long wide;
} calls[] = {
    {1, SYS_exit},       {3, SYS_read},      {4, SYS_write},          {5, SYS_open},      {33, SYS_access},
    {37, SYS_kill},      {39, SYS_mkdir},    {64, SYS_getppid},       {85, SYS_readlink}, {122, SYS_uname},
    {158, SYS_sched_yield}, {238, SYS_tkill}, {270, SYS_tgkill},      {295, SYS_openat},  {355, SYS_getrandom},
    {356, SYS_memfd_create}, {10, SYS_unlink}, {40, SYS_rmdir},
};

/* Like their namesakes they tell and order nothing: close, chdir, lseek, getpid, dup and their like. */
static const int passing[] = {2,  6,  12, 15, 19,  20,  24,  41,  42,  45,  47,  49,  50,  57,
                              60, 63, 65, 66, 91, 132, 133, 199, 200, 201, 202, 224, 252, 331, 330, 0};

int arch_narrow_call(size_t index) { return index < sizeof calls / sizeof *calls ? calls[index].number : 0; }
int arch_narrow_passing(size_t index) { return passing[index]; }

/* The instruction syscall leaves its own address behind in rcx: who comes with something else is asked for its way. */
void arch_widen(struct task *t) {
  const struct user_regs_struct *r = &t->registers;
  unsigned long mark = 0;
  t->narrow = 0;
  if (r->rcx == r->rip || ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &mark) != 0 || mark != FILTER_MARK_NARROW) return;
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    if (calls[i].number != (int)r->orig_rax) continue;
    t->narrow = 1;
    t->call = (struct call){calls[i].wide, {(uint32_t)r->rbx, (uint32_t)r->rcx, (uint32_t)r->rdx, (uint32_t)r->rsi,
                                            (uint32_t)r->rdi, (uint32_t)r->rbp}, 0};
    return;
  }
}

/* What replaces such a call is made in its world. */
void arch_narrow(struct user_regs_struct *r, const struct call *c) {
  r->orig_rax = (unsigned long long)-1;
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (calls[i].wide == c->nr) r->orig_rax = (unsigned long long)calls[i].number;
  r->rbx = c->args[0], r->rcx = c->args[1], r->rdx = c->args[2];
  r->rsi = c->args[3], r->rdi = c->args[4], r->rbp = c->args[5];
}
