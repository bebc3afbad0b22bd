/* Remembers which instructions stand in each file, and writes over them wherever a guest maps it to be executed. */
#define _GNU_SOURCE
#include "rewrite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "ptrace/guest.h"
#include "instructions.h"
#include "jumps.h"
#include "ptrace/mechanisms.h"
#include "vdso/page.h"

/* What all files together may cost; a guest that makes ever new programs finds the rest unproven. */
enum { MOST_PLACES = 1 << 14, MOST_FILES = 1 << 14 };

/* A loader is smaller than that. */
enum { MOST_TEXT = 1 << 20, MOST_JUMPS = 128, CPUID_BYTES = 2 };

struct place {
  uint64_t offset; /* in the file, or from the beginning of code made at run time */
  uint8_t kind, length, code[ARCH_LONGEST];
  uint8_t replaced; /* by a jump, where one is made: what stood there is in `code` as well */
};

/* Its text as it is now: a file that changed is another one. */
struct file {
  struct file *next;
  dev_t dev;
  ino_t ino;
  off_t size;
  struct timespec changed;
  int planned; /* jumps were */
  uint32_t count;
  struct place places[];
};

static struct file *files;
static unsigned files_known, places_known, unproven;

unsigned unproven_places(void) { return unproven; }

/* Where cpuid traps by itself it stays, but where a jump is cheaper. */
static int is_wanted(int kind) { return kind != INSTRUCTION_CPUID || rewrites_cpuid(); }

/* Room for what was found, as far as there is any. */
static struct file *new_file(const struct found_instructions *found) {
  uint32_t room = MOST_PLACES - places_known;
  if (found->count < room) room = found->count;
  unproven += found->unproven + found->count - room;
  struct file *f = calloc(1, sizeof *f + room * sizeof f->places[0]);
  if (!f) _exit(125);
  f->count = room;
  places_known += room;
  files_known++;
  return f;
}

/* Places stand close together: one read of a file (`t` NULL) or of memory is enough for many. */
struct block {
  uint64_t at;
  size_t have;
  uint8_t bytes[4096];
};

static const uint8_t *look(struct block *b, struct task *t, int fd, uint64_t at, size_t size) {
  if (at < b->at || at + size > b->at + b->have) {
    ssize_t n = t ? (ssize_t)guest_read_some(t, at, b->bytes, sizeof b->bytes) : pread(fd, b->bytes, sizeof b->bytes, (off_t)at);
    b->at = at;
    b->have = n > 0 ? (size_t)n : 0;
  }
  return size <= b->have ? b->bytes + (at - b->at) : NULL;
}

/* Drops what cannot be read again. */
static void keep_places(struct file *f, const struct found_instructions *found, int fd, const uint8_t *code) {
  struct block block = {0};
  uint32_t kept = 0;
  for (uint32_t i = 0; i < f->count; i++) {
    const struct found_instruction *one = &found->list[i];
    struct place p = {.offset = one->offset, .kind = one->kind, .length = one->length};
    if (p.length > sizeof p.code) continue;
    const uint8_t *bytes = code ? code + p.offset : look(&block, NULL, fd, p.offset, p.length);
    if (!bytes) continue;
    memcpy(p.code, bytes, p.length);
    f->places[kept++] = p;
  }
  places_known -= f->count - kept;
  f->count = kept;
}

/* Files stay known as long as we run, so that a program that is started often is looked through once. */
static struct file *look_at(int fd) {
  struct found_instructions found = {0};
  struct stat st;
  if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return NULL;
  for (struct file *f = files; f; f = f->next)
    if (f->ino == st.st_ino && f->dev == st.st_dev && f->size == st.st_size &&
        f->changed.tv_sec == st.st_ctim.tv_sec && f->changed.tv_nsec == st.st_ctim.tv_nsec)
      return f;
  if (files_known >= MOST_FILES) {
    unproven++;
    return NULL;
  }
  if (!find_instructions(fd, &found)) found.count = 0;
  struct file *f = new_file(&found);
  f->dev = st.st_dev, f->ino = st.st_ino, f->size = st.st_size, f->changed = st.st_ctim;
  keep_places(f, &found, fd, NULL);
  free(found.list);
  f->next = files;
  return files = f;
}

/* The page behind our own clock functions, for as many detours as fit; `at` is 0 where there is none. */
struct detours {
  uint64_t at, answer;
  size_t used;
  uint8_t bytes[VDSO_SIZE];
};

/* Once for each file that is near enough: which instructions a jump may replace, by the text as it lies in memory. */
static void plan(struct task *t, struct file *f, uint64_t start, uint64_t end, uint64_t offset) {
  struct jump jumps[MOST_JUMPS];
  size_t size = end - start, count = 0;
  f->planned = 1;
  uint8_t *text = size <= MOST_TEXT ? malloc(size) : NULL;
  if (!text || !guest_read(t, start, text, size)) size = 0;
  for (int fill = 0; fill < 2 && size; fill++) {
    if (fill) plan_jumps(text, size, jumps, count);
    count = 0;
    for (uint32_t i = 0; i < f->count && count < MOST_JUMPS; i++) {
      struct place *p = &f->places[i];
      if (p->kind != INSTRUCTION_CPUID || p->length != CPUID_BYTES || p->offset < offset || p->offset - offset >= size) continue;
      struct jump *jump = &jumps[count++];
      if (!fill) jump->site = p->offset - offset;
      else p->replaced = jump->replaced;
      if (fill) memcpy(p->code, text + jump->site, p->replaced > p->length ? p->replaced : p->length);
    }
  }
  free(text);
}

static int jumps_to(struct task *t, const struct place *p, uint64_t at, struct detours *d) {
  uint8_t jump[MOST_REPLACED];
  if (!d || !p->replaced || d->used + DETOUR_ROOM > sizeof d->bytes) return 0;
  size_t size = make_detour(d->bytes + d->used, d->at + d->used, jump, p->code, p->replaced, at, d->answer);
  if (!size || !guest_write(t, at, jump, p->replaced)) return 0;
  d->used += size;
  return 1;
}

/* Writes go through the write protection, into a copy of the page that is this address space's own. */
static void rewrite(struct task *t, struct range r, struct detours *d) {
  struct block block = {0};
  int any = 0;
  for (uint32_t i = 0; r.file && i < r.file->count; i++) {
    const struct place *p = &r.file->places[i];
    size_t held = p->replaced > p->length ? p->replaced : p->length;
    if (p->offset < r.offset || p->offset - r.offset >= r.end - r.start) continue;
    uint64_t at = r.start + p->offset - r.offset;
    const uint8_t *now = look(&block, t, -1, at, held);
    if (!now || memcmp(now, p->code, held) != 0) continue;
    if (jumps_to(t, p, at, d)) any = r.jumps = 1;
    else if (!is_wanted(p->kind)) continue;
    else if (guest_write(t, at, arch_trap, ARCH_TRAP_BYTES)) any = 1;
    else unproven++;
  }
  if (any && !add_range(&t->process->text, r)) unproven++;
}

const struct file *asking(struct task *t, int fd) {
  int own = guest_descriptor(t, fd);
  const struct file *f = look_at(own);
  if (own >= 0) close(own);
  for (uint32_t i = 0; f && i < f->count; i++)
    if (is_wanted(f->places[i].kind)) return f;
  return NULL;
}

void rewrite_text(struct task *t, struct range r) { rewrite(t, r, NULL); }

/* The name is the guest's word: what it leads to is written over only where the very same bytes stand in memory. */
static void rewrite_path(struct task *t, struct range r, const char *path, struct detours *d) {
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct file *f = look_at(fd);
  if (fd >= 0) close(fd);
  if (f && d && !f->planned) plan(t, f, r.start, r.end, r.offset);
  r.file = f;
  rewrite(t, r, d);
}

/* The kernel's own functions took two pages, of which ours need one. */
static void find_room(const char *maps, uint64_t image, struct detours *d) {
  char line[64];
  snprintf(line, sizeof line, "%08lx-%08lx r-xp", (unsigned long)image, (unsigned long)(image + 2 * VDSO_SIZE));
  if (!image || !strstr(maps, line)) return;
  d->at = image + VDSO_SIZE;
  d->answer = image + ANSWER_AT;
}

static int is_near(uint64_t a, uint64_t b) { return (a > b ? a - b : b - a) < INT32_MAX / 2; }

/* Of each part of a file that is mapped there; returns how many there are. */
static int walk_files(struct task *t, uint64_t start, uint64_t end, int rewrites, struct detours *d) {
  static char maps[1 << 18];
  int found = 0;
  if (guest_proc(t, "maps", maps, sizeof maps) < 0) return 0;
  if (d) find_room(maps, t->process->vector[1], d);
  for (char *line = maps; line && *line; line = strchr(line, '\n'), line += line != NULL) {
    struct range r = {0};
    unsigned long from, until, offset;
    char mode[8], path[512] = "";
    int fields = sscanf(line, "%lx-%lx %7s %lx %*s %*s %511[^\n]", &from, &until, mode, &offset, path);
    if (fields < 5 || *path != '/' || until <= start || from >= end) continue;
    found = 1;
    r.start = from, r.end = until, r.offset = offset;
    if (rewrites && mode[2] == 'x') rewrite_path(t, r, path, d && d->at && is_near(r.start, d->at) ? d : NULL);
  }
  return found;
}

int shows_file(struct task *t, uint64_t start, uint64_t end) { return walk_files(t, start, end, 0, NULL); }

void rewrite_files(struct task *t, uint64_t start, uint64_t end) { walk_files(t, start, end, 1, NULL); }

/* What of the second page is not needed is no longer the kernel's either. */
void rewrite_program(struct task *t) {
  static struct detours d;
  memset(&d, 0, sizeof d);
  walk_files(t, 0, UINT64_MAX, wanted(CPUID_REWRITE), &d);
  if (!d.at) return;
  guest_write(t, d.at, d.bytes, sizeof d.bytes);
  struct ranges *all = need_ranges(&t->process->text);
  all->cycles.clock = d.at - VDSO_SIZE + CYCLES_AT;
  all->calls = (struct call_sites){.functions = d.at - VDSO_SIZE, .room = d.at + d.used, .end = d.at + sizeof d.bytes};
}

void rewrite_made(struct task *t, uint64_t start, uint64_t end) {
  static uint8_t code[1 << 16];
  struct found_instructions found = {0};
  size_t size = guest_read_some(t, start, code, end - start < sizeof code ? end - start : sizeof code);
  if (find_in_memory(code, size, &found) && found.count && files_known < MOST_FILES) {
    struct file *f = new_file(&found);
    keep_places(f, &found, -1, code);
    rewrite(t, (struct range){.start = start, .end = start + size, .file = f}, NULL);
  }
  free(found.list);
}

static const struct place *place_in(const struct range *r, uint64_t address) {
  uint64_t offset = address - r->start + r->offset;
  uint32_t low = 0, high = r->file->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (r->file->places[middle].offset < offset) low = middle + 1;
    else high = middle;
  }
  return low < r->file->count && r->file->places[low].offset == offset ? &r->file->places[low] : NULL;
}

int rewritten_at(const struct process *p, uint64_t address, uint8_t code[ARCH_LONGEST]) {
  const struct range *r = range_at(p->text, address);
  const struct place *at = r && r->file && !r->protection ? place_in(r, address) : NULL;
  if (at && !is_wanted(at->kind)) return 0;
  if (at) memcpy(code, at->code, ARCH_LONGEST);
  return at != NULL;
}

static void show_place(const struct place *p, uint64_t at, uint64_t address, uint8_t *bytes, uint64_t size) {
  for (uint64_t i = 0; i < p->replaced || i < p->length; i++)
    if (at + i >= address && at + i < address + size) bytes[at + i - address] = p->code[i];
}

void show_original(const struct process *p, uint64_t address, void *bytes, uint64_t size) {
  if (p->text) cycles_show(&p->text->cycles, address, bytes, size);
  if (p->text) untraced_show(&p->text->calls, address, bytes, size);
  for (uint32_t i = 0; p->text && i < p->text->count; i++) {
    const struct range *r = &p->text->list[i];
    if (!r->file || r->protection || address >= r->end || r->start >= address + size) continue;
    for (uint32_t j = 0; j < r->file->count; j++) {
      const struct place *place = &r->file->places[j];
      if (place->offset < r->offset || place->offset - r->offset >= r->end - r->start) continue;
      show_place(place, r->start + place->offset - r->offset, address, bytes, size);
    }
  }
}
