#!/usr/bin/env bash
# tar-stream gives three different sets of file capabilities as one and the same value.
#
# What:     tar-stream 3.2.2 reading pax archives of GNU tar 1.34 with --xattrs (image layers hold the same records):
#           SCHILY.xattr.security.capability, whose value is a binary structure of 20 bytes.
# Expected: header.pax has the bytes, or a text from which they can be had again.
# Seen:     every value is decoded as UTF-8; a byte from 0x80 on becomes U+FFFD, whichever it was. No error:
#             cap_setuid              01000002 80 …    01000002 efbfbd …
#             cap_chown,cap_setuid    01000002 81 …    01000002 efbfbd …
#             cap_setgid,cap_setuid   01000002 c0 …    01000002 efbfbd …
# Hurts:    a tool that compares containers or layers file by file sees no difference where a program was given another capability,
#           and a tool that writes the entry again writes a value that the kernel refuses. cap_setuid, the most telling one, is
#           number 7: the very bit 0x80.
. "$(dirname "$0")/common.sh"

needs tar 1.34+dfsg-1.2+deb12u1
[ "$(id -u)" = 0 ] || { echo 'cannot try: this needs root' >&2; exit 2; }
npm_packages tar-stream@3.2.2

cat >"$work/read.mjs" <<'JS'
import fs from 'node:fs';
import tar from 'tar-stream';

const extract = tar.extract();
extract.on('entry', (header, stream, next) => {
  console.log(Buffer.from(header.pax['SCHILY.xattr.security.capability']).toString('hex', 0, 7));
  stream.on('end', next).resume();
});
fs.createReadStream(process.argv[2]).pipe(extract);
JS
# What the file has, and what tar-stream says of it in an archive: the first bytes of both.
capability() {
  rm -f "$work/program"
  touch "$work/program"
  setcap "$1+ep" "$work/program"
  tar --format=posix --xattrs --xattrs-include='*' -C "$work" -cf "$work/program.tar" program
  python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "security.capability")[:5].hex(), end=" ")' "$work/program"
  node "$work/read.mjs" "$work/program.tar"
}
seen cap_setuid "$(capability cap_setuid)" '0100000280 01000002efbfbd'
seen cap_chown,cap_setuid "$(capability cap_chown,cap_setuid)" '0100000281 01000002efbfbd'
seen cap_setgid,cap_setuid "$(capability cap_setgid,cap_setuid)" '01000002c0 01000002efbfbd'
