# What each finding shares: a temporary folder that goes away, pinned packages in it, one way to say what changed.
set -euo pipefail

work=$(mktemp -d)
children=()
clean_up() {
  for child in "${children[@]}"; do
    kill "$child" 2>/dev/null && wait "$child" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT

# Unpacks Debian packages, each NAME=VERSION, below $work/root: nothing is installed.
debian() {
  mkdir -p "$work/debs" "$work/root"
  (cd "$work/debs" && apt-get -o APT::Sandbox::User=root -qq download "$@")
  for package in "$work"/debs/*.deb; do dpkg -x "$package" "$work/root"; done
}

# Installs npm packages, each NAME@VERSION, in $work: no script of theirs is run.
npm_packages() {
  npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --loglevel=error "$@" >"$work/npm.log" 2>&1 || {
    cat "$work/npm.log" >&2
    exit 1
  }
}

# The finding was made with this Debian package, which has to be installed: another version may do otherwise.
needs() {
  local found
  found=$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null || true)
  [ "$found" = "$2" ] || { echo "cannot try: this needs $1 $2, found ${found:-none}" >&2; exit 2; }
}

# Prints what was seen, and fails if it is not what the finding says.
seen() {
  if [ "$2" = "$3" ]; then
    printf 'as found  %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED   %s: %s, the finding says %s\n' "$1" "$2" "$3"
    exit 1
  fi
}

# Runs the OCI bundle $2 under the runtime $1. crun takes no cgroups of both versions at once: the second is taken out of its
# sight, in a mount namespace of its own.
run_bundle() {
  unshare -m --propagation private bash -c '
    umount /sys/fs/cgroup/unified 2>/dev/null || true
    exec "$1" --root "$2/state-$1" run --bundle "$3" "finding-$4"' - "$1" "$work" "$2" $$ </dev/null
}
