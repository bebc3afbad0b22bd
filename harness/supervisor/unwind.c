/* Looks `pc` up in .eh_frame_hdr and reads its entry of .eh_frame from the guest's memory, all of it hostile. */
#include "unwind.h"

#include <elf.h>
#include <string.h>

#include "elf_note.h"
#include "guest.h"

enum { ENTRY = 4096, POINTERS = 0x1b, COUNT = 0x03, SEARCHABLE = 0x3b };

/* The last entry at or before `pc`: its address, or 0. Other encodings than linkers write are not understood. */
static uint64_t find_entry(struct task *t, uint64_t table, uint64_t pc) {
  struct {
    uint8_t version, pointer, count, entries;
    int32_t frames;
    uint32_t number;
  } head;
  int32_t pair[2];
  if (!guest_read(t, table, &head, sizeof head) || head.version != 1) return 0;
  if (head.pointer != POINTERS || head.count != COUNT || head.entries != SEARCHABLE) return 0;
  uint64_t low = 0, high = head.number, found = 0;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (!guest_read(t, table + sizeof head + middle * sizeof pair, pair, sizeof pair)) return 0;
    if (table + (uint64_t)(int64_t)pair[0] > pc) high = middle;
    else low = middle + 1, found = table + (uint64_t)(int64_t)pair[1];
  }
  return found;
}

/* The record's bytes behind its length; `after` is where they begin. */
static struct reader read_record(struct task *t, uint64_t address, uint8_t *bytes) {
  uint32_t length = 0;
  struct reader r = {bytes, bytes, 0};
  if (!guest_read(t, address, &length, sizeof length) || length < 4 || length > ENTRY) r.bad = 1;
  else if (!guest_read(t, address + 4, bytes, length)) r.bad = 1;
  else r.end = bytes + length;
  return r;
}

static size_t pointer_size(unsigned encoding) {
  switch (encoding & 15) {
    case 0x3: case 0xb: return 4;
    case 0x2: case 0xa: return 2;
    default: return 8;
  }
}

void read_common(struct reader *r, struct table *t) {
  unsigned encoding = 0;
  char words[8] = "";
  read_fixed(r, 4);
  unsigned version = (unsigned)read_fixed(r, 1);
  for (size_t i = 0; i < sizeof words && !r->bad; i++) {
    words[i] = (char)read_fixed(r, 1);
    if (!words[i]) break;
    if (i == sizeof words - 1) r->bad = 1;
  }
  t->code_unit = read_uleb(r);
  t->data_unit = read_sleb(r);
  if (version == 1) read_fixed(r, 1);
  else read_uleb(r);
  if (words[0] != 'z' || (version != 1 && version != 3)) r->bad = 1;
  uint64_t size = read_uleb(r);
  const uint8_t *rest = r->at;
  for (const char *w = words + 1; !r->bad && *w; w++)
    if (*w == 'R') encoding = (unsigned)read_fixed(r, 1);
    else if (*w == 'L') read_fixed(r, 1);
    else if (*w == 'P') read_past(r, pointer_size((unsigned)read_fixed(r, 1)));
    else r->bad = 1; /* a signal's frame among them */
  if (encoding != POINTERS || r->bad) r->bad = 1;
  else r->at = rest, read_past(r, size);
}

int unwind_rules(struct task *t, const struct module *m, uint64_t pc, struct rules *rules) {
  static uint8_t entry[ENTRY], common[ENTRY];
  static Elf64_Phdr headers[MAX_HEADERS];
  uint64_t bias, at = 0;
  int count = elf_headers(t, m, headers, &bias);
  for (int i = 0; i < count; i++)
    if (headers[i].p_type == PT_GNU_EH_FRAME) at = find_entry(t, bias + headers[i].p_vaddr, pc);
  if (!at) return 0;
  struct reader r = read_record(t, at, entry);
  uint64_t back = read_fixed(&r, 4);
  struct reader c = read_record(t, at + 4 - back, common);
  struct table table = {0};
  if (r.bad || c.bad || back == 0) return 0;
  read_common(&c, &table);
  table.start = at + 8 + (uint64_t)(int64_t)(int32_t)read_fixed(&r, 4);
  uint64_t length = read_fixed(&r, 4);
  read_past(&r, read_uleb(&r));
  if (r.bad || c.bad || pc < table.start || pc - table.start >= length) return 0;
  struct rules initial = {.base = -1};
  run_rules(&c, &table, UINT64_MAX, &initial, &initial);
  *rules = initial;
  run_rules(&r, &table, pc, &initial, rules);
  return !r.bad && !c.bad && (rules->outermost || (rules->base >= 0 && rules->frame_saved >= 0));
}
