/* Calls that mostly change nothing, and are often made: the instruction becomes a jump to one that does not stop. */
#ifndef REENACT_UNTRACED_H
#define REENACT_UNTRACED_H
#include <stddef.h>
#include <stdint.h>

struct task;

enum { MOST_CALL_SITES = 16 };

/* Where a program makes such a call: the instruction that loads its number, right before the one that makes it. */
struct call_site {
  uint64_t at;
  uint32_t calls;
  uint16_t nr;
  uint8_t jumps; /* a jump stands there */
};

/* Of one address space. */
struct call_sites {
  uint64_t functions; /* where our functions lie; 0: nowhere */
  uint64_t room, end; /* behind them, for detours */
  uint32_t count;
  struct call_site list[MOST_CALL_SITES];
};

/* At the entry of a call of which the kernel's answer is the guest's, and which changed nothing as far as is known. */
void untraced_call(struct task *t);

/* Puts back into `bytes`, a copy of memory at `address`, what was there before jumps were. */
void untraced_show(const struct call_sites *all, uint64_t address, uint8_t *bytes, uint64_t size);

/* At a stop: calls that `t` has made since the last one are events like others. */
void untraced_count(struct task *t);

#endif
