/* Who reads a program's text through /proc/PID/mem finds what its file holds, not what we wrote over it. */
#define _GNU_SOURCE
#include "memory_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/answer.h"
#include "ptrace/guest.h"
#include "rewrite/rewrite.h"

/* Whose memory is behind a descriptor of ours; NULL when it is something else. */
static const struct process *owner_of(int fd) {
  char link[32], path[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  path[n > 0 ? n : 0] = 0;
  if (n < 5 || strncmp(path, "/proc/", 6) != 0 || strcmp(path + n - 4, "/mem") != 0) return NULL;
  const struct task *owner = find_task((pid_t)strtol(path + 6, NULL, 10));
  return owner ? owner->process : NULL;
}

/* A short answer is one that the kernel gives as well, where a mapping ends. */
enum action read_memory_file(struct task *t, struct call *c, int fd, const struct stat *st) {
  static uint8_t bytes[1 << 16];
  if (!S_ISREG(st->st_mode) || st->st_size != 0 || !t->process->text) return RUN;
  if (c->nr != SYS_read && c->nr != SYS_pread64) return RUN;
  const struct process *owner = owner_of(fd);
  if (!owner) return RUN;
  off_t at = c->nr == SYS_read ? lseek(fd, 0, SEEK_CUR) : (off_t)c->args[3];
  ssize_t n = pread(fd, bytes, c->args[2] < sizeof bytes ? (size_t)c->args[2] : sizeof bytes, at);
  if (n < 0) return answer(c, -errno);
  show_original(owner, (uint64_t)at, bytes, (uint64_t)n);
  if (n && !guest_write(t, c->args[1], bytes, (size_t)n)) return answer(c, -EFAULT);
  if (c->nr == SYS_read) lseek(fd, n, SEEK_CUR);
  return answer(c, n);
}
