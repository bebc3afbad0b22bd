#!/usr/bin/env bash
# With gcc -flto, eu-addr2line -i gives one frame instead of three: the caller's name with the line of the innermost inlined call.
#
# What:     gcc 12.2 -g -O2 -flto, two files, work() of a.c inlines leafy() and inner() of b.c; eu-addr2line 0.188 -f -i.
# Expected: inner b.c:1, leafy b.c:2, work a.c:2, as llvm-symbolizer 19 and GNU addr2line 2.40 give them.
# Seen:     status 0 and nothing on standard error:
#             -flto:                     work b.c:1          a function of a.c with a line of b.c
#             one file, without -flto:   inner, leafy, work, each with its own line
#             one file, with -flto:      work one.c:1        again one frame
#           With -flto the code stands in a unit named <artificial>, whose functions and inlined calls refer to those in
#           the units of the sources.
# Hurts:    distributions that build with -flto by default, and elfutils there: a crash in inlined code is put under a function
#           and a line that do not belong together, and the two calls between are missing without a mark.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs elfutils 0.188-2.1
needs llvm-19 1:19.1.7-3~deb12u1

cd "$work"
cat >a.c <<'C'
int leafy(volatile int *p);
__attribute__((noinline)) int work(volatile int *p) { return leafy(p) + 1; }
int main(int count, char **words) { (void)words; return work(&count); }
C
cat >b.c <<'C'
static int inner(volatile int *p) { return *p * 3; }
int leafy(volatile int *p) { return inner(p); }
C
cat b.c a.c >one.c
gcc-12 -g -O2 -flto a.c b.c -o two-lto
gcc-12 -g -O2 one.c -o one
gcc-12 -g -O2 -flto one.c -o one-lto

# Function and line of each frame at the beginning of "work", as one line.
frames() {
  local program=$1 address
  shift
  address=0x$(nm "$program" | awk '$3 == "work" { print $1 }')
  "$@" "$program" "$address" 2>&1 | sed -E '/^$/d; s/ inlined at.*//; s/^.*\/([a-z]+\.c:[0-9]+).*/\1/' | paste -sd' '
}
for tool in 'llvm-symbolizer-19 -e' 'addr2line -fie'; do
  # shellcheck disable=SC2086
  seen "two files, -flto, $tool" "$(frames two-lto $tool)" 'inner b.c:1 leafy b.c:2 work a.c:2'
done
seen 'one file, eu-addr2line' "$(frames one eu-addr2line -fie)" 'inner one.c:1 leafy one.c:2 work one.c:4'
seen 'one file, -flto, eu-addr2line' "$(frames one-lto eu-addr2line -fie)" 'work one.c:1'
seen 'two files, -flto, eu-addr2line' "$(frames two-lto eu-addr2line -fie)" 'work b.c:1'
