#!/bin/sh
# Builds the harness, byte-identically on any machine with Debian's musl-tools: usage harness/build.sh [FOLDER]
set -eu
cd "$(dirname "$0")"
out=${1:-bin}
flags="-std=c11 -Wall -Wextra -Werror -pedantic -O2 -static -fno-ident -ffile-prefix-map=$(pwd)=. -Wl,--build-id=none -s"
mkdir -p "$out"
for program in init scan; do
  case $program in
    init) sources="main.c appendix.c command.c hidden.c probe.c sha256.c trailer.c supervisor/*.c" ;;
    scan) sources="scan.c lower.c entry.c" ;;
  esac
  # shellcheck disable=SC2086
  musl-gcc $flags -o "$out/.$program.$$" $sources
  mv "$out/.$program.$$" "$out/$program"
done
