/* What is particular to one processor: registers, instructions that leak, calls made on a guest's behalf. */
#ifndef REENACT_ARCH_H
#define REENACT_ARCH_H
#include "task.h"

/* Fills registers and call from a stopped thread; 0 when the thread is no longer there. */
int arch_load(struct task *t);

/* At an entry stop: the kernel skips the call, and the guest sees `result`. */
void arch_skip(struct task *t, int64_t result);

/* At an entry stop: the kernel does this call instead; the guest's registers are put back by arch_answer. */
void arch_replace(struct task *t, const struct call *other);

/* At an exit stop: the kernel's answer. */
int64_t arch_result(struct task *t);

/* At an exit stop: the guest sees this answer, and its argument registers as they were at the entry. */
void arch_answer(struct task *t, int64_t result);

/* At an exit stop: the guest makes the same call again as soon as it runs. */
void arch_repeat(struct task *t);

/* Handles the fault of an instruction that asks for time or for the processor's kind; 0: it is the guest's own. */
int arch_emulate(struct task *t);

/* At the exit stop of an exec: a call made by the new program before its first instruction; its result. */
int64_t arch_call(struct task *t, const struct call *c);

/* At the exit stop of an exec: takes the new program's cpuid instruction away. 1 when it traps from now on. */
int arch_trap_cpuid(struct task *t);

/* 1 when the program that was just executed speaks another instruction set than ours. */
int arch_foreign(struct task *t);

/* The auxiliary vector's entries that differ between processors; 1 if `value` was changed. */
int arch_auxiliary(uint64_t type, uint64_t *value);

/* Mechanisms of this processor: prctl and arch_prctl before the first exec; each 1 if in force. */
int arch_trap_clock(void);
int arch_can_trap_cpuid(void);

/* Where the stack begins, from the registers. */
uint64_t arch_stack(const struct task *t);

#endif
