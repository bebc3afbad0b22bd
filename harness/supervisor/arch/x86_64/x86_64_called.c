/* Looks for direct calls that lead to shortly before certain places, and proves that they are calls. */
#include "x86_64_called.h"

#include <emmintrin.h>
#include <string.h>

enum { CHUNK = 1 << 16, VECTOR = 16, CALL_SIZE = 5, MOST_CALLS = 4096, MOST_REACH = 4096, MOST_LOOKS = 1 << 24 };

/* A bit for each of 16 places that hold e8 or e9. */
static unsigned opcodes(const uint8_t *at) {
  __m128i bytes = _mm_or_si128(_mm_loadu_si128((const __m128i *)at), _mm_set1_epi8(1));
  return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)0xe9)));
}

static int leads_before(const struct place *places, size_t count, uint64_t target) {
  if (target > places[count - 1].address || places[0].address > target + MOST_REACH) return 0;
  return places[first_place(places, count, target)].address - target < MOST_REACH;
}

/* Where the call at `address`, whose bytes are `at`, leads to. */
static uint64_t target_of(const uint8_t *at, uint64_t address) {
  int32_t distance;
  memcpy(&distance, at + 1, sizeof distance);
  return address + CALL_SIZE + (uint64_t)(int64_t)distance;
}

/* The addresses of what looks like calls to shortly before one of the places. */
static size_t find_calls(const struct text *t, const struct place *places, size_t count, struct place *calls) {
  static uint8_t bytes[CHUNK + 2 * VECTOR];
  size_t found = 0, looks = 0;
  for (uint64_t at = 0; at < t->size; at += CHUNK) {
    size_t want = t->size - at < CHUNK + CALL_SIZE ? (size_t)(t->size - at) : CHUNK + CALL_SIZE;
    if (!text_read(t, t->from + at, bytes, want)) return 0;
    memset(bytes + want, 0, sizeof bytes - want);
    for (size_t i = 0; i < want && i < CHUNK; i += VECTOR)
      for (unsigned bits = opcodes(bytes + i); bits; bits &= bits - 1) {
        size_t place = i + (size_t)__builtin_ctz(bits);
        uint64_t address = t->address + at + place;
        if (place >= CHUNK) continue;
        if (found == MOST_CALLS || looks++ == MOST_LOOKS) return found;
        if (!leads_before(places, count, target_of(bytes + place, address))) continue;
        calls[found++] = (struct place){address, 0, 0};
      }
  }
  return found;
}

/* 1 when an instruction begins at the call, walking from its own function's beginning; its bytes. */
static int is_proven(struct text *t, const struct place *call, uint8_t bytes[CALL_SIZE]) {
  struct walk w;
  struct decoded d;
  uint64_t at = call->address - t->address + t->from;
  if (call->end == 0 || !walk_begin(t, &w, call) || !walk_to(t, &w, at, &d)) return 0;
  return d.map == MAP_ONE_BYTE && w.at + d.opcode_at == at && text_read(t, at, bytes, CALL_SIZE);
}

void called_functions(struct text *t, struct unwind_table *unwind, struct place *places, size_t count) {
  static struct place calls[MOST_CALLS];
  uint8_t bytes[CALL_SIZE];
  size_t found = count > 0 ? find_calls(t, places, count, calls) : 0;
  if (!unwind) frame_functions(t->file, calls, found);
  for (size_t i = 0; i < found; i++) {
    if (unwind && !unwind_function(t->file, unwind, &calls[i])) continue;
    if (is_proven(t, &calls[i], bytes)) offer_function(places, count, target_of(bytes, calls[i].address), UINT64_MAX);
  }
  settle_functions(places, count);
}
