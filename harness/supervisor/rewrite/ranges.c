/* A short list without overlaps: few mappings of a program have anything to remember. */
#include "ranges.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_RANGES = 4096 };

static void *checked(void *memory) {
  if (!memory) _exit(125);
  return memory;
}

static void append(struct ranges *all, struct range range) {
  if (range.start >= range.end) return;
  if (all->count == all->room) {
    all->room = all->room ? 2 * all->room : 4;
    all->list = checked(realloc(all->list, all->room * sizeof range));
  }
  all->list[all->count++] = range;
}

/* The part of a file behind a cut begins further inside it. */
static struct range rest_of(struct range range, uint64_t start) {
  if (range.start < start) range.offset += start - range.start, range.start = start;
  return range;
}

void drop_range(struct ranges *all, uint64_t start, uint64_t end) {
  if (!all) return;
  for (uint32_t i = all->count; i > 0; i--) {
    struct range old = all->list[i - 1], before = old;
    if (old.start >= end || old.end <= start) continue;
    all->list[i - 1] = all->list[--all->count];
    before.end = start < old.end ? start : old.end;
    append(all, before);
    append(all, rest_of(old, end));
  }
}

struct ranges *need_ranges(struct ranges **all) {
  if (!*all) {
    *all = checked(calloc(1, sizeof **all));
    (*all)->users = 1;
  }
  return *all;
}

int add_range(struct ranges **all, struct range range) {
  need_ranges(all);
  drop_range(*all, range.start, range.end);
  if ((*all)->count >= MOST_RANGES) return 0;
  append(*all, range);
  return 1;
}

const struct range *range_at(const struct ranges *all, uint64_t address) {
  for (uint32_t i = 0; all && i < all->count; i++)
    if (address >= all->list[i].start && address < all->list[i].end) return &all->list[i];
  return NULL;
}

struct ranges *share_ranges(struct ranges *all) {
  if (all) all->users++;
  return all;
}

struct ranges *copy_ranges(const struct ranges *all) {
  if (!all) return NULL;
  struct ranges *own = checked(malloc(sizeof *own));
  *own = *all;
  own->users = 1;
  own->room = all->count;
  own->list = all->count ? checked(malloc(all->count * sizeof *all->list)) : NULL;
  if (all->count) memcpy(own->list, all->list, all->count * sizeof *all->list);
  return own;
}

void forget_ranges(struct ranges **all) {
  struct ranges *old = *all;
  *all = NULL;
  if (!old || --old->users > 0) return;
  free(old->list);
  free(old);
}
