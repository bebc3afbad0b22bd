/* Where functions begin and end, as a program's own tables say: every value in them is checked against a bound. */
#ifndef REENACT_FUNCTIONS_H
#define REENACT_FUNCTIONS_H
#include "elf_file.h"

/* A place in the code whose function is wanted; all are addresses, `end` is 0 while none is known. */
struct place {
  uint64_t address, start, end;
};

/* The sorted table of .eh_frame_hdr, which nearly every program has. */
struct unwind_table {
  uint64_t address, offset, count; /* of the file; the first entry's offset */
  struct window pairs, entries;
};

/* 0 when the program has none that is understood. */
int unwind_open(const struct elf_file *f, struct unwind_table *t);

/* The function that holds the place; 0 if the table knows none. */
int unwind_function(const struct elf_file *f, struct unwind_table *t, struct place *p);

/* The same for many places, sorted, from other tables: .eh_frame itself, where its sorted table is missing, the symbols
   of functions, and Go's table. A place that has an `end` afterwards was found. */
void frame_functions(const struct elf_file *f, struct place *places, size_t count);
void symbol_functions(const struct elf_file *f, struct place *places, size_t count);
void go_functions(const struct elf_file *f, struct place *places, size_t count);

/* Forgets the places that the section table says are data, in a segment that has both; how many are left. */
size_t only_code(const struct elf_file *f, struct place *places, size_t count);

/* The first place at or after `address`. */
size_t first_place(const struct place *places, size_t count, uint64_t address);

/* Tables that are not sorted offer their functions one by one: the first place behind each keeps the nearest. */
void offer_function(struct place *places, size_t count, uint64_t start, uint64_t end);

/* After all offers: a place without one of its own has the one before it, unless it lies behind that function's end. */
void settle_functions(struct place *places, size_t count);

#endif
