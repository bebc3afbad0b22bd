/** A crash site tells of memory: registers, and digests of files that the program made. So does the event two replays part at. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { digestOf } from '../../../src/base/digest.ts';
import { openBundle } from '../../../src/bundle/read/open.ts';
import { verifyBundle } from '../../../src/bundle/verify/verify.ts';
import { collect } from '../../../src/bundle/write/collect.ts';
import { createBundle } from '../../../src/bundle/write/create.ts';
import type { Crash } from '../../../src/sandbox/crash.ts';
import { BlobStore } from '../../../src/store/blobs.ts';
import { makeCase } from '../../support/case.ts';
import { makeKey } from '../../support/keys.ts';
import { reenact, tempFolder } from '../../support/world.ts';

it('a bundle has the crash sites and the parting of its record, and a redaction of it has none', async () => {
  const folder = tempFolder();
  const pin = Buffer.from('pin 4711');
  const made = await makeCase(['a', 'a'], { '/work/pin': pin });
  const place = { area: 'module' as const, module: '/work/pin', build_id: null, offset: '0x1' };
  const crash: Crash = {
    signal: 'SIGSEGV',
    code: 1,
    fault: null,
    thread: 20,
    threads: [20],
    thread_count: 1,
    frames: [{ ...place, by: 'counter' }],
    walk_ended: 'unmapped',
    modules: [{ path: '/work/pin', base: '0x1', build_id: null, sha256: digestOf(pin), not_hashed: null }],
    modules_left_out: 0,
    registers: { rax: '0x31313734' },
    core: null,
  };
  for (const replay of made.record.replays) replay.crash = crash;
  made.record.desync = { replays: [1, 2], tries: 1, alike: 0, before: [], expected: null, actual: null };
  const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
  await createBundle(join(folder, 'case.tar'), collected, { state: 'full' });
  writeFileSync(join(folder, 'key.pem'), makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const args = ['--drop', 'files/**', '--out', 'less.tar', '--reason', 'privacy', '--key', 'key.pem'];
  const done = await reenact(['bundle', 'redact', 'case.tar', ...args, '--secret', 'case.secret'], {
    cwd: folder,
  });
  expect(done).toMatchObject({ status: 0 });
  for (const [name, crashes] of [
    ['case.tar', 2],
    ['less.tar', 0],
  ] as const) {
    const path = join(folder, name);
    expect(await verifyBundle(path)).toMatchObject({ accepted: true, verdict_follows: true });
    const { record } = await openBundle(path);
    expect(record.replays.filter((one) => one.crash)).toHaveLength(crashes);
    expect(record.desync !== undefined).toBe(crashes > 0);
  }
});
