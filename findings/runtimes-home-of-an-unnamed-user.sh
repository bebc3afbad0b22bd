#!/usr/bin/env bash
# A user that the image's /etc/passwd does not name has HOME=/ under runc, and no HOME at all under crun.
#
# What:     runc 1.1.5 and crun 1.8.1, one OCI configuration without HOME, for user 1000 (named in /etc/passwd) and for user 4242
#           (not named, as with `--user 4242` or an orchestrator that gives each project numbers of its own). Needs root.
# Expected: one configuration, one environment; the specification lets the configuration alone say what it is.
# Seen:     HOME of the program:
#             runc:  /home/named and /
#             crun:  /home/named and unset
# Hurts:    what reads HOME (git, npm, pip, shells with set -u) takes other paths or fails under one of the two, and a digest of
#           a program's start state differs by the runtime. It is seen only for users that are numbers.
. "$(dirname "$0")/common.sh"

needs runc 1.1.5+ds1-1+deb12u1
needs crun 1.8.1-1+deb12u1
[ "$(id -u)" = 0 ] || { echo 'cannot try: this needs root' >&2; exit 2; }
debian busybox-static=1:1.35.0-4+deb12u1+b1

home() {
  local bundle=$work/$1-$2
  mkdir -p "$bundle/rootfs/dev" "$bundle/rootfs/proc" "$bundle/rootfs/etc"
  echo 'named:x:1000:1000::/home/named:/busybox' >"$bundle/rootfs/etc/passwd"
  cp "$work/root/bin/busybox" "$bundle/rootfs/busybox"
  cat >"$bundle/config.json" <<JSON
{
  "ociVersion": "1.0.2",
  "process": {
    "user": { "uid": $2, "gid": $2 }, "cwd": "/", "env": ["PATH=/"],
    "args": ["/busybox", "sh", "-c", "echo \${HOME-unset}"]
  },
  "root": { "path": "rootfs" },
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "linux": { "namespaces": [{ "type": "mount" }, { "type": "pid" }] }
}
JSON
  chmod 755 "$work" "$bundle" "$bundle/rootfs"
  run_bundle "$1" "$bundle"
}
seen 'runc, named' "$(home runc 1000)" /home/named
seen 'crun, named' "$(home crun 1000)" /home/named
seen 'runc, not named' "$(home runc 4242)" /
seen 'crun, not named' "$(home crun 4242)" unset
