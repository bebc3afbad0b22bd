/* x86-64: rdtsc or rdtscp and the shift behind it, as compilers put them together, replaced by a jump to our clock. */
#define _GNU_SOURCE
#include "rewrite/cycles.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "crash/unwind/elf_file.h"
#include "ptrace/guest.h"
#include "crash/maps.h"
#include "rewrite/jumps.h"
#include "rewrite/ranges.h"

/* A jump costs as much as some traps: a program that reads the counter now and then keeps its instruction. */
enum { TRAPS_BEFORE = 8, SHIFT_BYTES = 4, MOST_BYTES = 3 + SHIFT_BYTES, DETOUR_BYTES = 48 };

static const uint8_t jump_opcode = 0xe9, shift[SHIFT_BYTES] = {0x48, 0xc1, 0xe2, 0x20}; /* shl $32, %rdx */
static const uint8_t reads[][3] = {{0x0f, 0x31}, {0x0f, 0x01, 0xf9}};

/* Nothing leads to the shift but the read before it, whose upper half it takes: so both can go together. */
static uint8_t read_length(const uint8_t code[MOST_BYTES]) {
  for (uint8_t length = 2; length <= 3; length++)
    if (!memcmp(code, reads[length - 2], length) && !memcmp(code + length, shift, sizeof shift)) return length;
  return 0;
}

static struct cycle_reads *all_of(const struct task *t) { return t->process->text ? &t->process->text->cycles : NULL; }

static struct cycle_read *read_at(struct cycle_reads *all, uint64_t at) {
  for (uint32_t i = 0; i < all->count; i++)
    if (all->list[i].at == at) return &all->list[i];
  if (all->count == MOST_CYCLE_READS) return NULL;
  all->list[all->count] = (struct cycle_read){.at = at};
  return &all->list[all->count++];
}

/* 1 when a stopped thread goes on behind the read and before the shift's end. */
static int is_between(const struct task *t, uint64_t at) {
  uint64_t counter = (uint64_t)ptrace(PTRACE_PEEKUSER, t->tid, (void *)offsetof(struct user_regs_struct, rip), NULL);
  return counter > at && counter < at + MOST_BYTES;
}

static int is_in_use(const struct task *t, uint64_t at) {
  for (const struct task *other = tasks; other; other = other->next)
    if (other != t && other->process->text == t->process->text && is_between(other, at)) return 1;
  return 0;
}

/* Room for a detour between the end of a file's text and the end of its last page, which belongs to nothing. */
static uint64_t find_room(struct task *t, uint64_t at) {
  static const uint8_t zeros[DETOUR_BYTES];
  static struct elf_file file;
  const struct maps *maps = read_maps(t);
  const struct mapping *m = mapping_at(maps, at);
  uint8_t there[DETOUR_BYTES];
  uint64_t end = 0;
  /* What a compiler makes at run time it may write over itself. */
  if (!m || m->area != MODULE || !m->executable || m->writable || at + MOST_BYTES > m->end) return 0;
  const struct module *module = &maps->modules[m->module];
  int fd = module->whole ? open(module->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
  if (fd < 0) return 0;
  int opened = elf_open(&file, fd);
  uint64_t offset = at - m->start + m->offset;
  for (int i = 0; opened && i < file.count; i++) {
    const Elf64_Phdr *p = &file.segments[i];
    if (p->p_type == PT_LOAD && p->p_flags & PF_X && offset - p->p_offset < p->p_filesz)
      end = p->p_offset + p->p_filesz - m->offset + m->start;
  }
  close(fd);
  if (!end || end <= at) return 0;
  for (uint64_t room = (end + 15) & ~UINT64_C(15); room + DETOUR_BYTES <= m->end; room += DETOUR_BYTES)
    if (guest_read(t, room, there, sizeof there) && !memcmp(there, zeros, sizeof zeros)) return room;
  return 0;
}

/* Calls our clock, below what a function may keep under its stack pointer; then the shift, and back behind it. */
static int make_way(uint8_t to[DETOUR_BYTES], const struct cycle_read *one, uint64_t clock) {
  enum { CLOCK_AT = 40, PROCESSOR_AT = 19, SHIFT_AT = 24, BACK_AT = 28 };
  static const uint8_t code[] = {
      0x48, 0x8d, 0x64, 0x24, 0x80,                /* lea -128(%rsp), %rsp */
      0xff, 0x15, CLOCK_AT - 11, 0, 0, 0,          /* call *CLOCK_AT */
      0x48, 0x8d, 0xa4, 0x24, 0x80, 0, 0, 0,       /* lea 128(%rsp), %rsp */
      0xb9, 0, 0, 0, 0,                            /* mov $0, %ecx: rdtscp's processor */
  };
  static const uint8_t nothing[] = {0x0f, 0x1f, 0x44, 0, 0};
  memset(to, 0, DETOUR_BYTES);
  memcpy(to, code, sizeof code);
  if (one->length == 2) memcpy(to + PROCESSOR_AT, nothing, sizeof nothing);
  memcpy(to + SHIFT_AT, shift, sizeof shift);
  memcpy(to + CLOCK_AT, &clock, sizeof clock);
  return put_branch(to + BACK_AT, jump_opcode, one->detour + BACK_AT, one->at + one->length + SHIFT_BYTES);
}

static int plant(struct task *t, struct cycle_read *one, uint64_t clock) {
  uint8_t detour[DETOUR_BYTES], jump[MOST_BYTES];
  one->detour = is_in_use(t, one->at) ? 0 : find_room(t, one->at);
  memset(jump, 0x90, sizeof jump);
  if (!one->detour || !make_way(detour, one, clock) || !put_branch(jump, jump_opcode, one->at, one->detour)) return 0;
  return guest_write(t, one->detour, detour, sizeof detour) &&
         guest_write(t, one->at, jump, (size_t)one->length + SHIFT_BYTES);
}

int cycles_jump(struct task *t, uint64_t at) {
  struct cycle_reads *all = all_of(t);
  struct cycle_read *one = all && all->clock && !all->stay ? read_at(all, at) : NULL;
  uint8_t code[MOST_BYTES] = {0};
  if (!one || ++one->traps < TRAPS_BEFORE) return 0;
  *one = (struct cycle_read){.at = at};
  one->length = guest_read(t, at, code, sizeof code) ? read_length(code) : 0;
  if (one->length && plant(t, one, all->clock)) return 1;
  one->detour = 0;
  return 0;
}

void cycles_interrupt(const struct task *t) {
  struct cycle_reads *all = all_of(t);
  for (uint32_t i = 0; all && !all->stay && i < all->count; i++)
    if (!all->list[i].detour && is_between(t, all->list[i].at)) all->stay = 1;
}

void cycles_stay(struct task *t) {
  struct cycle_reads *all = all_of(t);
  uint8_t code[MOST_BYTES];
  if (!all) return;
  all->stay = 1;
  for (struct cycle_read *one = all->list; one < all->list + all->count; one++) {
    size_t size = (size_t)one->length + SHIFT_BYTES;
    if (!one->detour || !guest_read(t, one->at, code, size)) continue;
    cycles_show(all, one->at, code, size);
    guest_write(t, one->at, code, size);
    one->detour = 0;
  }
}

static void show(uint64_t at, const uint8_t *was, size_t length, uint64_t address, uint8_t *bytes, uint64_t size) {
  for (size_t i = 0; i < length; i++)
    if (at + i >= address && at + i < address + size) bytes[at + i - address] = was[i];
}

void cycles_show(const struct cycle_reads *all, uint64_t address, uint8_t *bytes, uint64_t size) {
  static const uint8_t zeros[DETOUR_BYTES];
  for (const struct cycle_read *one = all->list; one < all->list + all->count; one++) {
    uint8_t code[MOST_BYTES];
    if (!one->detour) continue;
    /* Something else was mapped there since. */
    if (one->at >= address && one->at < address + size && bytes[one->at - address] != jump_opcode) continue;
    memcpy(code, reads[one->length - 2], one->length);
    memcpy(code + one->length, shift, sizeof shift);
    show(one->at, code, (size_t)one->length + SHIFT_BYTES, address, bytes, size);
    show(one->detour, zeros, sizeof zeros, address, bytes, size);
  }
}
