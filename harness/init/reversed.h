/* Folders in reverse order, for run --vary: a program that runs freely otherwise, stopped only when it lists one. */
#ifndef REENACT_REVERSED_H
#define REENACT_REVERSED_H
#include <sys/types.h>

/* In the child before its exec: waits at the gate until it is seized, then lets listings stop; 0 if that fails. */
int reversed_submit(int gate);

/* In PID 1: seizes the child and opens its gate; 0 if that fails. Without `turned` listings are left as they are: being
   traced can be seen too, and must not be taken for the order of folders. */
int reversed_seize(pid_t child, int gate, int turned);

/* At any stop that waitpid tells of. */
void reversed_stop(pid_t pid, int status);

#endif
