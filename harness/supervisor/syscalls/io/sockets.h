/* What is particular to sockets among descriptors that may sleep. */
#ifndef REENACT_SOCKETS_H
#define REENACT_SOCKETS_H
#include <stdint.h>

/* When a socket's own time-out ends a wait that begins now, or NEVER; `fd` is our duplicate, of anything. */
int64_t socket_deadline(int fd, int sending);

/* Gives an internet socket that has no port yet the next one. */
void settle_port(int fd);

int is_datagram(int fd);

#endif
