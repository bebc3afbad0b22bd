/* Finds what a module's unwind tables say about one place in its code. */
#ifndef REENACT_UNWIND_H
#define REENACT_UNWIND_H
#include "cfa.h"
#include "elf_file.h"
#include "crash/maps.h"

/* Entries one behind the other: of .eh_frame by their address in memory, or of .debug_frame by their place in the file. */
struct frames {
  struct task *t;
  const struct elf_file *file; /* NULL: memory */
  uint64_t from, end;
  uint64_t bias;               /* what the file's addresses are moved by */
};

/* Around a walk: what was found out about other memory is forgotten, and files are closed. */
void unwind_begin(void);
void unwind_end(void);

/* 1 when a table says how to leave `pc`; the rules are good until the next call. `signal` says that the frame is one
   that the kernel made, in which case what lies below it was not called. */
int unwind_rules(struct task *t, const struct maps *m, int module, uint64_t pc, struct rules *rules, int *signal);

/* The same by the entry at `at`; 0 when that is not for this place or is not understood. */
int entry_rules(const struct frames *f, uint64_t at, uint64_t pc, struct rules *rules, int *signal);

/* Looks at each entry for the one that holds `pc`; 0 without one. `left` bounds the entries that are looked at. */
int find_by_search(const struct frames *f, uint64_t pc, uint64_t *at, uint64_t *left);

/* Looks for an .eh_frame that no header leads to, from `f->from` on; 1 when entries were found, where `f->from` is then. */
int find_by_scan(struct frames *f, uint64_t *left);

/* Reads where an entry's function begins, whose pointer stands `at`; 1 when it holds `pc`. */
int entry_holds(struct reader *r, struct table *t, uint64_t at, uint64_t bias, uint64_t pc);

/* Reads what all entries of a compiler have in common, from behind its length to the first instructions; `bad` where
   that is not understood. */
void read_common(struct reader *r, struct table *t);

#endif
