/* Reads one entry of .eh_frame or .debug_frame and the part it shares with others, all of it hostile. */
#include <string.h>

#include "ptrace/guest.h"
#include "unwind.h"

enum { ENTRY = 65536, ABSOLUTE = 0, RELATIVE = 0x10, SIZE = 7, WORD = 8 };

/* Sizes of a pointer by the low bits of its encoding; 0: not of one size. */
static size_t pointer_size(unsigned encoding) {
  static const uint8_t sizes[8] = {8, 0, 2, 4, 8, 0, 0, 0};
  return sizes[encoding & SIZE];
}

static void read_augmentation(struct reader *r, struct table *t, const char *letters) {
  t->augmented = 1;
  uint64_t size = read_uleb(r);
  const uint8_t *rest = r->at;
  for (const char *letter = letters; !r->bad && *letter; letter++)
    if (*letter == 'R') t->encoding = (unsigned)read_fixed(r, 1);
    else if (*letter == 'L') read_fixed(r, 1);
    else if (*letter == 'P') read_past(r, pointer_size((unsigned)read_fixed(r, 1)));
    else if (*letter == 'S') t->signal = 1;
    else r->bad = 1;
  if (!r->bad) r->at = rest, read_past(r, size);
}

void read_common(struct reader *r, struct table *t) {
  char letters[8] = "";
  read_fixed(r, 4);
  unsigned version = (unsigned)read_fixed(r, 1);
  for (size_t i = 0; i < sizeof letters && !r->bad; i++) {
    letters[i] = (char)read_fixed(r, 1);
    if (!letters[i]) break;
    if (i == sizeof letters - 1) r->bad = 1;
  }
  /* The fourth version says how wide addresses and segments are. */
  if (version == 4 && read_fixed(r, 2) != WORD) r->bad = 1;
  t->code_unit = read_uleb(r);
  t->data_unit = read_sleb(r);
  uint64_t number = version == 1 ? read_fixed(r, 1) : read_uleb(r);
  if ((version != 1 && version != 3 && version != 4) || number != ARCH_DWARF_RETURN) r->bad = 1;
  if (letters[0] == 'z') read_augmentation(r, t, letters + 1);
  else if (letters[0]) r->bad = 1;
  unsigned from = t->encoding & ~15u;
  if ((from != ABSOLUTE && from != RELATIVE) || !pointer_size(t->encoding)) r->bad = 1;
}

static int read_at(const struct frames *f, uint64_t at, void *to, size_t size) {
  return f->file ? elf_read(f->file, at, to, size) : guest_read(f->t, at, to, size);
}

/* The record's bytes behind its length. */
static struct reader read_record(const struct frames *f, uint64_t at, uint8_t *bytes) {
  uint32_t length = 0;
  struct reader r = {bytes, bytes, 0};
  if (!read_at(f, at, &length, sizeof length) || length < 4 || length > ENTRY) r.bad = 1;
  else if (!read_at(f, at + 4, bytes, length)) r.bad = 1;
  else r.end = bytes + length;
  return r;
}

/* A number as the encoding says, its sign with it where that has one. */
static uint64_t read_number(struct reader *r, unsigned encoding) {
  size_t size = pointer_size(encoding);
  uint64_t value = read_fixed(r, size);
  if (!(encoding & 8) || size == WORD) return value;
  unsigned rest = 64 - 8 * (unsigned)size;
  return (uint64_t)((int64_t)(value << rest) >> rest);
}

int entry_holds(struct reader *r, struct table *t, uint64_t at, uint64_t bias, uint64_t pc) {
  t->start = read_number(r, t->encoding) + bias;
  if ((t->encoding & ~15u) == RELATIVE) t->start += at;
  uint64_t length = read_number(r, t->encoding & SIZE);
  return !r->bad && pc >= t->start && pc - t->start < length;
}

int entry_rules(const struct frames *f, uint64_t at, uint64_t pc, struct rules *rules, int *signal) {
  static uint8_t entry[ENTRY], common[ENTRY];
  static struct rules initial;
  struct table table = {0};
  struct reader r = read_record(f, at, entry);
  uint64_t back = read_fixed(&r, 4);
  if (r.bad || (back == 0 && !f->file)) return 0;
  struct reader c = read_record(f, f->file ? f->from + back : at + 4 - back, common);
  read_common(&c, &table);
  if (c.bad || !entry_holds(&r, &table, at + 8, f->bias, pc)) return 0;
  if (table.augmented) read_past(&r, read_uleb(&r));
  memset(&initial, 0, sizeof initial);
  initial.frame.how = LOST;
  run_rules(&c, &table, UINT64_MAX, &initial, &initial);
  *rules = initial;
  run_rules(&r, &table, pc, &initial, rules);
  *signal = table.signal;
  return !r.bad && !c.bad;
}
