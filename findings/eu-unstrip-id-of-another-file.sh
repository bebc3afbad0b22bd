#!/usr/bin/env bash
# eu-unstrip lists a core's module under the build-id of a file that came to its path later, as if the core said so.
#
# What:     a program with a library that has no build-id, a core by gdb 13.1; then another build of the library, with a
#           build-id, is put in its place; eu-unstrip 0.188 -n --core.
# Expected: no build-id for the library, as before: the core holds its first page, and no note is in it.
# Seen:     status 0, and the build-id of the new file with an address in the core's memory behind it:
#             before:  0x7ffff7fbb000+0x4010 - …
#             after:   0x7ffff7fbb000+0x5000 555c…@0x7ffff7fbb248 …    where the core holds other bytes
#           Where both have a build-id, the one of the core is given in both cases.
#           eu-stack names the function that lies at the frame's offset in the new file: unused_before, not work.
# Hurts:    this list is what crash reports take the modules' ids from, and symbols are looked up by them: after an upgrade, or
#           on another machine, they fit the wrong file exactly, and nothing is left to notice it by. Read the notes from the
#           core itself, and take a module without one as unknown.
. "$(dirname "$0")/common.sh"

needs gcc-12 12.2.0-14+deb12u1
needs elfutils 0.188-2.1
needs gdb 13.1-3

cd "$work"
cat >work.c <<'C'
int work(volatile int *place) { return *place + 1; }
C
cat >upgraded.c <<'C'
int unused_before(int value) { return value * 7 + 1; }
int work(volatile int *place) { return *place + 1; }
C
cat >program.c <<'C'
int work(volatile int *place);
int main(int count, char **words) { (void)words; return work(&count); }
C
library() { gcc-12 -g -O0 -fPIC -shared "-Wl,--build-id=$2" "$1.c" -o new.so && mv new.so libwork.so; }
dump() {
  gdb -nx -batch -ex 'break work' -ex run -ex 'generate-core-file core' ./program >gdb.log 2>&1 || { cat gdb.log >&2; exit 1; }
}
id_in_core() { eu-unstrip -n --core core | awk '/libwork/ { print $2 }' | cut -d@ -f1; }
id_of_file() { readelf -n libwork.so | awk '/Build ID/ { print $3 }'; }
same() { [ "$1" = "$2" ] && echo 'that of the file' || echo "${3:-another}"; }
frame() { eu-stack --core core 2>/dev/null | awk '$1 == "#0" { print $3 }'; }

library work none
gcc-12 -g -O1 program.c -o program -L. -lwork "-Wl,-rpath,$work"
dump
seen 'without a build-id' "$(id_in_core)" -
seen 'its first frame' "$(frame)" work
library upgraded sha1
seen 'the file replaced' "$(same "$(id_in_core)" "$(id_of_file)")" 'that of the file'
seen 'its first frame' "$(frame)" unused_before
library work sha1
dump
library upgraded sha1
seen 'with a build-id, the file replaced' "$(same "$(id_in_core)" "$(id_of_file)")" another
