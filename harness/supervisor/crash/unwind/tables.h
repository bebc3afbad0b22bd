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
  int not_go;                            /* no such table was found */
  uint64_t text;                         /* what Go's table counts functions from, where it does not say it itself */
  int scanned;                           /* tables without a header were searched for */
  struct elf_file file;                  /* its descriptor is -1 where there is none */
};

/* The tables of one module, good until those of another are asked for. */
struct tables *module_tables(struct task *t, const struct maps *m, int module);

/* Closes what is open. */
void forget_tables(void);

/* Entries and words that this walk may still look at: 16 million, some tenths of a second. A guest may map as much as it
   likes, and make its tables as long. */
extern uint64_t looks_left;
void allow_looks(void);

/* Takes some of them; 0 when there are none left. */
int take_looks(uint64_t count);

#endif
