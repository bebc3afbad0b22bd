/* The notes of an ELF core: threads, signal, auxiliary vector, mapped files. */
#ifndef REENACT_NOTES_H
#define REENACT_NOTES_H
#include <signal.h>

#include "maps.h"

/* Makes all notes in one buffer, good until the next call. */
const uint8_t *core_notes(struct task *t, const struct maps *m, const siginfo_t *info, size_t *size);

#endif
