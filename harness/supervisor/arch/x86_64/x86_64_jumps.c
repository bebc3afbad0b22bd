/* Replaces cpuid and what follows it by a jump: glibc's loader asks some forty times at every start of a program. */
#include "rewrite/jumps.h"

#include <string.h>

#include "x86_64_length.h"

enum { CPUID_BYTES = 2, NEAR_BRANCH = 130, RED_ZONE = 128 };

/* What a compiler puts behind cpuid: moves, arithmetic and comparisons. None of them tells where it stands but by an
   operand relative to it, which can be put right. */
static int moves(const struct decoded *d) {
  static const uint8_t with_operand[] = {0x01, 0x03, 0x09, 0x0b, 0x21, 0x23, 0x29, 0x2b, 0x31, 0x33, 0x39, 0x3b, 0x80, 0x81,
                                         0x83, 0x84, 0x85, 0x88, 0x89, 0x8a, 0x8b, 0x8d, 0xc1, 0xc7, 0xd1};
  static const uint8_t without[] = {0x05, 0x0d, 0x25, 0x2d, 0x35, 0x3c, 0x3d, 0xa8, 0xa9};
  if (d->map != MAP_ONE_BYTE || d->address_size || d->lock) return 0;
  if (d->opcode == 0xc7 && (d->modrm >> 3 & 7) != 0) return 0; /* xbegin */
  if (memchr(with_operand, d->opcode, sizeof with_operand)) return 1 + (d->modrm >> 6 == 0 && (d->modrm & 7) == 5);
  return memchr(without, d->opcode, sizeof without) || (d->opcode >= 0xb8 && d->opcode <= 0xbf);
}

static uint8_t replaced_at(const uint8_t *text, size_t size, uint64_t site) {
  size_t length = CPUID_BYTES;
  struct decoded d;
  while (length < JUMP_BYTES) {
    if (site + length + LONGEST_INSTRUCTION > size || !decode_instruction(text + site + length, &d) || !moves(&d)) return 0;
    length += d.length;
  }
  return length <= MOST_REPLACED ? (uint8_t)length : 0;
}

static int is_inside(const struct jump *j, uint64_t target) {
  return j->replaced && target > j->site && target < j->site + j->replaced;
}

/* 0 when decoding from an instruction that is known steps over the byte at `at`; where none is known before it, 1. */
static int may_begin(const uint8_t *text, size_t size, const struct jump *jumps, size_t count, uint64_t at) {
  uint64_t from = UINT64_MAX;
  struct decoded d;
  for (size_t i = 0; i < count && jumps[i].site <= at; i++) from = jumps[i].site;
  while (from < at && from + LONGEST_INSTRUCTION <= size && decode_instruction(text + from, &d)) from += d.length;
  return from == at || from == UINT64_MAX || from < at;
}

/* Every byte is taken for a branch that could be one: a jump too few costs a stop, one too many the program. */
static void refuse_targets(const uint8_t *text, size_t size, struct jump *jumps, size_t count) {
  uint64_t first = jumps[0].site, last = jumps[count - 1].site + MOST_REPLACED;
  for (size_t at = 2; at + 4 <= size; at++) {
    int32_t distance;
    memcpy(&distance, text + at, sizeof distance);
    uint64_t target = at + 4 + (uint64_t)(int64_t)distance;
    if (target < first || target > last) continue;
    if (text[at - 1] != 0xe8 && text[at - 1] != 0xe9 && (text[at - 2] != 0x0f || (text[at - 1] & 0xf0) != 0x80)) continue;
    for (size_t i = 0; i < count; i++)
      if (is_inside(&jumps[i], target)) jumps[i].replaced = 0;
  }
  for (size_t i = 0; i < count; i++) {
    uint64_t from = jumps[i].site > NEAR_BRANCH ? jumps[i].site - NEAR_BRANCH : 0;
    for (uint64_t at = from; at < jumps[i].site + NEAR_BRANCH && at + 2 <= size; at++) {
      int branches = (text[at] & 0xf0) == 0x70 || text[at] == 0xeb || (text[at] & 0xfc) == 0xe0;
      if (!branches || !is_inside(&jumps[i], at + 2 + (uint64_t)(int64_t)(int8_t)text[at + 1])) continue;
      if (may_begin(text, size, jumps, count, at)) jumps[i].replaced = 0;
    }
  }
}

void plan_jumps(const uint8_t *text, size_t size, struct jump *jumps, size_t count) {
  if (!count) return;
  for (size_t i = 0; i < count; i++) jumps[i].replaced = replaced_at(text, size, jumps[i].site);
  refuse_targets(text, size, jumps, count);
}

struct detour {
  uint8_t *to;
  uint64_t at;
  size_t length;
  int far;
};

static void put(struct detour *d, const void *bytes, size_t size) {
  memcpy(d->to + d->length, bytes, size);
  d->length += size;
}

/* The four bytes that end an instruction and lead to `target` from its end. */
static int32_t distance(struct detour *d, uint64_t end, uint64_t target) {
  int64_t far = (int64_t)(target - end);
  if (far != (int32_t)far) d->far = 1;
  return (int32_t)far;
}

int put_branch(uint8_t to[JUMP_BYTES], uint8_t opcode, uint64_t at, uint64_t target) {
  int64_t far = (int64_t)(target - at - JUMP_BYTES);
  int32_t near = (int32_t)far;
  to[0] = opcode;
  memcpy(to + 1, &near, sizeof near);
  return far == near;
}

static void branch(struct detour *d, uint8_t opcode, uint64_t target) {
  if (!put_branch(d->to + d->length, opcode, d->at + d->length, target)) d->far = 1;
  d->length += JUMP_BYTES;
}

static void put_moved(struct detour *d, const uint8_t *code, uint64_t address) {
  uint8_t moved[LONGEST_INSTRUCTION];
  struct decoded one;
  decode_instruction(code, &one);
  memcpy(moved, code, one.length);
  if (moves(&one) == 2) {
    int32_t old;
    uint8_t *place = moved + one.opcode_at + 2;
    memcpy(&old, place, sizeof old);
    old = distance(d, d->at + d->length, address + (uint64_t)(int64_t)old);
    memcpy(place, &old, sizeof old);
  }
  put(d, moved, one.length);
}

size_t make_detour(uint8_t to[DETOUR_ROOM], uint64_t at, uint8_t jump[MOST_REPLACED], const uint8_t *code, uint8_t replaced,
                   uint64_t site, uint64_t answer) {
  /* Below the stack pointer a function may keep what it has not saved yet; lea leaves the flags alone. */
  static const uint8_t below[] = {0x48, 0x8d, 0x64, 0x24, 0x80}, above[] = {0x48, 0x8d, 0xa4, 0x24, RED_ZONE, 0, 0, 0};
  uint8_t padded[MOST_REPLACED + LONGEST_INSTRUCTION] = {0};
  struct detour d = {to, at, 0, 0}, back = {jump, site, 0, 0};
  struct decoded one;
  memcpy(padded, code, replaced);
  put(&d, below, sizeof below);
  branch(&d, 0xe8, answer);
  put(&d, above, sizeof above);
  for (size_t done = CPUID_BYTES; done < replaced; done += one.length) {
    if (!decode_instruction(padded + done, &one)) return 0;
    put_moved(&d, padded + done, site + done);
  }
  branch(&d, 0xe9, site + replaced);
  branch(&back, 0xe9, at);
  memset(jump + JUMP_BYTES, 0x90, MOST_REPLACED - JUMP_BYTES);
  return d.far || back.far ? 0 : d.length;
}
