/* The lists of places of readv, writev, sendmsg, recvmsg and vmsplice, kept while their call waits. */
#define _GNU_SOURCE
#include "vectors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "ptrace/guest.h"

/* A message names its lists; the fields that the kernel writes at the end of recvmsg are not part of the beginning. */
enum { MOST = 1024, PLACE = 16, PARTS = 3, MESSAGE = 48, LENGTHS = 8, LISTS = 16, NO_LISTS = 24, BUDGET = 1 << 20 };

struct part {
  uint64_t address;
  size_t size;
  uint8_t *kept, *found; /* `found` stands in the guest's memory while the call waits */
};

struct vector {
  struct part parts[PARTS];
  size_t size;
  int changed;
  uint8_t bytes[];
};

/* Of all tasks together: a program of many threads that wait must not fill our memory. */
static size_t spent;

/* Which parts of memory the call reads as it begins; 0 for a call without a list. */
static int parts_of(struct task *t, const struct call *c, struct part *parts) {
  uint64_t message[MESSAGE / 8], list = c->args[1], count = c->args[2];
  int n = 0;
  switch (c->nr) {
    case SYS_readv:
    case SYS_writev:
    case SYS_vmsplice: break;
    case SYS_sendmsg:
    case SYS_recvmsg:
      if (!guest_read(t, c->args[1], message, sizeof message)) return 0;
      list = message[2];
      count = message[3];
      if (c->nr == SYS_sendmsg) parts[n++] = (struct part){.address = c->args[1], .size = MESSAGE};
      else {
        parts[n++] = (struct part){.address = c->args[1], .size = LENGTHS};
        parts[n++] = (struct part){.address = c->args[1] + LISTS, .size = NO_LISTS};
      }
      break;
    default: return 0;
  }
  if (count > MOST) return 0;
  parts[n++] = (struct part){.address = list, .size = (size_t)count * PLACE};
  return n;
}

void vector_forget(struct task *t) {
  if (!t->vector) return;
  spent -= t->vector->size;
  free(t->vector);
  t->vector = NULL;
}

void vector_keep(struct task *t, const struct call *c) {
  struct part parts[PARTS] = {0};
  size_t size = 0;
  vector_forget(t);
  if (!parts_of(t, c, parts)) return;
  for (int i = 0; i < PARTS; i++) size += 2 * parts[i].size;
  struct vector *v = spent + size > BUDGET ? NULL : malloc(sizeof *v + size);
  if (!v) return;
  *v = (struct vector){.size = size};
  uint8_t *at = v->bytes;
  for (int i = 0; i < PARTS; i++) {
    v->parts[i] = parts[i];
    v->parts[i].kept = at;
    v->parts[i].found = at + parts[i].size;
    at += 2 * parts[i].size;
    if (parts[i].size && !guest_read(t, parts[i].address, v->parts[i].kept, parts[i].size)) {
      free(v);
      return;
    }
  }
  spent += size;
  t->vector = v;
}

int vector_lay_out(struct task *t) {
  struct vector *v = t->vector;
  if (!v) return 0;
  v->changed = 0;
  for (int i = 0; i < PARTS; i++) {
    struct part *p = &v->parts[i];
    if (!p->size || !guest_read(t, p->address, p->found, p->size)) continue;
    if (memcmp(p->kept, p->found, p->size) == 0) continue;
    v->changed = 1;
    guest_write(t, p->address, p->kept, p->size);
  }
  return v->changed;
}

void vector_take_back(struct task *t) {
  struct vector *v = t->vector;
  if (!v || !v->changed) return;
  v->changed = 0;
  for (int i = 0; i < PARTS; i++) {
    struct part *p = &v->parts[i];
    if (p->size && memcmp(p->kept, p->found, p->size) != 0) guest_write(t, p->address, p->found, p->size);
  }
}
