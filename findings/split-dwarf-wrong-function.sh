#!/usr/bin/env bash
# addr2line and eu-addr2line never open a .dwo file, and join an inlined function's line with its caller's name instead.
#
# What:     gcc 12.2 -g -gsplit-dwarf; GNU addr2line 2.40 and eu-addr2line 0.188 with -f -i; the .dwo lies where it was made.
# Expected: the inlined call and its caller, as for the same program without -gsplit-dwarf and as llvm-symbolizer 19 gives
#           them in both cases; or a warning that the debug information is elsewhere.
# Seen:     status 0 and one frame, whose function and line are of two different functions:
#             without -gsplit-dwarf:  inner inner.c:2, caller inner.c:3        (all three tools)
#             with it:                caller inner.c:2                         (both), nothing on standard error
#             llvm-symbolizer 19:     inner inner.c:2, caller inner.c:3; without the .dwo caller inner.c:2 as well
#           The names come from .symtab and the lines from .debug_line, which stay in the program; what is inlined is in
#           the .dwo alone.
# Hurts:    crash reports are grouped by function and line: the same crash has another group in a split build, at a place
#           that is not in the source, and the status says that all went well.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs elfutils 0.188-2.1
needs llvm-19 1:19.1.7-3~deb12u1

cat >"$work/inner.c" <<'C'
int *place;
static inline __attribute__((always_inline)) int inner(int x) { return *(volatile int *)place + x; }
int __attribute__((noinline)) caller(int x) { return inner(x) * 3; }
int main(int count, char **words) { return count > 9 ? caller(words[0][0]) : 0; }
C
cd "$work"
gcc-12 -g -O1 inner.c -o whole
gcc-12 -g -O1 -gsplit-dwarf inner.c -o split

# Function and line of each frame at the beginning of caller, as one line.
frames() {
  local program=$1 address
  shift
  address=0x$(nm "$program" | awk '$3 == "caller" { print $1 }')
  "$@" "$program" "$address" | sed -E '/^$/d; s/ inlined at.*//; s/^.*(inner\.c:[0-9]+).*/\1/' | tr '\n' ' '
}
both='inner inner.c:2 caller inner.c:3 '
for tool in 'addr2line -fie' 'eu-addr2line -fie' 'llvm-symbolizer-19 -e'; do
  # shellcheck disable=SC2086
  seen "whole, $tool" "$(frames whole $tool)" "$both"
done
seen 'split, addr2line' "$(frames split addr2line -fie 2>&1)" 'caller inner.c:2 '
seen 'split, eu-addr2line' "$(frames split eu-addr2line -fie 2>&1)" 'caller inner.c:2 '
seen 'split, llvm-symbolizer-19' "$(frames split llvm-symbolizer-19 -e)" "$both"
rm ./*.dwo
seen 'the .dwo gone, llvm-symbolizer-19' "$(frames split llvm-symbolizer-19 -e 2>&1)" 'caller inner.c:2 '
