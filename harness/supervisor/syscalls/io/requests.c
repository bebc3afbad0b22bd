/* ioctl: requests that reveal real time, the host's numbers, or the file system below are refused or made the same. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "loop/answer.h"
#include "loop/calls.h"
#include "ptrace/guest.h"

/* As the kernel's headers number them. */
enum { BLOCK_SIZE = 2, SET_OWNER = 0x8901, SET_GROUP = 0x8902 };
static const uint32_t get_flags = 0x80086601, set_flags = 0x40086602, get_attributes = 0x801c581f;

static const struct {
  uint32_t request;
  int error;
} refused[] = {
    {0x8906, ENOENT}, {0x8907, ENOENT},         /* SIOCGSTAMP, SIOCGSTAMPNS: when a packet came */
    {0x80108906, ENOENT}, {0x80108907, ENOENT}, /* the same, as newer headers have them */
    {0x80087601, ENOTTY},                       /* FS_IOC_GETVERSION: an inode's generation */
    {0xc020660b, EOPNOTSUPP},                   /* FS_IOC_FIEMAP: where a file lies */
    {0x40049409, EOPNOTSUPP}, {0x4020940d, EOPNOTSUPP}, /* FICLONE, FICLONERANGE: some file systems can */
    {0xc0189436, EOPNOTSUPP},                   /* FIDEDUPERANGE */
};

/* Linux 6.1 knows none of these: they reveal numbers that the host counts. */
static int is_newer(uint32_t request) {
  enum { KIND = 0xff00, OF_PIDFD = 0xff00, OF_NAMESPACE = 0xb700, OF_FILE_SYSTEM = 0x1500, OLD_OF_NAMESPACE = 4 };
  uint32_t kind = request & KIND;
  return kind == OF_PIDFD || kind == OF_FILE_SYSTEM || (kind == OF_NAMESPACE && (request & 0xff) > OLD_OF_NAMESPACE);
}

/* How the file system below lays a file out is no attribute that a program gave it: extents, an index, a huge file, data
   beside the inode. */
static const uint32_t layout = 0x80000 | 0x1000 | 0x40000 | 0x10000000;

/* Flags that a guest sets have the layout's as they are, for the length of the call: it never saw them. */
static enum action on_set_flags(struct task *t, const struct call *c) {
  uint32_t flags;
  int real = 0, fd = guest_descriptor(t, (int)c->args[0]), known = fd >= 0 && ioctl(fd, (int)get_flags, &real) == 0;
  if (fd >= 0) close(fd);
  if (!known || !guest_read(t, c->args[2], &flags, sizeof flags)) return RUN;
  flags = (flags & ~layout) | ((uint32_t)real & layout);
  guest_write(t, c->args[2], &flags, sizeof flags);
  return AFTER;
}

/* The kernel sends signals to a descriptor's owner, and to a task with a terminal. */
enum action on_ioctl(struct task *t, struct call *c) {
  uint32_t request = (uint32_t)c->args[1];
  if (request == SET_OWNER || request == SET_GROUP || request == TIOCSPTLCK || request == TIOCSCTTY) signals_unseen = 1;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    if (request == refused[i].request) return answer(c, -refused[i].error);
  if (is_newer(request)) return answer(c, -ENOTTY);
  if (request == set_flags) return on_set_flags(t, c);
  return request == get_flags || request == get_attributes || request == BLOCK_SIZE ? AFTER : RUN;
}

enum action after_ioctl(struct task *t, struct call *c) {
  enum { PIECES_AT = 8 };
  uint32_t request = (uint32_t)c->args[1], flags, none = 0, size = 4096;
  if (c->result != 0 && request != set_flags) return RUN;
  if (request == BLOCK_SIZE) guest_write(t, c->args[2], &size, sizeof size);
  if (request == get_attributes) guest_write(t, c->args[2] + PIECES_AT, &none, sizeof none);
  if ((request != get_flags && request != set_flags) || !guest_read(t, c->args[2], &flags, sizeof flags)) return RUN;
  flags &= ~layout;
  guest_write(t, c->args[2], &flags, sizeof flags);
  return RUN;
}
