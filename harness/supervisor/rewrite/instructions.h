/* Finds instructions that no setting of the kernel traps, where they are proven to begin: harness's way to rewrite them. */
#ifndef REENACT_INSTRUCTIONS_H
#define REENACT_INSTRUCTIONS_H
#include <stddef.h>
#include <stdint.h>

enum instruction {
  INSTRUCTION_CPUID,
  INSTRUCTION_RDRAND,
  INSTRUCTION_RDSEED,
  INSTRUCTION_RDPID,
  INSTRUCTION_XGETBV,
  INSTRUCTION_RDPRU,
  INSTRUCTION_LSL
};

struct found_instruction {
  uint64_t offset; /* in the file */
  uint8_t kind, length;
};

struct found_instructions {
  struct found_instruction *list;
  uint32_t count;
  uint32_t unproven; /* places that hold the bytes but were not proven */
};

/* Looks through the executable parts of the ELF file `fd`; 0 when it is no such file or cannot be read whole.
   The list is malloc'ed, sorted by offset. */
int find_instructions(int fd, struct found_instructions *out);

/* The same for a piece of memory whose first byte is taken for the beginning of an instruction (code made at run
   time); offsets from its beginning. */
int find_in_memory(const uint8_t *code, size_t size, struct found_instructions *out);

/* What stands at `at` (at least 15 readable bytes, zero padded), if it is one of these: its kind and whole length
   with prefixes; -1 otherwise. */
int instruction_at(const uint8_t *at, uint8_t *length);

#endif
