/* Decodes forward from a function's beginning: what is reached that way begins an instruction. */
#ifndef REENACT_X86_64_WALK_H
#define REENACT_X86_64_WALK_H
#include "crash/unwind/functions.h"
#include "x86_64_length.h"

/* The code that is looked through: one segment of a file, or a piece of memory. */
struct text {
  const struct elf_file *file; /* NULL: memory */
  const uint8_t *memory;
  uint64_t from, size;         /* where it lies in the file or the memory; both are called offsets below */
  uint64_t address;            /* of `from` */
  uint64_t steps;              /* bytes that may still be decoded, so that no file holds us up */
  struct window window;
};

/* A walk through one function, by offsets. */
struct walk {
  uint64_t at, end;
  uint64_t furthest; /* what a branch that was met leads to, if the function's size is not known; else its end */
  int over, failed;  /* it is at its function's end, or came upon what is no instruction of a program */
  enum { REST_UNKNOWN, REST_GOOD, REST_BAD } rest; /* what walk_rest said */
};

/* Begins at a function's beginning; 0 when that does not lie in this text. An `end` of UINT64_MAX is not known. */
int walk_begin(const struct text *t, struct walk *w, const struct place *function);

/* 1 when the place `target` is shown to lie in the instruction at `w->at`; 0: nothing is known about it. */
int walk_to(struct text *t, struct walk *w, uint64_t target, struct decoded *d);

/* 1 when no instruction that is wanted has its opcode at `target`, at whichever of the bytes well before it, in the same
   function, one begins to decode: it need not be decoded from its beginning to know that. */
int walk_misses(struct text *t, const struct walk *w, uint64_t target, int is_wanted(const struct decoded *d));

/* 1 when all that follows up to the function's end are instructions too: data between them would hardly look so. */
int walk_rest(struct text *t, struct walk *w);

/* A piece of the text; 0 when it is not all there. */
int text_read(const struct text *t, uint64_t offset, void *to, size_t size);

#endif
