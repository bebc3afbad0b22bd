#!/usr/bin/env bash
# strip-nondeterminism turns each symbolic link of a zip archive into a plain file that holds the name the link points to.
#
# What:     strip-nondeterminism 1.13.1 on archives with a file and a link to it, made by Info-ZIP 3.0 (zip -y) and by libarchive
#           3.6.2 (bsdtar --format=zip); listed and unpacked by unzip 6.0.
# Expected: times are set to one value and permissions to 0644 or 0755; what an entry is stays.
# Seen:     status 0, no warning; the type goes with the permissions:
#             before:  lrwxrwxrwx link, unpacked as a symbolic link
#             after:   -rwxr-xr-x link, unpacked as a file of four bytes, "file"
# Hurts:    a tree packed for a release or as evidence (macOS frameworks, versioned libraries, node_modules/.bin) is another one
#           after the step that was to make its archive reproducible, and both runs agree on it.
. "$(dirname "$0")/common.sh"

needs strip-nondeterminism 1.13.1-1
needs libarchive-tools 3.6.2-1+deb12u5
needs zip 3.0-13+deb12u1
needs unzip 6.0-28+deb12u1

cd "$work"
echo content >file
ln -s file link
zip -qy info-zip.zip file link
bsdtar --format=zip -cf libarchive.zip file link
listed() { unzip -Z "$1" link | awk 'NR == 1 {print $1}'; }
unpacked() {
  rm -rf out
  unzip -qd out "$1"
  if [ -L out/link ]; then echo "link to $(readlink out/link)"; else echo "file: $(cat out/link)"; fi
}
for archive in info-zip.zip libarchive.zip; do
  seen "$archive, before" "$(listed $archive) $(unpacked $archive)" 'lrwxrwxrwx link to file'
  strip-nondeterminism --type zip $archive
  seen "$archive, after" "$(listed $archive) $(unpacked $archive)" '-rwxr-xr-x file: file'
done
