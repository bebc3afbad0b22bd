/* Goes through entries one by one where no sorted table leads to them: a guest may have made them as long as it likes. */
#include <string.h>

#include "ptrace/guest.h"
#include "unwind.h"

enum { HEAD = 8, LONGEST_COMMON = 256, WORD = 8 };

/* A piece of memory or of the file that was read last. */
static const uint8_t *look(const struct frames *f, struct window *w, uint64_t at, size_t size) {
  if (f->file) return elf_look(f->file, w, at, size);
  if (at < w->at || at - w->at > w->size || w->size - (at - w->at) < size) {
    w->at = at;
    w->size = guest_read_some(f->t, at, w->bytes, sizeof w->bytes);
  }
  return w->size - (at - w->at) >= size ? w->bytes + (at - w->at) : NULL;
}

/* What the last entry shared with others, since that of its neighbours is mostly the same one. */
struct shared {
  uint64_t at;
  int known, good;
  struct table table;
};

static int read_shared(const struct frames *f, uint64_t at, struct window *w, struct shared *s) {
  uint32_t head[2];
  if (s->known && s->at == at) return s->good;
  *s = (struct shared){.at = at, .known = 1};
  const uint8_t *bytes = look(f, w, at, sizeof head);
  if (!bytes) return 0;
  memcpy(head, bytes, sizeof head);
  if (head[1] != (f->file ? UINT32_MAX : 0) || head[0] < 4 || head[0] > LONGEST_COMMON) return 0;
  bytes = look(f, w, at + 4, head[0]);
  if (!bytes) return 0;
  struct reader r = {bytes, bytes + head[0], 0};
  read_common(&r, &s->table);
  s->good = !r.bad;
  return s->good;
}

int find_by_search(const struct frames *f, uint64_t pc, uint64_t *at, uint64_t *left) {
  static struct window entries, commons;
  static struct shared shared;
  uint32_t head[2];
  entries.size = commons.size = 0;
  entries.at = commons.at = 0;
  shared.known = 0;
  for (uint64_t here = f->from; here < f->end && f->end - here > HEAD && *left > 0; --*left) {
    const uint8_t *bytes = look(f, &entries, here, sizeof head);
    if (!bytes) return 0;
    memcpy(head, bytes, sizeof head);
    int is_common = head[1] == (f->file ? UINT32_MAX : 0);
    if (head[0] == 0) {
      here += 4;
      continue;
    }
    if (head[0] == UINT32_MAX || head[0] < 4) return 0;
    if (!is_common && read_shared(f, f->file ? f->from + head[1] : here + 4 - head[1], &commons, &shared)) {
      /* At most the pointer to the function, and its size. */
      size_t size = head[0] - 4 < 2 * WORD ? head[0] - 4 : 2 * WORD;
      struct table table = shared.table;
      bytes = look(f, &entries, here, HEAD + size);
      if (!bytes) return 0;
      struct reader r = {bytes + HEAD, bytes + HEAD + size, 0};
      if (entry_holds(&r, &table, here + HEAD, f->bias, pc)) {
        *at = here;
        return 1;
      }
    }
    here += 4 + (uint64_t)head[0];
  }
  return 0;
}

int find_by_scan(struct frames *f, uint64_t *left) {
  static struct window w;
  uint32_t head[2], next[2];
  w.size = w.at = 0;
  for (uint64_t here = (f->from + 3) & ~UINT64_C(3); here < f->end && f->end - here > HEAD && *left > 0; here += 4, --*left) {
    const uint8_t *bytes = look(f, &w, here, HEAD);
    if (!bytes) return 0;
    memcpy(head, bytes, sizeof head);
    if (head[1] != 0 || head[0] < HEAD || head[0] > LONGEST_COMMON || head[0] % 4) continue;
    bytes = look(f, &w, here, 4 + head[0] + HEAD);
    if (!bytes) continue;
    struct table table = {0};
    struct reader r = {bytes + 4, bytes + 4 + head[0], 0};
    read_common(&r, &table);
    /* What looks like a common part is one if the entry behind it says so. */
    memcpy(next, bytes + 4 + head[0], sizeof next);
    if (r.bad || !table.augmented || next[1] != head[0] + HEAD) continue;
    f->from = here;
    return 1;
  }
  return 0;
}
