/* Makes the seccomp filter from the table of calls: what passes runs at full speed, all else stops. */
#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "calls.h"
#include "kernel.h"

enum { X32 = 0x40000000 };

static struct sock_filter program[MAX_CALLS + 16];
static unsigned short length;

static void add(uint16_t code, uint8_t yes, uint8_t no, uint32_t k) {
  program[length++] = (struct sock_filter){code, yes, no, k};
}

/* A run of numbers that all pass is one comparison pair, so that the filter stays short. */
int install_filter(void) {
  length = 0;
  add(BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, arch));
  add(BPF_JUMP_EQUAL, 1, 0, AUDIT_X86_64);
  add(BPF_RETURN, 0, 0, SECCOMP_ERRNO | ENOSYS);
  add(BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, nr));
  add(BPF_JUMP_AT_LEAST, 0, 1, X32);
  add(BPF_RETURN, 0, 0, SECCOMP_ERRNO | ENOSYS);
  for (long nr = 0; nr < MAX_CALLS; nr++) {
    long end = nr;
    while (end < MAX_CALLS && handler_of(end)->passes) end++;
    if (end == nr) continue;
    add(BPF_JUMP_AT_LEAST, 0, 2, (uint32_t)nr);
    add(BPF_JUMP_AT_LEAST, 1, 0, (uint32_t)end);
    add(BPF_RETURN, 0, 0, SECCOMP_ALLOW);
    nr = end;
  }
  add(BPF_RETURN, 0, 0, SECCOMP_TRACE);
  struct sock_fprog filter = {length, program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return syscall(SYS_seccomp, SECCOMP_MODE_FILTER_CALL, 0, &filter) == 0;
}
