/* Finds a module's unwind table for one place in its code. */
#ifndef REENACT_UNWIND_H
#define REENACT_UNWIND_H
#include "cfa.h"
#include "maps.h"

/* 1 when the module has a table that says how to leave `pc`. */
int unwind_rules(struct task *t, const struct module *m, uint64_t pc, struct rules *rules);

#endif
