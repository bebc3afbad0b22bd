/* getdents: a folder is read whole and sorted by name; the position in the sorted list is the descriptor's offset. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/calls.h"
#include "folders.h"
#include "ptrace/guest.h"
#include "inodes.h"

enum { MAX_FOLDER = 64 << 20, HEAD = 19 };

/* The folder read last: a reader that deletes as it goes must not lose its place. */
static struct {
  pid_t tgid;
  int fd;
  uint64_t dev, ino;
  uint8_t *bytes, **entries;
  size_t count;
} snapshot;

static int reversed;

void folders_begin(int in_reverse) { reversed = in_reverse; }

struct head {
  uint64_t ino;
  int64_t offset;
  uint16_t length;
};

static const char *name_of(const uint8_t *entry) { return (const char *)entry + HEAD; }

static int by_name(const void *a, const void *b) {
  return strcmp(name_of(*(uint8_t *const *)a), name_of(*(uint8_t *const *)b));
}

static struct head head_of(const uint8_t *entry) {
  struct head h;
  memcpy(&h.ino, entry, 8);
  memcpy(&h.length, entry + 16, 2);
  h.offset = 0;
  return h;
}

static int index_entries(size_t size) {
  size_t count = 0;
  for (size_t at = 0; at < size; at += head_of(snapshot.bytes + at).length) count++;
  uint8_t **entries = realloc(snapshot.entries, (count + 1) * sizeof *entries);
  if (!entries) return 0;
  snapshot.entries = entries;
  snapshot.count = 0;
  for (size_t at = 0; at < size; at += head_of(snapshot.bytes + at).length, snapshot.count++)
    entries[reversed ? count - 1 - snapshot.count : snapshot.count] = snapshot.bytes + at;
  if (count) qsort(entries, count, sizeof *entries, by_name);
  return 1;
}

/* 0, or an errno of the kernel's own. */
static int take_snapshot(int fd) {
  static size_t room;
  size_t have = 0;
  lseek(fd, 0, SEEK_SET);
  for (;;) {
    if (room - have < 65536) {
      uint8_t *larger = room >= MAX_FOLDER ? NULL : realloc(snapshot.bytes, room ? 2 * room : 1 << 18);
      if (!larger) return -ENOMEM;
      snapshot.bytes = larger;
      room = room ? 2 * room : 1 << 18;
    }
    long n = syscall(SYS_getdents64, fd, snapshot.bytes + have, 65536);
    if (n < 0) return -errno;
    if (n == 0) break;
    have += (size_t)n;
  }
  return index_entries(have) ? 0 : -ENOMEM;
}

/* The older getdents has the kind of an entry at its end, behind the name. */
static void make_older(uint8_t *entry, uint16_t length) {
  uint8_t kind = entry[HEAD - 1];
  memmove(entry + HEAD - 1, entry + HEAD, (size_t)length - HEAD);
  entry[length - 1] = kind;
}

/* Copies what fits from `position` on; the number of bytes, or an errno. */
static int64_t hand_out(struct task *t, const struct call *c, uint64_t dev, size_t *position) {
  uint64_t to = c->args[1], room = (uint32_t)c->args[2];
  static uint8_t out[1 << 16];
  size_t size = 0, limit = room < sizeof out ? (size_t)room : sizeof out;
  size_t at = *position;
  for (; at < snapshot.count; at++) {
    struct head h = head_of(snapshot.entries[at]);
    if (size + h.length > limit) break;
    memcpy(out + size, snapshot.entries[at], h.length);
    h.ino = inode_number(dev, h.ino);
    h.offset = (int64_t)at + 1;
    memcpy(out + size, &h.ino, 8);
    memcpy(out + size + 8, &h.offset, 8);
    if (c->nr == SYS_getdents) make_older(out + size, h.length);
    size += h.length;
  }
  if (size == 0 && at < snapshot.count) return -EINVAL;
  if (!guest_write(t, to, out, size)) return -EFAULT;
  *position = at;
  return (int64_t)size;
}

enum action on_getdents(struct task *t, struct call *c) {
  struct stat st;
  int number = (int)c->args[0], fd = guest_descriptor(t, number);
  if (fd < 0) return RUN;
  off_t offset = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
  if (offset < 0) {
    close(fd);
    return RUN;
  }
  int known = offset > 0 && snapshot.fd == number && snapshot.tgid == t->process->tgid &&
              snapshot.dev == st.st_dev && snapshot.ino == st.st_ino;
  c->result = known ? 0 : take_snapshot(fd);
  if (c->result == 0) {
    size_t position = (size_t)offset;
    snapshot.tgid = t->process->tgid;
    snapshot.fd = number;
    snapshot.dev = st.st_dev;
    snapshot.ino = st.st_ino;
    c->result = hand_out(t, c, st.st_dev, &position);
    lseek(fd, (off_t)position, SEEK_SET);
  }
  close(fd);
  return DONE;
}
