/* A write that does not fit is made in pieces; one from several places continues within one of them. */
#define _GNU_SOURCE
#include "pieces.h"

#include <sys/syscall.h>

#include "ptrace/guest.h"

struct place {
  uint64_t base, length;
};

/* As many as the kernel takes at once. */
enum { MOST = 1024 };

int is_write(const struct call *c) {
  return c->nr == SYS_write || c->nr == SYS_sendto || c->nr == SYS_writev || c->nr == SYS_sendmsg;
}

/* Where a call lists the places it writes from; 0 when that cannot be read. */
static int places_of(struct task *t, const struct call *c, struct place *list) {
  struct { uint64_t name, name_length; struct place list; } message;
  *list = (struct place){c->args[1], c->args[2]};
  if (c->nr != SYS_sendmsg) return 1;
  if (!guest_read(t, c->args[1], &message, sizeof message)) return 0;
  *list = message.list;
  return 1;
}

uint64_t size_of_write(struct task *t, const struct call *c) {
  struct place places[16];
  if (c->nr == SYS_write || c->nr == SYS_sendto || c->nr == SYS_pwrite64) return c->args[2];
  if (c->nr != SYS_writev || c->args[2] > 16) return UINT64_MAX;
  uint64_t sum = 0;
  if (!guest_read(t, c->args[1], places, (size_t)c->args[2] * sizeof *places)) return 0;
  for (uint64_t i = 0; i < c->args[2]; i++) sum += places[i].length;
  return sum;
}

int rest_of_write(struct task *t, struct call *c, uint64_t done) {
  struct place list, one;
  if (c->nr == SYS_write || c->nr == SYS_sendto) {
    if (done >= c->args[2]) return 0;
    c->args[1] += done;
    c->args[2] -= done;
    return 1;
  }
  if (!places_of(t, c, &list) || list.length > MOST) return 0;
  for (uint64_t i = 0; i < list.length; i++) {
    if (!guest_read(t, list.base + i * sizeof one, &one, sizeof one)) return 0;
    if (done < one.length) {
      uint64_t flags = c->nr == SYS_sendmsg ? c->args[2] : 0;
      long nr = c->nr == SYS_sendmsg ? SYS_sendto : SYS_write;
      *c = (struct call){nr, {c->args[0], one.base + done, one.length - done, flags}, 0};
      return 1;
    }
    done -= one.length;
  }
  return 0;
}
