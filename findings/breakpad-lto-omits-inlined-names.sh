#!/usr/bin/env bash
# From a program of gcc -flto, Breakpad's dump_syms -d writes each inlined call, and one name for all of them: "<name omitted>".
#
# What:     dump_syms of the npm package minidump 0.26.0 with -d (inlined calls); gcc 12.2 -g -O2, the same file with and without
#           -flto, in which work() inlines leafy() and leafy() inlines inner().
# Expected: INLINE_ORIGIN inner and INLINE_ORIGIN leafy in both: the names are in the program, llvm-symbolizer 19 gives them.
# Seen:     status 0, the ranges and lines of both calls are there, and
#             without -flto:  INLINE_ORIGIN 0 inner, INLINE_ORIGIN 1 leafy
#             with -flto:     INLINE_ORIGIN 0 <name omitted>, for both calls
#           The function that is not inlined, work, has its name in both: that one is in the symbol table as well.
# Hurts:    the innermost frame of most crashes in optimised code is an inlined one. Signatures made of it become the same for all
#           of the program, and "<name omitted>" reads as if the compiler had left the name out.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs llvm-19 1:19.1.7-3~deb12u1
npm_packages minidump@0.26.0

cd "$work"
cat >one.c <<'C'
static int inner(volatile int *p) { return *p * 3; }
static int leafy(volatile int *p) { return inner(p); }
__attribute__((noinline)) int work(volatile int *p) { return leafy(p) + 1; }
int main(int count, char **words) { (void)words; return work(&count); }
C
gcc-12 -g -O2 one.c -o plain
gcc-12 -g -O2 -flto one.c -o lto
names_of() {
  llvm-symbolizer-19 -e "$1" "0x$(nm "$1" | awk '$3 == "work" { print $1 }')" | grep -vE '^$|one\.c' | paste -sd' '
}
for program in plain lto; do
  node_modules/minidump/bin/linux-x64/dump_syms -d $program >$program.sym 2>/dev/null
  seen "$program, llvm-symbolizer" "$(names_of $program)" 'inner leafy work'
  seen "$program, functions" "$(awk '$1 == "FUNC" { print $5 }' $program.sym | sort | paste -sd' ')" 'main work'
  seen "$program, inlined calls" "$(grep -cE '^INLINE ' $program.sym)" 2
done
origins() { sed -nE 's/^INLINE_ORIGIN [0-9]+ //p' "$1" | sort | paste -sd' '; }
seen 'plain, their names' "$(origins plain.sym)" 'inner leafy'
seen 'lto, their names' "$(origins lto.sym)" '<name omitted>'
