/** The last check of a redaction before it is written: no digest may be left with which guesses at withheld contents could be tested. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { Fault } from '../../base/fault.ts';
import { present } from '../../base/list.ts';
import type { BlobStore } from '../../store/blobs.ts';
import type { Source } from '../write/collect.ts';

/** Every 64 hex digits in a row of some bytes, also in payloads of envelopes. */
function* digestsIn(bytes: Buffer): Generator<string> {
  const text = bytes.toString('latin1');
  for (const [, payload] of text.matchAll(/"payload"\s*:\s*"([A-Za-z0-9+/=_-]+)"/g))
    yield* digestsIn(Buffer.from(present(payload), 'base64'));
  for (const [run] of text.matchAll(/[0-9a-fA-F]{64,}/g))
    for (let at = 0; at + 64 <= run.length; at++) yield run.slice(at, at + 64).toLowerCase();
}

/** How many bytes of a content are searched at a time. */
const LOOK_BYTES = 1 << 20;

/** Refuses any output with a digest with which guesses at a withheld content could be tested. */
export function guard(replaced: ReadonlyMap<string, string>, sources: Source[], store: BlobStore): void {
  const forbidden = new Set([...replaced.keys()].map((digest) => digest.slice(digest.indexOf(':') + 1)));
  for (const { role, sha256, from, name, size } of sources) {
    if (role === 'image' && name === 'layer') continue;
    const look = (bytes: Buffer): void => {
      for (const hex of digestsIn(bytes))
        if (forbidden.has(hex))
          throw new Fault(
            'record_invalid',
            `${role} ${name ?? sha256} still names ${hex}: take it out as well; nothing was written`,
          );
    };
    if (Buffer.isBuffer(from) || size <= LOOK_BYTES) {
      look(Buffer.isBuffer(from) ? from : readFileSync(store.path(sha256)));
      continue;
    }
    const fd = openSync(store.path(sha256), 'r');
    try {
      const piece = Buffer.allocUnsafe(LOOK_BYTES);
      // Pieces overlap, so that no digest lies between two.
      for (let at = 0; at < size; at += LOOK_BYTES - 63)
        look(piece.subarray(0, readSync(fd, piece, 0, LOOK_BYTES, at)));
    } finally {
      closeSync(fd);
    }
  }
}
