/* Reads and writes a guest's memory through /proc/TID/mem, and borrows its descriptors through a pidfd. */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "loop/traps.h"

int guest_readable(struct task *t) {
  struct process *p = t->process;
  char path[32];
  if (p->memory >= 0) return 1;
  snprintf(path, sizeof path, "/proc/%d/mem", (int)t->tid);
  p->memory = open(path, O_RDWR | O_CLOEXEC);
  return p->memory >= 0;
}

size_t guest_read_some(struct task *t, uint64_t address, void *to, size_t size) {
  if (size == 0 || !guest_readable(t) || address > INT64_MAX) return 0;
  ssize_t n = pread(t->process->memory, to, size, (off_t)address);
  return n > 0 ? (size_t)n : 0;
}

int guest_read(struct task *t, uint64_t address, void *to, size_t size) {
  return guest_read_some(t, address, to, size) == size;
}

int guest_write(struct task *t, uint64_t address, const void *from, size_t size) {
  if (size == 0) return 1;
  if (!guest_readable(t) || address > INT64_MAX) return 0;
  return pwrite(t->process->memory, from, size, (off_t)address) == (ssize_t)size;
}

/* In pieces, since most texts are short. */
int guest_text(struct task *t, uint64_t address, char *to, size_t room) {
  enum { PIECE = 128 };
  for (size_t have = 0, n; have < room; have += n) {
    n = guest_read_some(t, address + have, to + have, room - have < PIECE ? room - have : PIECE);
    if (n == 0) return 0;
    if (memchr(to + have, 0, n)) return 1;
  }
  return 0;
}

int guest_descriptor(struct task *t, int fd) {
  struct process *p = t->process;
  if (fd < 0) return -1;
  if (p->handle < 0) p->handle = (int)syscall(SYS_pidfd_open, p->tgid, 0);
  return p->handle < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, p->handle, fd, 0);
}

/* Our own descriptor of the folder that a relative path starts from. */
static int folder_at(struct task *t, int at) {
  char link[64];
  if (at != AT_FDCWD) return guest_descriptor(t, at);
  snprintf(link, sizeof link, "/proc/%d/cwd", (int)t->tid);
  return open(link, O_PATH | O_CLOEXEC);
}

int guest_lookup(struct task *t, int at, const char *path, int flags, struct stat *st) {
  if (*path == '/') return fstatat(AT_FDCWD, path, st, flags) == 0;
  int folder = folder_at(t, at);
  if (folder < 0) return 0;
  int found = fstatat(folder, path, st, flags | AT_EMPTY_PATH) == 0;
  close(folder);
  return found;
}

int guest_walk(struct task *t, int at, const char *path, int flags, struct stat *st) {
  struct { uint64_t flags, mode, resolve; } how = {O_PATH | O_CLOEXEC, 0, RESOLVE_NO_XDEV};
  if (flags & AT_SYMLINK_NOFOLLOW) how.flags |= O_NOFOLLOW;
  int single = flags & AT_SYMLINK_NOFOLLOW && !strchr(path, '/');
  int folder = *path == '/' ? AT_FDCWD : folder_at(t, at), result;
  if (folder < 0 && folder != AT_FDCWD) return -EBADF;
  int fd = single ? folder : (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
  if (single) result = fstatat(folder, path, st, AT_SYMLINK_NOFOLLOW);
  else result = fd < 0 ? -1 : fstat(fd, st);
  if (result != 0) result = -errno;
  if (fd >= 0) close(fd);
  if (folder >= 0 && fd != folder) close(folder);
  return result;
}

int guest_poll(struct task *t, int fd, short events) {
  struct pollfd one = {.fd = guest_descriptor(t, fd), .events = events};
  if (one.fd < 0) return -1;
  int n = poll(&one, 1, 0);
  close(one.fd);
  return n > 0 ? one.revents : 0;
}

long guest_proc(struct task *t, const char *name, char *to, size_t room) {
  char path[64];
  size_t have = 0;
  snprintf(path, sizeof path, "/proc/%d/%s", (int)t->tid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  for (ssize_t n; have + 1 < room && (n = read(fd, to + have, room - 1 - have)) > 0;) have += (size_t)n;
  close(fd);
  to[have] = 0;
  return (long)have;
}

uint64_t guest_mask(const char *status, const char *name) {
  const char *at = strstr(status, name);
  return at ? strtoull(at + strlen(name), NULL, 16) : 0;
}

int guest_pending(struct task *t, int whole, uint64_t *signals) {
  char status[4096];
  if (guest_proc(t, "status", status, sizeof status) < 0) return 0;
  *signals = guest_mask(status, whole ? "\nShdPnd:\t" : "\nSigPnd:\t");
  return 1;
}

static uint64_t ignored_in(const struct task *t, const char *status) {
  const uint64_t harmless =
      1ULL << (SIGCHLD - 1) | 1ULL << (SIGCONT - 1) | 1ULL << (SIGURG - 1) | 1ULL << (SIGWINCH - 1);
  uint64_t ignored = guest_mask(status, "\nSigIgn:\t"), caught = guest_mask(status, "\nSigCgt:\t");
  traps_correct(t->process, &ignored, &caught);
  return ignored | (harmless & ~caught);
}

static uint64_t pending_in(const char *status) {
  return guest_mask(status, "\nSigPnd:\t") | guest_mask(status, "\nShdPnd:\t");
}

uint64_t guest_signals(struct task *t, const uint64_t *blocked, uint64_t *caught) {
  char status[4096];
  if (t->process->stops) return 1ULL << (SIGSTOP - 1);
  /* The kernel delivers what is pending before a thread runs, so only what came since then can matter. */
  if (!blocked && !signals_unseen && t->heard == signals_sent) return 0;
  if (guest_proc(t, "status", status, sizeof status) < 0) return 0;
  uint64_t pending = pending_in(status) & ~ignored_in(t, status);
  if (caught) {
    uint64_t ignored = 0;
    *caught = guest_mask(status, "\nSigCgt:\t");
    traps_correct(t->process, &ignored, caught);
  }
  pending &= ~(blocked ? *blocked : guest_mask(status, "\nSigBlk:\t"));
  if (!blocked && !pending) t->heard = signals_sent;
  return pending;
}

uint64_t guest_ignored(struct task *t) {
  char status[4096];
  return guest_proc(t, "status", status, sizeof status) < 0 ? 0 : ignored_in(t, status);
}

uint64_t guest_awaited(struct task *t) {
  char status[4096];
  if (guest_proc(t, "status", status, sizeof status) < 0) return 0;
  return pending_in(status) & (guest_mask(status, "\nSigBlk:\t") | ~ignored_in(t, status));
}
