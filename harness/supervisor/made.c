/* Files that the guest makes or dates: their numbers are new, their times the virtual clock's or the guest's own. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>

#include "calls.h"
#include "guest.h"
#include "inodes.h"

/* Where the path of a call stands among its arguments; the folder's descriptor comes right before it. */
static int path_index(long nr) {
  switch (nr) {
    case SYS_mkdirat:
    case SYS_mknodat:
    case SYS_symlink:
    case SYS_futimesat:
    case SYS_utimensat: return 1;
    case SYS_symlinkat: return 2;
    default: return 0;
  }
}

static int target(struct task *t, const struct call *c, struct stat *st) {
  char path[PATH_MAX] = "";
  int at = path_index(c->nr), folder = at == 0 || c->nr == SYS_symlink ? AT_FDCWD : (int)c->args[at - 1];
  if (c->args[at] && !guest_text(t, c->args[at], path, sizeof path)) return 0;
  return guest_lookup(t, folder, path, st);
}

enum action after_make(struct task *t, struct call *c) {
  struct stat st;
  if (c->result == 0 && target(t, c, &st)) inode_born(st.st_dev, st.st_ino);
  return RUN;
}

/* 1: a time of the guest's own, 0: now, -1: as it was. */
static int own_time(struct task *t, const struct call *c) {
  int64_t times[4];
  uint64_t address = c->args[path_index(c->nr) + 1];
  if (!address || (c->nr != SYS_utime && !guest_read(t, address, times, sizeof times))) return 0;
  if (c->nr != SYS_utimensat) return 1;
  return times[3] == UTIME_NOW ? 0 : times[3] == UTIME_OMIT ? -1 : 1;
}

enum action after_utimes(struct task *t, struct call *c) {
  struct stat st;
  int own = c->result == 0 ? own_time(t, c) : -1;
  if (own < 0 || !target(t, c, &st)) return RUN;
  if (own) inode_dated(st.st_dev, st.st_ino, &st.st_mtim);
  else inode_written(st.st_dev, st.st_ino);
  return RUN;
}
