/* What is particular to one processor: registers, instructions that leak, calls made on a guest's behalf. */
#ifndef REENACT_ARCH_H
#define REENACT_ARCH_H
#include "ptrace/task.h"

/* Fills registers and call from a stopped thread; 0 when the thread is no longer there. */
int arch_load(struct task *t);

/* At an entry stop: the kernel skips the call, and the guest sees `result`. */
void arch_skip(struct task *t, int64_t result);

/* At an entry stop: the kernel does this call instead; the guest's registers are put back by arch_answer. */
void arch_replace(struct task *t, const struct call *other);

/* At an entry stop: a call of 32 bits, as far as it is an ordinary one, becomes its namesake of 64 bits. */
void arch_widen(struct task *t);

/* Lays out a call of 32 bits; its numbers by index, of those that stop and those that pass, 0 after the last. */
void arch_narrow(struct user_regs_struct *r, const struct call *c);
int arch_narrow_call(size_t index);
int arch_narrow_passing(size_t index);

/* An argument as the guest finds it in its register after the call. */
void arch_set_argument(struct task *t, int index, uint64_t value);

/* 1 at the entry of a call, as far as registers tell: not at the end of one, unless that answered ENOSYS. */
int arch_enters(const struct task *t);

/* At an exit stop: the kernel's answer. */
int64_t arch_result(struct task *t);

/* At an exit stop: the guest sees this answer, and its argument registers as they were at the entry. */
void arch_answer(struct task *t, int64_t result);

/* At an exit stop: the guest makes the same call again as soon as it runs. */
void arch_repeat(struct task *t);

/* The longest instruction, and what is written over one that would not trap. */
enum { ARCH_LONGEST = 15, ARCH_TRAP_BYTES = 2 };
extern const uint8_t arch_trap[ARCH_TRAP_BYTES];

/* Keeps all registers of a stopped thread that stands in user mode, in place of what was kept before; 0: it does not. */
int arch_keep(struct task *t);

/* Gives a stopped thread the registers that were kept. */
int arch_put_back(struct task *t);

/* Answers an instruction that asks for time, random numbers or the processor's kind; 0: the fault is the guest's own. */
int arch_emulate(struct task *t, int signal);

/* Of a thread that stands at no entry of a call: a call made on its behalf; its result. */
int64_t arch_call(struct task *t, const struct call *c);

/* At the exit stop of an exec: takes the new program's cpuid instruction away. 1 when it traps from now on. */
int arch_trap_cpuid(struct task *t);

/* 1 when the program that was just executed speaks another instruction set than ours. */
int arch_foreign(struct task *t);

/* The auxiliary vector's entries that differ between processors become those of ours; AT_MINSIGSTKSZ is not in musl. */
enum { ARCH_AT_SIGNAL_STACK = 51 };
void arch_auxiliary(uint64_t type, uint64_t *value);

/* At the exit stop of an exec: the program begins with another stack pointer. */
void arch_move_stack(struct task *t, uint64_t to);

/* Mechanisms of this processor: prctl and arch_prctl before the first exec; each 1 if in force. */
int arch_trap_clock(void);
int arch_can_trap_cpuid(void);

/* 1 when cpuid is rewritten in a program's text where it does not trap. */
int arch_can_rewrite_cpuid(void);

/* At an exit stop: where the instruction stands that made the call. */
uint64_t arch_caller(const struct task *t);

/* Where the stack begins, from the registers. */
uint64_t arch_stack(const struct task *t);

/* DWARF's numbers of the registers that unwinding follows: the last is the return address, or the program counter. */
enum { ARCH_DWARF_FRAME = 6, ARCH_DWARF_STACK = 7, ARCH_DWARF_RETURN = 16, ARCH_DWARF_REGISTERS = 17 };
/* The one in which Go keeps its goroutine. */
enum { ARCH_DWARF_GO = 14 };
void arch_dwarf_registers(const struct task *t, uint64_t registers[ARCH_DWARF_REGISTERS]);

/* Where a thread's own variables are counted from. */
uint64_t arch_thread_pointer(const struct task *t);

/* The program counter, from the registers. */
uint64_t arch_counter(const struct task *t);

/* Leaves code that no table knows for its caller, by following its instructions from the counter to a return, and none
   from `end` on; 0 where ways lead to no return, or to returns that disagree; -1 where
   all lead to an instruction that stops, as behind what a thread begins with. */
int arch_follow(struct task *t, uint64_t registers[ARCH_DWARF_REGISTERS], uint64_t end);

/* The same by the instructions from the function's beginning to the counter, where they stand one behind the other. */
int arch_follow_from(struct task *t, uint64_t start, uint64_t counter, uint64_t registers[ARCH_DWARF_REGISTERS]);

/* 1 when the seven bytes before a return address end in a call. */
int arch_is_call(const uint8_t code[7]);

/* What a signal's handler returns into: a call of rt_sigreturn, for which the kernel left a ucontext on the stack. */
enum { SIGNAL_RETURN = 9 };
int arch_is_signal_return(const uint8_t code[SIGNAL_RETURN]);

/* How many bytes of a ucontext hold the interrupted registers, and which they were. */
enum { CONTEXT_BYTES = 176 };
void arch_interrupted(const uint8_t context[CONTEXT_BYTES], uint64_t registers[ARCH_DWARF_REGISTERS]);

/* 1 when these are the registers of a thread that is in a system call. */
int arch_calls(const struct user_regs_struct *r);

/* Puts a call's answer where a program looks for it. */
void arch_put_result(struct user_regs_struct *r, int64_t result);

/* ELF's number of this processor, and what uname calls it. */
uint16_t arch_machine(void);
const char *arch_name(void);

/* The registers by name, in order; NULL after the last. */
const char *arch_register(const struct task *t, int index, uint64_t *value);

#endif
