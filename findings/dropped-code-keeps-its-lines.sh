#!/usr/bin/env bash
# A large function that the linker left out gives its lines to the functions that are there, in two of four tools.
#
# What:     gcc 12.2 -g -O1 -ffunction-sections, a position-independent program, --gc-sections of GNU ld 2.40, of gold and of
#           lld 19; "unused" of 11 KB is called by nothing and is dropped, "used" is kept.
# Expected: used main.c:1, as gdb 13.1 and eu-addr2line 0.188 give it.
# Seen:     status 0 and nothing on standard error, with each of the three linkers, here GNU ld's:
#             llvm-symbolizer 19:   used unused.c:245      the name is right, file and line are of code that is not there
#             GNU addr2line 2.40:   unused unused.c:245    where unused.c is linked first, else it is right
#           The linker leaves the debug information of dropped code and sets its addresses to 0, so that it covers 0 to 0x2d17,
#           in a program whose code begins near 0x1000. In one at a fixed address (-no-pie), nothing lies there.
# Hurts:    crash reports and profiles of programs built for small size, in each place that a dropped function is longer than:
#           here the whole program. With lld, -z dead-reloc-in-nonalloc=.debug_*=0xffffffffffffffff moves the dropped code away.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs elfutils 0.188-2.1
needs gdb 13.1-3
needs lld-19 1:19.1.7-3~deb12u1
needs llvm-19 1:19.1.7-3~deb12u1

cd "$work"
{
  echo 'int table[1024];'
  echo 'int unused(volatile int *p) {'
  echo '  int sum = 0;'
  for number in $(seq 600); do echo "  sum += p[$number] * table[$number & *p];"; done
  echo '  return sum;'
  echo '}'
} >unused.c
cat >main.c <<'C'
__attribute__((noinline)) int used(volatile int *p) { return *p * 3; }
int main(int count, char **words) { (void)words; return used(&count); }
C
link() { gcc-12 -g -O1 -ffunction-sections unused.c main.c -B/usr/lib/llvm-19/bin -Wl,--gc-sections -o "$@"; }
link bfd -fuse-ld=bfd
link gold -fuse-ld=gold
link lld -fuse-ld=lld
link moved -fuse-ld=lld '-Wl,-z,dead-reloc-in-nonalloc=.debug_*=0xffffffffffffffff'
link fixed -fuse-ld=bfd -no-pie

# Function and file at the beginning of "used".
place() {
  local program=$1 address
  shift
  address=0x$(nm "$program" | awk '$3 == "used" { print $1 }')
  "$@" "$program" "$address" 2>&1 | sed -E '/^$/d; s/^.*\/([a-z]+\.c):.*/\1/' | paste -sd' '
}
in_gdb() { gdb -nx -batch -ex 'info line used' "$1" 2>&1 | grep -oE '"[a-z]+\.c"'; }
for linker in bfd gold lld; do
  seen "$linker, unused in the program" "$(nm $linker | grep -c unused || true)" 0
  seen "$linker, eu-addr2line" "$(place $linker eu-addr2line -fe)" 'used main.c'
  seen "$linker, gdb" "$(in_gdb $linker)" '"main.c"'
  seen "$linker, llvm-symbolizer" "$(place $linker llvm-symbolizer-19 -e)" 'used unused.c'
  seen "$linker, addr2line" "$(place $linker addr2line -fe)" 'unused unused.c'
done
for program in moved fixed; do
  for tool in 'llvm-symbolizer-19 -e' 'addr2line -fe'; do
    # shellcheck disable=SC2086
    seen "$program, $tool" "$(place $program $tool)" 'used main.c'
  done
done
