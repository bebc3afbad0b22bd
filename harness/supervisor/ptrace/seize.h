/* How a child comes under our control before it becomes the program. */
#ifndef REENACT_SEIZE_H
#define REENACT_SEIZE_H
#include <sys/types.h>

/* Seizes the child once it says at the gate that it may be; it goes on waiting there. 0 if that fails. */
int seize(pid_t child, int gate);

#endif
