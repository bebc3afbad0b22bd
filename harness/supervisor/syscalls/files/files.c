/* stat in all its forms: the kernel's answer is made the same everywhere, in one stop where that is safe. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "loop/calls.h"
#include "ptrace/guest.h"
#include "inodes.h"
#include "rewrite/untraced.h"

enum action observe_exit(struct task *t, struct call *c) {
  (void)t, (void)c;
  return AFTER;
}

/* Where a call of the stat family names a file, and how it treats links and empty names. */
struct asked {
  int at, flags;
  uint64_t path, answer;
};

typedef int64_t put_answer(struct task *t, uint64_t address, struct stat *st);

static int64_t put_stat(struct task *t, uint64_t address, struct stat *st) {
  normalise_stat(st);
  return guest_write(t, address, st, sizeof *st) ? 0 : -EFAULT;
}

static enum action answer(struct task *t, struct call *c, uint64_t address, struct stat *st, put_answer *put) {
  c->result = put(t, address, st);
  return DONE;
}

/* Descriptors are looked at from here: one stop instead of two. */
static enum action on_descriptor(struct task *t, struct call *c, uint64_t address, put_answer *put) {
  struct stat st;
  int fd = guest_descriptor(t, (int)c->args[0]), known = fd >= 0 && fstat(fd, &st) == 0;
  if (fd >= 0) close(fd);
  return known ? answer(t, c, address, &st, put) : AFTER;
}

enum action on_fstat(struct task *t, struct call *c) { return on_descriptor(t, c, c->args[1], put_stat); }

/* So are names that stay within the mount of the guest's folder, and never lead into our /proc/self. */
static enum action on_name(struct task *t, struct call *c, struct asked a, put_answer *put) {
  char name[PATH_MAX];
  struct stat st;
  if (!guest_text(t, a.path, name, sizeof name)) return AFTER;
  if (!*name) return a.flags == AT_EMPTY_PATH ? on_descriptor(t, c, a.answer, put) : AFTER;
  if (a.flags & ~AT_SYMLINK_NOFOLLOW) return AFTER;
  c->result = guest_walk(t, a.at, name, a.flags, &st);
  if (c->result == 0) return answer(t, c, a.answer, &st, put);
  if (c->result != -ENOENT && c->result != -ENOTDIR) return AFTER;
  untraced_call(t);
  return DONE;
}

enum action on_newfstatat(struct task *t, struct call *c) {
  return on_name(t, c, (struct asked){(int)c->args[0], (int)c->args[3], c->args[1], c->args[2]}, put_stat);
}

enum action on_stat(struct task *t, struct call *c) {
  int flags = c->nr == SYS_lstat ? AT_SYMLINK_NOFOLLOW : 0;
  return on_name(t, c, (struct asked){AT_FDCWD, flags, c->args[0], c->args[1]}, put_stat);
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

/* The fields that are always there: all those of an older stat. */
enum { BASIC = 0x7ff };

static void put_times(struct record *r, const struct stat *st) {
  const struct timespec *from[] = {&st->st_atim, &st->st_ctim, &st->st_mtim};
  struct stamp *to[] = {&r->atime, &r->ctime, &r->mtime};
  for (int i = 0; i < 3; i++) *to[i] = (struct stamp){from[i]->tv_sec, (uint32_t)from[i]->tv_nsec, 0};
}

static int64_t put_record(struct task *t, uint64_t address, struct stat *st) {
  struct record r = {.mask = BASIC, .blksize = 4096, .uid = st->st_uid, .gid = st->st_gid};
  r.rdev_major = major(st->st_rdev);
  r.rdev_minor = minor(st->st_rdev);
  r.mode = (uint16_t)st->st_mode;
  normalise_stat(st);
  r.ino = st->st_ino;
  r.nlink = (uint32_t)st->st_nlink;
  r.size = (uint64_t)st->st_size;
  r.blocks = (uint64_t)st->st_blocks;
  r.dev_major = major(st->st_dev);
  r.dev_minor = minor(st->st_dev);
  put_times(&r, st);
  return guest_write(t, address, &r, sizeof r) ? 0 : -EFAULT;
}

/* How fresh a network file system's answer has to be makes no difference here, nor whether it is mounted for it. */
enum action on_statx(struct task *t, struct call *c) {
  enum { NO_AUTOMOUNT = 0x800, SYNC = 0x6000 };
  const uint32_t reserved = 0x80000000;
  uint32_t flags = (uint32_t)c->args[2];
  if ((flags & SYNC) == SYNC || (uint32_t)c->args[3] & reserved) return AFTER;
  int known = (int)(flags & ~(uint32_t)(NO_AUTOMOUNT | SYNC));
  return on_name(t, c, (struct asked){(int)c->args[0], known, c->args[1], c->args[4]}, put_record);
}

enum action after_statx(struct task *t, struct call *c) {
  struct record r;
  struct stat st = {0};
  if (c->result < 0 || !guest_read(t, c->args[4], &r, sizeof r)) return RUN;
  st.st_dev = makedev(r.dev_major, r.dev_minor);
  st.st_rdev = makedev(r.rdev_major, r.rdev_minor);
  st.st_ino = r.ino;
  st.st_mode = r.mode;
  st.st_uid = r.uid;
  st.st_gid = r.gid;
  st.st_nlink = r.nlink;
  st.st_size = (off_t)r.size;
  st.st_atim = (struct timespec){r.atime.sec, r.atime.nsec};
  st.st_mtim = (struct timespec){r.mtime.sec, r.mtime.nsec};
  put_record(t, c->args[4], &st);
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
