#!/usr/bin/env bash
# valgrind unmaps the vDSO of its own process, and leaves the vDSO's data pages.
#
# What:     valgrind 3.19.0 (Debian 12: 1:3.19.0-1), memcheck, an ordinary program; kernel with a vDSO.
# Expected: what the kernel maps into every process, [vdso], is there in a program under valgrind too: it may be hidden
#           from the program (valgrind takes AT_SYSINFO_EHDR away), not taken out of the process.
# Seen:     /proc/PID/maps has [vvar] and no [vdso] while the program runs:
#             sleep 30:            1 [vdso], 1 [vvar] or more
#             valgrind sleep 30:   0 [vdso], 1 [vvar] or more
# Hurts:    tracers and sandboxes that lead a program through the vDSO of their own or keep a page beside it (a place
#           for injected calls, a clock's stand-in, a return for signals): it is there at exec and gone without an exec, so
#           the next jump to it ends the process. CRIU-like tools look for [vdso] by name, and find none.
. "$(dirname "$0")/common.sh"

needs valgrind 1:3.19.0-1

# How many mappings of a name a process has, once it sleeps in the program itself.
mappings() {
  sed -n 's/.*\[\(vdso\|vvar\).*/\1/p' "/proc/$1/maps" | sort -u | tr '\n' ' '
}
asleep() {
  for _ in $(seq 100); do
    grep -qs nanosleep "/proc/$1/wchan" && return
    sleep 0.2
  done
  echo 'cannot try: the program did not get to its sleep in 20 s' >&2
  exit 2
}

sleep 30 &
children+=($!)
asleep "${children[0]}"
seen 'sleep' "$(mappings "${children[0]}")" 'vdso vvar '
valgrind -q sleep 30 &
children+=($!)
asleep "${children[1]}"
seen 'valgrind sleep' "$(mappings "${children[1]}")" 'vvar '
