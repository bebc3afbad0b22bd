/* How long an x86-64 instruction is, and the few things about it that tell which one it is. */
#ifndef REENACT_X86_64_LENGTH_H
#define REENACT_X86_64_LENGTH_H
#include <stdint.h>

enum { LONGEST_INSTRUCTION = 15 };
enum opcode_map { MAP_ONE_BYTE, MAP_0F, MAP_0F38, MAP_0F3A, MAP_VEX, MAP_EVEX, MAP_XOP };

struct decoded {
  uint8_t length;      /* with its prefixes */
  uint8_t opcode_at;   /* where the opcode begins, its 0f included */
  uint8_t map, opcode; /* an enum opcode_map, and the opcode's byte in it */
  uint8_t modrm, rex;  /* the byte after the opcode; 0 without the prefix */
  uint8_t repeat;      /* f2, f3 or 0 */
  uint8_t operand_size, address_size, lock; /* 1: the prefix is there */
  uint8_t privileged;  /* 1: an ordinary program cannot do this */
};

/* Decodes the instruction at `at` (15 readable bytes); 0 when there is none or processors disagree about its length. */
int decode_instruction(const uint8_t *at, struct decoded *d);

#endif
