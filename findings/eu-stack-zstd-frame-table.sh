#!/usr/bin/env bash
# eu-stack ends at a program whose .debug_frame is compressed with zstd, and says that an address is out of range.
#
# What:     gcc 12.2 -g -O1 -fno-asynchronous-unwind-tables, so that .debug_frame is the only unwind table, as in C for small
#           systems; objcopy 2.40 --compress-debug-sections=zstd, a core by gdb 13.1; eu-stack 0.188 --core.
# Expected: the whole stack, as with zlib and as gdb gives it with zstd; or a word that the compression is not known.
# Seen:     zlib:  abort, leaf, middle, outer, main and what started it, status 0
#           zstd:  abort, leaf, then "dwfl_thread_getframes … address out of range", status 1
#           Of the same library, eu-elfcompress says "unknown compression type"; eu-addr2line says nothing: leaf ??:0, status 0.
# Hurts:    who keeps the frames and not the message has a stack of two functions that looks whole; who reads the message looks
#           for a damaged core. objcopy --decompress-debug-sections makes a program that all of them read.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs elfutils 0.188-2.1
needs gdb 13.1-3

cd "$work"
cat >deep.c <<'C'
#include <stdlib.h>
__attribute__((noinline)) static int leaf(volatile int *p) { abort(); return *p; }
__attribute__((noinline)) static int middle(volatile int *p) { return leaf(p) + 1; }
__attribute__((noinline)) static int outer(volatile int *p) { return middle(p) + 1; }
int main(int count, char **words) { (void)words; return outer(&count); }
C
gcc-12 -g -O1 -fno-asynchronous-unwind-tables deep.c -o plain
# The program's own functions in a list of frames.
own() { grep -oE '\b(leaf|middle|outer|main)\b' | uniq | paste -sd' '; }
for form in zlib zstd; do
  objcopy --compress-debug-sections=$form plain $form
  gdb -nx -batch -ex run -ex "generate-core-file $form.core" ./$form >gdb.log 2>&1
  eu-stack --core $form.core -e $form >$form.frames 2>$form.log && echo 0 >$form.status || echo $? >$form.status
done
seen 'zlib, eu-stack' "$(own <zlib.frames), status $(cat zlib.status)" 'leaf middle outer main, status 0'
seen 'zstd, gdb' "$(gdb -nx -batch -ex bt zstd zstd.core 2>/dev/null | sed 's/(.*//' | own)" 'leaf middle outer main'
seen 'zstd, eu-stack' "$(own <zstd.frames), status $(cat zstd.status)" 'leaf, status 1'
seen 'its message' "$(grep -oE '[^:]+$' zstd.log)" ' address out of range'
seen 'zstd, eu-elfcompress' "$(eu-elfcompress -t none -o other zstd 2>&1 | grep -oE '[^:]+$')" ' unknown compression type'
address=0x$(nm plain | awk '$3 == "leaf" { print $1 }')
seen 'zstd, eu-addr2line' "$(eu-addr2line -fe zstd "$address" 2>&1 | paste -sd' ')" 'leaf ??:0'
