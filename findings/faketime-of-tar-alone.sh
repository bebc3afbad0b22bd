#!/usr/bin/env bash
# Under faketime, GNU tar packs a file with another date than ls, stat, find, python and bsdtar see in the same session.
#
# What:     faketime 0.9.10 (libfaketime) with GNU tar 1.34, coreutils 9.1, findutils 4.9, Python 3.11 and libarchive 3.6.2; a file
#           of 5 May 2020, ten days back (faketime -f -10d).
# Expected: as its manual says: times of files are faked too (until NO_FAKE_STAT is set), for all programs alike.
# Seen:     libfaketime stands before fstatat, which tar calls, and not before statx nor the stat of a current C library:
#             tar -c:                              2020-04-25
#             stat, ls, find, python3, bsdtar -c:  2020-05-05
#             tar -c with NO_FAKE_STAT=1:          2020-05-05
# Hurts:    a build that is repeated under faketime, as for reproducible builds, has two dates for one file: its archive holds a time
#           that nothing else in the build saw, and changes with the faked clock while the file does not.
. "$(dirname "$0")/common.sh"

needs tar 1.34+dfsg-1.2+deb12u1
needs coreutils 9.1-1
needs findutils 4.9.0-4
debian faketime=0.9.10-2.1 libfaketime=0.9.10-2.1 libarchive-tools=3.6.2-1+deb12u5

cd "$work"
echo content >file
TZ=UTC0 touch -d '2020-05-05 05:05:05' file
cat >python.py <<'PY'
import os, time

print(time.strftime('%Y-%m-%d', time.gmtime(os.stat('file').st_mtime)))
PY
# The library alone, as the command faketime sets it: the package is unpacked, not installed.
faked() {
  TZ=UTC0 LD_PRELOAD=$(echo "$work"/root/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1) FAKETIME=-10d "$@"
}
date_in_tar() { TZ=UTC0 tar -tv --full-time | awk '{print $4}'; }
seen 'tar' "$(faked tar -c file | date_in_tar)" 2020-04-25
seen 'stat' "$(faked stat -c %y file | cut -d' ' -f1)" 2020-05-05
seen 'ls' "$(faked ls -l --time-style=+%F file | awk '{print $6}')" 2020-05-05
seen 'find' "$(faked find file -printf '%TF\n')" 2020-05-05
seen 'python3' "$(faked /usr/bin/python3 python.py)" 2020-05-05
seen 'bsdtar' "$(faked root/usr/bin/bsdtar -cf - file | date_in_tar)" 2020-05-05
seen 'tar, NO_FAKE_STAT' "$(NO_FAKE_STAT=1 faked tar -c file | date_in_tar)" 2020-05-05
