#!/usr/bin/env bash
# objdump -d finds cpuid, syscall and thousands of other instructions in libcrypto that are numbers of a table.
#
# What:     Debian 12's libcrypto.so.3 (libssl3 3.0.22-1~deb12u2), disassembled by GNU objdump 2.40
#           (binutils-x86-64-linux-gnu 2.40-2).
# Expected: what -d (not -D) prints for a stripped library's .text is code: data is in .rodata.
# Seen:     OpenSSL's assembly keeps its precomputed points of elliptic curves and other constants in .text, and the
#           listing runs through them without a word. Listed, and how many of those lie in no function's unwind entry:
#             cpuid    10, 2     rdtsc  7, 1     syscall 1, 1     lsl   1, 1
#             hlt     240, 240   iret 259, 259   wrmsr   2, 2     rdmsr 2, 2
#           The false cpuid, rdtsc, syscall and lsl all lie in the table of P-256's points (151,552 bytes from 0x1ab000).
#           Around each the listing has `(bad)` and jumps to where nothing is. No symbol can tell: the
#           library has only dynamic ones, and objdump names the nearest exported function before.
# Hurts:    tools that look for or rewrite instructions by objdump (cpuid and rdtsc for replay, syscall for sandboxes,
#           counts of "privileged instructions" in audits): a rewritten place here changes a point of P-256, and signatures
#           fail. Only a walk from the beginnings that .eh_frame names is safe.
. "$(dirname "$0")/common.sh"

needs binutils-x86-64-linux-gnu 2.40-2
debian 'libssl3=3.0.22-1~deb12u2'

library=$work/root/usr/lib/x86_64-linux-gnu/libcrypto.so.3
# One line a function: where it begins and ends, in sorted order.
readelf --debug-dump=frames "$library" 2>/dev/null | sed -n 's/.*pc=\([0-9a-f]*\)\.\.\([0-9a-f]*\)$/\1 \2/p' |
  sort >"$work/functions"
objdump -d "$library" >"$work/listing"

# How often the listing has an instruction, and how often outside of every function.
count() {
  awk -F'\t' -v name="$1" '$3 ~ "^" name "( |$)" { gsub(/[ :]/, "", $1); printf "%16s\n", $1 }' "$work/listing" |
    tr ' ' 0 | awk '
      FNR == NR { begin[FNR] = $1; end[FNR] = $2; functions = FNR; next }
      { inside = 0
        for (i = 1; i <= functions; i++) if (begin[i] <= $1 "" && $1 "" < end[i]) { inside = 1; break }
        listed++; if (!inside) outside++ }
      END { printf "%d listed, %d in no function\n", listed, outside }' "$work/functions" -
}
seen cpuid "$(count cpuid)" '10 listed, 2 in no function'
seen rdtsc "$(count rdtsc)" '7 listed, 1 in no function'
seen syscall "$(count syscall)" '1 listed, 1 in no function'
seen lsl "$(count lsl)" '1 listed, 1 in no function'
seen hlt "$(count hlt)" '240 listed, 240 in no function'
seen iret "$(count iret)" '259 listed, 259 in no function'
seen wrmsr "$(count wrmsr)" '2 listed, 2 in no function'
seen rdmsr "$(count rdmsr)" '2 listed, 2 in no function'
