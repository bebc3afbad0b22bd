#!/usr/bin/env bash
# A folder that was removed and made again under fuse-overlayfs has two files in it when the kernel's overlay mounts the same layers.
#
# What:     fuse-overlayfs 1.10 as root, lower, upper and work folders, the form that Podman keeps on disk; then the kernel's
#           overlay (here Linux 6.18) over the same lower and upper folders. Needs root and /dev/fuse.
# Expected: the same tree. Both keep whiteouts as devices 0:0 and opaque folders as trusted.overlay.opaque.
# Seen:     fuse-overlayfs marks the new folder three times: trusted.overlay.opaque=y, a device .wh..opq, and an empty file
#           .wh..wh..opq as in the layers of an image. The kernel knows the first alone, so that the others are names:
#             fuse-overlayfs:        the folder is empty
#             overlay:               .wh..opq (listed, but ENOENT when opened) and .wh..wh..opq, a plain file
#             the other way around:  an upper folder of the kernel's is empty in both
# Hurts:    a storage that changes its driver (Podman without mount_program), and tools that read upper folders: a diff of a
#           container shows files that nothing in it made, and a whiteout of a file named ".opq" that never was.
. "$(dirname "$0")/common.sh"

needs fuse-overlayfs 1.10-1
[ "$(id -u)" = 0 ] && [ -c /dev/fuse ] || { echo 'cannot try: this needs root and /dev/fuse' >&2; exit 2; }

cat >"$work/in-namespace.sh" <<'IN'
set -eu
mount_layers() {
  case $1 in
    fuse) fuse-overlayfs -o "$2" merged 2>fuse.log || { cat fuse.log >&2; exit 1; } ;;
    kernel) mount -t overlay overlay -o "$2" merged ;;
  esac
}
# Removes the folder and makes it again under the one, then lists it under the other: in its upper folder, or as a lower one.
cd "$(mktemp -d -p "$1")"
mkdir -p lower/folder upper work merged
echo old >lower/folder/old
mount_layers "$2" lowerdir=lower,upperdir=upper,workdir=work
rm -r merged/folder
mkdir merged/folder
umount merged
mount_layers "$3" lowerdir=upper:lower
find merged/folder -mindepth 1 -printf '%f\n' 2>find.log | sort | paste -sd' '
umount merged
IN
listed() { unshare -m --propagation private bash "$work/in-namespace.sh" "$work" "$@"; }
seen 'made and read by fuse-overlayfs' "$(listed fuse fuse)" ''
seen 'made by fuse-overlayfs, read by the kernel' "$(listed fuse kernel)" '.wh..opq .wh..wh..opq'
seen 'made and read by the kernel' "$(listed kernel kernel)" ''
seen 'made by the kernel, read by fuse-overlayfs' "$(listed kernel fuse)" ''
