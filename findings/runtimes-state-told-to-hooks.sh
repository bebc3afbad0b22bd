#!/usr/bin/env bash
# To hooks that run while a container is made, crun says that it is "created" with process 0; runc says "creating" with process 1.
#
# What:     runc 1.1.5 and crun 1.8.1, one OCI configuration with a createContainer hook, which keeps the state that it gets on its
#           standard input, the folder it runs in and a variable that the container and the runtime set differently. Needs root.
# Expected: the runtime specification: ociVersion is a version of SemVer 2.0.0 (three numbers); status is "creating" until the create
#           operation has ended; pid is "REQUIRED when status is created or running", the container's process as the runtime sees
#           it (for this hook, as the container's pid namespace does).
# Seen:     ociVersion, status, pid; folder; whether the runtime's own environment is the hook's:
#             runc:  1.0.2-dev creating 1; in the container's root; no, it has the container's
#             crun:  1.0 created 0; in the bundle; yes
# Hurts:    a hook that takes "created" for the end of the mounts, enters /proc/PID/ns, refuses a version that is none, or opens
#           a file beside it works under the one runtime alone; and the PATH and LANG that a hook sees are the container's under
#           runc and those of the engine under crun.
. "$(dirname "$0")/common.sh"

needs runc 1.1.5+ds1-1+deb12u1
needs crun 1.8.1-1+deb12u1
needs jq 1.6-2.1+deb12u3
[ "$(id -u)" = 0 ] || { echo 'cannot try: this needs root' >&2; exit 2; }
debian busybox-static=1:1.35.0-4+deb12u1+b1

bundle=$work/bundle
mkdir -p "$bundle/rootfs/dev" "$bundle/rootfs/proc"
cp "$work/root/bin/busybox" "$bundle/rootfs/busybox"
cat >"$bundle/config.json" <<JSON
{
  "ociVersion": "1.0.2",
  "process": { "user": { "uid": 0, "gid": 0 }, "args": ["/busybox", "true"], "cwd": "/", "env": ["OF=container"] },
  "root": { "path": "rootfs" },
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "hooks": { "createContainer": [{
    "path": "/bin/sh",
    "args": ["sh", "-c", "cat >$work/state; pwd >$work/folder; echo \$OF >$work/environment"]
  }] },
  "linux": { "namespaces": [{ "type": "mount" }, { "type": "pid" }] }
}
JSON
told() {
  rm -f "$work/state" "$work/folder" "$work/environment"
  OF=runtime run_bundle "$1" "$bundle"
  printf '%s; %s; %s\n' "$(jq -r '"\(.ociVersion) \(.status) \(.pid)"' "$work/state")" \
    "$(basename "$(cat "$work/folder")")" "$(cat "$work/environment")"
}
seen 'runc' "$(told runc)" '1.0.2-dev creating 1; rootfs; container'
seen 'crun' "$(told crun)" '1.0 created 0; bundle; runtime'
