#!/usr/bin/env bash
# GNU addr2line and objdump cannot read the 64-bit DWARF 5 that the assembler of the same binutils wrote.
#
# What:     gcc 12.2 -g -gdwarf64 -O2, assembled and linked by binutils 2.40; addr2line and objdump -dl of the same.
# Expected: the lines, as llvm-symbolizer 19, eu-addr2line 0.188 and gdb 13.1 give them.
# Seen:     -gdwarf64:            "offset (…) greater than or equal to .debug_line_str size (…)", name alone, ??:?, status 0
#           -gdwarf-4 -gdwarf64:  work one.c:1
#           clang 19 -gdwarf64:   work one.c:1
#           readelf of the same package reads the section that addr2line complains of.
# Hurts:    programs large enough to need it (more than 4 GiB of debug information), and users who take the message for a damaged
#           file.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs clang-19 1:19.1.7-3~deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs elfutils 0.188-2.1
needs llvm-19 1:19.1.7-3~deb12u1
needs gdb 13.1-3

cd "$work"
cat >one.c <<'C'
__attribute__((noinline)) int work(volatile int *p) { return *p * 3; }
int main(int count, char **words) { (void)words; return work(&count); }
C
gcc-12 -g -gdwarf-5 -gdwarf64 -O2 one.c -o five
gcc-12 -g -gdwarf-4 -gdwarf64 -O2 one.c -o four
clang-19 -g -gdwarf-5 -gdwarf64 -O2 one.c -o clang
place() {
  local program=$1 address
  shift
  address=0x$(nm "$program" | awk '$3 == "work" { print $1 }')
  "$@" "$program" "$address" 2>"$program.log" | sed -E '/^$/d; s/^.*\/([a-z]+\.c:[0-9]+).*/\1/' | paste -sd' '
}
seen 'DWARF 5, llvm-symbolizer' "$(place five llvm-symbolizer-19 -e)" 'work one.c:1'
seen 'DWARF 5, eu-addr2line' "$(place five eu-addr2line -fe)" 'work one.c:1'
seen 'DWARF 5, gdb' "$(gdb -nx -batch -ex 'info line work' five | grep -oE 'Line [0-9]+ of "one.c"')" 'Line 1 of "one.c"'
seen 'DWARF 5, readelf' "$(readelf --debug-dump=line five | grep -c 'one\.c$' | sed 's/[1-9][0-9]*/read/')" read
seen 'DWARF 5, addr2line' "$(place five addr2line -fe)" 'work ??:?'
seen 'its message' "$(grep -oE 'greater than or equal to \.debug_line_str' five.log)" 'greater than or equal to .debug_line_str'
lines_of_objdump() { objdump -dl --disassemble=work "$1" 2>/dev/null | grep -oE 'one\.c:[0-9]+' | uniq | paste -sd' '; }
seen 'DWARF 5, objdump' "$(lines_of_objdump five)" ''
seen 'DWARF 4, objdump' "$(lines_of_objdump four)" one.c:1
seen 'DWARF 4, addr2line' "$(place four addr2line -fe)" 'work one.c:1'
seen "clang's DWARF 5, addr2line" "$(place clang addr2line -fe)" 'work one.c:1'
