/* The length of an x86-64 instruction in 64-bit mode, from tables of what follows each opcode. */
#include "x86_64_length.h"

#include <string.h>

/* What follows an opcode:
   1 nothing, b w z an immediate of 1, 2 or 4 bytes (z: 2 with the operand-size prefix), v one of the register's size,
   m a ModRM byte, B Z a ModRM byte and an immediate, j a branch's distance, o an absolute address, e enter's three,
   k K W nothing, 1 or 2 bytes of a privileged instruction, c a ModRM byte that always names registers (privileged),
   f F test or unary, h H inc/dec groups, i I mov groups, a lea, s segment moves, p pop or XOP, V VEX, 5 short VEX,
   E EVEX, x no instruction. Prefixes and escapes (0f, 0f 38, 0f 3a) never come here and are '.'. */
static const char one_byte[] =
    "mmmmbzxxmmmmbzx." "mmmmbzxxmmmmbzxx" "mmmmbz.xmmmmbz.x" "mmmmbz.xmmmmbz.x"
    "................" "1111111111111111" "xxEm....zZbBkkkk" "bbbbbbbbbbbbbbbb"
    "BZxBmmmmmmmmsasp" "1111111111x11111" "oooo1111bz111111" "bbbbbbbbvvvvvvvv"
    "BBw1V5iIe1Wk1bxk" "mmmmxxx1mmmmmmmm" "bbbbKKKKjjxbkkkk" ".k..11fF11kk11hH";

static const char after_0f[] =
    "mmmmx1kkkkx1xm1B" "mmmmmmmmmmmmmmmm" "ccccxxxxmmmmmmmm" "k1k11kxk.x.xxxxx"
    "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "BBBBmmm1qmxxmmmm"
    "jjjjjjjjjjjjjjjj" "mmmmmmmmmmmmmmmm" "111mBmll11kmBmmm" "mmmmmmmmmmBmmmmm"
    "mmBmBBBm11111111" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm";

static int is_prefix(uint8_t byte) {
  switch (byte) {
    case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
    case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3: return 1;
    default: return 0;
  }
}

/* Reads prefixes; where the opcode begins. A REX that does not stand right before it counts for nothing. */
static int read_prefixes(const uint8_t *at, struct decoded *d) {
  int i = 0;
  for (; i < LONGEST_INSTRUCTION; i++) {
    uint8_t byte = at[i];
    if ((byte & 0xf0) == 0x40) d->rex = byte;
    else if (!is_prefix(byte)) break;
    else {
      d->rex = 0;
      if (byte == 0x66) d->operand_size = 1;
      else if (byte == 0x67) d->address_size = 1;
      else if (byte == 0xf0) d->lock = 1;
      else if (byte >= 0xf2) d->repeat = byte;
    }
  }
  return i;
}

/* The bytes of a ModRM byte, its SIB byte and its displacement. */
static int modrm_size(const uint8_t *at) {
  int mod = at[0] >> 6, rm = at[0] & 7, size = 1;
  if (mod == 3) return size;
  if (rm == 4) {
    size++;
    if (mod == 0 && (at[1] & 7) == 5) size += 4;
  } else if (mod == 0 && rm == 5) {
    size += 4;
  }
  return size + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* In the maps of 0f: an immediate byte follows the operands of these vector instructions. */
static int has_vector_immediate(uint8_t opcode) {
  return (opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6);
}

/* What follows the prefixes VEX, EVEX and XOP: opcode, ModRM and immediate, by map; the bytes from `at`, 0 if none. */
static int vector_size(const uint8_t *at, int map, struct decoded *d) {
  int size = 1;
  d->opcode = at[0];
  if (d->rex || d->operand_size || d->repeat || d->lock) return 0;
  if (map == 1 && d->map == MAP_VEX && at[0] == 0x77) return size;
  d->modrm = at[1];
  size += modrm_size(at + 1);
  switch (map) {
    case 1: return size + has_vector_immediate(at[0]);
    case 2: case 9: return size;
    case 3: case 8: return size + 1;
    case 5: case 6: return d->map == MAP_EVEX ? size : 0;
    case 10: return size + 4;
    default: return 0;
  }
}

static int vex_size(const uint8_t *at, struct decoded *d) {
  d->map = MAP_VEX;
  int map = at[1] & 0x1f, size = map <= 3 ? vector_size(at + 3, map, d) : 0;
  return size ? size + 3 : 0;
}

static int short_vex_size(const uint8_t *at, struct decoded *d) {
  d->map = MAP_VEX;
  int size = vector_size(at + 2, 1, d);
  return size ? size + 2 : 0;
}

static int evex_size(const uint8_t *at, struct decoded *d) {
  d->map = MAP_EVEX;
  int size = (at[1] & 8) == 0 && (at[2] & 4) != 0 ? vector_size(at + 4, at[1] & 7, d) : 0;
  return size ? size + 4 : 0;
}

/* 8f is pop with register field 0; from map 8 on, the same byte begins XOP. */
static int pop_or_xop_size(const uint8_t *at, struct decoded *d) {
  int map = at[1] & 0x1f;
  if (map < 8) return (at[1] & 0x38) == 0 ? 1 + modrm_size(at + 1) : 0;
  d->map = MAP_XOP;
  int size = map <= 10 ? vector_size(at + 3, map, d) : 0;
  return size ? size + 3 : 0;
}

/* What follows the opcode `at[-1]`, by its letter in the tables; -1: no instruction. */
static int operands_size(char letter, const uint8_t *at, struct decoded *d) {
  int wide = d->rex & 8, medium = d->operand_size && !wide ? 2 : 4;
  int reg = at[0] >> 3 & 7, is_register = at[0] >= 0xc0;
  d->modrm = at[0];
  d->privileged = letter == 'k' || letter == 'K' || letter == 'W' || letter == 'c';
  switch (letter) {
    case '1': case 'k': return 0;
    case 'b': case 'K': return 1;
    case 'w': case 'W': return 2;
    case 'z': return medium;
    case 'v': return wide ? 8 : medium;
    case 'o': return d->address_size ? 4 : 8;
    case 'e': return 3;
    case 'm': return modrm_size(at);
    case 'B': return modrm_size(at) + 1;
    case 'Z': return modrm_size(at) + medium;
    case 'c': return 1;
    /* Intel's processors take four bytes whatever the prefix says, AMD's two. */
    case 'j': return medium == 4 ? 4 : -1;
    case 'f': return modrm_size(at) + (reg < 2);
    case 'F': return modrm_size(at) + (reg < 2 ? medium : 0);
    case 'h': return reg < 2 ? modrm_size(at) : -1;
    case 'H': return reg == 7 || (is_register && (reg == 3 || reg == 5)) ? -1 : modrm_size(at);
    case 'i': return reg == 0 || at[0] == 0xf8 ? modrm_size(at) + 1 : -1;
    case 'I': return reg == 0 || at[0] == 0xf8 ? modrm_size(at) + medium : -1;
    case 'a': return is_register ? -1 : modrm_size(at);
    case 's': return reg < 6 ? modrm_size(at) : -1;
    /* AMD's extrq and insertq have two immediate bytes, vmread none. */
    case 'q': return modrm_size(at) + (d->operand_size || d->repeat == 0xf2 ? 2 : 0);
    /* VIA's encryption: registers only. */
    case 'l': return is_register ? 1 : -1;
    default: return -1;
  }
}

/* All of an instruction behind its prefixes; 0 when there is none. */
static int body_size(const uint8_t *at, struct decoded *d) {
  d->opcode = at[0];
  int rest;
  if (at[0] != 0x0f) {
    char letter = one_byte[at[0]];
    switch (letter) {
      case 'V': return vex_size(at, d);
      case '5': return short_vex_size(at, d);
      case 'E': return evex_size(at, d);
      case 'p': return pop_or_xop_size(at, d);
      default: break;
    }
    rest = operands_size(letter, at + 1, d);
    return rest < 0 ? 0 : 1 + rest;
  }
  d->map = at[1] == 0x38 ? MAP_0F38 : at[1] == 0x3a ? MAP_0F3A : MAP_0F;
  if (d->map == MAP_0F) {
    d->opcode = at[1];
    rest = operands_size(after_0f[at[1]], at + 2, d);
    return rest < 0 ? 0 : 2 + rest;
  }
  d->opcode = at[2];
  d->modrm = at[3];
  return 3 + modrm_size(at + 3) + (d->map == MAP_0F3A);
}

int decode_instruction(const uint8_t *at, struct decoded *d) {
  enum { MOST_LOOKED_AT = 7 };
  uint8_t copy[LONGEST_INSTRUCTION] = {0};
  *d = (struct decoded){0};
  int prefixes = read_prefixes(at, d);
  if (prefixes >= LONGEST_INSTRUCTION) return 0;
  const uint8_t *opcode = at + prefixes;
  if (prefixes > LONGEST_INSTRUCTION - MOST_LOOKED_AT)
    opcode = memcpy(copy, opcode, (size_t)(LONGEST_INSTRUCTION - prefixes));
  int size = body_size(opcode, d);
  if (size == 0 || prefixes + size > LONGEST_INSTRUCTION) return 0;
  d->opcode_at = (uint8_t)prefixes;
  d->length = (uint8_t)(prefixes + size);
  return 1;
}
