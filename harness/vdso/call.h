/* x86-64: a system call from the clock functions, for what they cannot answer. */
#ifndef REENACT_VDSO_CALL_H
#define REENACT_VDSO_CALL_H

enum { NR_GETTIMEOFDAY = 96, NR_TIME = 201, NR_CLOCK_GETTIME = 228, NR_CLOCK_GETRES = 229 };

static inline long make_call(long nr, long first, long second) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(first), "S"(second) : "rcx", "r11", "memory");
  return result;
}

#endif
