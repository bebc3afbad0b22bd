#!/usr/bin/env bash
# eu-addr2line finds no line in anything that clang compiled with -g, and its status says that it did.
#
# What:     clang 19 and gcc 12.2, -g -O1, one source, linked alike; eu-addr2line 0.188 -f -e program 0xADDRESS.
# Expected: function, file and line for both, as GNU addr2line 2.40, gdb 13.1 and llvm-symbolizer 19 give them.
# Seen:     for clang's program the name alone, from .symtab, with status 0 and nothing on standard error:
#             gcc:    caller one.c:1
#             clang:  caller ??:0            the same with -gdwarf-4; with -gdwarf-aranges: caller one.c:1
#           eu-addr2line finds a unit by .debug_aranges alone, which clang does not write by itself; DWARF leaves that to the
#           compiler, and the ranges stand in each unit too.
# Hurts:    in reports by elfutils the frames of clang's programs look as if their debug files were missing, beside frames of
#           gcc's libraries that have their lines, and no message says why.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs clang-19 1:19.1.7-3~deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
needs elfutils 0.188-2.1
needs llvm-19 1:19.1.7-3~deb12u1

cd "$work"
cat >one.c <<'C'
__attribute__((noinline)) int caller(int x) { return x * 3; }
int main(int count, char **words) { (void)words; return caller(count); }
C
place() {
  local program=$1 address
  shift
  address=0x$(nm "$program" | awk '$3 == "caller" { print $1 }')
  "$@" "$program" "$address" 2>&1 | sed -E '/^$/d; s/^.*(one\.c:[0-9]+).*/\1/' | paste -sd' '
}
gcc-12 -g -O1 one.c -o gcc
clang-19 -g -O1 one.c -o clang
clang-19 -gdwarf-4 -O1 one.c -o dwarf4
clang-19 -g -gdwarf-aranges -O1 one.c -o aranges
seen 'gcc' "$(place gcc eu-addr2line -fe)" 'caller one.c:1'
for tool in 'addr2line -fe' 'llvm-symbolizer-19 -e'; do
  # shellcheck disable=SC2086
  seen "clang, $tool" "$(place clang $tool)" 'caller one.c:1'
done
seen 'clang, eu-addr2line' "$(place clang eu-addr2line -fe)" 'caller ??:0'
seen 'clang, its status' "$(eu-addr2line -fe clang "0x$(nm clang | awk '$3 == "caller" { print $1 }')" >out; echo $?)" 0
seen 'clang -gdwarf-4' "$(place dwarf4 eu-addr2line -fe)" 'caller ??:0'
seen 'clang -gdwarf-aranges' "$(place aranges eu-addr2line -fe)" 'caller one.c:1'
