/** A signed and timestamped bundle with one bit of one byte changed, byte after byte; REENACT_EVERY_BYTE=1 leaves none out. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { attachTimestamp } from '../../src/bundle/custody/attached.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { chain, plainBundle, withAttached } from '../support/attested.ts';
import { makeAuthority } from '../support/authority.ts';
import { tempFolder } from '../support/world.ts';

/** Every 13th: a whole round takes some minutes. */
const STEP = process.env.REENACT_EVERY_BYTE ? 1 : 13;

it('is refused, whichever byte it is', { timeout: 1_800_000 }, async () => {
  const { path: plain, signing } = await plainBundle();
  const authority = makeAuthority();
  const golden = await withAttached(plain, (o) => [
    ...chain(o, [signing]),
    attachTimestamp(o.rootText, authority.stamp(o.rootText)),
  ]);
  expect(await verifyBundle(golden)).toMatchObject({ accepted: true });
  const bytes = readFileSync(golden);
  const path = join(tempFolder(), 'flipped.tar');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r+');
  for (let at = 0; at < bytes.length; at += STEP) {
    writeSync(fd, Buffer.of(bytes[at]! ^ (1 << (at % 8))), 0, 1, at);
    const { accepted, problems } = await verifyBundle(path);
    expect(accepted || problems.length === 0, `byte ${at}`).toBe(false);
    writeSync(fd, bytes, at, 1, at);
  }
  closeSync(fd);
  // What was put back was all that was wrong.
  expect(await verifyBundle(path)).toMatchObject({ accepted: true });
  console.log(`bundle: every ${STEP}th of ${bytes.length} bytes changed, each time refused`);
});
