/* readlink below /proc: names of pipes, sockets and name spaces carry inode numbers, which become ours. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/calls.h"
#include "ptrace/guest.h"
#include "rewrite/untraced.h"
#include "syscalls/files/inodes.h"

/* Only what may lead below /proc is looked at twice. */
enum action on_readlink(struct task *t, struct call *c) {
  char path[PATH_MAX], link[64], folder[8] = "";
  untraced_call(t);
  int at = c->nr == SYS_readlink ? 0 : 1;
  if (!guest_text(t, c->args[at], path, sizeof path)) return RUN;
  if (path[0] == '/') return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/", 5) == 0 ? AFTER : RUN;
  if (at == 0 || (int)c->args[0] == AT_FDCWD) snprintf(link, sizeof link, "/proc/%d/cwd", (int)t->tid);
  else snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)t->tid, (int)c->args[0]);
  ssize_t n = readlink(link, folder, sizeof folder - 1);
  return n > 0 && (strncmp(folder, "/proc", 5) == 0 || strstr(path, "proc")) ? AFTER : RUN;
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

/* The number of the file behind the descriptor that the link's own name ends with; 0 when that is none. */
static uint64_t number_of(struct task *t, const struct call *c) {
  char path[PATH_MAX];
  struct stat st;
  if (!guest_text(t, c->args[c->nr == SYS_readlink ? 0 : 1], path, sizeof path)) return 0;
  const char *end = path + strlen(path);
  while (end > path && end[-1] >= '0' && end[-1] <= '9') end--;
  int fd = guest_descriptor(t, atoi(end)), known = fd >= 0 && fstat(fd, &st) == 0;
  if (fd >= 0) close(fd);
  return known ? inode_number(st.st_dev, st.st_ino) : 0;
}

/* "pipe:[7]" and "/folder/#7 (deleted)", which is a file that never had a name; 0 for all others. */
static int rewrite(struct task *t, const struct call *c, char *text, char *shown, size_t room) {
  char kind[32];
  unsigned long long inode;
  int n = 0;
  char *name = strrchr(text, '/');
  if (sscanf(text, "%31[a-z_]:[%llu]", kind, &inode) == 2)
    return snprintf(shown, room, "%s:[%llu]", kind, (unsigned long long)inode_number(device_of(kind), inode));
  if (!name || sscanf(name, "/#%llu (deleted)%n", &inode, &n) != 1 || n == 0) return 0;
  *name = 0;
  return snprintf(shown, room, "%s/#%llu (deleted)", text, (unsigned long long)number_of(t, c));
}

enum action after_readlink(struct task *t, struct call *c) {
  char text[PATH_MAX] = "", shown[PATH_MAX + 64];
  int at = c->nr == SYS_readlink ? 1 : 2;
  if (c->result <= 0 || c->result >= (int64_t)sizeof text) return RUN;
  if (!guest_read(t, c->args[at], text, (size_t)c->result)) return RUN;
  text[c->result] = 0;
  int n = rewrite(t, c, text, shown, sizeof shown);
  if (n == 0) return RUN;
  uint64_t size = (uint64_t)n < c->args[at + 1] ? (uint64_t)n : c->args[at + 1];
  if (guest_write(t, c->args[at], shown, size)) c->result = (int64_t)size;
  return DONE;
}
