/* Text at its first execution. */
#ifndef REENACT_TEXT_H
#define REENACT_TEXT_H
#include "ptrace/task.h"

/* At a SIGSEGV of a thread that executes what it may not yet: 1 when it may from now on, and goes on. */
int execute_text(struct task *t);

#endif
