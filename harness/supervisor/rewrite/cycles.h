/* A program that reads its time stamp counter in a loop: the instruction becomes a jump to our clock, without a stop. */
#ifndef REENACT_CYCLES_H
#define REENACT_CYCLES_H
#include <stddef.h>
#include <stdint.h>

struct task;

enum { MOST_CYCLE_READS = 16 };

/* An instruction that has trapped, and so is proven to be one. */
struct cycle_read {
  uint64_t at, detour; /* 0: it still traps */
  uint32_t traps;
  uint8_t length;
};

/* Of one address space. */
struct cycle_reads {
  uint64_t clock; /* where our functions have the counter; 0: nowhere */
  int stay;       /* no jump is made any more */
  uint32_t count;
  struct cycle_read list[MOST_CYCLE_READS];
};

/* At a trap of rdtsc or rdtscp: 1 when a jump stands there from now on, and is to be executed. */
int cycles_jump(struct task *t, uint64_t at);

/* A signal comes: what it interrupts between a read and the instruction behind it must find both when it goes on. */
void cycles_interrupt(const struct task *t);

/* A thread wants its reads to be faults: all jumps of its memory are taken back. */
void cycles_stay(struct task *t);

/* Puts back into `bytes`, a copy of memory at `address`, what was there before jumps and detours were. */
void cycles_show(const struct cycle_reads *all, uint64_t address, uint8_t *bytes, uint64_t size);

#endif
