/* Reads Go's table of functions from a guest's memory, in its four formats; stripping a program does not take it away. */
#include "go_lines.h"

#include <string.h>

#include "cfa.h"
#include "ptrace/guest.h"
#include "tables.h"

/* The formats by their first word: of Go 1.2, 1.16, 1.18 and 1.20. */
#define GO_2 0xfffffffbu
#define GO_16 0xfffffffau
#define GO_18 0xfffffff0u
#define GO_20 0xfffffff1u
enum { ALIGNED = 32, MOST_CHANGES = 4096, WINDOW_BYTES = 4096, WORDS_AT_ONCE = WINDOW_BYTES / 8 };

/* Addresses in memory; `text` is what the newer formats count functions from. */
struct lines {
  uint64_t entries, count, functions, names, changes, text;
  size_t width; /* of an entry's halves: 4 or 8 bytes */
};

static int read_word(struct task *t, uint64_t at, size_t width, uint64_t *value) {
  *value = 0;
  return guest_read(t, at, value, width);
}

/* The newest leave out where the text begins: the table of Go's modules, which begins with this one's address, says it. */
static int find_text(struct task *t, const struct maps *m, struct tables *tables, uint64_t header) {
  enum { LOWEST = 20, TEXT = 22, WORDS = 23 };
  static uint64_t words[WORDS_AT_ONCE];
  for (int i = 0; i < m->mappings; i++) {
    const struct mapping *at = &m->list[i];
    if (at->module != tables->module || at->executable) continue;
    for (uint64_t here = at->start; here < at->end && take_looks(WORDS_AT_ONCE); here += (WORDS_AT_ONCE - WORDS) * 8) {
      size_t got = guest_read_some(t, here, words, sizeof words) / 8;
      for (size_t k = 0; k + WORDS <= got; k++) {
        if (words[k] != header || words[k + LOWEST] < words[k + TEXT]) continue;
        const struct mapping *code = mapping_at(m, words[k + TEXT]);
        if (!code || code->module != tables->module || !code->executable) continue;
        tables->text = words[k + TEXT];
        return 1;
      }
    }
  }
  return 0;
}

static int read_header(struct task *t, const struct maps *m, struct tables *tables, uint64_t at, struct lines *l) {
  struct {
    uint32_t magic;
    uint8_t zero[2], quantum, width;
    uint64_t words[8];
  } h;
  enum { NAMES_16 = 2, CHANGES_16 = 5, FUNCTIONS_16 = 6, TEXT = 2, NAMES_18 = 3, CHANGES_18 = 6, FUNCTIONS_18 = 7 };
  if (!guest_read(t, at, &h, sizeof h) || h.zero[0] || h.zero[1] || h.quantum != 1 || h.width != 8) return 0;
  *l = (struct lines){.count = h.words[0], .functions = at, .names = at, .changes = at, .entries = at + 16, .width = 8};
  switch (h.magic) {
    case GO_2: break;
    case GO_16:
      l->names = at + h.words[NAMES_16], l->changes = at + h.words[CHANGES_16];
      l->functions = l->entries = at + h.words[FUNCTIONS_16];
      break;
    case GO_18: case GO_20:
      l->names = at + h.words[NAMES_18], l->changes = at + h.words[CHANGES_18];
      l->functions = l->entries = at + h.words[FUNCTIONS_18];
      l->width = 4, l->text = h.words[TEXT];
      if (!l->text && !tables->text && !find_text(t, m, tables, at)) return 0;
      if (!l->text) l->text = tables->text;
      break;
    default: return 0;
  }
  return l->count > 0 && l->count < UINT32_MAX;
}

/* Linked together with C, the table has no section of its own, a file that is gone has none at all, and llvm-objcopy leaves
   others under its name. */
static int find_header(struct task *t, const struct maps *m, struct tables *tables, struct lines *l) {
  static uint8_t bytes[WINDOW_BYTES];
  static const uint8_t rest[] = {0xff, 0xff, 0xff, 0, 0, 1, 8};
  if (tables->lines_end && read_header(t, m, tables, tables->lines, l)) return 1;
  if (tables->not_go) return 0;
  tables->not_go = 1;
  if (tables->file.fd >= 0 && !elf_is_go(&tables->file)) return 0;
  for (int i = 0; i < m->mappings; i++) {
    const struct mapping *at = &m->list[i];
    if (at->module != tables->module || at->executable) continue;
    for (uint64_t here = at->start; here < at->end && take_looks(WORDS_AT_ONCE); here += WINDOW_BYTES) {
      size_t got = guest_read_some(t, here, bytes, sizeof bytes);
      for (size_t k = 0; k + ALIGNED <= got; k += ALIGNED) {
        if (memcmp(bytes + k + 1, rest, sizeof rest) || !read_header(t, m, tables, here + k, l)) continue;
        tables->lines = here + k, tables->lines_end = at->end, tables->not_go = 0;
        return 1;
      }
    }
  }
  return 0;
}

/* The last function that begins at or before `pc`, if it is not the end of all: the place of its record. */
static uint64_t find_record(struct task *t, const struct lines *l, uint64_t pc, uint64_t *start) {
  uint64_t low = 0, high = l->count + 1, value;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (!read_word(t, l->entries + middle * 2 * l->width, l->width, &value)) return 0;
    if (l->text + value > pc) high = middle;
    else low = middle + 1, *start = l->text + value;
  }
  if (low == 0 || low > l->count) return 0;
  if (!read_word(t, l->entries + (low - 1) * 2 * l->width + l->width, l->width, &value)) return 0;
  return l->functions + value;
}

/* Follows the changes of the stack's depth, pairs of numbers, up to `pc`. */
static int find_depth(struct task *t, uint64_t at, uint64_t start, uint64_t pc, uint64_t *depth) {
  static uint8_t bytes[8 * MOST_CHANGES];
  size_t size = guest_read_some(t, at, bytes, sizeof bytes);
  struct reader r = {bytes, bytes + size, 0};
  uint64_t value = UINT64_MAX, place = start;
  for (int i = 0; i < MOST_CHANGES; i++) {
    uint64_t change = read_uleb(&r);
    if (r.bad || (change == 0 && i > 0)) return 0;
    value += change & 1 ? ~(change >> 1) : change >> 1;
    place += read_uleb(&r);
    if (r.bad) return 0;
    if (pc < place) return *depth = value, value < INT32_MAX;
  }
  return 0;
}

int go_find(struct task *t, const struct maps *m, int module, uint64_t pc, struct go_place *found) {
  struct lines l;
  struct {
    int32_t name, arguments;
    uint32_t deferred, depths;
  } function;
  if (!find_header(t, m, module_tables(t, m, module), &l)) return 0;
  uint64_t at = find_record(t, &l, pc, &found->start);
  if (!at || !guest_read(t, at + l.width, &function, sizeof function)) return 0;
  memset(found->name, 0, sizeof found->name);
  guest_read_some(t, l.names + (uint64_t)(int64_t)function.name, found->name, sizeof found->name - 1);
  return find_depth(t, l.changes + function.depths, found->start, pc, &found->depth);
}
