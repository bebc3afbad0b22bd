/* What an unwind table says about one place in the code: where the caller's frame is, and where its registers are. */
#ifndef REENACT_CFA_H
#define REENACT_CFA_H
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"

/* Bytes of the guest, read to their end and no further; `bad` once something was missing or is not understood. */
struct reader {
  const uint8_t *at, *end;
  int bad;
};

uint64_t read_fixed(struct reader *r, size_t size);
uint64_t read_uleb(struct reader *r);
int64_t read_sleb(struct reader *r);
void read_past(struct reader *r, uint64_t size);

enum how {
  SAME,      /* the caller's is what the register holds now */
  LOST,      /* nothing holds it any more; of the return address: there is no caller */
  AT_OFFSET, /* in memory, at an offset from the frame's end */
  OFFSET,    /* the frame's end and an offset; of the frame's end: a register and an offset */
  COPIED,    /* in another register */
  AT_RESULT, /* in memory, at the address that an expression results in */
  RESULT,    /* an expression's result */
};

/* How one register of the caller is found, by DWARF's number where it is in another one. */
struct rule {
  enum how how;
  uint64_t number;
  int64_t offset;
  struct reader expression; /* good as long as the record that it is part of */
};

struct rules {
  struct rule frame; /* its end, which is the caller's stack pointer */
  struct rule registers[ARCH_DWARF_REGISTERS];
};

/* What all entries of one compiler's have in common, and a function's start. */
struct table {
  uint64_t start, code_unit;
  int64_t data_unit;
  unsigned encoding; /* of the function's start and size, as .eh_frame writes it */
  int augmented;     /* an entry has a size and that many bytes before its instructions */
  int signal;        /* the frame is one of the kernel's: below it nothing was called */
};

/* Runs the instructions up to the place `pc`; `initial` is what a restore goes back to. */
void run_rules(struct reader *r, const struct table *t, uint64_t pc, const struct rules *initial, struct rules *now);

#endif
