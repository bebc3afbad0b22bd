#!/usr/bin/env bash
# A program that saves its flags and restores them dies of SIGTRAP, long after a tracer took one step in it.
#
# What:     Linux on x86-64 (found with 6.18), ptrace(PTRACE_SINGLESTEP) over `pushfq` and `popfq`.
# Expected: the kernel hides its own trap flag from the stepped program and from PTRACE_GETREGS, and clears it at
#           PTRACE_CONT, as it does for every other instruction.
# Seen:     a stepped pushfq puts the trap flag (0x100) on the program's stack, and a stepped popfq that loads it makes
#           the kernel take it for the program's own. From there on it is shown in PTRACE_GETREGS and survives PTRACE_CONT:
#             no step, then PTRACE_CONT:                 exit 0
#             one step (pushfq), then PTRACE_CONT:       stack 0x100, SIGTRAP behind its popfq
#             two steps, then PTRACE_CONT:               registers 0x100, SIGTRAP
#             the same, cleared on the stack between:    exit 0
# Hurts:    debuggers, tracers and replay systems that step for a moment only: HotSpot's cpuid stub and libraries that
#           probe for cpuid hold pushf and popf. Who steps over pushf must clear the bit on the stack.
. "$(dirname "$0")/common.sh"

cat >"$work/step.c" <<'C'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRAP_FLAG 0x100

static void program(void) {
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	__asm__ volatile("sub $128, %%rsp\n int3\n pushfq\n popfq\n nop\n nop\n add $128, %%rsp" ::: "memory", "cc");
	_exit(0);
}

/* Steps a program of ours STEPS times from before its pushfq; with MEND, clears the flag on its stack after the first. */
int main(int count, char **words) {
	int status, steps = count > 1 ? atoi(words[1]) : 0, mend = count > 2;
	struct user_regs_struct registers;
	pid_t child = fork();
	if (child == 0) program();
	waitpid(child, &status, 0); /* int3 */
	for (int i = 0; i < steps; i++) {
		ptrace(PTRACE_SINGLESTEP, child, 0, 0);
		waitpid(child, &status, 0);
		ptrace(PTRACE_GETREGS, child, 0, &registers);
		long top = ptrace(PTRACE_PEEKDATA, child, registers.rsp, 0);
		if (i == 0) printf("stack %#lx ", top & TRAP_FLAG);
		if (i == 0 && mend) ptrace(PTRACE_POKEDATA, child, registers.rsp, top & ~TRAP_FLAG);
	}
	if (steps > 0) printf("registers %#llx ", registers.eflags & TRAP_FLAG);
	ptrace(PTRACE_CONT, child, 0, 0);
	waitpid(child, &status, 0);
	if (WIFEXITED(status)) printf("exit %d\n", WEXITSTATUS(status));
	else printf("signal %d\n", WSTOPSIG(status));
	kill(child, SIGKILL);
	return 0;
}
C
gcc -O1 "$work/step.c" -o "$work/step"
echo "kernel $(uname -r)"
seen 'no step' "$("$work/step" 0)" 'exit 0'
seen 'step over pushfq, then continue' "$("$work/step" 1)" 'stack 0x100 registers 0 signal 5'
seen 'step over both, then continue' "$("$work/step" 2)" 'stack 0x100 registers 0x100 signal 5'
seen 'the same, flag cleared on the stack' "$("$work/step" 2 mend)" 'stack 0x100 registers 0 exit 0'
