/* Finds the functions that hold places by their unwind entries, sorted in .eh_frame_hdr or not, all of them hostile. */
#include <string.h>

#include "functions.h"
#include "unwind.h"

enum { POINTERS = 0x1b, COUNT = 0x03, SEARCHABLE = 0x3b, PAIR = 8, MAX_ENTRIES = 1 << 20, MOST_COMMON = 256 };

int unwind_open(const struct elf_file *f, struct unwind_table *t) {
  struct {
    uint8_t version, pointer, count, entries;
    int32_t frames;
    uint32_t number;
  } head;
  memset(t, 0, sizeof *t);
  for (int i = 0; i < f->count; i++) {
    const Elf64_Phdr *p = &f->segments[i];
    if (p->p_type != PT_GNU_EH_FRAME || !elf_read(f, p->p_offset, &head, sizeof head)) continue;
    if (head.version != 1 || head.pointer != POINTERS || head.count != COUNT || head.entries != SEARCHABLE) continue;
    t->address = p->p_vaddr;
    t->offset = p->p_offset + sizeof head;
    t->count = head.number;
    return t->offset <= f->size && t->count <= (f->size - t->offset) / PAIR;
  }
  return 0;
}

static int read_pair(const struct elf_file *f, struct unwind_table *t, uint64_t index, uint64_t pair[2]) {
  enum { BEFORE = WINDOW / 2 };
  int32_t distances[2];
  uint64_t at = t->offset + index * PAIR;
  struct window *w = &t->pairs;
  /* The next looks fall on both sides of this one. */
  if (at < w->at || at - w->at + PAIR > w->size) elf_look(f, w, at > BEFORE ? at - BEFORE : 0, BEFORE + PAIR);
  const void *bytes = elf_look(f, w, at, PAIR);
  if (!bytes) return 0;
  memcpy(distances, bytes, sizeof distances);
  pair[0] = t->address + (uint64_t)(int64_t)distances[0];
  pair[1] = t->address + (uint64_t)(int64_t)distances[1];
  return 1;
}

int unwind_function(const struct elf_file *f, struct unwind_table *t, struct place *p) {
  struct {
    uint32_t length, common;
    int32_t start;
    uint32_t size;
  } entry;
  uint64_t low = 0, high = t->count, pair[2], found[2] = {0, 0}, offset;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (!read_pair(f, t, middle, pair)) return 0;
    if (pair[0] > p->address) high = middle;
    else low = middle + 1, memcpy(found, pair, sizeof found);
  }
  if (low == 0 || !elf_offset(f, found[1], sizeof entry, &offset)) return 0;
  const void *bytes = elf_look(f, &t->entries, offset, sizeof entry);
  if (!bytes) return 0;
  memcpy(&entry, bytes, sizeof entry);
  /* An entry that says the same start as the table has the only encoding that linkers write. */
  uint64_t start = found[1] + 8 + (uint64_t)(int64_t)entry.start;
  if (entry.length < sizeof entry - 4 || entry.common == 0 || start != found[0]) return 0;
  if (p->address - start >= entry.size) return 0;
  p->start = start;
  p->end = start + entry.size;
  return 1;
}

/* The part that an entry shares with others, which says how its pointers are written: mostly that of the one before. */
struct common_part {
  uint64_t at;
  int plain;
  struct window window;
};

/* 1 when the entry's pointers have four bytes and are counted from where they stand, as linkers write them. */
static int is_plain(const struct elf_file *f, struct common_part *c, uint64_t at) {
  uint32_t head[2];
  if (c->at == at) return c->plain;
  c->at = at;
  c->plain = 0;
  const void *bytes = elf_look(f, &c->window, at, sizeof head);
  if (!bytes) return 0;
  memcpy(head, bytes, sizeof head);
  const uint8_t *record = head[1] == 0 && head[0] < MOST_COMMON ? elf_look(f, &c->window, at + 4, head[0]) : NULL;
  if (!record) return 0;
  struct table table = {0};
  struct reader r = {record, record + head[0], 0};
  read_common(&r, &table);
  c->plain = !r.bad && table.augmented && table.encoding == POINTERS && !table.signal;
  return c->plain;
}

/* Statically linked programs often have no sorted table: then each entry is read. */
void frame_functions(const struct elf_file *f, struct place *places, size_t count) {
  static struct window w;
  static struct common_part c;
  struct {
    uint32_t length, common;
    int32_t start;
    uint32_t size;
  } entry;
  Elf64_Shdr section;
  if (!elf_section_named(f, ".eh_frame", &section) || section.sh_offset > f->size) return;
  w.size = 0;
  memset(&c, 0, sizeof c);
  for (uint64_t at = 0, number = 0; at < section.sh_size && number < MAX_ENTRIES; number++) {
    const void *bytes = elf_look(f, &w, section.sh_offset + at, sizeof entry);
    if (!bytes) break;
    memcpy(&entry, bytes, sizeof entry);
    if (entry.length < sizeof entry - 4 || entry.length == UINT32_MAX) {
      if (entry.length == 0) at += 4;
      else break;
      continue;
    }
    uint64_t start = section.sh_addr + at + 8 + (uint64_t)(int64_t)entry.start;
    if (entry.common && is_plain(f, &c, section.sh_offset + at + 4 - entry.common))
      offer_function(places, count, start, start + entry.size);
    at += 4 + (uint64_t)entry.length;
  }
  settle_functions(places, count);
}
