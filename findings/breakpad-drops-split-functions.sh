#!/usr/bin/env bash
# From DWARF 5, Breakpad's dump_syms writes no function and no line for whatever gcc split into a hot and a cold part.
#
# What:     dump_syms of the npm package minidump 0.26.0, with its default options; g++ 12.2 -O2, which writes DWARF 5 by default.
# Expected: FUNC and line records for each function, as from the same source with -gdwarf-4.
# Seen:     status 0. A function with DW_AT_ranges, which is how gcc describes one in two parts, has PUBLIC records alone:
#             -gdwarf-4:  6 FUNC records; for main and total two each, with their lines
#             -gdwarf-5:  2 FUNC records, none of them for main and total, which have 3 PUBLIC ones
#           With -v, "A DW_AT_ranges attribute was encountered but the .debug_ranges section is missing": in DWARF 5 that
#           section is named .debug_rnglists, and the program has it.
# Hurts:    at -O2, g++ splits any function that cleans up behind an exception: in C++ most of those that do something. Their
#           frames get a name without a line, and no message says so. Compile with -gdwarf-4 for these symbol files.
. "$(dirname "$0")/common.sh"

needs g++-12 12.2.0-14+deb12u1
needs binutils-x86-64-linux-gnu 2.40-2
npm_packages minidump@0.26.0

cd "$work"
cat >total.cc <<'C'
#include <stdexcept>
#include <string>
#include <vector>

__attribute__((noinline)) int total(const std::vector<std::string> &names) {
  int length = 0;
  for (const auto &name : names) length += (name + "suffix").size();
  if (length > 100) throw std::runtime_error("too long");
  return length;
}

int main(int count, char **words) {
  std::vector<std::string> names(words, words + count);
  return total(names);
}
C
for version in 4 5; do
  g++-12 -gdwarf-$version -O2 total.cc -o "dwarf$version"
  node_modules/minidump/bin/linux-x64/dump_syms "dwarf$version" >"dwarf$version.sym" 2>/dev/null
done
has_ranges() { readelf -SW "$1" | grep -oE '\.debug_(ranges|rnglists)' | paste -sd' '; }
# How many records of this kind a symbol file has for main and total.
records() { grep -cE "^$2 ([0-9a-f]+ )+(main|total\(.*)$" "$1" || true; }
seen 'ranges, DWARF 4' "$(has_ranges dwarf4)" .debug_ranges
seen 'ranges, DWARF 5' "$(has_ranges dwarf5)" .debug_rnglists
seen 'FUNC of main and total, DWARF 4' "$(records dwarf4.sym FUNC)" 4
seen 'FUNC of main and total, DWARF 5' "$(records dwarf5.sym FUNC)" 0
seen 'PUBLIC of main and total, DWARF 5' "$(records dwarf5.sym PUBLIC)" 3
