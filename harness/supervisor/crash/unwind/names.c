/* Finds the symbols that hold frames: a guest wrote the file, so reading is bounded, and a name is only a claim of the file. */
#define _GNU_SOURCE
#include "names.h"

#include <string.h>
#include <unistd.h>

#include "elf_file.h"
#include "elf_note.h"
#include "go_lines.h"
#include "unwind.h"

/* Of all crashes of a run: neither many crashes nor a large table may take long. */
static uint64_t symbols_left = 1 << 23;

static struct function_name names[MAX_FRAMES];

/* A frame's place in its file, and the best symbol so far. */
struct wanted {
  uint64_t address; /* by which the symbol is found: that of a call, where the frame is a return address */
  uint64_t start, size;
  uint32_t name;
  int rank, frame;
};

struct wanted_places {
  struct wanted places[MAX_FRAMES];
  int count;
};

/* Where a call comes back to may be the first instruction of the next function. */
static int is_exact(const struct frame *f) {
  return strcmp(f->by, "counter") == 0 || strcmp(f->by, "signal_frame") == 0;
}

/* The frames of one module, in the order of their addresses in its file. */
static void gather(struct wanted_places *w, const struct maps *m, const struct stack *s, int module, uint64_t first) {
  w->count = 0;
  for (int i = 0; i < s->count; i++) {
    const struct mapping *at = mapping_at(m, s->frames[i].address);
    if (!at || at->area != MODULE || at->module != module) continue;
    uint64_t address = s->frames[i].address - m->modules[module].base + first - !is_exact(&s->frames[i]);
    int to = w->count++;
    for (; to > 0 && w->places[to - 1].address > address; to--) w->places[to] = w->places[to - 1];
    w->places[to] = (struct wanted){.address = address, .frame = i};
  }
}

/* Of symbols for one address, what others may use is preferred, and what says its size. */
static int rank_of(const Elf64_Sym *s) {
  int binding = ELF64_ST_BIND(s->st_info);
  return 1 + 4 * (s->st_size > 0) + (binding == STB_GLOBAL ? 2 : binding == STB_WEAK);
}

/* The first place behind a symbol keeps the nearest one; those behind it inherit that (settle). */
static void offer(struct wanted_places *w, const Elf64_Sym *s) {
  int low = 0, high = w->count, rank = rank_of(s);
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (w->places[middle].address < s->st_value) low = middle + 1;
    else high = middle;
  }
  struct wanted *p = &w->places[low];
  if (low == w->count || (p->rank && (p->start > s->st_value || (p->start == s->st_value && p->rank >= rank)))) return;
  p->start = s->st_value;
  p->size = s->st_size;
  p->name = s->st_name;
  p->rank = rank;
}

static void settle(struct wanted_places *w) {
  for (int i = 1; i < w->count; i++) {
    struct wanted *p = &w->places[i], *before = p - 1;
    if (!before->rank || (p->rank && p->start >= before->start)) continue;
    p->start = before->start;
    p->size = before->size;
    p->name = before->name;
    p->rank = before->rank;
  }
}

static void read_symbols(const struct elf_file *f, const Elf64_Shdr *section, struct wanted_places *w) {
  static struct window window;
  Elf64_Sym s;
  window.size = 0;
  if (section->sh_entsize != sizeof s || section->sh_offset > f->size) return;
  for (uint64_t i = 0; i < section->sh_size / sizeof s && symbols_left > 0; i++, symbols_left--) {
    const void *bytes = elf_look(f, &window, section->sh_offset + i * sizeof s, sizeof s);
    if (!bytes) return;
    memcpy(&s, bytes, sizeof s);
    int type = ELF64_ST_TYPE(s.st_info);
    if ((type == STT_FUNC || type == STT_GNU_IFUNC) && s.st_shndx != SHN_UNDEF && s.st_value) offer(w, &s);
  }
}

static void read_names(const struct elf_file *f, const Elf64_Shdr *strings, const struct stack *s, struct wanted_places *w) {
  for (int i = 0; i < w->count; i++) {
    const struct wanted *p = &w->places[i];
    struct function_name *n = &names[p->frame];
    if (!p->rank || (p->size && p->address - p->start >= p->size) || p->name >= strings->sh_size) continue;
    size_t room = strings->sh_size - p->name < sizeof n->bytes ? strings->sh_size - p->name : sizeof n->bytes;
    if (!elf_read(f, strings->sh_offset + p->name, n->bytes, room)) continue;
    /* Only the beginning of a longer name: it is compared as it is. */
    n->size = strnlen((const char *)n->bytes, room);
    n->offset = p->address - p->start + !is_exact(&s->frames[p->frame]);
  }
}

/* All symbols where the file has them, else those that others may use. */
static int find_symbols(const struct elf_file *f, Elf64_Shdr *symbols, Elf64_Shdr *strings) {
  int found = 0;
  Elf64_Shdr section;
  for (unsigned i = 0; elf_section(f, i, &section); i++)
    if (section.sh_type == SHT_SYMTAB || (section.sh_type == SHT_DYNSYM && !found)) *symbols = section, found = 1;
  return found && elf_section(f, symbols->sh_link, strings) && strings->sh_offset <= f->size;
}

static void name_module(const struct maps *m, const struct stack *s, int module) {
  static struct wanted_places w;
  static struct elf_file file;
  Elf64_Shdr symbols = {0}, strings = {0};
  uint64_t first = UINT64_MAX;
  const char *wrong;
  int fd = open_module(&m->modules[module], &wrong);
  if (fd < 0) return;
  if (elf_open(&file, fd)) {
    for (int i = 0; i < file.count; i++)
      if (file.segments[i].p_type == PT_LOAD && file.segments[i].p_vaddr < first)
        first = file.segments[i].p_vaddr & ~UINT64_C(4095);
    gather(&w, m, s, module, first);
    if (find_symbols(&file, &symbols, &strings)) {
      read_symbols(&file, &symbols, &w);
      settle(&w);
      read_names(&file, &strings, s, &w);
    }
  }
  close(fd);
}

/* Go's own table stays when a program's symbols are taken out. */
static void name_by_go(struct task *t, const struct maps *m, const struct stack *s) {
  static struct go_place found;
  unwind_begin();
  for (int i = 0; i < s->count; i++) {
    struct function_name *n = &names[i];
    uint64_t address = s->frames[i].address;
    const struct mapping *at = mapping_at(m, address);
    if (n->size || !at || at->area != MODULE) continue;
    if (!go_find(t, m, at->module, address - !is_exact(&s->frames[i]), &found)) continue;
    n->size = strnlen(found.name, sizeof found.name < sizeof n->bytes ? sizeof found.name : sizeof n->bytes);
    memcpy(n->bytes, found.name, n->size);
    n->offset = address - found.start;
  }
  unwind_end();
}

const struct function_name *name_frames(struct task *t, const struct maps *m, const struct stack *s) {
  static uint8_t seen[MAX_MODULES];
  memset(names, 0, sizeof names);
  memset(seen, 0, sizeof seen);
  for (int i = 0; i < s->count; i++) {
    const struct mapping *at = mapping_at(m, s->frames[i].address);
    if (!at || at->area != MODULE || seen[at->module]) continue;
    seen[at->module] = 1;
    name_module(m, s, at->module);
  }
  name_by_go(t, m, s);
  return names;
}
