#!/bin/sh
# Builds the harness, byte-identically on any machine with Debian's musl-tools: usage harness/build.sh [FOLDER]
set -eu
cd "$(dirname "$0")"
out=${1:-bin}
strict="-std=c11 -Wall -Wextra -Werror -pedantic -O2 -fno-ident -ffile-prefix-map=$(pwd)=. -Wl,--build-id=none -s"
# Headers are named from here, or from supervisor/ for its own.
includes="-iquote . -iquote supervisor"
mkdir -p "$out"
parts=$(mktemp -d "$out/.parts.XXXXXX")
trap 'rm -rf "$parts"' EXIT

# What guests get in place of the kernel's vDSO: it becomes part of init, and runs with any C library or none.
# shellcheck disable=SC2086
musl-gcc $strict -shared -fPIC -nostdlib -ffreestanding -mgeneral-regs-only -fno-asynchronous-unwind-tables \
  -fno-stack-protector -Wl,-T,vdso/vdso.lds,--hash-style=both,-soname=linux-vdso.so.1,-z,max-page-size=4096 \
  -o "$parts/.vdso" vdso/vdso.c vdso/cpuid.c vdso/cycles.c vdso/untraced.c

for program in init scan; do
  case $program in
    init) sources="init/*.c common/*.c $(find supervisor -name '*.c' | LC_ALL=C sort)" ;;
    scan) sources="scan/*.c" ;;
  esac
  # shellcheck disable=SC2086
  musl-gcc $strict -static $includes "-Wa,-I,$parts" -o "$parts/$program" $sources
  mv "$parts/$program" "$out/$program"
done
