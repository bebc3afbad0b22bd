#!/usr/bin/env bash
# GNU tar with every option that makes archives reproducible writes its process number into those with --sparse.
#
# What:     GNU tar 1.34 (Debian 12: 1.34+dfsg-1.2+deb12u1), --format=posix, with the options that reproducible builds and
#           tar's manual give: --sort=name --mtime --owner --group --numeric-owner and --pax-option=exthdr.name=%d/PaxHeaders/%f,
#           delete=atime,delete=ctime, which take the process number and the times out.
# Expected: the same folder gives the same bytes, with --sparse too.
# Seen:     each entry of a sparse file is named after the process: ./GNUSparseFile.32455/core, and no --pax-option
#           changes that name (exthdr.name and globexthdr.name are of other headers):
#             twice without --sparse:  the same digest
#             twice with --sparse:     two digests; `tar -t` shows "core" in both
# Hurts:    evidence and layers are named by their digest; an archive of a core dump packed again from the same file does not
#           match, and no listing shows why. --format=gnu --sparse is the same each time.
. "$(dirname "$0")/common.sh"

needs tar 1.34+dfsg-1.2+deb12u1

mkdir "$work/files"
truncate -s 1048576 "$work/files/core"
printf data | dd of="$work/files/core" conv=notrunc status=none bs=1 seek=500000
digest() {
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner "$@" -C "$work/files" -cf - core | sha256sum
}
pax=(--format=posix '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime')
same() { [ "$1" = "$2" ] && echo same || echo other; }
seen 'posix, twice' "$(same "$(digest "${pax[@]}")" "$(digest "${pax[@]}")")" same
seen 'posix and sparse, twice' "$(same "$(digest "${pax[@]}" --sparse)" "$(digest "${pax[@]}" --sparse)")" other
seen 'gnu and sparse, twice' "$(same "$(digest --format=gnu --sparse)" "$(digest --format=gnu --sparse)")" same
