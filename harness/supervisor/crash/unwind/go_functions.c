/* Go's own table of functions (pclntab), which its programs have in place of unwind tables, in its four formats. */
#include <string.h>

#include "functions.h"

/* The formats by their first word: of Go 1.2, 1.16, 1.18 and 1.20. */
#define GO_2 0xfffffffbu
#define GO_16 0xfffffffau
#define GO_18 0xfffffff0u
#define GO_20 0xfffffff1u
enum { ALIGNED = 32, MOST_HEADERS = 16 };

struct go_table {
  uint64_t offset, count, base; /* of the first entry in the file; what entries are counted from */
  size_t width;                 /* of an entry's halves: 4 or 8 bytes */
  struct window window;
};

/* Reads the header at `offset`; 0 when it is none. */
static int read_header(const struct elf_file *f, uint64_t offset, uint64_t size, struct go_table *t) {
  struct {
    uint32_t magic;
    uint8_t zero[2], quantum, width;
    uint64_t words[8];
  } h;
  enum { FUNCTIONS_16 = 6, FUNCTIONS_18 = 7, TEXT = 2 };
  if (size < sizeof h || !elf_read(f, offset, &h, sizeof h)) return 0;
  if (h.zero[0] || h.zero[1] || h.quantum != 1 || h.width != 8) return 0;
  uint64_t functions;
  switch (h.magic) {
    case GO_2: functions = 16, t->width = 8; break;
    case GO_16: functions = h.words[FUNCTIONS_16], t->width = 8; break;
    case GO_18: case GO_20: functions = h.words[FUNCTIONS_18], t->width = 4, t->base = h.words[TEXT]; break;
    default: return 0;
  }
  t->count = h.words[0];
  if (functions > size || t->count >= (size - functions) / (2 * t->width)) return 0;
  t->offset = offset + functions;
  /* The newest leave out where the text begins: at that section's beginning, unless C was linked before it. */
  Elf64_Shdr text, frames;
  if (t->width == 4 && t->base == 0 && !elf_section_named(f, ".eh_frame", &frames) &&
      elf_section_named(f, ".text", &text))
    t->base = text.sh_addr;
  return t->width == 8 || t->base != 0;
}

/* Where the function number `index` begins; that of the last, which is no function, is the end of all. */
static int start_of(const struct elf_file *f, struct go_table *t, uint64_t index, uint64_t *start) {
  const void *bytes = elf_look(f, &t->window, t->offset + index * 2 * t->width, t->width);
  *start = 0;
  if (!bytes) return 0;
  memcpy(start, bytes, t->width);
  *start += t->base;
  return 1;
}

static void find_function(const struct elf_file *f, struct go_table *t, struct place *p) {
  uint64_t low = 0, high = t->count, start = 0, end;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (!start_of(f, t, middle, &start)) return;
    if (start > p->address) high = middle;
    else low = middle + 1;
  }
  if (low == 0 || !start_of(f, t, low - 1, &start) || !start_of(f, t, low, &end)) return;
  if (p->address < start || p->address >= end) return;
  p->start = start;
  p->end = end;
}

/* Linked together with C, the table has no section of its own; llvm-objcopy leaves others under its name. */
static int search_header(const struct elf_file *f, const Elf64_Phdr *p, struct go_table *t, int *tries) {
  static const uint8_t rest[4] = {0, 0, 1, 8};
  struct window *w = &t->window;
  for (uint64_t at = (p->p_offset + ALIGNED - 1) / ALIGNED * ALIGNED; at < p->p_offset + p->p_filesz; at += ALIGNED) {
    const uint8_t *bytes = elf_look(f, w, at, ALIGNED);
    if (!bytes) return 0;
    if (memcmp(bytes + 1, "\xff\xff\xff", 3) == 0 && memcmp(bytes + 4, rest, sizeof rest) == 0 &&
        (--*tries <= 0 || read_header(f, at, p->p_offset + p->p_filesz - at, t)))
      return *tries > 0;
  }
  return 0;
}

static int find_header(const struct elf_file *f, struct go_table *t) {
  Elf64_Shdr section;
  if (elf_section_named(f, ".gopclntab", &section) && section.sh_offset <= f->size &&
      section.sh_size <= f->size - section.sh_offset && read_header(f, section.sh_offset, section.sh_size, t))
    return 1;
  if (!elf_is_go(f)) return 0;
  uint64_t left = f->size;
  int tries = MOST_HEADERS;
  for (int i = 0; i < f->count; i++) {
    const Elf64_Phdr *p = &f->segments[i];
    if (p->p_type != PT_LOAD || p->p_flags & PF_X || p->p_filesz > left) continue;
    if (search_header(f, p, t, &tries)) return 1;
    left -= p->p_filesz;
  }
  return 0;
}

void go_functions(const struct elf_file *f, struct place *places, size_t count) {
  static struct go_table t;
  memset(&t, 0, sizeof t);
  if (count == 0 || !find_header(f, &t)) return;
  for (size_t i = 0; i < count; i++) find_function(f, &t, &places[i]);
}
