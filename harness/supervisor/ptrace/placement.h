/* On which processor the supervisor and its guests run. */
#ifndef REENACT_PLACEMENT_H
#define REENACT_PLACEMENT_H
#include "task.h"

/* Keeps ourselves and `child`, and so all its descendants, on one processor. */
void place(pid_t child);

/* Every now and then while `t` (or NULL) runs: moves all threads to the next processor where this one is shared too much. */
void place_anew(const struct task *t);

#endif
