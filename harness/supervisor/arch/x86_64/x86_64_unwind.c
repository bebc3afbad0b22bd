/* x86-64 as unwinding sees it: registers by DWARF's numbers, calls before return addresses, what the kernel saves. */
#define _GNU_SOURCE
#include <string.h>

#include "arch/arch.h"

void arch_dwarf_registers(const struct task *t, uint64_t registers[ARCH_DWARF_REGISTERS]) {
  const struct user_regs_struct *r = &t->registers;
  const uint64_t all[ARCH_DWARF_REGISTERS] = {r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp, r->r8,
                                              r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip};
  memcpy(registers, all, sizeof all);
}

uint64_t arch_thread_pointer(const struct task *t) { return t->registers.fs_base; }

/* mov $15, %rax; syscall, as glibc and Go write it, and musl behind a nop: rt_sigreturn(2) has no other way. */
int arch_is_signal_return(const uint8_t code[SIGNAL_RETURN]) {
  static const uint8_t wide[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05}, narrow[] = {0xb8, 15, 0, 0, 0, 0x0f, 0x05};
  return !memcmp(code, wide, sizeof wide) || !memcmp(code + (code[0] == 0x90), narrow, sizeof narrow);
}

/* uc_mcontext begins behind uc_flags, uc_link and uc_stack, 40 bytes, with words in the order of REG_R8 to REG_RIP. */
void arch_interrupted(const uint8_t context[CONTEXT_BYTES], uint64_t registers[ARCH_DWARF_REGISTERS]) {
  static const uint8_t numbers[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
  for (size_t i = 0; i < sizeof numbers; i++) memcpy(&registers[numbers[i]], context + 40 + 8 * i, 8);
}

/* e8 with four bytes, or ff /2 with as many as its addressing takes. */
int arch_is_call(const uint8_t code[7]) {
  if (code[2] == 0xe8) return 1;
  for (int size = 2; size <= 7; size++) {
    const uint8_t *c = code + 7 - size;
    int mode = c[1] >> 6, low = c[1] & 7, scaled = mode != 3 && low == 4;
    int tail = mode == 1 ? 1 : mode == 2 || (mode == 0 && low == 5) ? 4 : 0;
    if (scaled && mode == 0 && size > 2 && (c[2] & 7) == 5) tail = 4;
    if (c[0] == 0xff && (c[1] >> 3 & 7) == 2 && 2 + scaled + tail == size) return 1;
  }
  return 0;
}
