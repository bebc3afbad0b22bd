/* Names that are added to folders and removed from them: this sets the folder's time, by which programs see that it changed. */
#ifndef REENACT_ENTRIES_H
#define REENACT_ENTRIES_H
#include "ptrace/task.h"

/* The folder that holds `path`, seen from the guest's folder `at`, has another list of names now. */
void entry_changed(struct task *t, int at, const char *path);

#endif
