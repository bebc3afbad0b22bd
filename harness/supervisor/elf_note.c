/* Reads a module's ELF header from the guest's memory, where every number is hostile, and hashes its file. */
#define _GNU_SOURCE
#include "elf_note.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

enum { MAX_NOTES = 4096, BUILD_ID = 3 };

/* Notes: three words, the name and the description, each padded to four bytes. */
static size_t find_id(const uint8_t *notes, size_t size, uint8_t *id) {
  size_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= size) {
    Elf64_Nhdr n;
    memcpy(&n, notes + at, sizeof n);
    at += sizeof n;
    if (n.n_namesz > MAX_NOTES || n.n_descsz > MAX_NOTES) return 0;
    size_t name = (n.n_namesz + 3) & ~3u, desc = (n.n_descsz + 3) & ~3u;
    if (name + desc > size - at) return 0;
    if (n.n_type == BUILD_ID && n.n_namesz == 4 && memcmp(notes + at, "GNU", 4) == 0 && n.n_descsz <= MAX_BUILD_ID) {
      memcpy(id, notes + at + name, n.n_descsz);
      return n.n_descsz;
    }
    at += name + desc;
  }
  return 0;
}

int elf_headers(struct task *t, const struct module *m, Elf64_Phdr headers[MAX_HEADERS], uint64_t *bias) {
  Elf64_Ehdr e;
  uint64_t first = UINT64_MAX;
  if (!guest_read(t, m->base, &e, sizeof e) || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0) return 0;
  if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_phentsize != sizeof *headers || e.e_phnum > MAX_HEADERS) return 0;
  if (!guest_read(t, m->base + e.e_phoff, headers, e.e_phnum * sizeof *headers)) return 0;
  for (int i = 0; i < e.e_phnum; i++)
    if (headers[i].p_type == PT_LOAD && headers[i].p_vaddr < first) first = headers[i].p_vaddr & ~UINT64_C(4095);
  *bias = m->base - first;
  return first == UINT64_MAX ? 0 : e.e_phnum;
}

size_t build_id(struct task *t, const struct module *m, uint8_t id[MAX_BUILD_ID]) {
  static Elf64_Phdr headers[MAX_HEADERS];
  static uint8_t notes[MAX_NOTES];
  uint64_t bias;
  int count = elf_headers(t, m, headers, &bias);
  for (int i = 0; i < count; i++) {
    if (headers[i].p_type != PT_NOTE) continue;
    size_t size = headers[i].p_memsz < sizeof notes ? (size_t)headers[i].p_memsz : sizeof notes;
    size = guest_read_some(t, bias + headers[i].p_vaddr, notes, size);
    size_t found = find_id(notes, size, id);
    if (found) return found;
  }
  return 0;
}

/* No link is followed and nothing but a plain file is read: a guest may have put anything under the name. */
const char *file_digest(const struct module *m, uint64_t *left, uint8_t digest[SHA256_SIZE]) {
  static uint8_t bytes[65536];
  static const char gone[] = " (deleted)";
  struct sha256 sum;
  struct stat st;
  size_t length = strlen(m->path);
  const char *wrong = NULL;
  if (!m->whole) return "unreadable";
  if (length > sizeof gone && strcmp(m->path + length - (sizeof gone - 1), gone) == 0) return "deleted";
  int fd = open(m->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return "unreadable";
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) wrong = "unreadable";
  else if ((uint64_t)st.st_size > *left) wrong = "too_large";
  else {
    uint64_t rest = (uint64_t)st.st_size;
    *left -= rest;
    sha256_begin(&sum);
    for (ssize_t n; rest > 0 && (n = read(fd, bytes, sizeof bytes)) > 0;) {
      if ((uint64_t)n > rest) n = (ssize_t)rest;
      sha256_update(&sum, bytes, (size_t)n);
      rest -= (uint64_t)n;
    }
    if (rest > 0) wrong = "unreadable";
    sha256_finish(&sum, digest);
  }
  close(fd);
  return wrong;
}
