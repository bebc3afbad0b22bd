/* Finds instructions by their bytes, then proves that they begin there by decoding from where their function begins. */
#define _GNU_SOURCE
#include <emmintrin.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "instructions.h"
#include "x86_64_length.h"

enum { CHUNK = 1 << 16, VECTOR = 16, MOST_FOUND = 1 << 16, MOST_LOOKUPS = 1 << 15, MOST_PENDING = 1 << 14 };

static int kind_of(const struct decoded *d) {
  int is_register = d->modrm >= 0xc0, reg = d->modrm >> 3 & 7;
  if (d->map != MAP_0F || d->lock) return -1;
  switch (d->opcode) {
    case 0xa2: return INSTRUCTION_CPUID;
    case 0x03: return INSTRUCTION_LSL;
    case 0x01:
      if (d->repeat || d->operand_size) return -1;
      return d->modrm == 0xd0 ? INSTRUCTION_XGETBV : d->modrm == 0xfd ? INSTRUCTION_RDPRU : -1;
    case 0xc7:
      if (!is_register) return -1;
      if (d->repeat) return d->repeat == 0xf3 && reg == 7 ? INSTRUCTION_RDPID : -1;
      return reg == 6 ? INSTRUCTION_RDRAND : reg == 7 ? INSTRUCTION_RDSEED : -1;
    default: return -1;
  }
}

int instruction_at(const uint8_t *at, uint8_t *length) {
  struct decoded d;
  if (!decode_instruction(at, &d)) return -1;
  *length = d.length;
  return kind_of(&d);
}

/* A bit for each of 16 places that hold 0f and one of a2, c7, 01 and 03. */
static unsigned opcodes(const uint8_t *at) {
  __m128i first = _mm_loadu_si128((const __m128i *)at), second = _mm_loadu_si128((const __m128i *)(at + 1));
  __m128i low = _mm_cmpeq_epi8(_mm_or_si128(second, _mm_set1_epi8(2)), _mm_set1_epi8(3));
  __m128i high = _mm_or_si128(_mm_cmpeq_epi8(second, _mm_set1_epi8((char)0xa2)),
                              _mm_cmpeq_epi8(second, _mm_set1_epi8((char)0xc7)));
  __m128i escape = _mm_cmpeq_epi8(first, _mm_set1_epi8(0x0f));
  return (unsigned)_mm_movemask_epi8(_mm_and_si128(escape, _mm_or_si128(low, high)));
}

/* 1 when the third byte does not rule it out. */
static int is_candidate(const uint8_t *at) {
  if (at[1] == 0xc7) return at[2] >= 0xf0;
  return at[1] != 0x01 || at[2] == 0xd0 || at[2] == 0xfd;
}

enum outcome { PROVEN, OTHERWISE, UNPROVEN };

/* A walk through one function, by offsets in the file. `failed`: what stands at `at` is no instruction of a program. */
struct walk {
  uint64_t at, end;
  int failed;
};

struct search {
  struct elf_file file;
  struct unwind_table unwind;
  struct window text;
  int has_unwind;
  const Elf64_Phdr *segment;
  struct walk walk;
  uint64_t steps; /* bytes that may still be decoded: an honest file needs a fraction of its own text */
  uint32_t lookups, pending_count, room;
  struct place *pending;
  struct found_instructions *out;
};

static void add_found(struct search *s, uint64_t offset, int kind, uint8_t length) {
  struct found_instructions *out = s->out;
  if (out->count == s->room) {
    uint32_t room = s->room ? 2 * s->room : 16;
    void *more = room <= MOST_FOUND ? realloc(out->list, room * sizeof *out->list) : NULL;
    if (!more) {
      out->unproven++;
      return;
    }
    out->list = more;
    s->room = room;
  }
  out->list[out->count++] = (struct found_instruction){offset, (uint8_t)kind, length};
}

/* One step of a walk, over the bytes at `code`, 15 of them, towards the place `target`. */
static enum outcome step(struct search *s, struct walk *w, const uint8_t *code, uint64_t target) {
  struct decoded d;
  if (!decode_instruction(code, &d) || d.privileged || d.length > w->end - w->at) {
    w->failed = 1;
    return UNPROVEN;
  }
  if (w->at + d.length <= target) {
    w->at += d.length;
    return UNPROVEN;
  }
  int kind = w->at + d.opcode_at == target ? kind_of(&d) : -1;
  if (kind < 0) return OTHERWISE;
  add_found(s, w->at, kind, d.length);
  return PROVEN;
}

static enum outcome walk_file(struct search *s, uint64_t target) {
  struct walk *w = &s->walk;
  enum outcome outcome = UNPROVEN;
  while (!w->failed && outcome == UNPROVEN && w->at <= target) {
    uint8_t last[LONGEST_INSTRUCTION] = {0};
    uint64_t before = w->at;
    const uint8_t *code = elf_look(&s->file, &s->text, w->at, LONGEST_INSTRUCTION);
    if (!code && w->at < s->file.size && elf_read(&s->file, w->at, last, (size_t)(s->file.size - w->at))) code = last;
    if (!code || s->steps < LONGEST_INSTRUCTION) w->failed = 1;
    else outcome = step(s, w, code, target), s->steps -= w->at - before;
  }
  return outcome;
}

/* Begins a walk at a function's beginning; 0 when it does not lie in the segment that is searched. */
static int begin_walk(struct search *s, const struct place *p) {
  const Elf64_Phdr *segment = s->segment;
  if (p->start < segment->p_vaddr || p->start - segment->p_vaddr >= segment->p_filesz) return 0;
  uint64_t most = segment->p_vaddr + segment->p_filesz, end = p->end < most ? p->end : most;
  s->walk = (struct walk){p->start - segment->p_vaddr + segment->p_offset,
                          end - segment->p_vaddr + segment->p_offset, 0};
  return 1;
}

static void examine(struct search *s, uint64_t offset) {
  struct place p = {offset - s->segment->p_offset + s->segment->p_vaddr, 0, 0};
  enum outcome outcome = UNPROVEN;
  if (offset >= s->walk.end && s->has_unwind && s->lookups > 0) {
    s->lookups--;
    if (!unwind_function(&s->file, &s->unwind, &p) || !begin_walk(s, &p)) s->walk.end = 0;
  }
  if (offset < s->walk.end && offset >= s->walk.at) outcome = walk_file(s, offset);
  if (outcome != UNPROVEN) return;
  if (s->pending_count < MOST_PENDING) s->pending[s->pending_count++] = (struct place){p.address, 0, 0};
  else s->out->unproven++;
}

/* Proves what it can with the functions that one more table knows; keeps the other places. */
static void examine_again(struct search *s, void (*table)(const struct elf_file *, struct place *, size_t)) {
  uint32_t left = 0;
  uint64_t start = 0;
  for (uint32_t i = 0; i < s->pending_count; i++) s->pending[i].end = 0;
  table(&s->file, s->pending, s->pending_count);
  s->walk = (struct walk){0, 0, 0};
  for (uint32_t i = 0; i < s->pending_count; i++) {
    const struct place *p = &s->pending[i];
    uint64_t offset = p->address - s->segment->p_vaddr + s->segment->p_offset;
    int known = p->end != 0 && ((s->walk.end && p->start == start) || begin_walk(s, p));
    start = p->start;
    if (!known) s->walk.end = 0;
    if (offset >= s->walk.end || offset < s->walk.at || walk_file(s, offset) == UNPROVEN) s->pending[left++] = *p;
  }
  s->pending_count = left;
}

/* Looks at one segment from `from`, an offset, on; 0 when it cannot be read. */
static int search_segment(struct search *s, uint64_t from) {
  static uint8_t bytes[CHUNK + 2 * VECTOR];
  enum { LOOK_AHEAD = 2 };
  uint64_t end = s->segment->p_offset + s->segment->p_filesz;
  s->walk = (struct walk){0, 0, 0};
  for (uint64_t at = from; at < end; at += CHUNK) {
    size_t want = end - at < CHUNK + LOOK_AHEAD ? (size_t)(end - at) : CHUNK + LOOK_AHEAD;
    if (!elf_read(&s->file, at, bytes, want)) return 0;
    memset(bytes + want, 0, sizeof bytes - want);
    for (size_t i = 0; i < want && i < CHUNK; i += VECTOR)
      for (unsigned bits = opcodes(bytes + i); bits; bits &= bits - 1) {
        size_t place = i + (size_t)__builtin_ctz(bits);
        if (is_candidate(bytes + place)) examine(s, at + place);
      }
  }
  examine_again(s, frame_functions);
  examine_again(s, symbol_functions);
  examine_again(s, go_functions);
  s->out->unproven += (uint32_t)only_code(&s->file, s->pending, s->pending_count);
  s->pending_count = 0;
  return 1;
}

static int by_offset(const void *a, const void *b) {
  const struct found_instruction *x = a, *y = b;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The executable segment that lies next in the file, so that nothing is looked at twice however many overlap. */
static const Elf64_Phdr *next_segment(const struct elf_file *f, uint64_t from) {
  const Elf64_Phdr *best = NULL;
  for (int i = 0; i < f->count; i++) {
    const Elf64_Phdr *p = &f->segments[i];
    int is_code = p->p_type == PT_LOAD && (p->p_flags & PF_X) && p->p_filesz > 0;
    if (is_code && p->p_offset + p->p_filesz > from && (!best || p->p_offset < best->p_offset)) best = p;
  }
  return best;
}

int find_instructions(int fd, struct found_instructions *out) {
  enum { LEAST_STEPS = 1 << 20, SHARE = 8 };
  static struct search s;
  memset(&s, 0, sizeof s);
  memset(out, 0, sizeof *out);
  s.out = out;
  if (!elf_open(&s.file, fd)) return 0;
  for (int i = 0; i < s.file.count; i++) {
    const Elf64_Phdr *p = &s.file.segments[i];
    if (p->p_type == PT_LOAD && (p->p_offset > s.file.size || p->p_filesz > s.file.size - p->p_offset)) return 0;
  }
  s.has_unwind = unwind_open(&s.file, &s.unwind);
  s.lookups = MOST_LOOKUPS;
  s.steps = LEAST_STEPS + s.file.size / SHARE;
  s.pending = malloc(MOST_PENDING * sizeof *s.pending);
  int whole = s.pending != NULL;
  uint64_t from = 0;
  while (whole && (s.segment = next_segment(&s.file, from))) {
    whole = search_segment(&s, from > s.segment->p_offset ? from : s.segment->p_offset);
    from = s.segment->p_offset + s.segment->p_filesz;
  }
  free(s.pending);
  if (!whole) {
    free(out->list);
    memset(out, 0, sizeof *out);
  } else if (out->count > 1) {
    qsort(out->list, out->count, sizeof *out->list, by_offset);
  }
  return whole;
}

int find_in_memory(const uint8_t *code, size_t size, struct found_instructions *out) {
  static struct search s;
  memset(&s, 0, sizeof s);
  memset(out, 0, sizeof *out);
  s.out = out;
  struct walk w = {0, size, 0};
  for (size_t i = 0; i < size; i++) {
    uint8_t last[2 * VECTOR] = {0};
    size_t left = size - i;
    if (left > 2 * VECTOR) {
      unsigned bits = opcodes(code + i);
      if (!bits) {
        i += VECTOR - 1;
        continue;
      }
      i += (size_t)__builtin_ctz(bits);
      left = size - i;
    }
    memcpy(last, code + i, left < sizeof last ? left : sizeof last);
    if (last[0] != 0x0f || !(opcodes(last) & 1) || !is_candidate(last)) continue;
    enum outcome outcome = UNPROVEN;
    while (!w.failed && outcome == UNPROVEN && w.at <= i) {
      uint8_t rest[LONGEST_INSTRUCTION] = {0};
      memcpy(rest, code + w.at, size - w.at < sizeof rest ? size - (size_t)w.at : sizeof rest);
      outcome = step(&s, &w, rest, i);
    }
    out->unproven += outcome == UNPROVEN;
  }
  return 1;
}
