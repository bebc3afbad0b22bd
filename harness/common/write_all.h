/* Writing to descriptors that guests share. */
#ifndef REENACT_WRITE_ALL_H
#define REENACT_WRITE_ALL_H
#include <stddef.h>

/* Writes all of it, whatever the guest did to the descriptor. */
void write_all(int fd, const void *data, size_t size);

#endif
