/* A thread as it was when it made the call that has not come back: its registers, as far as they can be known. */
#ifndef REENACT_LEVEL_H
#define REENACT_LEVEL_H
#include "cfa.h"

struct level {
  uint64_t registers[ARCH_DWARF_REGISTERS]; /* by DWARF's numbers */
  uint32_t unknown;                         /* a bit for each that was not kept */
};

static inline uint64_t counter_of(const struct level *l) { return l->registers[ARCH_DWARF_RETURN]; }
static inline uint64_t stack_of(const struct level *l) { return l->registers[ARCH_DWARF_STACK]; }

/* To the caller by these rules: NULL, or what is wrong, in the words of a walk. */
const char *leave_frame(struct task *t, const struct rules *rules, struct level *l);

/* Runs an expression of DWARF 5, section 2.5, with `first` on its stack where there is one; 0: it has no result. */
int run_expression(struct task *t, struct reader e, const struct level *l, const uint64_t *first, uint64_t *result);

#endif
