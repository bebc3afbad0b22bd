/* Looks for a module's tables: the file only shows where they are; their bytes are read from memory. */
#define _GNU_SOURCE
#include "tables.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elf_note.h"
#include "ptrace/guest.h"

enum { KEPT = 4, MOST_LOOKS = 1 << 24 };

uint64_t looks_left;

void allow_looks(void) { looks_left = MOST_LOOKS; }

int take_looks(uint64_t count) {
  looks_left -= count < looks_left ? count : looks_left;
  return looks_left > 0;
}

static struct tables kept[KEPT];
static int kept_count, next_place;

/* A different file of that name either has another layout, or describes this one just as well. */
static int is_loaded_file(const struct elf_file *f, const Elf64_Phdr *headers, int count) {
  return f->count == count && memcmp(f->segments, headers, (size_t)count * sizeof *headers) == 0;
}

/* By its path or, for a program that is deleted or replaced, by what the kernel still runs. No link that a guest made is
   followed, and nothing but a plain file is read. */
static void open_file(struct task *t, const struct module *m, struct elf_file *f, const Elf64_Phdr *headers, int count) {
  char running[32];
  snprintf(running, sizeof running, "/proc/%d/exe", (int)t->tid);
  for (int i = 0; i < 2; i++) {
    int fd = i ? open(running, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
               : open(m->whole ? m->path : "", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) continue;
    if (elf_open(f, fd) && is_loaded_file(f, headers, count)) return;
    close(fd);
  }
  f->fd = -1;
}

/* A section that is loaded, and lies in its module. */
static void find_loaded(const struct tables *t, const struct module *m, const char *name, uint64_t *from, uint64_t *end) {
  Elf64_Shdr section;
  if (!elf_section_named(&t->file, name, &section) || !(section.sh_flags & SHF_ALLOC)) return;
  uint64_t at = t->bias + section.sh_addr;
  if (at < m->base || at >= m->end || section.sh_size > m->end - at) return;
  *from = at;
  *end = at + section.sh_size;
}

static void find_sections(struct tables *t, const struct module *m) {
  Elf64_Shdr section;
  find_loaded(t, m, ".eh_frame", &t->frames, &t->frames_end);
  find_loaded(t, m, ".gopclntab", &t->lines, &t->lines_end);
  if (!elf_section_named(&t->file, ".debug_frame", &section) || section.sh_flags & SHF_COMPRESSED) return;
  if (section.sh_offset > t->file.size || section.sh_size > t->file.size - section.sh_offset) return;
  t->debug_frames = section.sh_offset;
  t->debug_end = section.sh_offset + section.sh_size;
}

struct tables *module_tables(struct task *t, const struct maps *m, int module) {
  static Elf64_Phdr headers[MAX_HEADERS];
  Elf64_Ehdr head;
  for (int i = 0; i < kept_count; i++)
    if (kept[i].module == module) return &kept[i];
  struct tables *found = &kept[next_place];
  if (kept_count < KEPT) kept_count++;
  else if (found->file.fd >= 0) close(found->file.fd);
  next_place = (next_place + 1) % KEPT;
  memset(found, 0, sizeof *found);
  found->module = module;
  found->file.fd = -1;
  const struct module *at = &m->modules[module];
  int count = elf_headers(t, at, headers, &found->bias);
  if (count == 0) return found;
  if (guest_read(t, at->base, &head, sizeof head) && head.e_entry) found->entry = found->bias + head.e_entry;
  for (int i = 0; i < count; i++)
    if (headers[i].p_type == PT_GNU_EH_FRAME) found->index = found->bias + headers[i].p_vaddr;
  open_file(t, at, &found->file, headers, count);
  if (found->file.fd >= 0) find_sections(found, at);
  return found;
}

void forget_tables(void) {
  for (int i = 0; i < kept_count; i++)
    if (kept[i].file.fd >= 0) close(kept[i].file.fd);
  kept_count = next_place = 0;
}
