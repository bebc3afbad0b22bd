/* Walks through a function instruction by instruction: over bytes that a guest wrote, and no further than a budget. */
#include "x86_64_walk.h"

#include <string.h>

int text_read(const struct text *t, uint64_t offset, void *to, size_t size) {
  if (t->file) return elf_read(t->file, offset, to, size);
  if (offset > t->size || size > t->size - offset) return 0;
  memcpy(to, t->memory + offset, size);
  return 1;
}

int walk_begin(const struct text *t, struct walk *w, const struct place *function) {
  uint64_t into = function->start - t->address;
  if (function->start < t->address || into >= t->size) return 0;
  uint64_t most = t->address + t->size, end = function->end < most ? function->end : most;
  *w = (struct walk){t->from + into, t->from + (end - t->address), 0, 0, 0, REST_UNKNOWN};
  w->furthest = function->end == UINT64_MAX ? w->at : w->end;
  return 1;
}

/* The longest instruction's bytes at `at`, in `last` when the text ends before. */
static const uint8_t *look(struct text *t, uint64_t at, uint8_t last[LONGEST_INSTRUCTION]) {
  uint64_t left = t->from + t->size - at;
  if (left < LONGEST_INSTRUCTION) {
    memset(last, 0, LONGEST_INSTRUCTION);
    return text_read(t, at, last, (size_t)left) ? last : NULL;
  }
  return t->file ? elf_look(t->file, &t->window, at, LONGEST_INSTRUCTION) : t->memory + at;
}

static int is_branch(const struct decoded *d) {
  uint8_t op = d->opcode;
  if (d->map == MAP_0F) return (op & 0xf0) == 0x80;
  return d->map == MAP_ONE_BYTE && ((op & 0xf0) == 0x70 || (op >= 0xe0 && op <= 0xe3) || op == 0xe9 || op == 0xeb);
}

/* 1 when what follows the instruction runs only if something branches to it. */
static int never_returns(const struct decoded *d) {
  enum { RETURN_POP = 0xc2, RETURN = 0xc3, TRAP = 0xcc, JUMP = 0xe9, SHORT_JUMP = 0xeb, HALT = 0xf4, UNDEFINED = 0x0b };
  if (d->map == MAP_0F) return d->opcode == UNDEFINED;
  if (d->map != MAP_ONE_BYTE) return 0;
  switch (d->opcode) {
    case RETURN_POP: case RETURN: case TRAP: case JUMP: case SHORT_JUMP: case HALT: return 1;
    case 0xff: return (d->modrm & 0x30) == 0x20;
    default: return 0;
  }
}

/* A function of unknown size goes on behind a return for as long as one of its own branches leads there. */
static void follow(struct walk *w, const uint8_t *code, const struct decoded *d) {
  enum { MOST_BRANCH = 1 << 12 };
  if (w->furthest == w->end) return;
  if (is_branch(d)) {
    int32_t distance = (int8_t)code[d->length - 1];
    if (d->map == MAP_0F || d->opcode == 0xe9) memcpy(&distance, code + d->length - sizeof distance, sizeof distance);
    if (distance > 0 && distance < MOST_BRANCH && w->at + (uint64_t)distance > w->furthest)
      w->furthest = w->at + (uint64_t)distance;
  }
  if (never_returns(d) && w->at > w->furthest) w->over = 1;
}

/* One instruction at `w->at`; 0: there is none that a program executes. */
static const uint8_t *decode_next(struct text *t, struct walk *w, struct decoded *d, uint8_t *last) {
  const uint8_t *code = t->steps == 0 ? NULL : look(t, w->at, last);
  if (code && decode_instruction(code, d) && !d->privileged && d->length <= w->end - w->at) {
    t->steps--;
    return code;
  }
  w->over = w->failed = 1;
  return NULL;
}

int walk_to(struct text *t, struct walk *w, uint64_t target, struct decoded *d) {
  uint8_t last[LONGEST_INSTRUCTION];
  if (target >= w->end || target < w->at) return 0;
  while (!w->over) {
    const uint8_t *code = decode_next(t, w, d, last);
    if (!code) break;
    if (w->at + d->length > target) return 1;
    w->at += d->length;
    follow(w, code, d);
  }
  return 0;
}

/* Code falls into step with itself within a few instructions, wherever one begins to read it. */
int walk_misses(struct text *t, const struct walk *w, uint64_t target, int is_wanted(const struct decoded *d)) {
  enum { BEFORE = 64 };
  uint8_t last[LONGEST_INSTRUCTION], reached[BEFORE + 1] = {0};
  struct decoded d;
  int covered = 0;
  if (w->over || w->furthest != w->end || target >= w->end || target < w->at || target - w->at < BEFORE) return 0;
  uint64_t from = target - BEFORE;
  memset(reached, 1, LONGEST_INSTRUCTION);
  for (uint64_t into = 0; into <= BEFORE; into++) {
    struct walk one = {.at = from + into, .end = w->end};
    if (!reached[into] || !decode_next(t, &one, &d, last)) continue;
    if (into + d.length <= BEFORE) reached[into + d.length] = 1;
    else if (into + d.opcode_at == BEFORE && is_wanted(&d)) return 0;
    else covered = 1;
  }
  return covered;
}

int walk_rest(struct text *t, struct walk *w) {
  uint8_t last[LONGEST_INSTRUCTION];
  struct decoded d;
  struct walk ahead = *w;
  if (w->rest != REST_UNKNOWN) return w->rest == REST_GOOD;
  while (!ahead.over && ahead.at < ahead.end) {
    const uint8_t *code = decode_next(t, &ahead, &d, last);
    if (!code) break;
    ahead.at += d.length;
    follow(&ahead, code, &d);
  }
  w->rest = ahead.failed ? REST_BAD : REST_GOOD;
  return w->rest == REST_GOOD;
}
