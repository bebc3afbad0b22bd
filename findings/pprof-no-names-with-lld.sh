#!/usr/bin/env bash
# Go's pprof names no function in a gperftools profile of a program that lld linked; the same program linked by GNU ld has names.
#
# What:     gperftools 2.10, clang 19 -g -O1, linked by lld 19 (-pie and -no-pie) and by GNU ld 2.40; go 1.19.8's
#           `go tool pprof -top program profile`, on the machine and beside the program that made the profile.
# Expected: the function in which all of the time goes by, as google-pprof (the one of gperftools) names it in each.
# Seen:     status 0; for lld the program as a whole stands in the list, as if it had neither symbols nor debug information:
#             GNU ld:  100%  spin
#             lld:     100%  [lld-pie], 100%  [lld-no-pie]
#           lld does not fill up a segment to a page in the file, so that the code's first page in the file is that of the
#           segment before as well: the profile's mapping says 0x0 for an offset where the code begins at address 0x1000.
# Hurts:    a profile that was kept in pprof's form (-proto) has no names and no build-id, only addresses; nothing can name them
#           afterwards, and nothing said so when it was converted. Convert with google-pprof, or link with -z separate-code.
. "$(dirname "$0")/common.sh"

needs clang-19 1:19.1.7-3~deb12u1
needs lld-19 1:19.1.7-3~deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs golang-1.19-go 1.19.8-2
needs libgoogle-perftools-dev 2.10-1
needs google-perftools 2.10-1

cd "$work"
cat >spin.c <<'C'
#include <stdio.h>
__attribute__((noinline)) static unsigned long spin(unsigned long rounds) {
  unsigned long sum = 1;
  for (unsigned long at = 0; at < rounds; at++) sum = sum * 6364136223846793005UL + at;
  return sum;
}
int main(void) { return printf("%lu\n", spin(300000000)) < 0; }
C
link() { clang-19 -g -O1 spin.c -o "$1" "${@:2}" -Wl,--no-as-needed -lprofiler; }
link gnu -pie
link lld-pie -pie -fuse-ld=lld-19
link lld-no-pie -no-pie -fuse-ld=lld-19
link lld-separate -pie -fuse-ld=lld-19 -Wl,-z,separate-code
# What has all of the samples by itself.
top_of() { "$@" "./$program" "$program.prof" 2>/dev/null | awk '$2 == "100%" || $2 == "100.0%" { print $NF; exit }'; }
for program in gnu lld-pie lld-no-pie lld-separate; do
  CPUPROFILE=$program.prof "./$program" >/dev/null 2>&1
  wanted=spin
  [[ $program != lld-*pie ]] || wanted="[$program]"
  seen "$program, google-pprof" "$(top_of google-pprof --text)" spin
  seen "$program, go tool pprof" "$(HOME=$work top_of /usr/lib/go-1.19/bin/go tool pprof -top)" "$wanted"
done
