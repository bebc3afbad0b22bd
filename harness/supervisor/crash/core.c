/* Writes a core as a stream: its length is written first, so unreadable memory is written as zeros. */
#define _GNU_SOURCE
#include "core.h"

#include <elf.h>
#include <string.h>

#include "init/appendix.h"
#include "common/write_all.h"
#include "arch/arch.h"
#include "ptrace/guest.h"
#include "notes.h"
#include "rewrite/rewrite.h"

enum { PAGE = 4096, MEMORY = 128 << 20, PIECE = 65536 };

static uint64_t sizes[MAX_MAPPINGS]; /* bytes of each mapping that are written */
static struct sha256 sum;

static void out(const void *bytes, size_t size) {
  sha256_update(&sum, bytes, size);
  write_all(2, bytes, size);
}

/* First the stack of the thread that crashed, then what the program wrote, then what its files hold anyway. */
static int rank(const struct mapping *p, uint64_t stack) {
  if (!p->readable || p->area == KERNEL) return -1;
  return stack >= p->start && stack < p->end ? 0 : p->writable ? 1 : 2;
}

static uint64_t choose(const struct maps *m, uint64_t stack) {
  uint64_t left = MEMORY;
  memset(sizes, 0, sizeof sizes);
  for (int turn = 0; turn < 3; turn++)
    for (int i = 0; i < m->mappings; i++) {
      uint64_t size = m->list[i].end - m->list[i].start;
      if (rank(&m->list[i], stack) != turn) continue;
      sizes[i] = size < left ? size : left;
      left -= sizes[i];
    }
  return MEMORY - left;
}

static void put_headers(const struct maps *m, size_t notes, uint64_t data) {
  Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                  .e_type = ET_CORE,
                  .e_machine = arch_machine(),
                  .e_version = EV_CURRENT,
                  .e_phoff = sizeof e,
                  .e_ehsize = sizeof e,
                  .e_phentsize = sizeof(Elf64_Phdr),
                  .e_phnum = (uint16_t)(m->mappings + 1)};
  Elf64_Phdr p = {.p_type = PT_NOTE, .p_offset = sizeof e + sizeof p * e.e_phnum, .p_filesz = notes, .p_align = 4};
  out(&e, sizeof e);
  out(&p, sizeof p);
  for (int i = 0; i < m->mappings; i++) {
    const struct mapping *at = &m->list[i];
    p = (Elf64_Phdr){.p_type = PT_LOAD, .p_offset = data, .p_vaddr = at->start, .p_filesz = sizes[i], .p_align = PAGE};
    p.p_memsz = at->end - at->start;
    p.p_flags = (uint32_t)((at->readable ? PF_R : 0) | (at->writable ? PF_W : 0) | (at->executable ? PF_X : 0));
    out(&p, sizeof p);
    data += sizes[i];
  }
}

static void put_memory(struct task *t, uint64_t address, uint64_t size) {
  static uint8_t piece[PIECE];
  for (uint64_t done = 0; done < size;) {
    size_t n = size - done < PIECE ? (size_t)(size - done) : PIECE;
    size_t have = guest_read_some(t, address + done, piece, n);
    show_original(t->process, address + done, piece, have);
    /* A page that cannot be read ends a read: the next ones still may. */
    if (have < n) n = have / PAGE * PAGE + PAGE < n ? have / PAGE * PAGE + PAGE : n;
    if (have < n) memset(piece + have, 0, n - have);
    out(piece, n);
    done += n;
  }
}

uint64_t write_core(struct task *t, const struct maps *m, const siginfo_t *info, uint8_t digest[SHA256_SIZE]) {
  static const uint8_t zeros[PAGE];
  size_t notes;
  const uint8_t *text = core_notes(t, m, info, &notes);
  uint64_t memory = choose(m, arch_stack(t));
  uint64_t before = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) * ((uint64_t)m->mappings + 1) + notes;
  uint64_t data = (before + PAGE - 1) / PAGE * PAGE;
  sha256_begin(&sum);
  appendix_begin(data + memory);
  put_headers(m, notes, data);
  out(text, notes);
  out(zeros, (size_t)(data - before));
  for (int i = 0; i < m->mappings; i++) put_memory(t, m->list[i].start, sizes[i]);
  sha256_finish(&sum, digest);
  return data + memory;
}
