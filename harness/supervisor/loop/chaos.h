/* Turns by chance, to hunt for races: the seed decides who runs next, for how long, and between which instructions. */
#ifndef REENACT_CHAOS_H
#define REENACT_CHAOS_H
#include <stdint.h>

void chaos_begin(uint64_t seed);

/* 1 when turns are by chance. */
int in_chaos(void);

/* Less than `below`, which is at least 1; only in chaos. */
unsigned chaos_draw(unsigned below);

/* From 1 to 2^`bits`: short ones as often as long ones. */
unsigned chaos_length(unsigned bits);

#endif
