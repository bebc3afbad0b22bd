/** What bundles are measured against, in a process that does nothing else: files read and hashed, and written one after the other. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const [folder = '', out] = process.argv.slice(2);
const buffer = Buffer.allocUnsafe(1 << 18);
const written = out === undefined ? undefined : openSync(out, 'w');
for (const name of readdirSync(folder).sort()) {
  const hash = createHash('sha256');
  const file = openSync(join(folder, name), 'r');
  for (let count = -1; count !== 0; ) {
    count = readSync(file, buffer, 0, buffer.length, null);
    const piece = buffer.subarray(0, count);
    hash.update(piece);
    if (written !== undefined) writeSync(written, piece);
  }
  closeSync(file);
  hash.digest();
}
