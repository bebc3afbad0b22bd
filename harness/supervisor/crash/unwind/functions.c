/* Finds the functions that hold places by a program's symbols, all of them hostile. */
#include "functions.h"

#include <string.h>

enum { MAX_SYMBOLS = 1 << 22, MAX_MARKS = 1 << 20 };

size_t first_place(const struct place *places, size_t count, uint64_t address) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (places[middle].address < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

void offer_function(struct place *places, size_t count, uint64_t start, uint64_t end) {
  size_t at = first_place(places, count, start);
  if (at < count && (places[at].end == 0 || places[at].start < start)) places[at].start = start, places[at].end = end;
}

void settle_functions(struct place *places, size_t count) {
  struct place last = {0, 0, 0};
  for (size_t i = 0; i < count; i++) {
    if (places[i].end) last = places[i];
    else places[i].start = last.start, places[i].end = last.end;
    if (places[i].address >= places[i].end) places[i].end = 0;
  }
}

static void offer_symbols(const struct elf_file *f, uint32_t type, struct place *places, size_t count) {
  static struct window w;
  Elf64_Shdr section;
  Elf64_Sym s;
  w.size = 0;
  unsigned index = 0;
  while (elf_section(f, index, &section) && section.sh_type != type) index++;
  if (!elf_section(f, index, &section) || section.sh_entsize != sizeof s || section.sh_offset > f->size) return;
  uint64_t number = section.sh_size / sizeof s;
  for (uint64_t i = 0; i < number && i < MAX_SYMBOLS; i++) {
    const void *bytes = elf_look(f, &w, section.sh_offset + i * sizeof s, sizeof s);
    if (!bytes) return;
    memcpy(&s, bytes, sizeof s);
    if (ELF64_ST_TYPE(s.st_info) != STT_FUNC || s.st_shndx == SHN_UNDEF || s.st_value == 0) continue;
    /* A function whose size is not known ends where the next begins. */
    offer_function(places, count, s.st_value, s.st_size ? s.st_value + s.st_size : UINT64_MAX);
  }
}

void symbol_functions(const struct elf_file *f, struct place *places, size_t count) {
  offer_symbols(f, SHT_SYMTAB, places, count);
  offer_symbols(f, SHT_DYNSYM, places, count);
  settle_functions(places, count);
}

size_t only_code(const struct elf_file *f, struct place *places, size_t count) {
  Elf64_Shdr section;
  size_t left = 0, marks = 0;
  for (size_t i = 0; i < count; i++) places[i].end = 0;
  for (unsigned index = 0; elf_section(f, index, &section); index++) {
    if (!(section.sh_flags & SHF_ALLOC) || section.sh_flags & SHF_EXECINSTR || section.sh_type == SHT_NOBITS) continue;
    for (size_t i = first_place(places, count, section.sh_addr); i < count && marks < MAX_MARKS; i++, marks++) {
      if (places[i].address - section.sh_addr >= section.sh_size) break;
      places[i].end = 1;
    }
  }
  for (size_t i = 0; i < count; i++)
    if (!places[i].end) places[left++] = places[i];
  return left;
}
