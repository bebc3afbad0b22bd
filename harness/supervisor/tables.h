/* Where a loaded module's tables lie: its headers in memory say so, else the section headers of its file. */
#ifndef REENACT_TABLES_H
#define REENACT_TABLES_H
#include "unwind.h"

/* Addresses are those in memory; an end of 0: there is none. */
struct tables {
  int module;
  uint64_t bias;                         /* what the file's addresses are moved by */
  uint64_t entry;                        /* where the program begins; 0: it is none */
  uint64_t index;                        /* .eh_frame_hdr, 0: none */
  uint64_t frames, frames_end;           /* .eh_frame */
  uint64_t lines, lines_end;             /* Go's table of functions and lines */
  uint64_t debug_frames, debug_end;      /* .debug_frame, by its place in the file */
  int scanned;                           /* what no header leads to was looked for */
  struct elf_file file;                  /* its descriptor is -1 where there is none */
};

/* The tables of one module, good until those of another are asked for. */
struct tables *module_tables(struct task *t, const struct maps *m, int module);

/* Closes what is open. */
void forget_tables(void);

#endif
