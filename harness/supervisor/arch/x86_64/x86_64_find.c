/* Finds instructions by their bytes, then proves that they begin there by decoding from where their function begins. */
#include <emmintrin.h>
#include <stdlib.h>
#include <string.h>

#include "rewrite/instructions.h"
#include "x86_64_called.h"

enum { CHUNK = 1 << 16, VECTOR = 16, BLOCK = 64 };

/* Honest programs of 300 MB stay below a tenth of these; a file full of such bytes only gets to be counted. */
enum { MOST_FOUND = 1 << 16, MOST_CANDIDATES = 1 << 18, MOST_LOOKUPS = 1 << 15, MOST_PENDING = 1 << 14 };
enum { MOST_SEGMENTS = 4 };

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

static int is_sought(const struct decoded *d) { return kind_of(d) >= 0; }

int instruction_at(const uint8_t *at, uint8_t *length) {
  struct decoded d;
  if (!decode_instruction(at, &d)) return -1;
  *length = d.length;
  return kind_of(&d);
}

/* Bytes of ones at those of 16 places that hold 0f and one of a2, c7, 01 and 03. */
static __m128i opcodes(const uint8_t *at) {
  __m128i first = _mm_loadu_si128((const __m128i *)at), second = _mm_loadu_si128((const __m128i *)(at + 1));
  __m128i low = _mm_cmpeq_epi8(_mm_or_si128(second, _mm_set1_epi8(2)), _mm_set1_epi8(3));
  __m128i high = _mm_or_si128(_mm_cmpeq_epi8(second, _mm_set1_epi8((char)0xa2)),
                              _mm_cmpeq_epi8(second, _mm_set1_epi8((char)0xc7)));
  __m128i escape = _mm_cmpeq_epi8(first, _mm_set1_epi8(0x0f));
  return _mm_and_si128(escape, _mm_or_si128(low, high));
}

/* A bit for each of 64 such places: mostly there is none, which is seen at once. */
static uint64_t block_opcodes(const uint8_t *at) {
  __m128i parts[BLOCK / VECTOR], any = _mm_setzero_si128();
  for (int i = 0; i < BLOCK / VECTOR; i++) any = _mm_or_si128(any, parts[i] = opcodes(at + i * VECTOR));
  uint64_t bits = 0;
  if (_mm_movemask_epi8(any) == 0) return bits;
  for (int i = 0; i < BLOCK / VECTOR; i++) bits |= (uint64_t)_mm_movemask_epi8(parts[i]) << i * VECTOR;
  return bits;
}

/* 1 when the third byte does not rule it out. */
static int is_candidate(const uint8_t *at) {
  if (at[1] == 0xc7) return at[2] >= 0xf0;
  return at[1] != 0x01 || at[2] == 0xd0 || at[2] == 0xfd;
}

struct search {
  struct elf_file file;
  struct unwind_table unwind;
  struct text text;
  struct walk walk;
  int has_unwind;
  uint32_t candidates, lookups, segments; /* that may still be looked at */
  uint32_t pending_count, room;
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

static uint64_t address_of(const struct search *s, uint64_t offset) { return offset - s->text.from + s->text.address; }
static uint64_t offset_of(const struct search *s, uint64_t address) { return address - s->text.address + s->text.from; }

/* 1 when it is known whether an instruction begins at the place; adds it if it is one that is looked for. */
static int prove(struct search *s, uint64_t offset) {
  struct decoded d;
  if (walk_misses(&s->text, &s->walk, offset, is_sought)) return 1;
  if (!walk_to(&s->text, &s->walk, offset, &d)) return 0;
  int kind = s->walk.at + d.opcode_at == offset ? kind_of(&d) : -1;
  if (kind >= 0 && !walk_rest(&s->text, &s->walk)) return 0;
  if (kind >= 0) add_found(s, s->walk.at, kind, d.length);
  return 1;
}

/* Begins a walk in the function that the unwind table has for the address. */
static void begin_unwound(struct search *s, uint64_t address) {
  struct place p = {address, 0, 0};
  s->walk.end = 0;
  if (!s->has_unwind || s->lookups == 0) return;
  s->lookups--;
  if (unwind_function(&s->file, &s->unwind, &p)) walk_begin(&s->text, &s->walk, &p);
}

static void examine(struct search *s, uint64_t offset) {
  if (offset >= s->walk.end) begin_unwound(s, address_of(s, offset));
  if (prove(s, offset)) return;
  struct place p = {address_of(s, offset), 0, 0};
  if (s->pending && s->pending_count < MOST_PENDING) s->pending[s->pending_count++] = p;
  else s->out->unproven++;
}

/* Proves what it can with the functions that a table has now found; keeps the other places. */
static void examine_pending(struct search *s) {
  uint32_t left = 0;
  uint64_t start = 0;
  s->walk.end = 0;
  for (uint32_t i = 0; i < s->pending_count; i++) {
    struct place p = s->pending[i];
    if (p.end == 0) s->walk.end = 0;
    else if ((s->walk.end == 0 || p.start != start) && !walk_begin(&s->text, &s->walk, &p)) s->walk.end = 0;
    start = p.start;
    if (!prove(s, offset_of(s, p.address))) s->pending[left++] = (struct place){p.address, 0, 0};
  }
  s->pending_count = left;
}

/* What the first table left open is asked of the others, in the order of what they cost. */
static void ask_others(struct search *s) {
  static void (*const tables[])(const struct elf_file *, struct place *, size_t) = {frame_functions, symbol_functions,
                                                                                    go_functions};
  for (size_t i = 0; i < sizeof tables / sizeof *tables && s->pending_count > 0; i++) {
    tables[i](&s->file, s->pending, s->pending_count);
    examine_pending(s);
  }
  s->pending_count = (uint32_t)only_code(&s->file, s->pending, s->pending_count);
  if (s->pending_count == 0) return;
  called_functions(&s->text, s->has_unwind ? &s->unwind : NULL, s->pending, s->pending_count);
  examine_pending(s);
}

/* The candidates among 64 bytes; they are only counted when there were too many for an honest program. */
static void examine_block(struct search *s, uint64_t at, const uint8_t *bytes) {
  for (uint64_t bits = block_opcodes(bytes); bits; bits &= bits - 1) {
    int place = __builtin_ctzll(bits);
    if (s->candidates == 0) {
      s->out->unproven += (uint32_t)__builtin_popcountll(bits);
      return;
    }
    if (!is_candidate(bytes + place)) continue;
    s->candidates--;
    examine(s, at + (uint64_t)place);
  }
}

/* Looks through the text for candidates, from `from` on; 0 when it cannot be read. */
static int examine_all(struct search *s, uint64_t from) {
  static uint8_t bytes[CHUNK + VECTOR];
  enum { LOOK_AHEAD = 2 };
  uint64_t end = s->text.from + s->text.size;
  for (uint64_t at = from; at < end; at += CHUNK) {
    size_t want = end - at < CHUNK + LOOK_AHEAD ? (size_t)(end - at) : CHUNK + LOOK_AHEAD;
    if (!text_read(&s->text, at, bytes, want)) return 0;
    memset(bytes + want, 0, sizeof bytes - want);
    for (size_t i = 0; i < want && i < CHUNK; i += BLOCK) examine_block(s, at + i, bytes + i);
  }
  return 1;
}

static int search_segment(struct search *s, const Elf64_Phdr *p, uint64_t from) {
  s->text.from = p->p_offset;
  s->text.size = p->p_filesz;
  s->text.address = p->p_vaddr;
  s->text.window.size = 0;
  s->walk.end = 0;
  s->pending_count = 0;
  if (!examine_all(s, from)) return 0;
  if (s->pending_count == 0) return 1;
  if (s->segments > 0) s->segments--, ask_others(s);
  s->out->unproven += s->pending_count;
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

/* 0 when a segment lies outside of the file, which shrank, or of what addresses can name. */
static int are_whole(const struct elf_file *f) {
  for (int i = 0; i < f->count; i++) {
    const Elf64_Phdr *p = &f->segments[i];
    if (p->p_type != PT_LOAD) continue;
    if (p->p_offset > f->size || p->p_filesz > f->size - p->p_offset || p->p_vaddr > UINT64_MAX / 2) return 0;
  }
  return 1;
}

int find_instructions(int fd, struct found_instructions *out) {
  enum { LEAST_STEPS = 1 << 20, SHARE = 16 };
  static struct search s;
  memset(&s, 0, sizeof s);
  memset(out, 0, sizeof *out);
  s.out = out;
  if (!elf_open(&s.file, fd) || !are_whole(&s.file)) return 0;
  s.text.file = &s.file;
  s.text.steps = LEAST_STEPS + s.file.size / SHARE;
  s.has_unwind = unwind_open(&s.file, &s.unwind);
  s.candidates = MOST_CANDIDATES;
  s.lookups = MOST_LOOKUPS;
  s.segments = MOST_SEGMENTS;
  s.pending = malloc(MOST_PENDING * sizeof *s.pending);
  int whole = s.pending != NULL;
  uint64_t from = 0;
  for (const Elf64_Phdr *p; whole && (p = next_segment(&s.file, from)); from = p->p_offset + p->p_filesz)
    whole = search_segment(&s, p, from > p->p_offset ? from : p->p_offset);
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
  const struct place all = {0, 0, size};
  memset(&s, 0, sizeof s);
  memset(out, 0, sizeof *out);
  s.out = out;
  s.text.memory = code;
  s.text.size = s.text.steps = size;
  s.candidates = MOST_CANDIDATES;
  walk_begin(&s.text, &s.walk, &all);
  s.walk.rest = REST_GOOD; /* it is no one function, and may hold constants and room behind its code */
  return examine_all(&s, 0);
}
