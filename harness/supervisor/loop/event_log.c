/* Events have a fixed size and a fixed number, whatever a guest does; data stands in them as a digest and its beginning. */
#define _GNU_SOURCE
#include "event_log.h"

#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "arch/arch.h"
#include "syscalls/time/clock.h"
#include "ptrace/guest.h"

enum { EVENTS = 262144, EXCERPT = 24, MOST_DATA = 1 << 16, MOST_VECTORS = 16 };
enum kind { CALL, SIGNAL };

/* As it goes over the wire, in this machine's order of bytes. */
struct event {
  int32_t thread;
  uint8_t kind, answered, excerpt_length, reserved;
  int64_t number; /* of the call or the signal */
  int64_t clock;  /* virtual, ns */
  uint64_t counter;
  uint64_t args[6];
  uint64_t registers; /* a digest of all of them */
  int64_t result;
  uint64_t data; /* a digest of what the pointers lead to, as far as we know the call */
  uint8_t excerpt[EXCERPT];
};

_Static_assert(sizeof(struct event) == 128, "docs/harness.md says so");

static struct event events[EVENTS];
static size_t count;
static int logging;

void log_begin(void) { logging = 1; }

int is_logging(void) { return logging; }

/* What an argument points to, before the kernel looks at it (TEXT, FROM_…) or after it answered (INTO_…). */
enum data { TEXT, FROM_BYTES, FROM_VECTOR, FROM_MESSAGE, INTO_BYTES, INTO_VECTOR, INTO_MESSAGE, INTO_STRUCTURE };

static const struct look {
  short number, data, pointer;
  short size; /* which argument says it, or a structure's own; else the answer does */
} looks[] = {
    {SYS_open, TEXT, 0, 0}, {SYS_openat, TEXT, 1, 0}, {SYS_openat2, TEXT, 1, 0}, {SYS_creat, TEXT, 0, 0},
    {SYS_stat, TEXT, 0, 0}, {SYS_lstat, TEXT, 0, 0}, {SYS_newfstatat, TEXT, 1, 0}, {SYS_statx, TEXT, 1, 0},
    {SYS_statfs, TEXT, 0, 0}, {SYS_access, TEXT, 0, 0}, {SYS_faccessat, TEXT, 1, 0}, {SYS_faccessat2, TEXT, 1, 0},
    {SYS_readlink, TEXT, 0, 0}, {SYS_readlinkat, TEXT, 1, 0}, {SYS_execve, TEXT, 0, 0}, {SYS_execveat, TEXT, 1, 0},
    {SYS_chdir, TEXT, 0, 0}, {SYS_mkdir, TEXT, 0, 0}, {SYS_mkdirat, TEXT, 1, 0}, {SYS_rmdir, TEXT, 0, 0},
    {SYS_unlink, TEXT, 0, 0}, {SYS_unlinkat, TEXT, 1, 0}, {SYS_rename, TEXT, 0, 0}, {SYS_renameat, TEXT, 1, 0},
    {SYS_renameat2, TEXT, 1, 0}, {SYS_symlink, TEXT, 1, 0}, {SYS_link, TEXT, 0, 0}, {SYS_chmod, TEXT, 0, 0},
    {SYS_memfd_create, TEXT, 0, 0}, {SYS_truncate, TEXT, 0, 0},
    {SYS_write, FROM_BYTES, 1, 2}, {SYS_pwrite64, FROM_BYTES, 1, 2}, {SYS_sendto, FROM_BYTES, 1, 2},
    {SYS_connect, FROM_BYTES, 1, 2}, {SYS_bind, FROM_BYTES, 1, 2},
    {SYS_writev, FROM_VECTOR, 1, 2}, {SYS_pwritev, FROM_VECTOR, 1, 2}, {SYS_sendmsg, FROM_MESSAGE, 1, 0},
    {SYS_read, INTO_BYTES, 1, 0}, {SYS_pread64, INTO_BYTES, 1, 0}, {SYS_recvfrom, INTO_BYTES, 1, 0},
    {SYS_getrandom, INTO_BYTES, 0, 0}, {SYS_getdents64, INTO_BYTES, 1, 0}, {SYS_readlink, INTO_BYTES, 1, 0},
    {SYS_readlinkat, INTO_BYTES, 2, 0}, {SYS_getcwd, INTO_BYTES, 0, 0}, {SYS_sched_getaffinity, INTO_BYTES, 2, 0},
    {SYS_readv, INTO_VECTOR, 1, 2}, {SYS_preadv, INTO_VECTOR, 1, 2}, {SYS_recvmsg, INTO_MESSAGE, 1, 0},
    {SYS_stat, INTO_STRUCTURE, 1, 144}, {SYS_lstat, INTO_STRUCTURE, 1, 144}, {SYS_fstat, INTO_STRUCTURE, 1, 144},
    {SYS_newfstatat, INTO_STRUCTURE, 2, 144}, {SYS_statx, INTO_STRUCTURE, 4, 256}, {SYS_statfs, INTO_STRUCTURE, 1, 120},
    {SYS_fstatfs, INTO_STRUCTURE, 1, 120}, {SYS_clock_gettime, INTO_STRUCTURE, 1, 16},
    {SYS_gettimeofday, INTO_STRUCTURE, 0, 16}, {SYS_times, INTO_STRUCTURE, 0, 32}, {SYS_uname, INTO_STRUCTURE, 0, 390},
    {SYS_sysinfo, INTO_STRUCTURE, 0, 112}, {SYS_getrusage, INTO_STRUCTURE, 1, 144}, {SYS_wait4, INTO_STRUCTURE, 1, 4},
    {SYS_waitid, INTO_STRUCTURE, 2, 128}, {SYS_pipe, INTO_STRUCTURE, 0, 8}, {SYS_pipe2, INTO_STRUCTURE, 0, 8},
    {SYS_prlimit64, INTO_STRUCTURE, 3, 16}, {SYS_socketpair, INTO_STRUCTURE, 3, 8},
};

/* FNV-1a: it shows a difference, and proves nothing. */
static uint64_t digest(uint64_t so_far, const void *bytes, size_t size) {
  const uint8_t *b = bytes;
  for (size_t i = 0; i < size; i++) so_far = (so_far ^ b[i]) * 0x100000001b3ULL;
  return so_far;
}

static void add_bytes(struct event *e, const void *bytes, size_t size) {
  if (!e->excerpt_length) {
    e->excerpt_length = (uint8_t)(size < EXCERPT ? size : EXCERPT);
    memcpy(e->excerpt, bytes, e->excerpt_length);
  }
  e->data = digest(e->data, bytes, size);
}

static void add_data(struct task *t, struct event *e, uint64_t address, uint64_t size) {
  uint8_t piece[4096];
  if (size > MOST_DATA) size = MOST_DATA;
  for (size_t n; size > 0; address += n, size -= n) {
    n = guest_read_some(t, address, piece, size < sizeof piece ? size : sizeof piece);
    if (n == 0) return;
    add_bytes(e, piece, n);
  }
}

static void add_vector(struct task *t, struct event *e, uint64_t address, uint64_t vectors, uint64_t limit) {
  for (uint64_t i = 0; i < vectors && i < MOST_VECTORS && limit > 0; i++) {
    struct iovec v;
    if (!guest_read(t, address + i * sizeof v, &v, sizeof v)) return;
    uint64_t size = v.iov_len < limit ? v.iov_len : limit;
    add_data(t, e, (uint64_t)(uintptr_t)v.iov_base, size);
    limit -= size;
  }
}

static void add_message(struct task *t, struct event *e, uint64_t address, uint64_t limit) {
  struct { uint64_t name, name_size, vectors, count; } head;
  if (guest_read(t, address, &head, sizeof head)) add_vector(t, e, head.vectors, head.count, limit);
}

static void add_text(struct task *t, struct event *e, uint64_t address) {
  char text[4096];
  if (guest_text(t, address, text, sizeof text)) add_bytes(e, text, strlen(text));
}

static void look(struct task *t, struct event *e, int answered) {
  uint64_t result = answered && e->result > 0 ? (uint64_t)e->result : 0;
  for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
    const struct look *l = &looks[i];
    if (l->number != e->number || (l->data >= INTO_BYTES) != answered || (answered && e->result < 0)) continue;
    uint64_t at = e->args[l->pointer];
    switch ((enum data)l->data) {
      case TEXT: add_text(t, e, at); break;
      case FROM_BYTES: add_data(t, e, at, e->args[l->size]); break;
      case FROM_VECTOR: add_vector(t, e, at, e->args[l->size], MOST_DATA); break;
      case FROM_MESSAGE: add_message(t, e, at, MOST_DATA); break;
      case INTO_BYTES: add_data(t, e, at, result); break;
      case INTO_VECTOR: add_vector(t, e, at, e->args[l->size], result); break;
      case INTO_MESSAGE: add_message(t, e, at, result); break;
      case INTO_STRUCTURE: add_data(t, e, at, (uint64_t)l->size); break;
    }
  }
}

static struct event *next_event(struct task *t, enum kind kind, int64_t number) {
  if (!logging || count == EVENTS) return NULL;
  struct event *e = &events[count++];
  *e = (struct event){.thread = t->tid, .kind = kind, .number = number, .clock = clock_now()};
  e->registers = e->data = 0xcbf29ce484222325ULL;
  return e;
}

void log_call(struct task *t) {
  uint64_t value;
  struct event *e = next_event(t, CALL, t->call.nr);
  t->event = e ? count : 0;
  if (!e) return;
  e->counter = arch_counter(t);
  memcpy(e->args, t->call.args, sizeof e->args);
  for (int i = 0; arch_register(t, i, &value); i++) e->registers = digest(e->registers, &value, sizeof value);
  look(t, e, 0);
}

void log_answer(struct task *t, int64_t result) {
  if (!t->event) return;
  struct event *e = &events[t->event - 1];
  t->event = 0;
  e->answered = 1;
  e->result = result;
  look(t, e, 1);
}

void log_signal(struct task *t, int signal) { next_event(t, SIGNAL, signal); }

const void *log_bytes(size_t *size) {
  *size = count * sizeof *events;
  return logging ? events : NULL;
}
