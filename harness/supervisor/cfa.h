/* What an unwind table says about one place in the code: where the caller's frame is, and its frame pointer. */
#ifndef REENACT_CFA_H
#define REENACT_CFA_H
#include <stddef.h>
#include <stdint.h>

/* Bytes of the guest, read to their end and no further; `bad` once something was missing or is not understood. */
struct reader {
  const uint8_t *at, *end;
  int bad;
};

uint64_t read_fixed(struct reader *r, size_t size);
uint64_t read_uleb(struct reader *r);
int64_t read_sleb(struct reader *r);
void read_past(struct reader *r, uint64_t size);

struct rules {
  int base;             /* DWARF's number of the register that the frame is counted from; -1 unknown */
  int64_t offset;       /* the frame ends here, from that register */
  int frame_saved;      /* the caller's frame pointer lies in memory */
  int64_t frame_offset; /* from the frame's end */
  int64_t return_offset;
  int outermost;        /* there is no caller */
};

/* A function's start and what its table's numbers are multiples of. */
struct table {
  uint64_t start, code_unit;
  int64_t data_unit;
};

/* Runs the instructions up to the place `pc`; `initial` is what a restore goes back to. */
void run_rules(struct reader *r, const struct table *t, uint64_t pc, const struct rules *initial, struct rules *now);

#endif
