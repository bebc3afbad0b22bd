#!/usr/bin/env bash
# With a PDB that GNU ld wrote, a static function gets the name of the public function before it, without any mark.
#
# What:     gcc-mingw-w64 12 -O1 -Wl,--pdb=app.pdb,--build-id of binutils 2.40, the program stripped as for a release;
#           llvm-symbolizer 19 -e app.exe 0xADDRESS, which finds the PDB by the path in the program.
# Expected: static_fn, as the program's own symbol table said before strip; or no name.
# Seen:     status 0, nothing on standard error:
#             before strip:  static_fn                after strip:  __gcc_deregister_frame
#             global_fn, which is public:             global_fn in both
#           The PDB has the public symbols alone, no function of a module and no length of anything, so that all code up to the
#           next public symbol counts as the one before: there, a function of the compiler's own start-up code.
# Hurts:    crash reports of mingw programs: each static function appears as whatever public one the linker put before it,
#           as certain as the right ones. A frame with a name and no line, out of a PDB, is a guess.
. "$(dirname "$0")/common.sh"

needs gcc-mingw-w64-x86-64-win32 12.2.0-14+deb12u1+25.2+b1
needs binutils-mingw-w64-x86-64 2.40-2+10.4
needs llvm-19 1:19.1.7-3~deb12u1

cd "$work"
cat >app.c <<'C'
__attribute__((noinline)) static int static_fn(volatile int *p) { return *p + 1; }
__attribute__((noinline)) int global_fn(volatile int *p) { return static_fn(p) * 2; }
int main(int count, char **words) { (void)words; return global_fn(&count); }
C
x86_64-w64-mingw32-gcc-win32 -O1 app.c -o app.exe -Wl,--pdb=app.pdb,--build-id
address_of() { echo "0x$(x86_64-w64-mingw32-nm whole.exe | awk -v name="$1" '$3 == name { print $1 }')"; }
name_of() { llvm-symbolizer-19 -e "$1" "$(address_of "$2")" 2>&1 | paste -sd' '; }
cp app.exe whole.exe
x86_64-w64-mingw32-strip app.exe

seen 'before strip, static_fn' "$(name_of whole.exe static_fn)" 'static_fn ??:0:0 '
for function in static_fn global_fn; do
  wanted=$function
  [ $function = global_fn ] || wanted=__gcc_deregister_frame
  seen "after strip, $function" "$(name_of app.exe $function)" "$wanted ??:0:0 "
done
