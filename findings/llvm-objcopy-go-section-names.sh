#!/usr/bin/env bash
# llvm-objcopy --strip-all leaves the sections of a Go program under names that are cut: .gopclntab is called "d".
#
# What:     llvm-objcopy 19.1.7 --strip-all on a program of Go 1.19.8, beside binutils' strip 2.40 on the same one.
# Expected: the sections that stay keep their names, as with binutils.
# Seen:     exit status 0, no warning; the program runs, and its section headers say ablink, ypelink, gosymt, d. Go's linker
#           puts the table of section names into a segment; the names get new places in a table that stays as it was.
# Hurts:    who finds Go's table of functions, its build information or its note by their sections' names (debuggers,
#           profilers, unwinders, scanners for versions of Go modules): they take the program for one without them.
. "$(dirname "$0")/common.sh"

needs golang-1.19-go 1.19.8-2
needs binutils 2.40-2
needs llvm-19 1:19.1.7-3~deb12u1

printf 'package main\n\nfunc main() { println("runs") }\n' >"$work/main.go"
(cd "$work" && HOME=$work GOFLAGS=-mod=mod go build -o whole main.go)
llvm-objcopy-19 --strip-all "$work/whole" "$work/llvm"
strip -o "$work/gnu" "$work/whole"

names() { readelf -SW "$1" | sed -n 's/^ *\[ *[0-9]*\] \([^ ]*\) .*/\1/p' | grep -c "$2" || true; }
seen 'sections called .gopclntab before' "$(names "$work/whole" '^\.gopclntab$')" 1
seen 'the same after binutils strip' "$(names "$work/gnu" '^\.gopclntab$')" 1
seen 'the same after llvm-objcopy' "$(names "$work/llvm" '^\.gopclntab$')" 0
seen 'and it runs' "$("$work/llvm" 2>&1)" runs
