#!/usr/bin/env bash
# debugedit leaves the build folder in every program that clang 19 compiled with -g, lists no source file, and ends with status 0.
#
# What:     debugedit 5.0 -b BUILD -d /usr/src/it -l list, the step that rpm's find-debuginfo and others take; clang 19 and gcc 12.2,
#           one source, -g (DWARF 5 in both).
# Expected: the build folder is replaced, and the source is in the list; or a status that says no.
# Seen:     gcc:    no path left, "a.c" in the list, status 0
#           clang:  "Unknown DWARF DW_FORM_0x25" on standard error; all paths left, an empty list, status 0. (0x25 is strx1, an
#                   indexed string, which clang uses for every name from DWARF 5 on; with -gdwarf-4 all is as with gcc.)
# Hurts:    the program names the machine's folder, so two builds in two folders differ; the package of sources made from the
#           list is empty, and debuggers look for the source in a place that only the builder had.
. "$(dirname "$0")/common.sh"

needs clang-19 1:19.1.7-3~deb12u1
needs gcc-12 12.2.0-14+deb12u1
needs binutils 2.40-2
debian debugedit=1:5.0-5

mkdir "$work/build"
cd "$work/build"
printf 'int work(int x) { return x * 3; }\nint main(int count, char **words) { return words ? work(count) : 0; }\n' >a.c
edited() {
  local status=0
  "$@" -g -O1 "$work/build/a.c" -o program
  rm -f list
  ../root/usr/bin/debugedit -b "$work/build" -d /usr/src/it -l list program 2>message || status=$?
  printf '%s paths, [%s], status %s%s\n' "$(strings -a program | grep -c "^$work/build" || true)" \
    "$(tr '\0' '\n' <list | sort -u | paste -sd' ')" "$status" "$(sed -n 's/.*\(: Unknown.*\)/\1/p' message)"
}
seen 'gcc' "$(edited gcc-12)" '0 paths, [a.c], status 0'
seen 'clang, DWARF 4' "$(edited clang-19 -gdwarf-4)" '0 paths, [a.c], status 0'
seen 'clang' "$(edited clang-19 | sed 's/^[1-9][0-9]* paths/paths/')" 'paths, [], status 0: Unknown DWARF DW_FORM_0x25'
