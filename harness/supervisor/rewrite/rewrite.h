/* Instructions that no setting traps are written over, in a guest's private copy of its text, by one that does. */
#ifndef REENACT_REWRITE_H
#define REENACT_REWRITE_H
#include "arch/arch.h"
#include "ranges.h"
#include "ptrace/task.h"

/* After an exec: in the program and its loader. */
void rewrite_program(struct task *t);

/* The file behind the guest's descriptor, if it has such instructions; NULL otherwise. */
const struct file *asking(struct task *t, int fd);

/* In a part of a file that is about to be executed. */
void rewrite_text(struct task *t, struct range r);

/* Whether anything of a file is mapped between these addresses, and the same for what was just made executable there. */
int shows_file(struct task *t, uint64_t start, uint64_t end);
void rewrite_files(struct task *t, uint64_t start, uint64_t end);

/* In code made at run time that is about to be executed from its first byte on, up to `end`. */
void rewrite_made(struct task *t, uint64_t start, uint64_t end);

/* The instruction that stood at `address` before it was written over, zero padded; 0 when none was. */
int rewritten_at(const struct process *p, uint64_t address, uint8_t code[ARCH_LONGEST]);

/* Puts what was written over back into `bytes`, a copy of the guest's memory at `address`. */
void show_original(const struct process *p, uint64_t address, void *bytes, uint64_t size);

/* How many places hold the bytes of such an instruction, and are not proven to be one, so far. */
unsigned unproven_places(void);

#endif
