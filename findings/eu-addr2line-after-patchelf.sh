#!/usr/bin/env bash
# After patchelf, eu-addr2line takes function and line of a program at a fixed address from another place of its debug file.
#
# What:     gcc 12.2 -no-pie -g, the debug information in a file of its own (objcopy --only-keep-debug, .gnu_debuglink), then
#           patchelf 0.14.3 --set-rpath on the program; eu-addr2line 0.188 -f -e program 0xADDRESS.
# Expected: the function at that address, as before: patchelf leaves .text, its addresses, the symbols and the build-id as they
#           are. gdb 13.1, GNU addr2line 2.40 and llvm-symbolizer 19 do so.
# Seen:     status 0, nothing on standard error, and the function one page further on. patchelf put a segment in front of the
#           program, so that the lowest address is 0x3ff000 in the program and 0x400000 in its debug file; eu-addr2line lays
#           the two lowest addresses on each other:
#             before:  fn_110 big.c:11
#             after:   fn_197 big.c:98    (the three others: fn_110 big.c:11)
# Hurts:    packages are patched after their debug file was made (relocatable bundles, Nix, AppImage). With elfutils, crash
#           reports of such programs give exact lines that never ran. Patch first, then split.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs gdb 13.1-3
needs elfutils 0.188-2.1
needs llvm-19 1:19.1.7-3~deb12u1
debian patchelf=0.14.3-1+b1

cd "$work"
{
  for number in $(seq 100 299); do
    echo "__attribute__((noinline)) int fn_$number(volatile int *p) { return *p + $number * p[1]; }"
  done
  echo 'int main(int count, char **words) { volatile int a[2] = {count}; (void)words; return fn_100(a); }'
} >big.c
gcc-12 -g -O1 -no-pie big.c -o before
objcopy --only-keep-debug before before.debug
address=0x$(nm before | awk '$3 == "fn_110" { sub(/^0*/, "", $1); print $1 }')
strip before
objcopy --add-gnu-debuglink=before.debug before
cp before after
root/usr/bin/patchelf --set-rpath '$ORIGIN/lib' after

# Function and line, as one line.
place() {
  local program=$1
  shift
  "$@" "$program" "$address" 2>&1 | sed -E '/^$/d; s/^.*(big\.c:[0-9]+).*/\1/' | tr '\n' ' '
}
lowest() { readelf -lW "$1" | awk '$1 == "LOAD" { print $3; exit }'; }
seen 'lowest address before' "$(lowest before)" 0x0000000000400000
seen 'lowest address after' "$(lowest after)" 0x00000000003ff000
seen 'before, eu-addr2line' "$(place before eu-addr2line -fe)" 'fn_110 big.c:11 '
seen 'after, gdb' "$(gdb -nx -batch -ex "info line *$address" after | grep -oE '^Line 11 of "big.c" .*<fn_110>')" \
  "Line 11 of \"big.c\" starts at address $address <fn_110>"
for tool in 'addr2line -fe' 'llvm-symbolizer-19 -e'; do
  # shellcheck disable=SC2086
  seen "after, $tool" "$(place after $tool)" 'fn_110 big.c:11 '
done
seen 'after, eu-addr2line' "$(place after eu-addr2line -fe)" 'fn_197 big.c:98 '
