/* Copies what a process can write and puts it back: between two stops nothing else of it can change. */
#define _GNU_SOURCE
#include "checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/arch.h"
#include "guest.h"

enum { PAGE = 4096, PIECE = 1 << 16, MOST_RUNS = 4096, MOST_MAPPINGS = 512, ENTRIES = 512, GROWTH = 64 * PAGE };
#define STORE ((size_t)64 << 20)
/* A sanitizer's shadow is terabytes, of which hardly any page is there. */
#define MOST_MAPPED (UINT64_C(1) << 30)

/* Adjacent pages whose bytes stand one behind the other in the store; sorted by address. */
struct pages {
  uint64_t from, to;
};

static struct pages runs[MOST_RUNS];
static size_t count, used, room;
static uint8_t *store;

/* Of a mapping that can be written: `backed` has bytes of a file or of others, also where no page is there yet. */
struct mapping {
  uint64_t from, to;
  int backed, grows;
};

/* All of one address space, until a call changes them. */
static struct {
  int valid, pagemap;
  uint64_t space;
  size_t count;
  struct mapping of[MOST_MAPPINGS];
} mappings = {.pagemap = -1};

static int is_kept(uint64_t page) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (runs[middle].to <= page) low = middle + 1;
    else high = middle;
  }
  return low < count && runs[low].from <= page;
}

/* Pages that cannot be read, such as those behind the end of a file, cannot be written either. */
static int keep(struct task *t, uint64_t from, uint64_t to) {
  for (uint64_t at = from; at < to;) {
    if (used + (to - at) > room || count == MOST_RUNS) return 0;
    size_t have = guest_read_some(t, at, store + used, to - at) & ~(size_t)(PAGE - 1);
    if (have && count && runs[count - 1].to == at) runs[count - 1].to += have;
    else if (have) runs[count++] = (struct pages){at, at + have};
    used += have;
    at += have ? have : PAGE;
  }
  return 1;
}

/* A page that was not there holds zeros again. */
static int clear(struct task *t, uint64_t from, uint64_t to) {
  static const uint8_t zeros[PAGE];
  for (uint64_t at = from; at < to; at += PAGE)
    if (!is_kept(at) && !guest_write(t, at, zeros, PAGE)) return 0;
  return 1;
}

/* Visits the pages of a mapping that are there, in runs. */
static int each_present(struct task *t, const struct mapping *m, int (*visit)(struct task *, uint64_t, uint64_t)) {
  static uint64_t entries[ENTRIES];
  const uint64_t there = UINT64_C(3) << 62;
  uint64_t from = 0;
  int runs_on = 0;
  for (uint64_t at = m->from; at < m->to; at += ENTRIES * PAGE) {
    size_t pages = (m->to - at) / PAGE < ENTRIES ? (size_t)((m->to - at) / PAGE) : ENTRIES;
    if (pread(mappings.pagemap, entries, 8 * pages, (off_t)(at / PAGE * 8)) != (ssize_t)(8 * pages)) return 0;
    for (size_t i = 0; i < pages; i++) {
      int present = (entries[i] & there) != 0;
      if (present == runs_on) continue;
      if (runs_on && !visit(t, from, at + i * PAGE)) return 0;
      from = at + i * PAGE;
      runs_on = present;
    }
  }
  return !runs_on || visit(t, from, m->to);
}

/* 0 when they are too many to be listed at once, or too large. */
static int find_mappings(struct task *t) {
  static char maps[1 << 16];
  char path[64];
  uint64_t mapped = 0;
  mappings.valid = 0;
  mappings.count = 0;
  if (mappings.pagemap >= 0) close(mappings.pagemap);
  snprintf(path, sizeof path, "/proc/%d/pagemap", (int)t->tid);
  mappings.pagemap = open(path, O_RDONLY | O_CLOEXEC);
  long length = guest_proc(t, "maps", maps, sizeof maps);
  if (mappings.pagemap < 0 || length <= 0 || length >= (long)sizeof maps - 1) return 0;
  for (char *line = maps; line && *line; line = strchr(line, '\n'), line += line != NULL) {
    unsigned long from, to, inode;
    char mode[8], name[16] = "";
    if (sscanf(line, "%lx-%lx %7s %*s %*s %lu %15[^\n]", &from, &to, mode, &inode, name) < 4 || mode[1] != 'w') continue;
    mapped += to - from;
    if (mapped > MOST_MAPPED || mappings.count == MOST_MAPPINGS) return 0;
    mappings.of[mappings.count++] = (struct mapping){from, to, inode != 0 || mode[3] == 's', !strcmp(name, "[stack]")};
  }
  mappings.space = t->process->space;
  mappings.valid = 1;
  return 1;
}

void checkpoint_remap(void) { mappings.valid = 0; }

/* A stack grows without a call: memory far below its end is not used. */
static int keep_mapping(struct task *t, const struct mapping *m, uint64_t lowest) {
  struct mapping all = *m;
  uint64_t end = arch_stack(t) & ~(uint64_t)(PAGE - 1);
  if (m->grows && end < m->to && end > lowest + 2 * GROWTH && end - GROWTH < m->from) all.from = end - GROWTH;
  return m->backed ? keep(t, m->from, m->to) : each_present(t, &all, keep);
}

static int keep_all(struct task *t) {
  for (size_t i = 0; i < mappings.count; i++)
    if (!keep_mapping(t, &mappings.of[i], i ? mappings.of[i - 1].to : 0)) return 0;
  return 1;
}

static int clear_all(struct task *t) {
  for (size_t i = 0; i < mappings.count; i++)
    if (!mappings.of[i].backed && !each_present(t, &mappings.of[i], clear)) return 0;
  return 1;
}

size_t checkpoint_take(struct task *t, size_t most) {
  const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (!store) store = mmap(NULL, STORE, PROT_READ | PROT_WRITE, how, -1, 0);
  if (store == MAP_FAILED) store = NULL;
  count = used = 0;
  room = most < STORE ? most : STORE;
  int known = mappings.valid && mappings.space == t->process->space;
  return store && arch_keep(t) && (known || find_mappings(t)) && keep_all(t) ? used : 0;
}

/* Only differences are written: a page that is only read remains a page of its file. */
static int put_back(struct task *t) {
  static uint8_t now[PIECE];
  size_t at = 0;
  for (size_t i = 0; i < count; i++)
    for (uint64_t address = runs[i].from; address < runs[i].to;) {
      size_t size = runs[i].to - address < PIECE ? (size_t)(runs[i].to - address) : PIECE;
      if (!guest_read(t, address, now, size)) return 0;
      for (size_t page = 0; page < size; page += PAGE)
        if (memcmp(now + page, store + at + page, PAGE) != 0 &&
            !guest_write(t, address + page, store + at + page, PAGE))
          return 0;
      address += size;
      at += size;
    }
  return 1;
}

/* Pages that were not seen when the copy was made are not cleared. */
static int find_same_mappings(struct task *t) {
  static struct mapping before[MOST_MAPPINGS];
  size_t had = mappings.count;
  memcpy(before, mappings.of, had * sizeof *before);
  if (!find_mappings(t) || mappings.count != had) return 0;
  for (size_t i = 0; i < had; i++)
    if (before[i].to != mappings.of[i].to || (before[i].from != mappings.of[i].from && !before[i].grows)) return 0;
  return 1;
}

int checkpoint_restore(struct task *t) { return find_same_mappings(t) && put_back(t) && clear_all(t) && arch_put_back(t); }
