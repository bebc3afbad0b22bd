#!/usr/bin/env bash
# One seccomp profile, two runtimes: a system call newer than the profile is ENOSYS under runc and EPERM under crun.
#
# What:     runc 1.1.5 and crun 1.8.1, one OCI configuration with "defaultAction": "SCMP_ACT_ERRNO" and a list of allowed calls,
#           the highest of which is faccessat2 (439). A static program makes three others. Needs root.
# Expected: the same errno in both, EPERM, which is what the OCI specification gives where errnoRet is left out.
# Seen:     runc puts a filter of its own before the profile's, which answers ENOSYS to all numbers above the highest one named:
#                     101 ptrace    460 lsm_set_self_attr    500 (no such call)
#             runc:   EPERM         ENOSYS                   ENOSYS
#             crun:   EPERM         EPERM                    EPERM
#           Neither says anything about it by default.
# Hurts:    libraries try a new call first and fall back on ENOSYS alone. What falls back under Docker fails under Podman, with
#           the same image and the same profile, and only on a kernel or with a library newer than the profile.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs runc 1.1.5+ds1-1+deb12u1
needs crun 1.8.1-1+deb12u1
[ "$(id -u)" = 0 ] || { echo 'cannot try: this needs root' >&2; exit 2; }

mkdir -p "$work/bundle/rootfs/proc"
cd "$work/bundle"
cat >call.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **words) {
  for (int at = 1; at < count; at++) {
    long answer = syscall(atol(words[at]), -1, 0, 0, 0, 0, 0);
    printf("%s %s\n", words[at], answer < 0 ? strerrorname_np(errno) : "no error");
  }
  return 0;
}
C
gcc-12 -static -O1 call.c -o rootfs/call
cat >config.json <<'JSON'
{
  "ociVersion": "1.0.2",
  "process": { "user": { "uid": 0, "gid": 0 }, "args": ["/call", "101", "460", "500"], "cwd": "/", "noNewPrivileges": true },
  "root": { "path": "rootfs", "readonly": true },
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "linux": {
    "namespaces": [{ "type": "mount" }, { "type": "pid" }],
    "seccomp": {
      "defaultAction": "SCMP_ACT_ERRNO",
      "architectures": ["SCMP_ARCH_X86_64"],
      "syscalls": [{ "action": "SCMP_ACT_ALLOW", "names": [
        "access", "arch_prctl", "brk", "capget", "capset", "chdir", "clone", "close", "close_range", "dup", "dup3", "epoll_ctl",
        "epoll_pwait", "execve", "exit", "exit_group", "faccessat", "faccessat2", "fchdir", "fcntl", "fstat", "fstatfs", "futex",
        "getdents64", "getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "gettid", "getuid", "ioctl", "lseek",
        "lstat", "madvise", "mmap", "mprotect", "munmap", "nanosleep", "newfstatat", "open", "openat", "openat2", "prctl",
        "pread64", "prlimit64", "read", "readlink", "readlinkat", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
        "sched_getaffinity", "sched_yield", "seccomp", "set_robust_list", "set_tid_address", "setgid", "setgroups", "setsid",
        "setuid", "sigaltstack", "stat", "statfs", "tgkill", "umask", "wait4", "write", "writev"
      ] }]
    }
  }
}
JSON
# crun takes no cgroups of both versions at once: the second is taken out of its sight, in a mount namespace of its own.
answers() {
  unshare -m --propagation private bash -c "
    umount /sys/fs/cgroup/unified 2>/dev/null || true
    $1 --root '$work/$1' run --bundle '$work/bundle' finding-$$" 2>&1 | paste -sd' '
}
seen 'runc' "$(answers runc)" '101 EPERM 460 ENOSYS 500 ENOSYS'
seen 'crun' "$(answers crun)" '101 EPERM 460 EPERM 500 EPERM'
