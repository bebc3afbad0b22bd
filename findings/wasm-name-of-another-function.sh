#!/usr/bin/env bash
# In WebAssembly, llvm-symbolizer gives the right line with the name of a function that lies elsewhere.
#
# What:     clang 19 --target=wasm32 -g -O1, a module of 21 functions, each in a line of its own; llvm-symbolizer 19 -e with the
#           addresses that the module's own line table gives. They count from the beginning of the code section.
# Expected: the function of that line, which llvm-dwarfdump --lookup gives for the same address.
# Seen:     status 0 and nothing on standard error. All 21 lines are right, and 13 names are wrong:
#             0x58:  fn_2 many.c:9     llvm-dwarfdump: fn_9, line 9
#           The name is taken from the name section, whose functions llvm-nm puts where they lie in the file: here that is 0x4e
#           further on, so that the name is of the function so many bytes before. Only below the first of them it is DWARF's.
#           llvm-addr2line does the same; without the name section both give the right names.
# Hurts:    stacks of WebAssembly, whose names are plausible functions of the same module. Take the section out first:
#           llvm-objcopy --remove-section=name.
. "$(dirname "$0")/common.sh"

needs clang-19 1:19.1.7-3~deb12u1
needs lld-19 1:19.1.7-3~deb12u1
needs llvm-19 1:19.1.7-3~deb12u1

cd "$work"
{
  for number in $(seq 20); do
    echo "__attribute__((noinline)) int fn_$number(volatile int *p) { return *p * $number; }"
  done
  echo "int fn_21(volatile int *p) { return 0$(printf ' + fn_%s(p)' $(seq 20)); }"
} >many.c
clang-19 --target=wasm32 -g -O1 -nostdlib -B/usr/lib/llvm-19/bin -fuse-ld=lld -Wl,--no-entry,--export=fn_21 many.c -o many.wasm
llvm-objcopy-19 --remove-section=name many.wasm unnamed.wasm

# The first address behind the beginning of each function, out of the line table.
addresses=$(llvm-dwarfdump-19 --debug-line many.wasm | awk '/^0x.*prologue_end/ { print $1 }')
place() { "$@" | sed -E '/^$/d; s/^.*\/(many\.c:[0-9]+).*/\1/' | paste -sd' '; }
# How many of the 21 have the right line, and how many the right name: function and line have the same number.
right() {
  local address found lines=0 names=0 number=0
  for address in $addresses; do
    number=$((number + 1))
    found=$(place llvm-symbolizer-19 -e "$1" "$address")
    [ "${found#* }" != "many.c:$number" ] || lines=$((lines + 1))
    [ "${found% *}" != "fn_$number" ] || names=$((names + 1))
  done
  echo "$lines lines, $names names"
}
looked_up() { llvm-dwarfdump-19 --lookup=0x58 many.wasm | grep -oE '"fn_[0-9]+"' | tr -d '"'; }
seen 'right with the name section' "$(right many.wasm)" '21 lines, 8 names'
seen 'right without it' "$(right unnamed.wasm)" '21 lines, 21 names'
seen '0x58, llvm-dwarfdump' "$(looked_up)" fn_9
for tool in llvm-symbolizer-19 llvm-addr2line-19; do
  seen "0x58, $tool" "$(place $tool -f -e many.wasm 0x58)" 'fn_2 many.c:9'
done
