#!/usr/bin/env bash
# A sparse file that GNU tar packed comes out of Node's two tar libraries under another name, with other content, or not at all.
#
# What:     tar-stream 3.2.2 and tar (node-tar) 7.4.3 reading archives of GNU tar 1.34 with --sparse, in its two formats:
#           --format=posix (a pax header GNU.sparse.major 1) and --format=gnu (entries of type S).
# Expected: the file, of its real size, holes as zeros, as GNU tar and Python's tarfile give it; or an error.
# Seen:     a "core" of 10,485,760 bytes with two pieces of data; no error, no warning, exit status 0 in each:
#                           posix                                              gnu
#             tar-stream    GNUSparseFile.N/core, 8,704 bytes: map, then data  core, type null, 8,192 bytes
#             node-tar      GNUSparseFile.N/core, 8,704 bytes                  nothing: no file is written
#             tarfile       core, 10,485,760 bytes                             core, 10,485,760 bytes
# Hurts:    core dumps, disk images and databases are what people pack with --sparse. Unpacked by a Node service the
#           evidence is another file with another digest, or is missing, and a debugger reads garbage.
. "$(dirname "$0")/common.sh"

needs tar 1.34+dfsg-1.2+deb12u1
npm_packages tar-stream@3.2.2 tar@7.4.3

mkdir "$work/files"
truncate -s 10485760 "$work/files/core"
printf HEAD | dd of="$work/files/core" conv=notrunc status=none
printf TAIL | dd of="$work/files/core" conv=notrunc status=none bs=1 seek=9000000
for format in posix gnu; do tar --sparse --format=$format -C "$work/files" -cf "$work/$format.tar" core; done

cat >"$work/stream.mjs" <<'JS'
import fs from 'node:fs';
import tar from 'tar-stream';

const extract = tar.extract();
extract.on('entry', (header, stream, next) => {
  let size = 0;
  stream.on('data', (chunk) => (size += chunk.length));
  stream.on('end', () => {
    console.log(header.name.replace(/\.\d+/, '.N').replace(/^\.\//, ''), header.type, size);
    next();
  });
});
fs.createReadStream(process.argv[2]).pipe(extract);
JS
cat >"$work/node-tar.mjs" <<'JS'
import fs from 'node:fs';
import * as tar from 'tar';

fs.mkdirSync(process.argv[3]);
const warn = (code, message) => console.log('warned', code, message);
await tar.extract({ file: process.argv[2], cwd: process.argv[3], onwarn: warn });
for (const entry of fs.readdirSync(process.argv[3], { recursive: true, withFileTypes: true }))
  if (entry.isFile())
    console.log(
      entry.parentPath.replace(process.argv[3], '').replace(/^\/(.*)\.\d+$/, '$1.N/') + entry.name,
      fs.statSync(`${entry.parentPath}/${entry.name}`).size,
    );
JS
tarfile='import sys, tarfile
for m in tarfile.open(sys.argv[1]): print(m.name, m.size)'
seen 'posix, tarfile' "$(python3 -c "$tarfile" "$work/posix.tar")" 'core 10485760'
seen 'posix, tar-stream' "$(node "$work/stream.mjs" "$work/posix.tar")" 'GNUSparseFile.N/core file 8704'
seen 'posix, node-tar' "$(node "$work/node-tar.mjs" "$work/posix.tar" "$work/posix")" 'GNUSparseFile.N/core 8704'
seen 'gnu, tarfile' "$(python3 -c "$tarfile" "$work/gnu.tar")" 'core 10485760'
seen 'gnu, tar-stream' "$(node "$work/stream.mjs" "$work/gnu.tar")" 'core null 8192'
seen 'gnu, node-tar' "$(node "$work/node-tar.mjs" "$work/gnu.tar" "$work/gnu")" ''
