/* Terminals: the kernel passes on what is written to one in the background, at times of its own. */
#ifndef REENACT_TERMINALS_H
#define REENACT_TERMINALS_H

/* Whether our descriptor `fd` is a terminal. */
int is_terminal(int fd);

/* Waits until what was written to terminals has arrived at their other sides, with echoes and signals. */
void settle_terminals(void);

#endif
