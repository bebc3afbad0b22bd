/* Reverses each piece of a listing in the guest's memory, as another file system might have given it out. */
#define _GNU_SOURCE
#include "reversed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
#include "ptrace/kernel.h"
#include "ptrace/seize.h"

enum { MOST = 1 << 20, LENGTH_AT = 16, OFFSET_AT = 8, HEAD = 19 };

int reversed_submit(int gate) {
  static struct sock_filter program[] = {
      {BPF_LD_WORD, 0, 0, offsetof(struct seccomp_data, nr)},
      {BPF_JUMP_EQUAL, 1, 0, SYS_getdents64},
      {BPF_JUMP_EQUAL, 0, 1, SYS_getdents},
      {BPF_RETURN, 0, 0, SECCOMP_TRACE},
      {BPF_RETURN, 0, 0, SECCOMP_ALLOW},
  };
  struct sock_fprog filter = {sizeof program / sizeof *program, program};
  char go;
  if (write(gate, "", 1) != 1 || read(gate, &go, 1) != 1) return 0;
  close(gate);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return syscall(SYS_seccomp, SECCOMP_MODE_FILTER_CALL, 0, &filter) == 0;
}

static int turning;

int reversed_seize(pid_t child, int gate, int turned) {
  turning = turned;
  return seize(child, gate) && write(gate, "", 1) == 1;
}

static size_t length_at(const uint8_t *entry) {
  uint16_t length;
  memcpy(&length, entry + LENGTH_AT, sizeof length);
  return length;
}

/* Entries of `size` bytes, last first; the positions that they name stay in order. 0 when they are no entries. */
static int reverse(const uint8_t *from, uint8_t *to, size_t size) {
  for (size_t at = 0, length; at < size; at += length) {
    if (size - at < HEAD) return 0;
    length = length_at(from + at);
    if (length < HEAD || length > size - at) return 0;
    memcpy(to + size - at - length, from + at, length);
  }
  for (size_t at = 0, turned = 0; at < size; at += length_at(from + at), turned += length_at(to + turned))
    memcpy(to + turned + OFFSET_AT, from + at + OFFSET_AT, sizeof(uint64_t));
  return 1;
}

/* A guest whose memory may not be opened gets the listing as it is. */
static void reverse_listing(pid_t pid) {
  static uint8_t given[MOST], turned[MOST];
  struct task t = {.tid = pid};
  char path[32];
  if (!turning || !arch_load(&t)) return;
  if (t.call.nr != SYS_getdents64 && t.call.nr != SYS_getdents) return;
  int64_t size = arch_result(&t);
  off_t at = (off_t)t.call.args[1];
  if (size <= 0 || size > MOST) return;
  snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
  int memory = open(path, O_RDWR | O_CLOEXEC);
  if (memory < 0) return;
  int whole = pread(memory, given, (size_t)size, at) == size && reverse(given, turned, (size_t)size);
  if (whole && pwrite(memory, turned, (size_t)size, at) < 0) errno = 0;
  close(memory);
}

void reversed_stop(pid_t pid, int status) {
  int event = status >> 16, signal = WSTOPSIG(status);
  long how = PTRACE_CONT, sent = 0;
  if (event == PTRACE_EVENT_SECCOMP) how = PTRACE_SYSCALL;
  else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) how = PTRACE_LISTEN;
  else if (event == 0 && signal == (SIGTRAP | 0x80)) reverse_listing(pid);
  else if (event == 0) sent = signal;
  ptrace((int)how, pid, NULL, (void *)sent);
}
