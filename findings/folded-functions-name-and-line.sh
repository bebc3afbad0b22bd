#!/usr/bin/env bash
# Where the linker folded two functions into one, symbolizers give the name of the one with the line of the other.
#
# What:     a file with two functions of the same code in lines 1 and 2; gcc 12.2 -ffunction-sections, lld 19 --icf=all; llvm-symbolizer 19,
#           eu-addr2line 0.188 and GNU addr2line 2.40 with -f.
# Expected: either function, with its own line: which of them was called is gone from the program.
# Seen:     status 0, and a place that is in no source. The name is out of .symtab and the line out of .debug_info or
#           .debug_line, and each has an order of its own for one address:
#             llvm-symbolizer:          second_twin twin.c:1
#             eu-addr2line, addr2line:  first_twin twin.c:2
# Hurts:    who opens the line does not find the function there, and takes the symbols for those of another build; reports
#           grouped by function and by line fall into groups that contradict each other.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs elfutils 0.188-2.1
needs lld-19 1:19.1.7-3~deb12u1
needs llvm-19 1:19.1.7-3~deb12u1

cd "$work"
cat >twin.c <<'C'
__attribute__((noinline)) int first_twin(volatile int *p) { return *p * 3; }
__attribute__((noinline)) int second_twin(volatile int *p) { return *p * 3; }
int main(int count, char **words) { (void)words; return first_twin(&count) + second_twin(&count); }
C
gcc-12 -g -O1 -ffunction-sections -B/usr/lib/llvm-19/bin -fuse-ld=lld -Wl,--icf=all twin.c -o program
address_of() { nm program | awk -v name="$1" '$3 == name { print $1 }'; }
place() {
  "$@" program "0x$(address_of first_twin)" 2>&1 | sed -E '/^$/d; s/^.*(twin\.c:[0-9]+).*/\1/' | paste -sd' '
}
seen 'addresses of the two' "$([ "$(address_of first_twin)" = "$(address_of second_twin)" ] && echo one || echo two)" one
seen 'llvm-symbolizer' "$(place llvm-symbolizer-19 -e)" 'second_twin twin.c:1'
seen 'eu-addr2line' "$(place eu-addr2line -fe)" 'first_twin twin.c:2'
seen 'addr2line' "$(place addr2line -fe)" 'first_twin twin.c:2'
