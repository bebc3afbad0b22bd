/* x86-64: `mov $number, %eax` right before `syscall`, replaced by a jump to a call that does not stop. */
#define _GNU_SOURCE
#include "rewrite/untraced.h"

#include <string.h>
#include <sys/syscall.h>

#include "arch/arch.h"
#include "syscalls/time/clock.h"
#include "ptrace/guest.h"
#include "rewrite/jumps.h"
#include "crash/maps.h"
#include "rewrite/ranges.h"
#include "loop/schedule.h"
#include "vdso/page.h"

/* A jump costs as much as some stops: a program that calls now and then keeps its instruction. */
enum { CALLS_BEFORE = 12, LOAD_BYTES = 5, CALL_BYTES = 2, SITE_BYTES = LOAD_BYTES + CALL_BYTES, CALL_DETOUR = 35 };

static const uint8_t load_opcode = 0xb8, jump_opcode = 0xe9, call_instruction[CALL_BYTES] = {0x0f, 0x05};

static int kind_of(long nr) {
  switch (nr) {
    case SYS_readlink: return UNTRACED_READLINK;
    case SYS_openat: return UNTRACED_OPENAT;
    case SYS_newfstatat: return UNTRACED_NEWFSTATAT;
    case SYS_fcntl: return UNTRACED_FCNTL;
    default: return -1;
  }
}

static struct call_site *site_at(struct call_sites *all, uint64_t at) {
  for (uint32_t i = 0; i < all->count; i++)
    if (all->list[i].at == at) return &all->list[i];
  if (all->count == MOST_CALL_SITES) return NULL;
  all->list[all->count] = (struct call_site){.at = at};
  return &all->list[all->count++];
}

static void make_load(uint8_t to[LOAD_BYTES], uint32_t nr) {
  to[0] = load_opcode;
  memcpy(to + 1, &nr, sizeof nr);
}

/* No thread stands between two instructions, where it would find half of one: the call's own stays, and where something leads to
   it past the load, the call stops as ever. A prefix before the load would make another register's of it. */
static int is_replaceable(struct task *t, uint64_t at, uint32_t nr) {
  enum { REX = 0x40, REX_BITS = 0xf0 };
  uint8_t there[1 + SITE_BYTES], load[LOAD_BYTES];
  make_load(load, nr);
  if (!guest_read(t, at - 1, there, sizeof there) || (there[0] & REX_BITS) == REX) return 0;
  if (memcmp(there + 1, load, sizeof load) != 0 || memcmp(there + 1 + LOAD_BYTES, call_instruction, CALL_BYTES) != 0) return 0;
  /* What a compiler makes at run time it may copy to elsewhere. */
  const struct mapping *m = mapping_at(read_maps(t), at);
  return m && m->area == MODULE && m->executable && !m->writable;
}

/* Calls our function, below what another may keep under its stack pointer; then behind the call, or to it. */
static int make_way(uint8_t to[CALL_DETOUR], uint64_t at, uint64_t site, uint32_t nr, uint64_t function) {
  enum { CALLS_AT = 5, LOADS_AT = 20, TO_CALL_AT = 25, BEHIND_AT = 30 };
  static const uint8_t code[CALL_DETOUR] = {
      0x48, 0x8d, 0x64, 0x24, 0x80,             /* lea -128(%rsp), %rsp */
      0xe8, 0, 0, 0, 0,                         /* call */
      0x48, 0x8d, 0xa4, 0x24, 0x80, 0, 0, 0,    /* lea 128(%rsp), %rsp */
      0xe3, BEHIND_AT - LOADS_AT,               /* jrcxz */
  };
  memcpy(to, code, sizeof code);
  make_load(to + LOADS_AT, nr);
  int near = put_branch(to + CALLS_AT, 0xe8, at + CALLS_AT, function);
  near &= put_branch(to + TO_CALL_AT, jump_opcode, at + TO_CALL_AT, site + LOAD_BYTES);
  return near & put_branch(to + BEHIND_AT, jump_opcode, at + BEHIND_AT, site + SITE_BYTES);
}

static void plant(struct task *t, struct call_sites *all, struct call_site *one) {
  uint8_t way[CALL_DETOUR], jump[JUMP_BYTES];
  uint64_t function = all->functions + UNTRACED_AT + UNTRACED_BYTES * (uint64_t)kind_of(one->nr);
  if (all->room + sizeof way > all->end || !is_replaceable(t, one->at, one->nr)) return;
  if (!make_way(way, all->room, one->at, one->nr, function) || !put_branch(jump, jump_opcode, one->at, all->room)) return;
  if (!guest_write(t, all->room, way, sizeof way) || !guest_write(t, one->at, jump, sizeof jump)) return;
  all->room += sizeof way;
  one->jumps = 1;
}

void untraced_call(struct task *t) {
  struct call_sites *all = t->process->text ? &t->process->text->calls : NULL;
  if (!all || !all->functions || t->narrow || t->retry || kind_of(t->call.nr) < 0) return;
  struct call_site *one = site_at(all, arch_caller(t) - LOAD_BYTES);
  if (!one || one->jumps || ++one->calls != CALLS_BEFORE) return;
  one->nr = (uint16_t)t->call.nr;
  plant(t, all, one);
}

void untraced_show(const struct call_sites *all, uint64_t address, uint8_t *bytes, uint64_t size) {
  for (const struct call_site *one = all->list; one < all->list + all->count; one++) {
    uint8_t load[LOAD_BYTES];
    if (!one->jumps) continue;
    /* Something else was mapped there since. */
    if (one->at >= address && one->at < address + size && bytes[one->at - address] != jump_opcode) continue;
    make_load(load, one->nr);
    for (size_t i = 0; i < sizeof load; i++)
      if (one->at + i >= address && one->at + i < address + size) bytes[one->at + i - address] = load[i];
  }
}

void untraced_count(struct task *t) {
  int64_t made = clock_untraced();
  t->work.called += made * CLOCK_TICK;
  t->process->work.called += made * CLOCK_TICK;
  count_calls(made);
}
