/* Reads an ELF file's headers and pieces with pread: no mapping, which a file that shrinks would make fatal. */
#define _GNU_SOURCE
#include "elf_file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/arch.h"

enum { MAX_SECTIONS = 1024, MAX_NAME = 64 };

int elf_read(const struct elf_file *f, uint64_t at, void *to, size_t size) {
  if (at > f->size || size > f->size - at) return 0;
  for (size_t done = 0; done < size;) {
    ssize_t n = pread(f->fd, (uint8_t *)to + done, size - done, (off_t)(at + done));
    if (n <= 0) return 0;
    done += (size_t)n;
  }
  return 1;
}

const void *elf_look(const struct elf_file *f, struct window *w, uint64_t at, size_t size) {
  if (at >= w->at && at - w->at <= w->size && w->size - (at - w->at) >= size) return w->bytes + (at - w->at);
  if (size > WINDOW || at > f->size || size > f->size - at) return NULL;
  size_t want = f->size - at < WINDOW ? (size_t)(f->size - at) : WINDOW;
  w->size = 0;
  if (!elf_read(f, at, w->bytes, want)) return NULL;
  w->at = at;
  w->size = want;
  return w->bytes;
}

int elf_open(struct elf_file *f, int fd) {
  struct stat st;
  const Elf64_Ehdr *e = &f->head;
  f->fd = fd;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return 0;
  f->size = (uint64_t)st.st_size;
  if (!elf_read(f, 0, &f->head, sizeof f->head) || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0) return 0;
  if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != arch_machine()) return 0;
  if (e->e_phentsize != sizeof *f->segments || e->e_phnum > MAX_SEGMENTS) return 0;
  f->count = e->e_phnum;
  return elf_read(f, e->e_phoff, f->segments, (size_t)f->count * sizeof *f->segments);
}

int elf_offset(const struct elf_file *f, uint64_t address, uint64_t size, uint64_t *offset) {
  for (int i = 0; i < f->count; i++) {
    const Elf64_Phdr *p = &f->segments[i];
    if (p->p_type != PT_LOAD || address < p->p_vaddr) continue;
    uint64_t into = address - p->p_vaddr;
    if (into > p->p_filesz || size > p->p_filesz - into || p->p_offset > f->size - (into < f->size ? into : f->size))
      continue;
    *offset = p->p_offset + into;
    return 1;
  }
  return 0;
}

static int ends_in(const char *name, const char *end) {
  size_t length = strlen(name), tail = strlen(end);
  return length >= tail && strcmp(name + length - tail, end) == 0;
}

int elf_section(const struct elf_file *f, unsigned index, Elf64_Shdr *found) {
  const Elf64_Ehdr *e = &f->head;
  if (e->e_shentsize != sizeof *found || index >= e->e_shnum || index >= MAX_SECTIONS) return 0;
  return e->e_shoff < f->size && elf_read(f, e->e_shoff + index * sizeof *found, found, sizeof *found);
}

int elf_section_named(const struct elf_file *f, const char *name, Elf64_Shdr *found) {
  static struct window names;
  Elf64_Shdr strings;
  names.size = 0;
  if (!elf_section(f, f->head.e_shstrndx, &strings) || strings.sh_offset > f->size) return 0;
  for (unsigned i = 0; elf_section(f, i, found); i++) {
    if (found->sh_name >= strings.sh_size) continue;
    size_t left = strings.sh_size - found->sh_name < MAX_NAME ? strings.sh_size - found->sh_name : MAX_NAME;
    const char *text = elf_look(f, &names, strings.sh_offset + found->sh_name, left);
    if (text && memchr(text, 0, left) && ends_in(text, name)) return 1;
  }
  return 0;
}

/* A note that bears the name "Go", in what a loader maps of the notes. */
static int has_go_note(const struct elf_file *f, const Elf64_Phdr *p) {
  static uint8_t bytes[WINDOW];
  size_t size = p->p_filesz < sizeof bytes ? p->p_filesz : sizeof bytes;
  if (p->p_offset > f->size || size > f->size - p->p_offset || !elf_read(f, p->p_offset, bytes, size)) return 0;
  for (size_t at = 0; at + sizeof(Elf64_Nhdr) + 4 <= size;) {
    Elf64_Nhdr note;
    memcpy(&note, bytes + at, sizeof note);
    at += sizeof note;
    if (note.n_namesz == 4 && memcmp(bytes + at, "Go\0", 4) == 0) return 1;
    if (note.n_namesz > size || note.n_descsz > size) return 0;
    at += (note.n_namesz + 3) / 4 * 4 + (note.n_descsz + 3) / 4 * 4;
  }
  return 0;
}

int elf_is_go(const struct elf_file *f) {
  Elf64_Shdr section;
  if (elf_section_named(f, ".go.buildinfo", &section)) return 1;
  for (int i = 0; i < f->count; i++)
    if (f->segments[i].p_type == PT_NOTE && has_go_note(f, &f->segments[i])) return 1;
  return 0;
}
