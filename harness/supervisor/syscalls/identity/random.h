/* Random bytes that follow from the seed alone. */
#ifndef REENACT_RANDOM_H
#define REENACT_RANDOM_H
#include <stddef.h>
#include <stdint.h>

void random_begin(uint64_t seed);
void random_bytes(void *to, size_t size);

#endif
