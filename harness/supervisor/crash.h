/* The crash site: what the program's memory and registers say right before a signal ends it. */
#ifndef REENACT_CRASH_H
#define REENACT_CRASH_H
#include "task.h"

/* Whether a core is wanted. */
void crash_begin(int core);

/* At the stop before a signal is delivered: notes the crash if that signal will end the process. */
void crash_note(struct task *t, int signal);

/* The record of the crash that ended the program with this wait status, as JSON (docs/harness.md); NULL without one. */
const char *crash_record(int status);

#endif
