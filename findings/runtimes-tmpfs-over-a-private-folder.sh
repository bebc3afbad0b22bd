#!/usr/bin/env bash
# A tmpfs over a folder of mode 0700 is 0700 under runc, and open to all (1777) under crun; the folder's owner is lost in both.
#
# What:     runc 1.1.5 and crun 1.8.1, one OCI configuration with a tmpfs, without a "mode=" of its own, at two folders of the
#           image: /private (0700, of user 7 and group 8) and /open (0755). Needs root.
# Expected: the same in both: the kernel's default (1777), or what the image says of the folder.
# Seen:     mode, user and group of the mounted folders, from within:
#             runc:  /private 700 0:0    /open 755 0:0
#             crun:  /private 1777 0:0   /open 1777 0:0
# Hurts:    a service of user 7 may write to its folder under crun and not under runc, so a fault reproduces under one engine
#           and is "permission denied" under the other, with one image and one configuration.
. "$(dirname "$0")/common.sh"

needs runc 1.1.5+ds1-1+deb12u1
needs crun 1.8.1-1+deb12u1
[ "$(id -u)" = 0 ] || { echo 'cannot try: this needs root' >&2; exit 2; }
debian busybox-static=1:1.35.0-4+deb12u1+b1

bundle=$work/bundle
mkdir -p "$bundle/rootfs/dev" "$bundle/rootfs/proc" "$bundle/rootfs/private" "$bundle/rootfs/open"
chmod 700 "$bundle/rootfs/private"
chmod 755 "$bundle/rootfs/open"
chown 7:8 "$bundle/rootfs/private"
cp "$work/root/bin/busybox" "$bundle/rootfs/busybox"
cat >"$bundle/config.json" <<'JSON'
{
  "ociVersion": "1.0.2",
  "process": {
    "user": { "uid": 0, "gid": 0 }, "cwd": "/",
    "args": ["/busybox", "stat", "-c", "%n %a %u:%g", "/private", "/open"]
  },
  "root": { "path": "rootfs" },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/private", "type": "tmpfs", "source": "tmpfs" },
    { "destination": "/open", "type": "tmpfs", "source": "tmpfs" }
  ],
  "linux": { "namespaces": [{ "type": "mount" }, { "type": "pid" }] }
}
JSON
seen 'runc' "$(run_bundle runc "$bundle" | paste -sd' ')" '/private 700 0:0 /open 755 0:0'
seen 'crun' "$(run_bundle crun "$bundle" | paste -sd' ')" '/private 1777 0:0 /open 1777 0:0'
