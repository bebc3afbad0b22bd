/* Crash sites: a process's memory and registers right before a signal ends it. */
#ifndef REENACT_CRASH_H
#define REENACT_CRASH_H
#include "ptrace/task.h"

/* Whether a core of the program's crash is wanted. */
void crash_begin(int core);

/* At the stop before a signal is delivered: notes the crash if that signal will end the process. */
void crash_note(struct task *t, int signal);

/* A thread ended with this wait status: after a process's last thread it is known whether the process crashed. */
void crash_end(const struct task *t, int status);

/* All crashes of a run in which the program ended with this wait status, as JSON (docs/harness.md); NULL: none. */
const char *crash_record(int status);

#endif
