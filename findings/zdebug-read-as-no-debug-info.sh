#!/usr/bin/env bash
# LLVM 19 takes a program with .zdebug_ sections for one without debug information, and "decompresses" it with status 0.
#
# What:     g++ 12.2 -g -O2, then objcopy 2.40 --compress-debug-sections=zlib-gnu, which makes .zdebug_info and the like, the form of
#           before SHF_COMPRESSED; GNU ld has it as well (--compress-debug-sections=zlib-gnu).
# Expected: what the same program gives with zlib-gabi; or a word that there are debug sections that are not read.
# Seen:     status 0 and nothing on standard error in each:
#             llvm-symbolizer:  deref a.cc:1, outer a.cc:2 with zlib-gabi; outer ??:0 with zlib-gnu, the inlined call is gone
#             llvm-dwarfdump:   no unit
#             llvm-objcopy --decompress-debug-sections: the sections stay .zdebug_
#           GNU addr2line 2.40 and eu-addr2line 0.188 read both forms alike.
# Hurts:    a symbol server with old debug files gives names without lines, and the caller where an inlined function failed, as
#           if they had been built without -g. objcopy --decompress-debug-sections of GNU repairs a file.
. "$(dirname "$0")/common.sh"

needs g++-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs elfutils 0.188-2.1
needs llvm-19 1:19.1.7-3~deb12u1

cd "$work"
cat >a.cc <<'C'
static inline __attribute__((always_inline)) int deref(volatile int *place) { return *place; }
__attribute__((noinline)) int outer(volatile int *place) { return deref(place) * 3; }
int main(int count, char **) { return outer(&count); }
C
g++-12 -g -O2 a.cc -o plain
for form in zlib-gabi zlib-gnu; do objcopy --compress-debug-sections=$form plain $form; done
llvm-objcopy-19 --decompress-debug-sections zlib-gnu llvm
objcopy --decompress-debug-sections zlib-gnu gnu

address=0x$(nm plain | awk '$3 ~ /outer/ { print $1 }')
places() {
  local program=$1
  shift
  "$@" "$program" "$address" 2>&1 | sed -E '/^$/d; s/ inlined at.*//; s/^.*(a\.cc:[0-9]+).*/\1/' | c++filt -p | paste -sd' '
}
both='deref a.cc:1 outer(int volatile*) a.cc:2'
none='outer(int volatile*) ??:0:0'
zdebug() { readelf -SW "$1" | grep -cF .zdebug_info || true; }
seen 'zlib-gabi, llvm-symbolizer' "$(places zlib-gabi llvm-symbolizer-19 -e)" "$both"
seen 'zlib-gnu, llvm-symbolizer' "$(places zlib-gnu llvm-symbolizer-19 -e)" "$none"
seen 'zlib-gnu, eu-addr2line' "$(places zlib-gnu eu-addr2line -fie)" "${both//(int volatile\*)/}"
seen 'zlib-gnu, units of llvm-dwarfdump' "$(llvm-dwarfdump-19 --debug-info zlib-gnu | grep -c 'Compile Unit' || true)" 0
seen '.zdebug_info left by llvm-objcopy' "$(zdebug llvm)" 1
seen '.zdebug_info left by objcopy' "$(zdebug gnu)" 0
seen 'through objcopy, llvm-symbolizer' "$(places gnu llvm-symbolizer-19 -e)" "$both"
