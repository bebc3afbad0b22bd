/* Looks a place up in a module's tables: the sorted one, else entry by entry, else those that a debugger would read. */
#include "unwind.h"

#include "ptrace/guest.h"
#include "tables.h"

enum { POINTERS = 0x1b, COUNT = 0x03, SEARCHABLE = 0x3b };

void unwind_begin(void) {
  forget_tables();
  allow_looks();
}

void unwind_end(void) { forget_tables(); }

/* The last entry at or before `pc`: its address, or 0. Other encodings than linkers write are not understood. Where the
   entries are not sorted, `frames` is where they begin. */
static uint64_t find_sorted(struct task *t, uint64_t table, uint64_t pc, uint64_t *frames) {
  struct {
    uint8_t version, pointer, count, entries;
    int32_t frames;
    uint32_t number;
  } head;
  int32_t pair[2];
  if (!guest_read(t, table, &head, sizeof head) || head.version != 1 || head.pointer != POINTERS) return 0;
  *frames = table + 4 + (uint64_t)(int64_t)head.frames;
  if (head.count != COUNT || head.entries != SEARCHABLE) return 0;
  uint64_t low = 0, high = head.number, found = 0;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (!guest_read(t, table + sizeof head + middle * sizeof pair, pair, sizeof pair)) return 0;
    if (table + (uint64_t)(int64_t)pair[0] > pc) high = middle;
    else low = middle + 1, found = table + (uint64_t)(int64_t)pair[1];
  }
  return found;
}

/* In what is mapped of the module and only read, once for each module. */
static void scan_module(struct task *t, const struct maps *m, struct tables *tables) {
  tables->scanned = 1;
  for (int i = 0; i < m->mappings && !tables->frames_end; i++) {
    const struct mapping *at = &m->list[i];
    if (at->module != tables->module || !at->readable) continue;
    struct frames f = {.t = t, .from = at->start, .end = at->end};
    if (find_by_scan(&f, &looks_left)) tables->frames = f.from, tables->frames_end = f.end;
  }
}

int unwind_rules(struct task *t, const struct maps *m, int module, uint64_t pc, struct rules *rules, int *signal) {
  struct tables *tables = module_tables(t, m, module);
  uint64_t at, start = 0;
  struct frames f = {.t = t};
  at = tables->index ? find_sorted(t, tables->index, pc, &start) : 0;
  if (at && entry_rules(&f, at, pc, rules, signal)) return 1;
  if (!tables->frames_end && start) tables->frames = start, tables->frames_end = m->modules[module].end;
  if (!tables->frames_end && !tables->index && !tables->scanned) scan_module(t, m, tables);
  /* If a sorted table does not know the place, no other is asked. */
  if (!at && tables->frames_end) {
    f.from = tables->frames, f.end = tables->frames_end;
    if (find_by_search(&f, pc, &at, &looks_left) && entry_rules(&f, at, pc, rules, signal)) return 1;
  }
  if (!tables->debug_end) return 0;
  f = (struct frames){t, &tables->file, tables->debug_frames, tables->debug_end, tables->bias};
  return find_by_search(&f, pc, &at, &looks_left) && entry_rules(&f, at, pc, rules, signal);
}
