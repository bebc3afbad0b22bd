/* x86-64: calls without a stop, for those that mostly change nothing and were replaced by a jump that leads here. */
#include <stddef.h>

#include "page.h"

/* Each gives rcx 0 and the answer in rax, or rcx 1 where the call is to be made as ever: because the supervisor has to
   see it, or because of what this one answered. Flags and other registers but r11 stay, as a call leaves them.

   A call that looks something up is tried in a form that tells no more than whether it is there, and only an answer that
   the real call would give as well is taken. A lock that is had at once is had; who does not get it may ask in a loop,
   which has to stop. What is taken is an event of the clock, as a stop is.

   Flags are kept without pushfq: where the supervisor takes single steps, it would keep the trap flag as well. */
__asm__(".section .untraced, \"ax\"\n"
        "  lea 2f(%rip), %rcx\n" /* readlink */
        "  jmp 1f\n"
        "2: test %edx, %edx\n"
        "  jle 8f\n"
        "  mov %rsp, %rsi\n" /* one byte of it */
        "  mov $1, %edx\n"
        "  mov $89, %eax\n"
        "  jmp 5f\n"
        "  .org 40\n" /* openat */
        "  lea 2f(%rip), %rcx\n"
        "  jmp 1f\n"
        "2: test $0x420040, %edx\n" /* O_CREAT, O_TMPFILE's own bit, O_NOFOLLOW */
        "  jnz 8f\n"
        "  mov $0x200, %r10d\n" /* AT_EACCESS */
        "  jmp 3f\n"
        "  .org 80\n" /* newfstatat */
        "  lea 2f(%rip), %rcx\n"
        "  jmp 1f\n"
        "2: test $~0x100, %r10d\n" /* AT_SYMLINK_NOFOLLOW */
        "  jnz 8f\n"
        "  or $0x200, %r10d\n"
        "  jmp 4f\n"
        "  .org 120\n" /* fcntl */
        "  lea 2f(%rip), %rcx\n"
        "  jmp 1f\n"
        "2: cmp $6, %esi\n" /* F_SETLK */
        "  jne 8f\n"
        "  mov $72, %eax\n"
        "  syscall\n"
        "  test %rax, %rax\n"
        "  jz 6f\n"
        "  jmp 8f\n"
        /* Saves what is changed, and goes on only where the running thread may make a call. */
        "1: lahf\n"
        "  seto %al\n"
        "  push %rax\n"
        "  push %rsi\n"
        "  push %rdx\n"
        "  push %r10\n"
        "  push %r8\n"
        "  push %r9\n"
        "  push %rcx\n"
        "  mov settings(%rip), %r9\n"
        "  cmpq $0, 32(%r9)\n"
        "  je 8f\n"
        "  mov $1000, %eax\n"
        "  add (%r9), %rax\n"
        "  cmp 8(%r9), %rax\n"
        "  jge 8f\n"
        "  movabs $0x5265656e61637421, %r8\n"
        "  mov %r8, %r9\n"
        "  jmp *%rcx\n"
        /* What the kernel does not have below /proc and /sys, the supervisor may have. The call has read the name. */
        "3: xor %edx, %edx\n" /* F_OK */
        "  mov $439, %eax\n"  /* faccessat2 */
        "  syscall\n"
        "  cmp $-2, %rax\n" /* ENOENT */
        "  je 7f\n"
        "  cmp $-20, %rax\n" /* ENOTDIR */
        "  jne 8f\n"
        "7: cmpb $'/', (%rsi)\n"
        "  jne 6f\n"
        "  cmpb $'p', 1(%rsi)\n"
        "  je 8f\n"
        "  cmpb $'s', 1(%rsi)\n"
        "  jne 6f\n"
        "  jmp 8f\n"
        "4: xor %edx, %edx\n"
        "  mov $439, %eax\n"
        "5: syscall\n"
        "  cmp $-2, %rax\n"
        "  je 6f\n"
        "  cmp $-20, %rax\n"
        "  je 6f\n"
        "  cmp $-22, %rax\n" /* EINVAL: no link */
        "  jne 8f\n"
        "6: mov settings(%rip), %r9\n"
        "  lock addq $1000, (%r9)\n"
        "  lock incq 40(%r9)\n"
        "  xor %ecx, %ecx\n"
        "  jmp 9f\n"
        "8: mov $1, %ecx\n"
        "9: pop %r9\n"
        "  pop %r9\n"
        "  pop %r8\n"
        "  pop %r10\n"
        "  pop %rdx\n"
        "  pop %rsi\n"
        "  mov %rax, %r11\n"
        "  pop %rax\n"
        "  add $0x7f, %al\n"
        "  sahf\n"
        "  mov %r11, %rax\n"
        "  ret\n"
        ".previous\n");

_Static_assert(CLOCK_TICK == 1000 && offsetof(struct clock_page, limit) == 8 &&
                   offsetof(struct clock_page, allows_untraced) == 32 && offsetof(struct clock_page, untraced) == 40,
               "the instructions above have all four");
_Static_assert(UNTRACED_BYTES == 40 && UNTRACED_MARK == UINT64_C(0x5265656e61637421), "and both of these");
