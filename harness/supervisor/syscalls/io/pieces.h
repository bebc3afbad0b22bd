/* Writes that go in pieces: how long one is, and where the rest of it lies. */
#ifndef REENACT_PIECES_H
#define REENACT_PIECES_H
#include "ptrace/task.h"

/* Whether the call writes, from one place or several. */
int is_write(const struct call *c);

/* How many bytes a write hands over, as far as it matters: more than a page may be taken in parts. */
uint64_t size_of_write(struct task *t, const struct call *c);

/* Turns a write of which `done` bytes are written into a write of the next bytes; 0 when that was all. */
int rest_of_write(struct task *t, struct call *c, uint64_t done);

#endif
