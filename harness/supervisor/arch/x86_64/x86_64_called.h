/* Functions that no table knows, mostly assembler's, found by the calls that lead to them. */
#ifndef REENACT_X86_64_CALLED_H
#define REENACT_X86_64_CALLED_H
#include "x86_64_walk.h"

/* For each place, the nearest function before it that is called from a proven instruction; the places are sorted, and
   those that were found have an `end` afterwards. Without a sorted table (NULL) the calls' own functions are looked up
   in the other one. */
void called_functions(struct text *t, struct unwind_table *unwind, struct place *places, size_t count);

#endif
