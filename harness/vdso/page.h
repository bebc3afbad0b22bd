/* What the supervisor and the guests' clock functions share; a guest can write to the page. */
#ifndef REENACT_VDSO_PAGE_H
#define REENACT_VDSO_PAGE_H
#include <stdint.h>

enum { CLOCK_TICK = 1000 }; /* nanoseconds of one event */

/* Mapped into every guest and into the supervisor. */
struct clock_page {
  int64_t now;   /* nanoseconds since the clock's beginning */
  int64_t limit; /* a read that would get here is a system call: another thread's turn, or a timer */
  int64_t without_process, without_thread; /* of `now`, what the runner's processor time is not */
  int64_t allows_untraced; /* 1: the running thread may make calls that do not stop (untraced.c) */
  int64_t untraced;        /* how many were made */
};

/* At SETTINGS_AT of the image, filled in for each program. */
struct clock_settings {
  uint64_t page;
  int64_t since_1970, up; /* what the clocks showed at the beginning */
};

/* ANSWER_AT: what answers cpuid where a jump leads to it (cpuid.c). */
enum { ANSWER_AT = 3072 };

/* CYCLES_AT: what reads the clock as rdtsc does where a jump leads to it (cycles.c). */
enum { CYCLES_AT = 3584 };

/* UNTRACED_AT: what makes calls without a stop where a jump leads to it (untraced.c), for each kind in as many bytes. */
enum { UNTRACED_AT = 3680, UNTRACED_BYTES = 40 };
enum untraced { UNTRACED_READLINK, UNTRACED_OPENAT, UNTRACED_NEWFSTATAT, UNTRACED_FCNTL };

/* In the two arguments that none of these calls has: the filter lets them pass. */
#define UNTRACED_MARK UINT64_C(0x5265656e61637421)

/* SECTIONS_AT: the image's section headers. */
enum { SECTIONS_AT = 2048 };

/* SYSCALL_AT: an instruction by which the supervisor makes calls on a guest's behalf. */
enum { VDSO_SIZE = 4096, SETTINGS_AT = 4032, SYSCALL_AT = 4088 };

#endif
