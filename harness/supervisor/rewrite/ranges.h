/* Parts of an address space that something is known about; processes that share a memory share them. */
#ifndef REENACT_RANGES_H
#define REENACT_RANGES_H
#include <stdint.h>

#include "cycles.h"
#include "untraced.h"

struct file;

struct range {
  uint64_t start, end;
  uint64_t offset;         /* of a file's text: where in the file it begins */
  int jumps;               /* some of its instructions were replaced by jumps, not by one that traps */
  const struct file *file; /* which file it shows; NULL: code made at run time */
  int protection;          /* what the program asked for, before anything there is executed; then 0 */
};

struct ranges {
  int users;
  uint32_t count, room;
  struct range *list;
  struct cycle_reads cycles;
  struct call_sites calls;
};

/* Those of an address space, which from now on has some. */
struct ranges *need_ranges(struct ranges **all);

/* Instead of what overlaps; 0 when there are too many. NULL stands for none. */
int add_range(struct ranges **all, struct range range);

/* What lies within is forgotten, what reaches beyond is cut. */
void drop_range(struct ranges *all, uint64_t start, uint64_t end);

const struct range *range_at(const struct ranges *all, uint64_t address);

struct ranges *share_ranges(struct ranges *all);
struct ranges *copy_ranges(const struct ranges *all);
void forget_ranges(struct ranges **all);

#endif
