/* Files that the guest makes or dates: their numbers are new, their times the virtual clock's or the guest's own. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/calls.h"
#include "entries.h"
#include "ptrace/guest.h"
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

static int follows(const struct call *c) {
  switch (c->nr) {
    case SYS_utime:
    case SYS_utimes:
    case SYS_futimesat: return 1;
    case SYS_utimensat: return !(c->args[3] & AT_SYMLINK_NOFOLLOW);
    default: return 0;
  }
}

/* `path` has PATH_MAX bytes. */
static int name_of(struct task *t, const struct call *c, char *path, int *folder) {
  int at = path_index(c->nr);
  *folder = at == 0 || c->nr == SYS_symlink ? AT_FDCWD : (int)c->args[at - 1];
  *path = 0;
  return !c->args[at] || guest_text(t, c->args[at], path, PATH_MAX);
}

static int target(struct task *t, const struct call *c, struct stat *st) {
  char path[PATH_MAX];
  int folder;
  return name_of(t, c, path, &folder) && guest_lookup(t, folder, path, follows(c) ? 0 : AT_SYMLINK_NOFOLLOW, st);
}

enum action after_make(struct task *t, struct call *c) {
  char path[PATH_MAX];
  struct stat st;
  int folder;
  if (c->result != 0 || !name_of(t, c, path, &folder)) return RUN;
  if (guest_lookup(t, folder, path, AT_SYMLINK_NOFOLLOW, &st)) inode_born(st.st_dev, st.st_ino);
  entry_changed(t, folder, path);
  return RUN;
}

static enum dating dating_of(int64_t nanoseconds) {
  return nanoseconds == UTIME_NOW ? TO_NOW : nanoseconds == UTIME_OMIT ? AS_IT_WAS : TO_GIVEN;
}

/* What the call asks for the access time and the time of change. */
static void read_datings(struct task *t, const struct call *c, enum dating *access, enum dating *change) {
  int64_t times[4];
  uint64_t address = c->args[path_index(c->nr) + 1];
  *access = *change = address ? TO_GIVEN : TO_NOW;
  if (!address || c->nr != SYS_utimensat || !guest_read(t, address, times, sizeof times)) return;
  *access = dating_of(times[1]);
  *change = dating_of(times[3]);
}

/* A time that is not set stays as the guest knows it, even if the file system has another one then. */
enum action on_utimes(struct task *t, struct call *c) {
  struct stat st;
  if (target(t, c, &st)) inode_dated(&st, AS_IT_WAS, AS_IT_WAS);
  return AFTER;
}

enum action after_utimes(struct task *t, struct call *c) {
  struct stat st;
  enum dating access, change;
  if (c->result != 0 || !target(t, c, &st)) return RUN;
  read_datings(t, c, &access, &change);
  inode_dated(&st, access, change);
  return RUN;
}

/* A file that gets another size, or other bytes, without a write. */
enum action after_resize(struct task *t, struct call *c) {
  struct stat st;
  char path[PATH_MAX];
  int fd = c->nr == SYS_truncate ? -1 : guest_descriptor(t, (int)c->args[0]), known;
  if (c->nr != SYS_truncate) known = fd >= 0 && fstat(fd, &st) == 0;
  else known = guest_text(t, c->args[0], path, sizeof path) && guest_lookup(t, AT_FDCWD, path, 0, &st);
  if (fd >= 0) close(fd);
  if (c->result == 0 && known) inode_written(st.st_dev, st.st_ino);
  return RUN;
}
