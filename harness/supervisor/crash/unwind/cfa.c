/* Runs the call frame instructions of DWARF 5, section 6.4.2, all but a change of place that no compiler writes. */
#include "cfa.h"

#include <string.h>

enum { STATES = 8, LIMIT = 65536 };

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

/* A register that unwinding does not follow, such as one of vectors, has a rule that is not read. */
static struct rule *rule_of(struct rules *now, uint64_t number) {
  static struct rule unread;
  return number < ARCH_DWARF_REGISTERS ? &now->registers[number] : &unread;
}

static void saved(struct rules *now, uint64_t number, enum how how, int64_t offset) {
  *rule_of(now, number) = (struct rule){.how = how, .offset = offset};
}

static void restored(struct rules *now, uint64_t number, const struct rules *initial) {
  if (number < ARCH_DWARF_REGISTERS) now->registers[number] = initial->registers[number];
}

/* The bytes of an expression, which are run only when the frame is left. */
static struct rule expressed(struct reader *r, enum how how) {
  uint64_t size = read_uleb(r);
  const uint8_t *begin = r->at;
  read_past(r, size);
  return (struct rule){.how = how, .expression = {begin, r->at, r->bad}};
}

/* Instructions that say where the frame ends. */
static int change_frame(struct reader *r, unsigned code, const struct table *t, struct rule *frame) {
  switch (code) {
    case 0x0c: frame->how = OFFSET, frame->number = read_uleb(r), frame->offset = (int64_t)read_uleb(r); return 1;
    case 0x0d: frame->number = read_uleb(r); return 1;
    case 0x0e: frame->offset = (int64_t)read_uleb(r); return 1;
    case 0x0f: *frame = expressed(r, RESULT); return 1;
    case 0x12:
      frame->how = OFFSET, frame->number = read_uleb(r), frame->offset = multiple((uint64_t)read_sleb(r), t);
      return 1;
    case 0x13: frame->offset = multiple((uint64_t)read_sleb(r), t); return 1;
    default: return 0;
  }
}

/* Instructions that say something about a register. */
static void change(struct reader *r, unsigned code, const struct table *t, const struct rules *initial, struct rules *now) {
  uint64_t number;
  switch (code) {
    case 0x00: return;                                            /* nop */
    case 0x05: number = read_uleb(r), saved(now, number, AT_OFFSET, multiple(read_uleb(r), t)); return;
    case 0x06: restored(now, read_uleb(r), initial); return;
    case 0x07: saved(now, read_uleb(r), LOST, 0); return;
    case 0x08: saved(now, read_uleb(r), SAME, 0); return;
    case 0x09: number = read_uleb(r), *rule_of(now, number) = (struct rule){.how = COPIED, .number = read_uleb(r)}; return;
    case 0x10: number = read_uleb(r), *rule_of(now, number) = expressed(r, AT_RESULT); return;
    case 0x11: number = read_uleb(r), saved(now, number, AT_OFFSET, multiple((uint64_t)read_sleb(r), t)); return;
    case 0x14: number = read_uleb(r), saved(now, number, OFFSET, multiple(read_uleb(r), t)); return;
    case 0x15: number = read_uleb(r), saved(now, number, OFFSET, multiple((uint64_t)read_sleb(r), t)); return;
    case 0x16: number = read_uleb(r), *rule_of(now, number) = expressed(r, RESULT); return;
    case 0x2e: read_uleb(r); return;                              /* GNU_args_size */
    case 0x2f: number = read_uleb(r), saved(now, number, AT_OFFSET, multiple(0 - read_uleb(r), t)); return;
    default: r->bad = 1; return;
  }
}

void run_rules(struct reader *r, const struct table *t, uint64_t pc, const struct rules *initial, struct rules *now) {
  static struct rules states[STATES];
  uint64_t place = t->start;
  int depth = 0;
  for (int count = 0; r->at < r->end && !r->bad; count++) {
    unsigned code = (unsigned)read_fixed(r, 1), low = code & 63;
    if (count == LIMIT) r->bad = 1;
    else if (code >> 6 == 1 || (code >= 0x02 && code <= 0x04)) {
      place += (code >> 6 ? low : read_fixed(r, (size_t)1 << (code - 2))) * t->code_unit;
      if (place > pc) return;
    } else if (code >> 6 == 2) saved(now, low, AT_OFFSET, multiple(read_uleb(r), t));
    else if (code >> 6 == 3) restored(now, low, initial);
    else if (code == 0x0a && depth < STATES) states[depth++] = *now;
    else if (code == 0x0b && depth > 0) *now = states[--depth];
    else if (!change_frame(r, code, t, &now->frame)) change(r, code, t, initial, now);
  }
}
