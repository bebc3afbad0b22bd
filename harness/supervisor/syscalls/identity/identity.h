/* The machine that every guest seems to run on. */
#ifndef REENACT_IDENTITY_H
#define REENACT_IDENTITY_H
#include "ptrace/task.h"

static const uint64_t IDENTITY_MEMORY = 1ULL << 31;

void identity_begin(int cpus);
int identity_cpus(void);

/* Fills the guest's memory with random bytes; how many, or an errno. */
int64_t random_to_guest(struct task *t, uint64_t address, uint64_t size);

#endif
