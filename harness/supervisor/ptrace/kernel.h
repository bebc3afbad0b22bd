/* What the kernel's own headers say and musl's do not: the filter's language, futex commands, newer calls. */
#ifndef REENACT_KERNEL_H
#define REENACT_KERNEL_H
#include <stdint.h>
#include <sys/syscall.h>

struct sock_filter {
  uint16_t code;
  uint8_t jt, jf;
  uint32_t k;
};
struct sock_fprog {
  unsigned short len;
  struct sock_filter *filter;
};
struct seccomp_data {
  int nr;
  uint32_t arch;
  uint64_t instruction_pointer, args[6];
};

enum { BPF_LD_WORD = 0x20, BPF_JUMP_EQUAL = 0x15, BPF_JUMP_AT_LEAST = 0x35, BPF_AND = 0x54, BPF_RETURN = 0x06, BPF_JUMP = 0x05 };

#define SECCOMP_MODE_FILTER_CALL 1u
#define SECCOMP_ALLOW 0x7fff0000u
#define SECCOMP_TRACE 0x7ff00000u
#define SECCOMP_ERRNO 0x00050000u
#define SECCOMP_TRAP 0x00030000u
#define AUDIT_X86_64 0xc000003eu
#define AUDIT_I386 0x40000003u

enum {
  FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP,
  FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET,
  FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI2,
  FUTEX_PRIVATE_FLAG = 128, FUTEX_CLOCK_REALTIME = 256, FUTEX_COMMAND = ~(128 | 256)
};
#define FUTEX_ALL UINT32_MAX
enum { FUTEX_OP_SET, FUTEX_OP_ADD, FUTEX_OP_OR, FUTEX_OP_ANDN, FUTEX_OP_XOR };
enum { FUTEX_IF_EQ, FUTEX_IF_NE, FUTEX_IF_LT, FUTEX_IF_LE, FUTEX_IF_GT, FUTEX_IF_GE };

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#define RESOLVE_NO_XDEV 1u
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

#endif
