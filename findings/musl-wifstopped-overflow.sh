#!/usr/bin/env bash
# WIFSTOPPED of musl is undefined for every stop at a system call, and gcc drops a tracer's branches behind it.
#
# What:     musl 1.2.3 (Debian 12: musl-dev 1.2.3-1), <sys/wait.h>:
#             #define WIFSTOPPED(s) ((short)((((s)&0xffff)*0x10001)>>8) > 0x7f00)
#           with gcc 12.2.0-14+deb12u1. PTRACE_O_TRACESYSGOOD makes the kernel's status of such a stop 0x857f:
#           0x857f * 0x10001 does not fit into an int.
# Expected: the macro answers for any status that waitpid gives, at any optimisation, as glibc's does.
# Seen:     the product is taken to fit, so statuses from 0x8000 on "cannot be". At -O2 the test for the very stop
#           that the tracer asked for is removed; at -O0 or with -fwrapv it is there:
#             -O0           kind_of(0x857f): call     has_status(-1): no
#             -O2           kind_of(0x857f): signal   has_status(-1): yes
#             -O2 -fwrapv   kind_of(0x857f): call     has_status(-1): no
#           With -fsanitize=signed-integer-overflow a tracer stops at its first system call.
# Hurts:    every tracer, debugger or sandbox that is linked statically with musl: it takes system calls for signals
#           and delivers signal 133, only in release builds, and nothing warns.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
debian musl-dev=1.2.3-1

cat >"$work/kind.c" <<'C'
#include <sys/wait.h>

const char *kind_of(int status) {
	if (!WIFSTOPPED(status)) return "ended";
	if ((status & 0xffff) == 0x857f) return "call"; /* SIGTRAP | 0x80 */
	return "signal";
}

/* -1 stands for: nothing has been heard of the child yet. */
const char *has_status(int status) {
	if (WIFSTOPPED(status) && WSTOPSIG(status) == 19) return "yes, SIGSTOP";
	if (status == -1) return "no";
	return "yes";
}
C
cat >"$work/main.c" <<'C'
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

const char *kind_of(int status), *has_status(int status);

int main(void) {
	int status;
	pid_t child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, child, 0, 0);
	waitpid(child, &status, 0);
	printf("%#x %s, %s\n", status, kind_of(status), has_status(-1));
	return 0;
}
C
answers() {
  gcc-12 "$@" -w -nostdinc -isystem "$work/root/usr/include/x86_64-linux-musl" -c "$work/kind.c" -o "$work/kind.o"
  gcc-12 "$work/main.c" "$work/kind.o" -o "$work/main"
  "$work/main"
}
seen '-O0' "$(answers -O0)" '0x857f call, no'
seen '-O2 -fwrapv' "$(answers -O2 -fwrapv)" '0x857f call, no'
seen '-O2' "$(answers -O2)" '0x857f signal, yes'
status=0
(answers -O1 -fsanitize=signed-integer-overflow -fsanitize-undefined-trap-on-error) >/dev/null 2>&1 || status=$?
seen 'sanitized, ends with' "$status" 132
