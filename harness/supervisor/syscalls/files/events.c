/* inotify's cookies, which join the two halves of a rename: the kernel counts them for the whole machine. */
#define _GNU_SOURCE
#include "events.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/calls.h"
#include "ptrace/guest.h"

/* Halves may be read far apart, and by several; those of many renames ago are forgotten. */
enum { REMEMBERED = 4096 };

static uint32_t cookie_of(uint32_t real) {
  static uint32_t known[REMEMBERED], count;
  uint32_t first = count > REMEMBERED ? count - REMEMBERED : 0;
  for (uint32_t i = count; i > first; i--)
    if (known[(i - 1) % REMEMBERED] == real) return i;
  known[count++ % REMEMBERED] = real;
  return count;
}

static int is_inotify(struct task *t, int fd) {
  char path[64], target[64] = "";
  snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)t->tid, fd);
  return readlink(path, target, sizeof target - 1) > 0 && strcmp(target, "anon_inode:inotify") == 0;
}

static int watched;

int are_watched(void) { return watched; }

enum action on_inotify_init(struct task *t, struct call *c) {
  (void)t, (void)c;
  watched = 1;
  return RUN;
}

void settle_events(struct task *t, const struct call *c) {
  struct inotify_event event;
  if (!watched || c->nr != SYS_read || c->result < (int64_t)sizeof event || !is_inotify(t, (int)c->args[0])) return;
  uint64_t at = c->args[1], end = at + (uint64_t)c->result;
  while (at + sizeof event <= end && guest_read(t, at, &event, sizeof event) && event.len <= NAME_MAX + 64) {
    if (event.cookie) {
      event.cookie = cookie_of(event.cookie);
      guest_write(t, at, &event, sizeof event);
    }
    at += sizeof event + event.len;
  }
}
