#!/usr/bin/env bash
# Breakpad's dump_syms gives two programs without a build-id one debug id and one code id if their first page of code is alike.
#
# What:     dump_syms of the npm package minidump 0.26.0; gcc 12.2 -Wl,--build-id=none, and two programs of 150 functions that
#           differ in the order of the last two.
# Expected: two ids, or none, so that a symbol server holds both; the id stands in for the build-id.
# Seen:     the id is a digest of the first 4096 bytes of .text, and so the same; the two functions lie at the
#           other one's address:
#             without a build-id:  MODULE Linux x86_64 81508EFE5FD6E0E95E1C9619BE150B540 for both;
#                                  at one address, read_header in the one and write_footer in the other
#             with a build-id:     two ids
#           INFO CODE_ID holds the same digest, as it holds the build-id otherwise: nothing tells which of them it is.
# Hurts:    symbol servers keep one file an id, so the second upload replaces the first, or is skipped, and dumps of the other
#           program get names that are plausible and wrong. Where start-up code or a large library comes first in .text, two
#           builds of one program are such a pair. Link with --build-id.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
npm_packages minidump@0.26.0

cd "$work"
# A program whose last two functions have these names, in this order.
program() {
  echo 'volatile int sink;'
  for number in $(seq 100 249); do
    echo "__attribute__((noinline)) int filler_$number(volatile int *p) { sink += *p * $number; return sink ^= $number; }"
  done
  for name in "$@"; do
    echo "__attribute__((noinline)) int $name(volatile int *p) { return *p ^ ${#name}; }"
  done
  echo "int main(int count, char **words) { (void)words; return $1(&count) + $2(&count); }"
}
program read_header write_footer >first.c
program write_footer read_header >second.c
for id in none sha1; do
  for name in first second; do
    gcc-12 -g -O1 -no-pie -Wl,--build-id=$id $name.c -o $name
    node_modules/minidump/bin/linux-x64/dump_syms $name >$name.$id.sym 2>/dev/null
  done
done

ids() { awk '$1 == "MODULE" { print $4 } $2 == "CODE_ID" { print $3 }' "$1"; }
same() { [ "$1" = "$2" ] && echo same || echo other; }
# The name that a symbol file gives for the address of read_header in the first one.
address=$(awk '$5 == "read_header" { print $2 }' first.none.sym)
name_in() { awk -v address="$address" '$1 == "FUNC" && $2 == address { print $5 }' "$1"; }
seen 'ids with a build-id' "$(same "$(ids first.sha1.sym)" "$(ids second.sha1.sym)")" other
seen 'ids without' "$(same "$(ids first.none.sym)" "$(ids second.none.sym)")" same
seen 'one address, two files' "$(name_in first.none.sym) $(name_in second.none.sym)" 'read_header write_footer'
