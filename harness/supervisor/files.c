/* stat in all its forms: what the kernel says is made the same everywhere, in one stop where that is safe. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "calls.h"
#include "guest.h"
#include "inodes.h"

enum action on_stat(struct task *t, struct call *c) {
  (void)t, (void)c;
  return AFTER;
}

static enum action answer(struct task *t, struct call *c, uint64_t address, struct stat *st) {
  normalise_stat(st);
  c->result = guest_write(t, address, st, sizeof *st) ? 0 : -EFAULT;
  return DONE;
}

/* Descriptors are looked at from here: one stop instead of two. */
static enum action on_fstat_at(struct task *t, struct call *c, uint64_t address) {
  struct stat st;
  int fd = guest_descriptor(t, (int)c->args[0]), known = fd >= 0 && fstat(fd, &st) == 0;
  if (fd >= 0) close(fd);
  return known ? answer(t, c, address, &st) : AFTER;
}

enum action on_fstat(struct task *t, struct call *c) { return on_fstat_at(t, c, c->args[1]); }

/* So are names that lead nowhere from the guest's folder but through its own mount, never into our /proc/self. */
enum action on_newfstatat(struct task *t, struct call *c) {
  char name[PATH_MAX];
  struct stat st;
  int flags = (int)c->args[3];
  if (!guest_text(t, c->args[1], name, sizeof name)) return AFTER;
  if (!*name) return flags == AT_EMPTY_PATH ? on_fstat_at(t, c, c->args[2]) : AFTER;
  if (flags & ~AT_SYMLINK_NOFOLLOW) return AFTER;
  c->result = guest_walk(t, (int)c->args[0], name, flags, &st);
  if (c->result == 0) return answer(t, c, c->args[2], &st);
  return c->result == -ENOENT || c->result == -ENOTDIR ? DONE : AFTER;
}

static enum action normalise(struct task *t, struct call *c, uint64_t address) {
  struct stat st;
  if (c->result < 0 || !guest_read(t, address, &st, sizeof st)) return RUN;
  normalise_stat(&st);
  guest_write(t, address, &st, sizeof st);
  return RUN;
}

enum action after_stat(struct task *t, struct call *c) { return normalise(t, c, c->args[1]); }
enum action after_newfstatat(struct task *t, struct call *c) { return normalise(t, c, c->args[2]); }

/* The statx record of the kernel, as far as it can differ. */
struct stamp {
  int64_t sec;
  uint32_t nsec, pad;
};
struct record {
  uint32_t mask, blksize;
  uint64_t attributes;
  uint32_t nlink, uid, gid;
  uint16_t mode, pad;
  uint64_t ino, size, blocks, attributes_mask;
  struct stamp atime, btime, ctime, mtime;
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t mount, tail[13];
};

enum action after_statx(struct task *t, struct call *c) {
  enum { BASIC = 0x7ff };
  struct record r;
  struct stat st = {0};
  if (c->result < 0 || !guest_read(t, c->args[4], &r, sizeof r)) return RUN;
  st.st_dev = makedev(r.dev_major, r.dev_minor);
  st.st_ino = r.ino;
  st.st_mode = r.mode;
  st.st_nlink = r.nlink;
  st.st_size = (off_t)r.size;
  st.st_mtim = (struct timespec){r.mtime.sec, r.mtime.nsec};
  normalise_stat(&st);
  struct stamp when = {st.st_mtim.tv_sec, (uint32_t)st.st_mtim.tv_nsec, 0};
  r.mask &= BASIC;
  r.attributes = r.attributes_mask = r.mount = 0;
  memset(r.tail, 0, sizeof r.tail);
  r.ino = st.st_ino;
  r.nlink = (uint32_t)st.st_nlink;
  r.size = (uint64_t)st.st_size;
  r.blocks = (uint64_t)st.st_blocks;
  r.blksize = 4096;
  r.atime = r.ctime = r.mtime = when;
  r.btime = (struct stamp){0, 0, 0};
  r.dev_major = major(st.st_dev);
  r.dev_minor = minor(st.st_dev);
  guest_write(t, c->args[4], &r, sizeof r);
  return RUN;
}

/* How full the host's disk is tells nothing about the program. */
enum action after_statfs(struct task *t, struct call *c) {
  struct statfs s;
  if (c->result < 0 || !guest_read(t, c->args[1], &s, sizeof s)) return RUN;
  s.f_bsize = s.f_frsize = 4096;
  s.f_blocks = 1 << 24;
  s.f_bfree = s.f_bavail = 1 << 23;
  s.f_files = 1 << 22;
  s.f_ffree = 1 << 21;
  memset(&s.f_fsid, 0, sizeof s.f_fsid);
  s.f_flags = 0;
  guest_write(t, c->args[1], &s, sizeof s);
  return RUN;
}
