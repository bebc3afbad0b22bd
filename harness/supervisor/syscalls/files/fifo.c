/* Readers and writers of a FIFO meet here: opened without waiting, an open is answered once the other side came. */
#define _GNU_SOURCE
#include "fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "ptrace/guest.h"

enum { PIPES = 0x50495045 };

int waits_as_fifo(const struct stat *st, uint64_t flags) {
  return S_ISFIFO(st->st_mode) && !(flags & (O_PATH | O_DIRECTORY));
}

/* A signal ends the wait: the kernel takes the call up again, or does not, once the descriptor is gone. */
static enum action give_up(struct task *t) {
  struct call gone = {SYS_close, {(uint64_t)t->fifo.fd}, 0};
  arch_replace(t, &gone);
  t->fifo.leaves = 1;
  return AFTER;
}

enum action on_open_fifo(struct task *t, struct call *c, int flags) {
  if (t->retry && t->fifo.waits) {
    if (!t->fifo.met) return guest_signals(t, NULL, NULL) ? give_up(t) : BLOCK;
    t->fifo.waits = 0;
    c->result = t->fifo.fd;
    return DONE;
  }
  t->fifo.waits = t->fifo.met = t->fifo.leaves = 0;
  if (t->retry && guest_signals(t, NULL, NULL)) return RUN;
  struct call trying = *c;
  trying.args[flags] |= O_NONBLOCK;
  arch_replace(t, &trying);
  return AFTER;
}

/* Having nothing to read is the end without a writer, and a failure with one. */
static int has_writer(int fd) {
  char byte;
  int bytes = 0;
  return (ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0) || read(fd, &byte, 1) < 0;
}

static void let_readers_go(const struct stat *st) {
  for (struct task *t = tasks; t; t = t->next)
    if (t->fifo.waits && t->fifo.dev == st->st_dev && t->fifo.ino == st->st_ino) t->fifo.met = 1;
}

enum action after_open_fifo(struct task *t, struct call *c, uint64_t flags) {
  struct stat st;
  struct statfs system;
  int patient = !(flags & O_NONBLOCK), writes = (flags & O_ACCMODE) != O_RDONLY;
  if (t->fifo.leaves) {
    t->fifo.waits = t->fifo.leaves = 0;
    c->result = RESTART;
    return DONE;
  }
  if (c->result == -ENXIO && patient) return AGAIN;
  int fd = c->result < 0 ? -1 : guest_descriptor(t, (int)c->result);
  if (fd < 0) return DONE;
  enum action action = DONE;
  if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fstatfs(fd, &system) == 0 && system.f_type != PIPES) {
    if (writes) let_readers_go(&st);
    if (!writes && patient && !has_writer(fd)) {
      t->fifo = (struct meeting){.waits = 1, .fd = (int)c->result, .dev = st.st_dev, .ino = st.st_ino};
      action = AGAIN;
    }
  }
  if (patient) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  close(fd);
  return action;
}
