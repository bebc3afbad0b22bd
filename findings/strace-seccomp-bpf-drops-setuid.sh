#!/usr/bin/env bash
# strace --seccomp-bpf, meant to make tracing faster, makes set-user-ID programs run without their owner's rights.
#
# What:     strace 6.1 (Debian 12: 6.1-0.1) run by root, -f with and without --seccomp-bpf.
# Expected: the option changes how often the program stops, nothing that the program sees: its manual names only
#           that it may have no effect.
# Seen:     strace sets no_new_privs in the program before its exec; it is inherited by all that the program starts. A
#           set-user-ID copy of `id -u`, owned by root and started by user 65534; /proc/self/status of the traced program:
#             strace -f:                 0        NoNewPrivs 0, Seccomp 0
#             strace -f --seccomp-bpf:   65534    NoNewPrivs 1, Seccomp 2
# Hurts:    a failure that one traces (sudo, mount, ping with file capabilities, a service that changes users) becomes another
#           failure, "permission denied", that the program does not have; programs that look whether they are in a sandbox
#           take another way. Root as tracer is the way that set-user-ID programs are traced at all.
. "$(dirname "$0")/common.sh"

needs strace 6.1-0.1
[ "$(id -u)" = 0 ] || { echo 'cannot try: this needs root' >&2; exit 2; }

chmod 755 "$work"
cp /usr/bin/id "$work/id"
chmod 4755 "$work/id"
who() { strace "$@" -e trace=openat -o "$work/log" setpriv --reuid 65534 --clear-groups "$work/id" -u; }
state() { strace "$@" -e trace=openat -o "$work/log" awk '/NoNewPrivs|Seccomp:/ { printf "%s ", $2 }' /proc/self/status; }
seen 'not traced' "$(setpriv --reuid 65534 --clear-groups "$work/id" -u)" 0
seen 'strace -f' "$(who -f)" 0
seen 'strace -f --seccomp-bpf' "$(who -f --seccomp-bpf)" 65534
seen 'strace -f, no_new_privs and seccomp' "$(state -f)" '0 0 '
seen 'strace -f --seccomp-bpf, the same' "$(state -f --seccomp-bpf)" '1 2 '
