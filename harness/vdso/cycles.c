/* x86-64: the time stamp counter without a stop, for reads of it that were replaced by a jump that leads here. */
#include <stddef.h>

#include "page.h"

/* Gives eax and edx as rdtsc does; flags and all other registers stay. A read that the supervisor has to see traps.
   Flags are kept without pushfq: where the supervisor takes single steps, it would keep the trap flag as well. */
__asm__(".section .cycles, \"ax\"\n"
        "  lahf\n"
        "  seto %al\n"
        "  push %rax\n"
        "  mov settings(%rip), %rdx\n"
        "  mov $1000, %eax\n"
        "  add (%rdx), %rax\n"
        "  cmp 8(%rdx), %rax\n"
        "  jge 1f\n"
        "  mov $1000, %eax\n"
        "  lock xadd %rax, (%rdx)\n"
        "  add settings+16(%rip), %rax\n"
        "  add $1000, %rax\n"
        "  mov %rax, %rdx\n"
        "  shr $32, %rdx\n"
        "  mov %eax, %eax\n"
        "  xchg %rax, (%rsp)\n"
        "  add $0x7f, %al\n"
        "  sahf\n"
        "  pop %rax\n"
        "  ret\n"
        "1: pop %rax\n"
        "  add $0x7f, %al\n"
        "  sahf\n"
        "  rdtsc\n"
        "  ret\n"
        ".previous\n");

_Static_assert(CLOCK_TICK == 1000 && offsetof(struct clock_page, limit) == 8 && offsetof(struct clock_settings, up) == 16,
               "the instructions above have all three");
