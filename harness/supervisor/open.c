/* Opening: a file that tells of the host is replaced by one in memory; what is created gets virtual time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch.h"
#include "calls.h"
#include "fifo.h"
#include "guest.h"
#include "inodes.h"
#include "proc.h"

static uint64_t flags_of(struct task *t, const struct call *c) {
  uint64_t flags = 0;
  switch (c->nr) {
    case SYS_open: return c->args[1];
    case SYS_openat: return c->args[2];
    case SYS_creat: return O_CREAT | O_WRONLY | O_TRUNC;
    default: return guest_read(t, c->args[2], &flags, sizeof flags) ? flags : 0;
  }
}

/* The folder a relative path starts from; "" where nobody can say. */
static void folder_of(struct task *t, const struct call *c, char *to, size_t room) {
  char link[64];
  int at = c->nr == SYS_openat || c->nr == SYS_openat2 ? (int)c->args[0] : AT_FDCWD;
  if (at == AT_FDCWD) snprintf(link, sizeof link, "/proc/%d/cwd", (int)t->tid);
  else snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)t->tid, at);
  ssize_t n = readlink(link, to, room - 1);
  to[n > 0 ? n : 0] = 0;
}

/* The absolute path, without doubled slashes and dots, when it leads below /proc or /sys; 0 otherwise. */
static int kernel_path(struct task *t, const struct call *c, char *to) {
  char given[PATH_MAX], full[2 * PATH_MAX + 2];
  uint64_t address = c->args[c->nr == SYS_open || c->nr == SYS_creat ? 0 : 1];
  if (!guest_text(t, address, given, sizeof given)) return 0;
  full[0] = 0;
  if (given[0] != '/') {
    folder_of(t, c, full, PATH_MAX);
    if (!full[0]) return 0;
    strcat(full, "/");
  }
  strcat(full, given);
  char *out = to, *save = NULL;
  for (char *word = strtok_r(full, "/", &save); word; word = strtok_r(NULL, "/", &save)) {
    if (strcmp(word, ".") == 0) continue;
    if (strcmp(word, "..") == 0) {
      while (out > to && *--out != '/') continue;
      continue;
    }
    if (out + strlen(word) + 2 > to + PATH_MAX) return 0;
    out += sprintf(out, "/%s", word);
  }
  *out = 0;
  return strncmp(to, "/proc/", 6) == 0 || strncmp(to, "/sys/", 5) == 0;
}

/* The path as it was given, and the folder it starts from. */
static int given_path(struct task *t, const struct call *c, char *path, int *at) {
  int first = c->nr == SYS_open || c->nr == SYS_creat;
  *at = first ? AT_FDCWD : (int)c->args[0];
  return guest_text(t, c->args[first ? 0 : 1], path, PATH_MAX);
}

static int exists(struct task *t, const struct call *c) {
  char path[PATH_MAX];
  struct stat st;
  int at;
  if (!given_path(t, c, path, &at) || !guest_lookup(t, at, path, AT_SYMLINK_NOFOLLOW, &st)) return 0;
  return !S_ISLNK(st.st_mode) || guest_lookup(t, at, path, 0, &st);
}

/* A file that was not there before, without a name or with one. */
static int creates(struct task *t, const struct call *c, uint64_t flags) {
  if ((flags & O_TMPFILE) == O_TMPFILE) return 1;
  return flags & O_CREAT && (flags & O_EXCL || !exists(t, c));
}

static char text[PROC_ROOM];

enum action on_open(struct task *t, struct call *c) {
  char path[PATH_MAX];
  uint64_t flags = flags_of(t, c);
  int at, given = given_path(t, c, path, &at);
  t->replaced = -1;
  t->opens_fifo = (c->nr == SYS_open || c->nr == SYS_openat) && given && is_fifo(t, at, path, flags);
  if (t->opens_fifo || (t->retry && t->fifo.waits)) return on_open_fifo(t, c, c->nr == SYS_open ? 1 : 2);
  if ((flags & O_ACCMODE) != O_WRONLY && !(flags & (O_DIRECTORY | O_PATH)) && kernel_path(t, c, path))
    t->replaced = proc_text(t, path, text, sizeof text);
  t->creates = creates(t, c, flags);
  if (t->replaced < 0) return flags & (O_CREAT | O_TRUNC | O_TMPFILE) ? AFTER : RUN;
  struct call memory = {SYS_memfd_create, {c->args[c->nr == SYS_open ? 0 : 1], flags & O_CLOEXEC ? MFD_CLOEXEC : 0}, 0};
  arch_replace(t, &memory);
  return AFTER;
}

enum action after_open(struct task *t, struct call *c) {
  struct stat st;
  if (t->opens_fifo) return after_open_fifo(t, c, flags_of(t, c));
  int fd = c->result < 0 ? -1 : guest_descriptor(t, (int)c->result);
  if (fd >= 0 && t->replaced >= 0) {
    if (write(fd, text, (size_t)t->replaced) != t->replaced) c->result = -5;
    lseek(fd, 0, SEEK_SET);
  } else if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0) {
    if (t->creates) inode_born(st.st_dev, st.st_ino);
    else if (flags_of(t, c) & O_TRUNC) inode_written(st.st_dev, st.st_ino);
  }
  if (fd >= 0) close(fd);
  return t->replaced >= 0 ? DONE : RUN;
}
