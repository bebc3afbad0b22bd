/* Runs the call frame instructions of DWARF 5, section 6.4.2, as far as compilers use them; the rest is not understood. */
#include "cfa.h"

#include <string.h>

#include "arch.h"

enum { STATES = 8, LIMIT = 4096 };

uint64_t read_fixed(struct reader *r, size_t size) {
  uint64_t value = 0;
  if ((size_t)(r->end - r->at) < size) {
    r->bad = 1;
    return 0;
  }
  memcpy(&value, r->at, size);
  r->at += size;
  return value;
}

uint64_t read_uleb(struct reader *r) {
  uint64_t value = 0;
  for (int shift = 0; !r->bad; shift += 7) {
    uint64_t byte = read_fixed(r, 1);
    if (shift < 64) value |= (byte & 127) << shift;
    if (!(byte & 128)) break;
  }
  return value;
}

int64_t read_sleb(struct reader *r) {
  uint64_t value = 0;
  for (int shift = 0; !r->bad;) {
    uint64_t byte = read_fixed(r, 1);
    if (shift < 64) value |= (byte & 127) << shift;
    shift += 7;
    if (byte & 128) continue;
    if (byte & 64 && shift < 64) value |= ~UINT64_C(0) << shift;
    break;
  }
  return (int64_t)value;
}

void read_past(struct reader *r, uint64_t size) {
  if ((uint64_t)(r->end - r->at) < size) r->bad = 1;
  else r->at += size;
}

/* Numbers of the guest's may overflow, which only unsigned ones may. */
static int64_t multiple(uint64_t count, const struct table *t) { return (int64_t)(count * (uint64_t)t->data_unit); }

/* The register is saved at this offset, or (`known` 0) where nobody here can say. */
static void saved(struct rules *now, uint64_t number, int known, int64_t offset) {
  if (number == ARCH_DWARF_FRAME) now->frame_saved = known ? 1 : -1, now->frame_offset = offset;
  if (number == ARCH_DWARF_RETURN) {
    now->return_offset = offset;
    if (!known) now->base = -1;
  }
}

static void restored(struct rules *now, uint64_t number, const struct rules *initial) {
  if (number == ARCH_DWARF_FRAME) now->frame_saved = initial->frame_saved, now->frame_offset = initial->frame_offset;
  if (number == ARCH_DWARF_RETURN) now->return_offset = initial->return_offset;
}

static void base_on(struct rules *now, uint64_t number) {
  now->base = number == ARCH_DWARF_FRAME || number == ARCH_DWARF_STACK ? (int)number : -1;
}

/* Instructions that say something about a register or about the frame's end. */
static void change(struct reader *r, unsigned code, const struct table *t, const struct rules *initial, struct rules *now) {
  uint64_t number;
  switch (code) {
    case 0x00: return;                                            /* nop */
    case 0x05: number = read_uleb(r); saved(now, number, 1, multiple(read_uleb(r), t)); return;
    case 0x06: restored(now, read_uleb(r), initial); return;
    case 0x07: if (read_uleb(r) == ARCH_DWARF_RETURN) now->outermost = 1; return;
    case 0x08: if (read_uleb(r) == ARCH_DWARF_FRAME) now->frame_saved = 0; return;
    case 0x09: number = read_uleb(r); read_uleb(r); saved(now, number, 0, 0); return;
    case 0x0c: base_on(now, read_uleb(r)); now->offset = (int64_t)read_uleb(r); return;
    case 0x0d: base_on(now, read_uleb(r)); return;
    case 0x0e: now->offset = (int64_t)read_uleb(r); return;
    case 0x0f: now->base = -1; read_past(r, read_uleb(r)); return;
    case 0x10: case 0x16: number = read_uleb(r); read_past(r, read_uleb(r)); saved(now, number, 0, 0); return;
    case 0x11: number = read_uleb(r); saved(now, number, 1, multiple((uint64_t)read_sleb(r), t)); return;
    case 0x12: base_on(now, read_uleb(r)); now->offset = multiple((uint64_t)read_sleb(r), t); return;
    case 0x13: now->offset = multiple((uint64_t)read_sleb(r), t); return;
    case 0x2e: read_uleb(r); return;                              /* GNU_args_size */
    default: r->bad = 1; return;
  }
}

void run_rules(struct reader *r, const struct table *t, uint64_t pc, const struct rules *initial, struct rules *now) {
  struct rules states[STATES];
  uint64_t place = t->start;
  int depth = 0;
  for (int count = 0; r->at < r->end && !r->bad; count++) {
    unsigned code = (unsigned)read_fixed(r, 1), low = code & 63;
    if (count == LIMIT) r->bad = 1;
    else if (code >> 6 == 1 || (code >= 0x02 && code <= 0x04)) {
      place += (code >> 6 ? low : read_fixed(r, (size_t)1 << (code - 2))) * t->code_unit;
      if (place > pc) return;
    } else if (code >> 6 == 2) saved(now, low, 1, multiple(read_uleb(r), t));
    else if (code >> 6 == 3) restored(now, low, initial);
    else if (code == 0x0a && depth < STATES) states[depth++] = *now;
    else if (code == 0x0b && depth > 0) *now = states[--depth];
    else change(r, code, t, initial, now);
  }
}
