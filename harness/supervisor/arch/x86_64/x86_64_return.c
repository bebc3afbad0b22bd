/* Code that no table knows says itself where its return address is: by what its instructions do to the stack pointer, on
   every way from here to a return, or from the function's beginning to here. */
#include <string.h>

#include "arch/arch.h"
#include "ptrace/guest.h"
#include "x86_64_length.h"

enum { WAYS = 64, SEEN = 1024, WORD = 8, SP = 4, BP = 5 };

/* One way through the code. Where it began at the function's beginning, `stack` is counted from the return address. */
struct way {
  uint64_t at, stack, frame;
  int knows_frame;
  uint32_t popped; /* registers by the processor's number that were taken from the stack, and where each was */
  uint64_t where[16];
};

enum step { ON, BOTH, RETURNS, ENDS, HALTS, LOSES };

struct code {
  struct decoded d;
  uint8_t bytes[LONGEST_INSTRUCTION];
  uint64_t target; /* of a branch */
  int mode, reg, rm; /* of the ModRM byte, with REX */
};

static int decode(struct task *t, uint64_t at, struct code *c) {
  memset(c->bytes, 0, sizeof c->bytes);
  if (!guest_read_some(t, at, c->bytes, sizeof c->bytes) || !decode_instruction(c->bytes, &c->d)) return 0;
  c->mode = c->d.modrm >> 6;
  c->reg = (c->d.modrm >> 3 & 7) | (c->d.rex & 4) << 1;
  c->rm = (c->d.modrm & 7) | (c->d.rex & 1) << 3;
  const uint8_t *end = c->bytes + c->d.length;
  int32_t distance = (int8_t)end[-1];
  int wide = c->d.map == MAP_0F || c->d.opcode == 0xe8 || c->d.opcode == 0xe9;
  if (wide && c->d.length >= sizeof distance) memcpy(&distance, end - sizeof distance, sizeof distance);
  c->target = at + c->d.length + (uint64_t)(int64_t)distance;
  return 1;
}

static int32_t constant(const struct code *c, int wide) {
  int32_t value = (int8_t)c->bytes[c->d.length - 1];
  if (wide) memcpy(&value, c->bytes + c->d.length - sizeof value, sizeof value);
  return value;
}

static int is_one_of(uint8_t opcode, const char *all) { return opcode && strchr(all, opcode) != NULL; }

/* 1 when the instruction writes this register, as one with a ModRM byte. */
static int writes(const struct code *c, int number) {
  uint8_t op = c->d.opcode;
  int extension = c->d.modrm >> 3 & 7;
  if (is_one_of(op, "\x03\x0b\x13\x1b\x23\x2b\x33\x63\x69\x6b\x87\x8b\x8d") && c->reg == number) return 1;
  if (c->mode != 3 || c->rm != number) return 0;
  if (op == 0x81 || op == 0x83) return extension != 7;
  if (op == 0xf7) return extension > 1;
  if (op == 0xff) return extension < 2;
  return is_one_of(op, "\x01\x09\x11\x19\x21\x29\x31\x87\x89\xc1\xc7\xd1\xd3");
}

/* lea of the stack pointer, counted from itself or from the frame pointer. */
static enum step load_address(struct way *w, const struct code *c) {
  const uint8_t *rest = c->bytes + c->d.opcode_at + 2;
  int from_stack = (c->d.modrm & 7) == SP && rest[0] == 0x24 && !(c->d.rex & 3), from_frame = c->rm == BP;
  if ((c->mode != 1 && c->mode != 2) || (!from_stack && !(from_frame && w->knows_frame))) return LOSES;
  w->stack = (from_stack ? w->stack : w->frame) + (uint64_t)(int64_t)constant(c, c->mode == 2);
  return ON;
}

static enum step pop(struct way *w, int number) {
  if (number == SP) return LOSES;
  if (number == BP) w->knows_frame = 0;
  w->popped |= UINT32_C(1) << number;
  w->where[number] = w->stack;
  w->stack += WORD;
  return ON;
}

/* What an instruction of the one-byte map does to the two pointers. */
static enum step move(struct way *w, const struct code *c) {
  uint8_t op = c->d.opcode;
  int extension = c->d.modrm >> 3 & 7, low = (op & 7) | (c->d.rex & 1) << 3;
  if (op >= 0x50 && op <= 0x57) return w->stack -= WORD, ON;
  if (op >= 0x58 && op <= 0x5f) return pop(w, low);
  if (op == 0x68 || op == 0x6a || op == 0x9c || (op == 0xff && extension == 6)) return w->stack -= WORD, ON;
  if (op == 0x8f || op == 0x9d) return w->stack += WORD, ON;
  if (op == 0xc8) return LOSES;
  if (op == 0xc9) {
    if (!w->knows_frame) return LOSES;
    w->stack = w->frame;
    return pop(w, BP);
  }
  if ((op == 0x81 || op == 0x83) && c->mode == 3 && c->rm == SP && (extension == 0 || extension == 5)) {
    uint64_t by = (uint64_t)(int64_t)constant(c, op == 0x81);
    w->stack += extension ? 0 - by : by;
    return ON;
  }
  int to = op == 0x89 ? c->rm : c->reg, from = op == 0x89 ? c->reg : c->rm;
  if ((op == 0x89 || op == 0x8b) && c->mode == 3 && to == BP && from == SP) return w->frame = w->stack, w->knows_frame = 1, ON;
  if ((op == 0x89 || op == 0x8b) && c->mode == 3 && to == SP && from == BP && w->knows_frame) return w->stack = w->frame, ON;
  if (op == 0x8d && c->reg == SP) return load_address(w, c);
  if (writes(c, SP)) return LOSES;
  if (writes(c, BP) || (op == 0xbd && low == BP)) w->knows_frame = 0;
  return ON;
}

/* A call that never comes back has padding behind it, or the next function. */
static int comes_back(struct task *t, uint64_t after) {
  static const uint8_t ends[][4] = {{0xf3, 0x0f, 0x1e, 0xfa}, {0x55, 0x48, 0x89, 0xe5}};
  uint8_t code[4];
  if (!guest_read(t, after, code, sizeof code)) return 0;
  if (code[0] == 0xcc || (code[0] == 0x0f && code[1] == 0x1f) || (code[0] == 0x66 && code[1] != 0x0f)) return 0;
  return memcmp(code, ends[0], sizeof code) && memcmp(code, ends[1], sizeof code);
}

static enum step step(struct task *t, struct way *w, const struct code *c) {
  uint8_t op = c->d.opcode;
  int extension = c->d.modrm >> 3 & 7;
  if (c->d.map == MAP_0F) {
    if (op == 0x0b) return HALTS;
    return (op & 0xf0) == 0x80 ? BOTH : ON;
  }
  if (c->d.map != MAP_ONE_BYTE) return ON;
  switch (op) {
    case 0xc3: case 0xc2: return RETURNS;
    case 0xf4: return HALTS;
    case 0xcc: return ENDS;
    case 0xe9: case 0xeb: w->at = c->target; return ON;
    case 0xe0: case 0xe1: case 0xe2: case 0xe3: return BOTH;
    case 0xe8: return comes_back(t, w->at) ? ON : ENDS;
    case 0xff:
      if (extension == 2) return comes_back(t, w->at) ? ON : ENDS;
      if (extension >= 3 && extension <= 5) return LOSES;
      return move(w, c);
    default: return (op & 0xf0) == 0x70 ? BOTH : move(w, c);
  }
}

/* DWARF's numbers of the processor's first eight registers; the others are the same. */
static const uint8_t dwarf[16] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};

static int take(struct task *t, const struct way *w, uint64_t registers[ARCH_DWARF_REGISTERS]) {
  uint64_t to[ARCH_DWARF_REGISTERS];
  memcpy(to, registers, sizeof to);
  for (int i = 0; i < 16; i++)
    if (w->popped >> i & 1 && !guest_read(t, w->where[i], &to[dwarf[i]], WORD)) return 0;
  if (!guest_read(t, w->stack, &to[ARCH_DWARF_RETURN], WORD)) return 0;
  to[ARCH_DWARF_STACK] = w->stack + WORD;
  memcpy(registers, to, sizeof to);
  return 1;
}

int arch_follow(struct task *t, uint64_t registers[ARCH_DWARF_REGISTERS], uint64_t end) {
  static struct way ways[WAYS], found;
  static uint64_t seen[SEEN];
  struct code c;
  int open = 1, looked = 0, returned = 0, halted = 0, unclear = 0;
  ways[0] = (struct way){.at = registers[ARCH_DWARF_RETURN], .stack = registers[ARCH_DWARF_STACK],
                         .frame = registers[ARCH_DWARF_FRAME], .knows_frame = 1};
  while (open > 0) {
    struct way w = ways[--open];
    for (enum step how = ON; how == ON || how == BOTH;) {
      int known = w.at >= end;
      for (int i = 0; i < looked && !known; i++) known = seen[i] == w.at;
      if (known) break;
      if (looked == SEEN) return 0;
      seen[looked++] = w.at;
      if (!decode(t, w.at, &c)) break;
      w.at += c.d.length;
      how = step(t, &w, &c);
      if (how == BOTH) {
        if (open == WAYS) return 0;
        ways[open] = w;
        ways[open++].at = c.target;
      }
      halted |= how == HALTS;
      unclear |= how == ENDS || how == LOSES;
      if (how != RETURNS) continue;
      /* Ways that disagree: one of them is no way of this function's. */
      if (returned && w.stack != found.stack) return 0;
      if (!returned++) found = w;
    }
  }
  if (returned) return take(t, &found, registers);
  return halted && !unclear ? -1 : 0;
}

int arch_follow_from(struct task *t, uint64_t start, uint64_t counter, uint64_t registers[ARCH_DWARF_REGISTERS]) {
  struct way w = {.at = start};
  struct code c;
  for (int steps = 0; w.at < counter; steps++) {
    uint64_t here = w.at;
    if (steps == SEEN || !decode(t, here, &c)) return 0;
    int number = (c.d.opcode & 7) | (c.d.rex & 1) << 3, pushes = c.d.map == MAP_ONE_BYTE && (c.d.opcode & 0xf8) == 0x50;
    w.at += c.d.length;
    enum step how = step(t, &w, &c);
    if (how == RETURNS || how == LOSES) return 0;
    if (pushes && !(w.popped >> number & 1)) w.popped |= UINT32_C(1) << number, w.where[number] = w.stack;
    /* In the order in which it stands: what a compiler puts behind a return may be any part of the function. */
    w.at = here + c.d.length;
  }
  /* Until now, all was counted from the return address. */
  uint64_t top = registers[ARCH_DWARF_STACK] - w.stack;
  for (int i = 0; i < 16; i++) w.where[i] += top;
  w.stack = top;
  return w.at == counter && top >= registers[ARCH_DWARF_STACK] && take(t, &w, registers);
}
