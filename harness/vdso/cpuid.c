/* x86-64: answers cpuid without a stop, for loaders whose instruction was replaced by a jump that leads here. */
#include "leaves.h"

/* The last one stands for all that are not listed. */
__attribute__((section(".answer.table"), used, visibility("hidden"))) const struct leaf cpuid_leaves[] = {LEAVES, {-1u, 0, 0, 0, 0, 0}};

/* Takes eax and ecx, gives eax, ebx, ecx and edx; flags and all other registers stay, as the instruction leaves them
   (without pushfq, as cycles.c says). */
__asm__(".section .answer.code, \"ax\"\n"
        "  push %rax\n"
        "  lahf\n"
        "  seto %al\n"
        "  xchg %rax, (%rsp)\n"
        "  push %rsi\n"
        "  lea cpuid_leaves(%rip), %rsi\n"
        "1: cmpl $-1, (%rsi)\n"
        "  je 3f\n"
        "  cmp %eax, (%rsi)\n"
        "  jne 2f\n"
        "  cmp $4, %eax\n"
        "  jne 3f\n"
        "  cmp %ecx, 4(%rsi)\n"
        "  je 3f\n"
        "2: add $24, %rsi\n"
        "  jmp 1b\n"
        "3: mov 8(%rsi), %eax\n"
        "  mov 12(%rsi), %ebx\n"
        "  mov 16(%rsi), %ecx\n"
        "  mov 20(%rsi), %edx\n"
        "  pop %rsi\n"
        "  xchg %rax, (%rsp)\n"
        "  add $0x7f, %al\n"
        "  sahf\n"
        "  pop %rax\n"
        "  ret\n"
        ".previous\n");

_Static_assert(sizeof(struct leaf) == LEAF_BYTES && LEAF_WITH_PARTS == 4, "the instructions above have both numbers");
