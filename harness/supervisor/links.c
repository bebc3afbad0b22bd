/* readlink below /proc: names of pipes, sockets and name spaces carry inode numbers, which become ours. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "guest.h"
#include "inodes.h"

/* Only what may lead below /proc is looked at twice. */
enum action on_readlink(struct task *t, struct call *c) {
  char path[PATH_MAX], link[64], folder[8] = "";
  int at = c->nr == SYS_readlink ? 0 : 1;
  if (!guest_text(t, c->args[at], path, sizeof path)) return RUN;
  if (path[0] == '/') return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/", 5) == 0 ? AFTER : RUN;
  if (at == 0 || (int)c->args[0] == AT_FDCWD) snprintf(link, sizeof link, "/proc/%d/cwd", (int)t->tid);
  else snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)t->tid, (int)c->args[0]);
  ssize_t n = readlink(link, folder, sizeof folder - 1);
  return n > 0 && strncmp(folder, "/proc", 5) == 0 ? AFTER : RUN;
}

/* The device that such inodes are of, which a descriptor of our own tells; 0 when there is none. */
static dev_t device_of(const char *kind) {
  struct stat st = {0};
  int ends[2] = {-1, -1};
  if (strcmp(kind, "pipe") == 0) {
    if (pipe2(ends, O_CLOEXEC) != 0) return 0;
    fstat(ends[0], &st);
  } else if (strcmp(kind, "socket") == 0) {
    ends[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fstat(ends[0], &st);
  } else {
    stat("/proc/self/ns/pid", &st);
  }
  for (int i = 0; i < 2; i++)
    if (ends[i] >= 0) close(ends[i]);
  return st.st_dev;
}

enum action after_readlink(struct task *t, struct call *c) {
  char text[64] = "", kind[32], shown[96];
  unsigned long long inode;
  int at = c->nr == SYS_readlink ? 1 : 2;
  if (c->result <= 0 || c->result >= (int64_t)sizeof text) return RUN;
  if (!guest_read(t, c->args[at], text, (size_t)c->result)) return RUN;
  if (sscanf(text, "%31[a-z_]:[%llu]", kind, &inode) != 2) return RUN;
  int n = snprintf(shown, sizeof shown, "%s:[%llu]", kind, (unsigned long long)inode_number(device_of(kind), inode));
  uint64_t size = (uint64_t)n < c->args[at + 1] ? (uint64_t)n : c->args[at + 1];
  if (guest_write(t, c->args[at], shown, size)) c->result = (int64_t)size;
  return DONE;
}
