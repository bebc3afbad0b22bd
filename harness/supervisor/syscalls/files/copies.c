/* splice and its family: calls that move bytes between descriptors without a read or a write. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "arch/arch.h"
#include "loop/calls.h"
#include "ptrace/guest.h"
#include "inodes.h"
#include "syscalls/io/vectors.h"

enum { NO_WAIT = 2 /* SPLICE_F_NONBLOCK */, MEMORY = 1, RANDOM = 8, URANDOM = 9 };

/* Which arguments are the source, the target and the flags; -1: there is none. */
struct shape {
  int from, to, flags;
};

static struct shape shape_of(long nr) {
  switch (nr) {
    case SYS_sendfile: return (struct shape){1, 0, -1};
    case SYS_tee: return (struct shape){0, 1, 3};
    case SYS_vmsplice: return (struct shape){-1, 0, 3};
    case SYS_splice: return (struct shape){0, 2, 5};
    default: return (struct shape){0, 2, -1};
  }
}

static int patience(struct task *t, const struct call *c, int argument, int patient) {
  int fd = argument < 0 ? -1 : guest_descriptor(t, (int)c->args[argument]);
  if (fd < 0) return 0;
  int flags = fcntl(fd, F_GETFL), was = !(flags & O_NONBLOCK);
  if (patient >= 0) fcntl(fd, F_SETFL, patient ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
  close(fd);
  return was;
}

/* The kernel's entropy must not bypass the supervisor: programs then use read and write. */
static int is_entropy(struct task *t, const struct call *c, int argument) {
  struct stat st;
  int fd = argument < 0 ? -1 : guest_descriptor(t, (int)c->args[argument]);
  int found = fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) == MEMORY &&
              (minor(st.st_rdev) == RANDOM || minor(st.st_rdev) == URANDOM);
  if (fd >= 0) close(fd);
  return found;
}

static void mark_written(struct task *t, int number) {
  struct stat st;
  int fd = guest_descriptor(t, number);
  if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) inode_written(st.st_dev, st.st_ino);
  if (fd >= 0) close(fd);
}

/* A call that would wait is made without waiting; after_copy restores both descriptions. */
enum action on_copy(struct task *t, struct call *c) {
  struct shape s = shape_of(c->nr);
  c->result = -EINVAL;
  if (is_entropy(t, c, s.from)) return DONE;
  mark_written(t, (int)c->args[s.to]);
  if (c->nr == SYS_copy_file_range) return RUN;
  if (s.flags >= 0 && c->args[s.flags] & NO_WAIT) return RUN;
  if (s.from >= 0 && !patience(t, c, s.from, -1)) return RUN;
  if (!patience(t, c, s.to, -1)) return RUN;
  patience(t, c, s.from, 0);
  patience(t, c, s.to, 0);
  if (t->retry) vector_lay_out(t);
  else vector_keep(t, c);
  struct call trying = *c;
  if (s.flags >= 0) trying.args[s.flags] |= NO_WAIT;
  arch_replace(t, &trying);
  return AFTER;
}

enum action after_copy(struct task *t, struct call *c) {
  struct shape s = shape_of(c->nr);
  patience(t, c, s.from, 1);
  patience(t, c, s.to, 1);
  vector_take_back(t);
  return c->result == -EAGAIN ? AGAIN : DONE;
}
