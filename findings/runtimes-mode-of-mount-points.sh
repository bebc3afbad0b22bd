#!/usr/bin/env bash
# The folders and files that a runtime makes for mounts are 0755 under runc, and 1755 and 0700 under crun, and stay in the container.
#
# What:     runc 1.1.5 and crun 1.8.1, one OCI configuration with a tmpfs at /made/folder and a bound file at /made/file, where
#           the image has /made alone. Needs root.
# Expected: one configuration, one tree. The specification says that the place is made if it is not there, and no more.
# Seen:     after the container has ended, in its root (as in an overlay's upper folder):
#             runc:  folder 755   file 755
#             crun:  folder 1755  file 700
# Hurts:    what a container changed, as `podman diff`, a commit or a digest of the upper folder sees it, depends on the runtime
#           under the same engine; and a user other than root can look at the bound file's place in one of the two layers only.
. "$(dirname "$0")/common.sh"

needs runc 1.1.5+ds1-1+deb12u1
needs crun 1.8.1-1+deb12u1
[ "$(id -u)" = 0 ] || { echo 'cannot try: this needs root' >&2; exit 2; }
debian busybox-static=1:1.35.0-4+deb12u1+b1

echo content >"$work/bound"
modes() {
  local bundle=$work/$1
  mkdir -p "$bundle/rootfs/dev" "$bundle/rootfs/proc" "$bundle/rootfs/made"
  cp "$work/root/bin/busybox" "$bundle/rootfs/busybox"
  cat >"$bundle/config.json" <<JSON
{
  "ociVersion": "1.0.2",
  "process": { "user": { "uid": 0, "gid": 0 }, "args": ["/busybox", "true"], "cwd": "/" },
  "root": { "path": "rootfs" },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/made/folder", "type": "tmpfs", "source": "tmpfs" },
    { "destination": "/made/file", "type": "bind", "source": "$work/bound", "options": ["bind", "ro"] }
  ],
  "linux": { "namespaces": [{ "type": "mount" }, { "type": "pid" }] }
}
JSON
  (umask 022 && run_bundle "$1" "$bundle")
  (cd "$bundle/rootfs/made" && stat -c '%n %a' folder file) | paste -sd' '
}
seen 'runc' "$(modes runc)" 'folder 755 file 755'
seen 'crun' "$(modes crun)" 'folder 1755 file 700'
