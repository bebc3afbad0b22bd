#!/usr/bin/env bash
# strip-nondeterminism takes the time out of the first member of a gzip file, and leaves those of all others.
#
# What:     strip-nondeterminism 1.13.1 --type gzip; gzip 1.12; two members one after the other, as appended logs and the layers of
#           eStargz are (RFC 1952: a file is a series of members).
# Expected: as for one member: two files that differ in their times alone are equal afterwards.
# Seen:     the seconds of each member's header, before and after, status 0:
#             first member:   1000000000 -> 0
#             second member:  1000000001 -> 1000000001
# Hurts:    builds that append to a compressed file stay irreproducible after the step that is there for it, and a look at the head
#           of the file, as `file` takes it, shows that all is well.
. "$(dirname "$0")/common.sh"

needs gzip 1.12-1
needs strip-nondeterminism 1.13.1-1

cd "$work"
echo content >file
for second in 1000000000 1000000001; do
  touch -d "@$second" file
  gzip -c file >>two.gz
done
length=$(($(stat -c %s two.gz) / 2))
# The time is at byte 4 of a member; both members here have the same name and content, and so the same length.
times() { for start in 0 "$1"; do od -An -tu4 -j $((start + 4)) -N4 two.gz | tr -d ' '; done | paste -sd' '; }
seen 'before' "$(times $length)" '1000000000 1000000001'
strip-nondeterminism --type gzip two.gz
# The first member's header may have become shorter; the second one is as long as it was.
seen 'after' "$(times $(($(stat -c %s two.gz) - length)))" '0 1000000001'
seen 'content' "$(zcat two.gz | paste -sd' ')" 'content content'
