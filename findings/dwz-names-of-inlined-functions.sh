#!/usr/bin/env bash
# After dwz -m, an inlined function has no name in llvm-symbolizer, and its line is given to its caller by addr2line.
#
# What:     gcc 12.2 -g -O2, two programs that inline a function of one header; dwz 0.15 -m common.debug one two, as
#           distributions do for their debug packages; the common file lies beside the programs, where dwz put it.
# Expected: the frames of before: read_field shared.h:1, one_fn one.c:2. eu-addr2line 0.188 gives them.
# Seen:     status 0 and nothing on standard error in all three:
#             llvm-symbolizer 19:     "??" shared.h:1, one_fn one.c:2    it never opens the common file
#             GNU addr2line 2.40:     one_fn shared.h:1, one_fn one.c:2  a function with a line of another file
#           dwz moves to the common file whatever both programs have: of those functions only the lines are left.
# Hurts:    the inlined function at the top is what a crash is grouped by; "??" puts all of them together, and the caller's name
#           puts them into a file that it is not in. Symbols for these tools are to be taken before dwz.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs elfutils 0.188-2.1
needs llvm-19 1:19.1.7-3~deb12u1
debian dwz=0.15-1

cd "$work"
cat >shared.h <<'C'
static inline __attribute__((always_inline)) int read_field(volatile int *p) { return *p; }
C
for name in one two; do
  cat >$name.c <<C
#include "shared.h"
__attribute__((noinline)) int ${name}_fn(volatile int *p) { return read_field(p) * 3; }
int main(int count, char **words) { (void)words; return ${name}_fn(&count); }
C
  gcc-12 -g -O2 $name.c -o $name
done
address=0x$(nm one | awk '$3 == "one_fn" { print $1 }')
frames() { "$@" one "$address" 2>&1 | sed -E '/^$/d; s/ inlined at.*//; s/^.*\/([a-z]+\.[ch]:[0-9]+).*/\1/' | paste -sd' '; }
tools=('llvm-symbolizer-19 -e' 'addr2line -fie' 'eu-addr2line -fie')
right='read_field shared.h:1 one_fn one.c:2'
for tool in "${tools[@]}"; do
  # shellcheck disable=SC2086
  seen "before, $tool" "$(frames $tool)" "$right"
done
root/usr/bin/dwz -m common.debug one two
seen 'common file named in the program' "$(readelf -p .gnu_debugaltlink one | grep -o common.debug)" common.debug
seen 'after, llvm-symbolizer' "$(frames llvm-symbolizer-19 -e)" '?? shared.h:1 one_fn one.c:2'
seen 'after, addr2line' "$(frames addr2line -fie)" 'one_fn shared.h:1 one_fn one.c:2'
seen 'after, eu-addr2line' "$(frames eu-addr2line -fie)" "$right"
