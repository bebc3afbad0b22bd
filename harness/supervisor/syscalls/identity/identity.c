/* The identity that the guest sees: random bytes, machine, processors, personality. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "loop/answer.h"
#include "arch/arch.h"
#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "rewrite/cycles.h"
#include "ptrace/filters.h"
#include "ptrace/guest.h"
#include "identity.h"
#include "random.h"

static int cpus = 1;

void identity_begin(int count) { cpus = count > 0 && count <= 1024 ? count : 1; }
int identity_cpus(void) { return cpus; }

int64_t random_to_guest(struct task *t, uint64_t address, uint64_t size) {
  static uint8_t bytes[65536];
  uint64_t done = 0, wanted = size < INT32_MAX ? size : INT32_MAX;
  while (done < wanted) {
    size_t n = wanted - done < sizeof bytes ? (size_t)(wanted - done) : sizeof bytes;
    random_bytes(bytes, n);
    if (!guest_write(t, address + done, bytes, n)) return done ? (int64_t)done : -EFAULT;
    done += n;
  }
  return (int64_t)done;
}

/* Over a page's border some of it may not be writable: the kernel says how much, and its bytes are replaced. */
enum action on_getrandom(struct task *t, struct call *c) {
  enum { KNOWN = 7, EITHER = 6 };
  uint32_t flags = (uint32_t)c->args[2];
  if (flags & ~(uint32_t)KNOWN || (flags & EITHER) == EITHER) return answer(c, -EINVAL);
  if (c->args[1] && (c->args[0] ^ (c->args[0] + c->args[1] - 1)) >> 12) return AFTER;
  return answer(c, random_to_guest(t, c->args[0], c->args[1]));
}

enum action after_getrandom(struct task *t, struct call *c) {
  if (c->result > 0) random_to_guest(t, c->args[0], (uint64_t)c->result);
  return RUN;
}

enum action on_uname(struct task *t, struct call *c) {
  struct utsname name = {.sysname = "Linux", .nodename = "reenact", .release = "6.1.0", .version = "#1 Reenact",
                         .domainname = "(none)"};
  strcpy(name.machine, arch_name());
  return answer(c, guest_write(t, c->args[0], &name, sizeof name) ? 0 : -EFAULT);
}

enum action on_sysinfo(struct task *t, struct call *c) {
  struct sysinfo shown = {0};
  shown.uptime = (unsigned long)(clock_read(1) / 1000000000);
  shown.totalram = IDENTITY_MEMORY;
  shown.freeram = IDENTITY_MEMORY / 2;
  shown.procs = 2;
  shown.mem_unit = 1;
  /* The kernel's structure is shorter than musl's. */
  return answer(c, guest_write(t, c->args[0], &shown, 112) ? 0 : -EFAULT);
}

enum action on_getcpu(struct task *t, struct call *c) {
  uint32_t zero = 0;
  for (int i = 0; i < 2; i++)
    if (c->args[i] && !guest_write(t, c->args[i], &zero, sizeof zero)) return answer(c, -EFAULT);
  return answer(c, 0);
}

enum action on_getaffinity(struct task *t, struct call *c) {
  uint8_t set[128] = {0};
  uint64_t size = c->args[1];
  if (size % 8 || size < (uint64_t)(cpus + 63) / 64 * 8) return answer(c, -EINVAL);
  if (size > sizeof set) size = sizeof set;
  for (int i = 0; i < cpus; i++) set[i / 8] |= (uint8_t)(1 << i % 8);
  return answer(c, guest_write(t, c->args[2], set, (size_t)size) ? (int64_t)size : -EFAULT);
}

/* The supervisor decides where a thread runs; the guest gets the answer of success. */
enum action on_setaffinity(struct task *t, struct call *c) {
  (void)t;
  return answer(c, 0);
}

/* How long a turn is depends on the host's processors. */
enum action on_rr_interval(struct task *t, struct call *c) {
  const int64_t span[2] = {0, 4000000};
  if ((int)c->args[0] < 0) return answer(c, -EINVAL);
  return answer(c, guest_write(t, c->args[1], span, sizeof span) ? 0 : -EFAULT);
}

/* Which parts of a file are in the host's memory: always all of it. */
enum action after_mincore(struct task *t, struct call *c) {
  uint8_t all[4096];
  uint64_t left = (c->args[1] + 4095) / 4096;
  memset(all, 1, sizeof all);
  if (c->result != 0) return RUN;
  for (uint64_t at = c->args[2]; left > 0;) {
    size_t n = left < sizeof all ? (size_t)left : sizeof all;
    if (!guest_write(t, at, all, n)) break;
    at += n;
    left -= n;
  }
  return RUN;
}

/* The layout stays fixed whatever the guest asks, and it sees the personality of an ordinary process. */
enum action on_personality(struct task *t, struct call *c) {
  (void)t;
  uint32_t wanted = (uint32_t)c->args[0];
  return answer(c, wanted == 0xffffffff || (wanted & ~0x0040000u) == 0 ? 0 : -EPERM);
}

/* Requests that would hide the guest from the supervisor are answered as if they were done. */
enum action on_prctl(struct task *t, struct call *c) {
  enum { GET_TSC = 25, SET_TSC = 26, GIVEN = 1, REFUSED = 2, SET_MM = 35, SET_TRACER = 0x59616d61, SYSCALL_DISPATCH = 59, GET_AUXV = 0x41555856 };
  switch ((int)c->args[0]) {
    case PR_SET_SECCOMP: filters_expected(); return RUN;
    case SET_TRACER: return answer(c, 0); /* we decide who may trace */
    case PR_SET_DUMPABLE: return answer(c, c->args[1] <= 1 ? 0 : -EINVAL);
    case PR_GET_DUMPABLE: return answer(c, 1);
    case GET_TSC: {
      const int32_t mode = t->no_clock ? REFUSED : GIVEN;
      return answer(c, guest_write(t, c->args[1], &mode, sizeof mode) ? 0 : -EFAULT);
    }
    case SET_TSC:
      if ((uint32_t)c->args[1] != GIVEN && (uint32_t)c->args[1] != REFUSED) return answer(c, -EINVAL);
      t->no_clock = (uint32_t)c->args[1] == REFUSED;
      if (t->no_clock) cycles_stay(t);
      return answer(c, 0);
    case SET_MM:
    case GET_AUXV: /* newer than the kernel that uname names */
    case SYSCALL_DISPATCH: return answer(c, -EINVAL);
    default: return RUN;
  }
}

enum action on_arch_prctl(struct task *t, struct call *c) {
  enum { GET_CPUID = 0x1011, SET_CPUID = 0x1012 };
  (void)t;
  if (c->args[0] == GET_CPUID) return answer(c, 1);
  return c->args[0] == SET_CPUID ? answer(c, -ENODEV) : RUN;
}

enum action answer_perm(struct task *t, struct call *c) {
  (void)t;
  return answer(c, -EPERM);
}

enum action answer_nosys(struct task *t, struct call *c) {
  (void)t;
  return answer(c, -ENOSYS);
}
