/* Where a program's loader asks for the processor's kind, a jump to our own answer costs no stop. */
#ifndef REENACT_JUMPS_H
#define REENACT_JUMPS_H
#include <stddef.h>
#include <stdint.h>

enum { JUMP_BYTES = 5, MOST_REPLACED = 15, DETOUR_ROOM = 64 };

/* An instruction at `site` of a text, and how many bytes from there a jump may replace; 0: none may. */
struct jump {
  uint64_t site;
  uint8_t replaced;
};

/* Fills in `replaced`: whole instructions that work elsewhere, too, and into which nothing in the text leads. */
void plan_jumps(const uint8_t *text, size_t size, struct jump *jumps, size_t count);

/* Writes the way from `site`, whose `code` stands there, by the answer and back, to be put at `at`; its length, and the
   jump that leads into it. 0 when one of them is too far from another. */
size_t make_detour(uint8_t to[DETOUR_ROOM], uint64_t at, uint8_t jump[MOST_REPLACED], const uint8_t *code, uint8_t replaced,
                   uint64_t site, uint64_t answer);

/* A branch with a distance of four bytes to `target`, to stand at `at`; 0 when that is too far. */
int put_branch(uint8_t to[JUMP_BYTES], uint8_t opcode, uint64_t at, uint64_t target);

#endif
