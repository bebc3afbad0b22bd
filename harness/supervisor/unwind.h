/* Finds a module's unwind table for one place in its code. */
#ifndef REENACT_UNWIND_H
#define REENACT_UNWIND_H
#include "cfa.h"
#include "maps.h"

/* 1 when the module has a table that says how to leave `pc`. */
int unwind_rules(struct task *t, const struct module *m, uint64_t pc, struct rules *rules);

/* Reads what all entries of a compiler have in common, from behind its length to the first instructions; `bad` unless
   its pointers are those that linkers write. */
void read_common(struct reader *r, struct table *t);

#endif
