/* Opening: a file that reveals the host is replaced by one in memory; a created file gets virtual time. */
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

#include "arch/arch.h"
#include "loop/calls.h"
#include "entries.h"
#include "fifo.h"
#include "ptrace/guest.h"
#include "inodes.h"
#include "procfs/kernel_files.h"
#include "procfs/proc.h"
#include "rewrite/untraced.h"

static uint64_t flags_of(struct task *t, const struct call *c) {
  uint64_t flags = 0;
  switch (c->nr) {
    case SYS_open: return c->args[1];
    case SYS_openat: return c->args[2];
    case SYS_creat: return O_CREAT | O_WRONLY | O_TRUNC;
    default: return guest_read(t, c->args[2], &flags, sizeof flags) ? flags : 0;
  }
}

/* The path as it was given, and the folder it starts from. */
static int given_path(struct task *t, const struct call *c, char *path, int *at) {
  int first = c->nr == SYS_open || c->nr == SYS_creat;
  *at = first ? AT_FDCWD : (int)c->args[0];
  return guest_text(t, c->args[first ? 0 : 1], path, PATH_MAX);
}

/* Descriptors below /proc are there for the guest though not for us, and no files can be made there. */
static int leads_to_descriptor(const char *path) {
  return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/fd/", 8) == 0;
}

/* Whether a file is made, without a name or with one. */
static int creates(uint64_t flags, const char *path, const struct stat *found) {
  if ((flags & O_TMPFILE) == O_TMPFILE) return 1;
  return flags & O_CREAT && (flags & O_EXCL || !(found || leads_to_descriptor(path)));
}

static char text[PROC_ROOM];

enum action on_open(struct task *t, struct call *c) {
  char path[PATH_MAX] = "", kernels[PATH_MAX];
  struct stat st;
  uint64_t flags = flags_of(t, c);
  int at, given = given_path(t, c, path, &at);
  const struct stat *found = given && guest_lookup(t, at, path, 0, &st) ? &st : NULL;
  t->replaced = -1;
  t->opens_fifo = (c->nr == SYS_open || c->nr == SYS_openat) && found && waits_as_fifo(found, flags);
  if (t->opens_fifo || (t->retry && t->fifo.waits)) return on_open_fifo(t, c, c->nr == SYS_open ? 1 : 2);
  if ((flags & O_ACCMODE) != O_WRONLY && !(flags & (O_DIRECTORY | O_PATH)) && given &&
      kernel_path(t, at, path, found, kernels))
    t->replaced = proc_text(kernels, text, sizeof text);
  t->creates = creates(flags, path, found);
  if (given && !found && !t->creates) untraced_call(t);
  if (t->replaced < 0) return t->creates || flags & O_TRUNC ? AFTER : RUN;
  struct call memory = {SYS_memfd_create, {c->args[c->nr == SYS_open ? 0 : 1], flags & O_CLOEXEC ? MFD_CLOEXEC : 0}, 0};
  arch_replace(t, &memory);
  return AFTER;
}

static void note_birth(struct task *t, const struct call *c, const struct stat *st) {
  char path[PATH_MAX];
  int at;
  inode_born(st->st_dev, st->st_ino);
  if ((flags_of(t, c) & O_TMPFILE) != O_TMPFILE && given_path(t, c, path, &at)) entry_changed(t, at, path);
}

enum action after_open(struct task *t, struct call *c) {
  struct stat st;
  if (t->opens_fifo) return after_open_fifo(t, c, flags_of(t, c));
  int fd = c->result < 0 ? -1 : guest_descriptor(t, (int)c->result);
  if (fd >= 0 && t->replaced >= 0) {
    if (write(fd, text, (size_t)t->replaced) != t->replaced) c->result = -5;
    lseek(fd, 0, SEEK_SET);
  } else if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0) {
    if (t->creates) note_birth(t, c, &st);
    else if (flags_of(t, c) & O_TRUNC) inode_written(st.st_dev, st.st_ino);
  }
  if (fd >= 0) close(fd);
  return t->replaced >= 0 ? DONE : RUN;
}
