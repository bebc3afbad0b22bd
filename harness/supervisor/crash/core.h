/* An ELF core of the dying process, written behind the program's stderr. */
#ifndef REENACT_CORE_H
#define REENACT_CORE_H
#include <signal.h>

#include "common/sha256.h"
#include "maps.h"

/* Writes mark and core; its size, and its digest. The thread that crashed comes first. */
uint64_t write_core(struct task *t, const struct maps *m, const siginfo_t *info, uint8_t digest[SHA256_SIZE]);

#endif
