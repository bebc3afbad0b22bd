/* Opening: what is created or may be written gets virtual time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "guest.h"
#include "inodes.h"

static uint64_t flags_of(struct task *t, const struct call *c) {
  uint64_t flags = 0;
  switch (c->nr) {
    case SYS_open: return c->args[1];
    case SYS_openat: return c->args[2];
    case SYS_creat: return O_CREAT | O_WRONLY | O_TRUNC;
    default: return guest_read(t, c->args[2], &flags, sizeof flags) ? flags : 0;
  }
}

enum action on_open(struct task *t, struct call *c) { return flags_of(t, c) & (O_CREAT | O_TRUNC) ? AFTER : RUN; }

enum action after_open(struct task *t, struct call *c) {
  struct stat st;
  int fd = c->result < 0 ? -1 : guest_descriptor(t, (int)c->result);
  if (fd < 0) return RUN;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0) inode_written(st.st_dev, st.st_ino);
  close(fd);
  return RUN;
}
