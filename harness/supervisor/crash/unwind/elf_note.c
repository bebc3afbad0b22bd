/* Reads a module's ELF header from the guest's memory, where every number is hostile, and hashes its file. */
#define _GNU_SOURCE
#include "elf_note.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ptrace/guest.h"

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
int open_module(const struct module *m, const char **wrong) {
  static const char gone[] = " (deleted)";
  struct stat st;
  size_t length = strlen(m->path);
  *wrong = "deleted";
  if (m->whole && length > sizeof gone && strcmp(m->path + length - (sizeof gone - 1), gone) == 0) return -1;
  *wrong = "unreadable";
  int fd = m->whole ? open(m->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
  if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))) return fd;
  close(fd);
  return -1;
}

/* Many processes of one program may crash: what the kernel says has not changed is hashed once. */
static struct hashed {
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec changed;
  uint8_t digest[SHA256_SIZE];
} hashed[32];
static unsigned hashes;

static struct hashed *find_hashed(const struct stat *st) {
  for (unsigned i = 0; i < sizeof hashed / sizeof *hashed && i < hashes; i++) {
    const struct timespec *at = &hashed[i].changed;
    if (hashed[i].device == st->st_dev && hashed[i].inode == st->st_ino && hashed[i].size == st->st_size &&
        at->tv_sec == st->st_ctim.tv_sec && at->tv_nsec == st->st_ctim.tv_nsec)
      return &hashed[i];
  }
  return NULL;
}

static int hash_file(int fd, uint64_t size, uint8_t digest[SHA256_SIZE]) {
  static uint8_t bytes[65536];
  struct sha256 sum;
  sha256_begin(&sum);
  for (ssize_t n; size > 0 && (n = read(fd, bytes, sizeof bytes)) > 0;) {
    if ((uint64_t)n > size) n = (ssize_t)size;
    sha256_update(&sum, bytes, (size_t)n);
    size -= (uint64_t)n;
  }
  sha256_finish(&sum, digest);
  return size == 0;
}

const char *file_digest(const struct module *m, uint64_t *left, uint8_t digest[SHA256_SIZE]) {
  struct stat st;
  const char *wrong;
  int fd = open_module(m, &wrong);
  if (fd < 0) return wrong;
  wrong = NULL;
  struct hashed *known = fstat(fd, &st) == 0 ? find_hashed(&st) : NULL;
  if (known) memcpy(digest, known->digest, SHA256_SIZE);
  else if ((uint64_t)st.st_size > *left) wrong = "too_large";
  else {
    *left -= (uint64_t)st.st_size;
    if (!hash_file(fd, (uint64_t)st.st_size, digest)) wrong = "unreadable";
    struct hashed *one = &hashed[hashes++ % (sizeof hashed / sizeof *hashed)];
    *one = (struct hashed){st.st_dev, st.st_ino, wrong ? -1 : st.st_size, st.st_ctim, {0}};
    memcpy(one->digest, digest, SHA256_SIZE);
  }
  close(fd);
  return wrong;
}
