/* rdrand, rdseed and rdpid, which no setting can trap: the processor's debug registers stop a program that would. */
#define _GNU_SOURCE
#include <emmintrin.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include "arch.h"
#include "guest.h"
#include "random.h"

/* Text longer than this would take longer to look through than most programs run. */
enum { CHUNK = 1 << 16, MOST_TEXT = 16 << 20, OVERLAP = 4, VECTOR = 16, REMEMBERED = 64 };

/* How far before "0f c7 /6 or /7" of two registers the instruction most likely begins; -1: no such instruction. */
static int prefixes(const uint8_t *at) {
  if (at[0] != 0x0f || at[1] != 0xc7 || at[2] < 0xf0) return -1;
  int length = at[-1] >= 0x40 && at[-1] <= 0x4f;
  if (at[-1 - length] == 0x66 || at[-1 - length] == 0xf3) length++;
  return length;
}

/* 1 when the bytes are rather the distance to another place of the program, after an opcode that takes one: setting
   a first breakpoint costs the kernel milliseconds. `address` is where `at` stands, the text lies in [from, to). */
static int is_distance(const uint8_t *at, uint64_t address, uint64_t from, uint64_t to) {
  for (int before = 0; before < 2; before++) {
    const uint8_t *c = at - before;
    int32_t distance;
    memcpy(&distance, c, sizeof distance);
    uint64_t target = address - (uint64_t)before + sizeof distance + (uint64_t)(int64_t)distance;
    int branches = c[-1] == 0xe8 || c[-1] == 0xe9 || (c[-2] == 0x0f && (c[-1] & 0xf0) == 0x80);
    if (branches && target >= from && target < to) return 1;
    if ((c[-1] & 0xc7) == 0x05 && distance > -MOST_TEXT && distance < MOST_TEXT) return 1;
  }
  return 0;
}

static void add_site(uint64_t *sites, uint64_t site) {
  int i = 0;
  while (i < SITES && sites[i] && sites[i] != site) i++;
  if (i < SITES) sites[i] = site;
}

/* What was found in a piece of a file, so that a program that is started often is looked through once. */
struct seen {
  dev_t dev;
  ino_t ino;
  struct timespec changed;
  uint64_t offset, length;
  uint64_t likely[SITES], others[SITES]; /* from the piece's beginning, and one more */
};

/* A bit for each of 16 places at which the opcode stands. */
static unsigned opcodes(const uint8_t *at) {
  __m128i first = _mm_loadu_si128((const __m128i *)at), second = _mm_loadu_si128((const __m128i *)(at + 1));
  __m128i both = _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8(0x0f)),
                               _mm_cmpeq_epi8(second, _mm_set1_epi8((char)0xc7)));
  return (unsigned)_mm_movemask_epi8(both);
}

/* The beginnings that are likely, and the other way to read the same bytes. */
static void look_through(struct task *t, uint64_t from, uint64_t to, struct seen *found) {
  static uint8_t text[OVERLAP + CHUNK + 2 * VECTOR];
  memset(text, 0, sizeof text);
  for (uint64_t at = from; at < to; at += CHUNK) {
    size_t want = to - at < CHUNK + OVERLAP ? to - at : CHUNK + OVERLAP;
    size_t have = guest_read_some(t, at, text + OVERLAP, want);
    memset(text + OVERLAP + have, 0, sizeof text - OVERLAP - have);
    for (size_t i = 0; i < have && i < CHUNK; i += VECTOR)
      for (unsigned bits = opcodes(text + OVERLAP + i); bits; bits &= bits - 1) {
        size_t place = i + (size_t)__builtin_ctz(bits);
        const uint8_t *c = text + OVERLAP + place;
        int before = prefixes(c);
        if (before < 0 || is_distance(c, at + place, from, to)) continue;
        uint64_t site = at + place - from + 1;
        add_site(found->likely, site - (uint64_t)before);
        if (before) add_site(found->others, site);
      }
    memcpy(text, text + CHUNK, OVERLAP);
  }
}

/* One mapping of a file's text; a file that changed is another one. */
static const struct seen *look_at(struct task *t, uint64_t from, uint64_t to, uint64_t offset, const char *path) {
  static struct seen all[REMEMBERED];
  static unsigned count;
  struct stat st;
  int known = stat(path, &st) == 0;
  for (int i = 0; known && i < REMEMBERED; i++)
    if (all[i].length == to - from && all[i].offset == offset && all[i].dev == st.st_dev && all[i].ino == st.st_ino &&
        all[i].changed.tv_sec == st.st_ctim.tv_sec && all[i].changed.tv_nsec == st.st_ctim.tv_nsec)
      return &all[i];
  struct seen *found = &all[count++ % REMEMBERED];
  memset(found, 0, sizeof *found);
  if (known) *found = (struct seen){st.st_dev, st.st_ino, st.st_ctim, offset, to - from, {0}, {0}};
  look_through(t, from, to, found);
  return found;
}

void arch_set_watch(const struct task *t) {
  const struct process *p = t->process;
  unsigned long enabled = 0;
  for (int i = 0; i < SITES && p->sites[i]; i++) {
    size_t at = offsetof(struct user, u_debugreg) + (size_t)i * sizeof(long);
    if (ptrace(PTRACE_POKEUSER, t->tid, (void *)at, (void *)p->sites[i]) == 0) enabled |= 1ul << 2 * i;
  }
  if (enabled) ptrace(PTRACE_POKEUSER, t->tid, (void *)(offsetof(struct user, u_debugreg) + 7 * sizeof(long)), enabled);
}

void arch_watch_random(struct task *t) {
  static char maps[1 << 16];
  uint64_t others[SITES] = {0}, *sites = t->process->sites;
  memset(t->process->sites, 0, sizeof t->process->sites);
  if (guest_proc(t, "maps", maps, sizeof maps) < 0) return;
  for (char *line = maps; line && *line; line = strchr(line, '\n'), line += line != NULL) {
    unsigned long from, to, offset;
    char mode[8], path[256] = "";
    int fields = sscanf(line, "%lx-%lx %7s %lx %*s %*s %255[^\n]", &from, &to, mode, &offset, path);
    if (fields < 5 || mode[2] != 'x' || to - from > MOST_TEXT || *path != '/') continue;
    const struct seen *found = look_at(t, from, to, offset, path);
    for (int i = 0; i < SITES && found->likely[i]; i++) add_site(sites, from + found->likely[i] - 1);
    for (int i = 0; i < SITES && found->others[i]; i++) add_site(others, from + found->others[i] - 1);
  }
  for (int i = 0; i < SITES && others[i]; i++) add_site(sites, others[i]);
  arch_set_watch(t);
}

static unsigned long *register_of(struct user_regs_struct *r, int number) {
  unsigned long *const all[] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
                                &r->r8,  &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};
  return all[number & 15];
}

int arch_at_random(struct task *t, struct user_regs_struct *r) {
  if (!t->process->sites[0] || ptrace(PTRACE_GETREGS, t->tid, NULL, r) != 0) return 0;
  for (int i = 0; i < SITES; i++)
    if (t->process->sites[i] && t->process->sites[i] == r->rip) return 1;
  return 0;
}

int arch_emulate_random(struct task *t) {
  enum { CARRY = 1, RESULT_FLAGS = 0x8d5, REPEAT = 0xf3, SHORT = 0x66 };
  struct user_regs_struct r;
  uint8_t code[8] = {0}, rex = 0, prefix = 0;
  uint64_t value = 0;
  int at = 0;
  if (!arch_at_random(t, &r)) return 0;
  guest_read_some(t, r.rip, code, sizeof code);
  if (code[at] == SHORT || code[at] == REPEAT) prefix = code[at++];
  if (code[at] >= 0x40 && code[at] <= 0x4f) rex = code[at++];
  if (code[at] != 0x0f || code[at + 1] != 0xc7 || code[at + 2] < 0xf0) return 0;
  unsigned long *target = register_of(&r, (code[at + 2] & 7) | (rex & 1) << 3);
  if (prefix != REPEAT) {
    random_bytes((uint8_t *)&value, sizeof value);
    r.eflags = (r.eflags & ~(unsigned long long)RESULT_FLAGS) | CARRY;
  }
  if (rex & 8) *target = value;
  else if (prefix == SHORT) *target = (*target & ~0xffffull) | (value & 0xffff);
  else *target = (uint32_t)value;
  r.rip += (unsigned)at + 3;
  return ptrace(PTRACE_SETREGS, t->tid, NULL, &r) == 0;
}
