/* An ELF file read from its descriptor in pieces: its guest wrote it, and may cut it short while it is read. */
#ifndef REENACT_ELF_FILE_H
#define REENACT_ELF_FILE_H
#include <elf.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_SEGMENTS = 64, WINDOW = 4096 };

struct elf_file {
  int fd;
  uint64_t size;
  Elf64_Ehdr head;
  Elf64_Phdr segments[MAX_SEGMENTS];
  int count;
};

/* A piece of the file that was read last, so that neighbouring reads cost one call. */
struct window {
  uint64_t at;
  size_t size;
  uint8_t bytes[WINDOW];
};

/* 0 unless `fd` is a program or library of this processor whose headers can be read. */
int elf_open(struct elf_file *f, int fd);

/* All of `size` bytes, or 0. */
int elf_read(const struct elf_file *f, uint64_t at, void *to, size_t size);

/* The same by way of a window, for at most WINDOW bytes; NULL when they are not all there. */
const void *elf_look(const struct elf_file *f, struct window *w, uint64_t at, size_t size);

/* Where an address lies in the file, with at least `size` bytes of its segment behind it; 0 if it does not. */
int elf_offset(const struct elf_file *f, uint64_t address, uint64_t size, uint64_t *offset);

/* The section number `index`; 0 when there is none. */
int elf_section(const struct elf_file *f, unsigned index, Elf64_Shdr *found);

/* The section whose name ends in `name`; 0 when there is none. */
int elf_section_named(const struct elf_file *f, const char *name, Elf64_Shdr *found);

/* 1 for a Go program, by its section of build information or by the linker's note: llvm-objcopy leaves a stripped one's
   sections under names that are cut. */
int elf_is_go(const struct elf_file *f);

#endif
