#!/usr/bin/env bash
# tar-stream gives a file of user 3000000 to root when it reads a pax archive, and to 262143 when it writes one.
#
# What:     tar-stream 3.2.2, with archives of GNU tar 1.34. Users above 2097151 (octal 7777777) do not fit into the old
#           header: pax archives hold them in the records "uid" and "gid", which Go's archive/tar writes for images as well.
# Expected: pax records override the old header (POSIX), as node-tar, GNU tar and Python read them; writing such a user makes
#           a record, or is an error.
# Seen:     only path, linkpath and size of the records are applied. Without an error or warning:
#             read, --format=posix:  uid 0, gid 0 (header.pax has uid "3000000"; node-tar: 3000000, 3000001)
#             read, --format=gnu:    uid 3000000, gid 3000001
#             written by pack.entry({uid: 3000000}), then listed by GNU tar: 262143 (octal 777777)
# Hurts:    layers of rootless containers and files of directory users (LDAP, AD) have such owners. A tool that compares the final
#           state of a container, or rebuilds a layer, sees root where no owner was root, and two different owners as one.
. "$(dirname "$0")/common.sh"

needs tar 1.34+dfsg-1.2+deb12u1
npm_packages tar-stream@3.2.2 tar@7.4.3

echo content >"$work/file"
for format in posix gnu; do
  tar --format=$format --owner=:3000000 --group=:3000001 -C "$work" -cf "$work/$format.tar" file
done
cat >"$work/read.mjs" <<'JS'
import fs from 'node:fs';
import * as nodeTar from 'tar';
import tar from 'tar-stream';

const [, , reader, file] = process.argv;
if (reader === 'node-tar') await nodeTar.list({ file, onReadEntry: (entry) => console.log(entry.uid, entry.gid) });
else {
  const extract = tar.extract();
  extract.on('entry', (header, stream, next) => {
    console.log(header.uid, header.gid);
    stream.on('end', next).resume();
  });
  fs.createReadStream(file).pipe(extract);
}
JS
cat >"$work/write.mjs" <<'JS'
import tar from 'tar-stream';

const pack = tar.pack();
pack.entry({ name: 'file', uid: 3000000, gid: 5 }, 'content');
pack.finalize();
pack.pipe(process.stdout);
JS
seen 'posix, node-tar' "$(node "$work/read.mjs" node-tar "$work/posix.tar")" '3000000 3000001'
seen 'posix, tar-stream' "$(node "$work/read.mjs" tar-stream "$work/posix.tar")" '0 0'
seen 'gnu, tar-stream' "$(node "$work/read.mjs" tar-stream "$work/gnu.tar")" '3000000 3000001'
node "$work/write.mjs" >"$work/written.tar"
seen 'written by tar-stream' "$(tar --numeric-owner -tvf "$work/written.tar" | awk '{print $2}')" '262143/5'
