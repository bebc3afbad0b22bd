/* x86-64: what the instructions answer that tell of the processor or draw from it, the same on every machine. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>

#include "arch/arch.h"
#include "syscalls/time/clock.h"
#include "rewrite/cycles.h"
#include "ptrace/guest.h"
#include "rewrite/instructions.h"
#include "syscalls/identity/random.h"
#include "rewrite/rewrite.h"
#include "vdso/leaves.h"

const uint8_t arch_trap[ARCH_TRAP_BYTES] = {0x0f, 0x0b}; /* ud2 */

enum { CARRY = 1, ZERO = 0x40, RESULT_FLAGS = 0x8d5 };

static const struct leaf leaves[] = {LEAVES};

static void answer_cpuid(struct user_regs_struct *r) {
  uint32_t number = (uint32_t)r->rax, sub = number == LEAF_WITH_PARTS ? (uint32_t)r->rcx : 0;
  r->rax = r->rbx = r->rcx = r->rdx = 0;
  for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
    if (leaves[i].number == number && leaves[i].sub == sub)
      r->rax = leaves[i].a, r->rbx = leaves[i].b, r->rcx = leaves[i].c, r->rdx = leaves[i].d;
}

/* The parts of an instruction with one operand in ModRM and one in its register field. */
struct operands {
  uint8_t prefix, rex, segment, modrm;
  const uint8_t *rest; /* behind ModRM */
  int wide, narrow, short_address;
};

static struct operands operands_of(const uint8_t *code) {
  struct operands o = {0};
  for (;; code++) {
    if (*code == 0x66) o.narrow = 1;
    else if (*code == 0x67) o.short_address = 1;
    else if (*code == 0x64 || *code == 0x65) o.segment = *code;
    else if (*code == 0xf3) o.prefix = *code;
    else if (*code != 0xf2 && *code != 0x2e && *code != 0x36 && *code != 0x3e && *code != 0x26) break;
  }
  if ((*code & 0xf0) == 0x40) o.rex = *code++;
  o.wide = o.rex >> 3 & 1;
  o.modrm = code[2]; /* behind 0f and the opcode */
  o.rest = code + 3;
  return o;
}

static unsigned long *register_of(struct user_regs_struct *r, int number) {
  unsigned long *const all[] = {(unsigned long *)&r->rax, (unsigned long *)&r->rcx, (unsigned long *)&r->rdx,
                                (unsigned long *)&r->rbx, (unsigned long *)&r->rsp, (unsigned long *)&r->rbp,
                                (unsigned long *)&r->rsi, (unsigned long *)&r->rdi, (unsigned long *)&r->r8,
                                (unsigned long *)&r->r9,  (unsigned long *)&r->r10, (unsigned long *)&r->r11,
                                (unsigned long *)&r->r12, (unsigned long *)&r->r13, (unsigned long *)&r->r14,
                                (unsigned long *)&r->r15};
  return all[number & 15];
}

static void set_register(struct user_regs_struct *r, int number, const struct operands *o, uint64_t value) {
  unsigned long *target = register_of(r, number);
  if (o->wide) *target = value;
  else if (o->narrow) *target = (*target & ~0xffffull) | (value & 0xffff);
  else *target = (uint32_t)value;
}

/* rdrand and rdseed, whose success stands in the carry flag. */
static void answer_random(struct user_regs_struct *r, const struct operands *o) {
  uint64_t value = 0;
  random_bytes((uint8_t *)&value, sizeof value);
  set_register(r, (o->modrm & 7) | (o->rex & 1) << 3, o, value);
  r->eflags = (r->eflags & ~(unsigned long long)RESULT_FLAGS) | CARRY;
}

/* Of the memory operand; `next` is the address of the instruction behind this one. */
static uint64_t address_of(struct user_regs_struct *r, const struct operands *o, uint64_t next) {
  int mode = o->modrm >> 6, low = o->modrm & 7;
  const uint8_t *rest = o->rest;
  uint64_t at = 0;
  int32_t distance = 0;
  int long_distance = mode == 2;
  if (low == 4) {
    int base = *rest & 7, index = (*rest >> 3 & 7) | (o->rex >> 1 & 1) << 3, scale = *rest >> 6;
    if (index != 4) at += *register_of(r, index) << scale;
    if (base == 5 && mode == 0) long_distance = 1;
    else at += *register_of(r, base | (o->rex & 1) << 3);
    rest++;
  } else if (low == 5 && mode == 0) {
    long_distance = 1;
    at += next;
  } else {
    at += *register_of(r, low | (o->rex & 1) << 3);
  }
  if (long_distance) memcpy(&distance, rest, sizeof distance);
  else if (mode == 1) distance = (int8_t)*rest;
  at += (uint64_t)(int64_t)distance;
  if (o->short_address) at = (uint32_t)at;
  if (o->segment == 0x64) at += r->fs_base;
  if (o->segment == 0x65) at += r->gs_base;
  return at;
}

/* The segment's limit: that of the kernel's own descriptor 15 holds the processor's number, which is 0. */
static int answer_limit(struct task *t, struct user_regs_struct *r, const struct operands *o, uint64_t next) {
  enum { CODE_32 = 4, DATA = 5, CODE = 6, PROCESSOR = 15 };
  uint16_t selector = 0;
  if (o->modrm >= 0xc0) selector = (uint16_t)*register_of(r, (o->modrm & 7) | (o->rex & 1) << 3);
  else if (!guest_read(t, address_of(r, o, next), &selector, sizeof selector)) return 0;
  int which = selector & 4 ? -1 : selector >> 3;
  int known = which == CODE_32 || which == DATA || which == CODE || which == PROCESSOR;
  r->eflags &= ~(unsigned long long)ZERO;
  if (!known) return 1;
  set_register(r, (o->modrm >> 3 & 7) | (o->rex >> 2 & 1) << 3, o, which == PROCESSOR ? 0 : UINT32_MAX);
  r->eflags |= ZERO;
  return 1;
}

/* The state that this processor's x86-64-v2 has: x87 and SSE, all of it in use. */
static int answer_states(struct user_regs_struct *r) {
  if ((uint32_t)r->rcx > 1) return 0;
  r->rax = 3;
  r->rdx = 0;
  return 1;
}

/* 0 when there is no such instruction on our processor. */
static int answer_instruction(struct task *t, struct user_regs_struct *r, const uint8_t *code) {
  uint8_t length = 0;
  int kind = instruction_at(code, &length), done = 1;
  if (kind < 0) return 0;
  struct operands o = operands_of(code);
  switch (kind) {
    case INSTRUCTION_CPUID: answer_cpuid(r); break;
    case INSTRUCTION_RDRAND:
    case INSTRUCTION_RDSEED: answer_random(r, &o); break;
    case INSTRUCTION_RDPID: *register_of(r, (o.modrm & 7) | (o.rex & 1) << 3) = 0; break;
    case INSTRUCTION_LSL: done = answer_limit(t, r, &o, r->rip + length); break;
    case INSTRUCTION_XGETBV: done = answer_states(r); break;
    default: done = 0; /* rdpru: no such instruction here, as on most processors */
  }
  if (done) r->rip += length;
  return done;
}

static int is_extended(const uint8_t *code) { return code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xf9; }

/* rdtsc, or rdtscp. */
static int is_clock(const uint8_t *code) { return (code[0] == 0x0f && code[1] == 0x31) || is_extended(code); }

static void answer_clock(struct user_regs_struct *r, const uint8_t *code) {
  uint64_t now = clock_cycles();
  r->rax = (uint32_t)now;
  r->rdx = now >> 32;
  if (is_extended(code)) r->rcx = 0;
  r->rip += is_extended(code) ? 3 : 2;
}

int arch_emulate(struct task *t, int signal) {
  uint8_t code[ARCH_LONGEST] = {0};
  struct user_regs_struct r;
  if (ptrace(PTRACE_GETREGS, t->tid, NULL, &r) != 0) return 0;
  if (signal != SIGILL) guest_read_some(t, r.rip, code, sizeof code);
  else if (!rewritten_at(t->process, r.rip, code)) return 0;
  if (is_clock(code) && t->no_clock) return 0;
  if (is_clock(code) && cycles_jump(t, r.rip)) return 1;
  if (is_clock(code)) answer_clock(&r, code);
  else if (!answer_instruction(t, &r, code)) return 0;
  return ptrace(PTRACE_SETREGS, t->tid, NULL, &r) == 0;
}
