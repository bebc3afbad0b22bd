/** Redaction: ways in which a withheld content was given away, each closed. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { digestOf, hexOf } from '../../../src/base/digest.ts';
import { openBundle } from '../../../src/bundle/read/open.ts';
import { verifyBundle } from '../../../src/bundle/verify/verify.ts';
import { collect } from '../../../src/bundle/write/collect.ts';
import { createBundle } from '../../../src/bundle/write/create.ts';
import { BlobStore } from '../../../src/store/blobs.ts';
import { makeCase, type TestCase } from '../../support/case.ts';
import { makeKey } from '../../support/keys.ts';
import { unpack } from '../../support/verify-text.ts';
import { reenact, tempFolder } from '../../support/world.ts';

const SECRET = 'pin 4711';
let made: TestCase;
let folder: string;

/** Every byte of it as hex digits, base64 undone where evidence holds some. */
function bytesOf(name: string): string {
  const place = unpack(join(folder, name));
  const all = execFileSync('cat', [
    ...String(execFileSync('find', [place, '-type', 'f']))
      .trim()
      .split('\n'),
  ]);
  const text = all.toString('latin1');
  const payloads = [...text.matchAll(/"payload": ?"([^"]+)"/g)].map(([, one]) => Buffer.from(one!, 'base64'));
  return text + Buffer.concat(payloads).toString('latin1');
}

beforeAll(async () => {
  folder = tempFolder();
  made = await makeCase(['a', 'a', 'b'], {
    '/home/me/pin': Buffer.from(SECRET),
    '/work/kept': Buffer.from('kept'),
  });
  const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
  await createBundle(join(folder, 'case.tar'), collected, { state: 'full' });
  writeFileSync(join(folder, 'key.pem'), makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
});

describe('what would let a withheld content be guessed', () => {
  const args = ['--reason', 'r', '--key', 'key.pem', '--secret', 'case.secret'];
  const run = (from: string, to: string, ...drop: string[]): ReturnType<typeof reenact> =>
    reenact(['bundle', 'redact', from, ...drop.flatMap((one) => ['--drop', one]), ...args, '--out', to], {
      cwd: folder,
    });

  it('an excerpt where replays part, whatever the file is called', async () => {
    const one = await makeCase(['a', 'a', 'b'], { '/home/my "pin"': Buffer.from(SECRET) });
    const divergence = {
      kind: 'path' as const,
      path: '"/home/my \\"pin\\""',
      attribute: 'content',
      expected: SECRET,
      actual: 'x',
      replay: 3,
    };
    await createBundle(
      join(folder, 'd.tar'),
      await collect({ ...one.record, divergence }, new BlobStore(one.out), one.out, 'full'),
      { state: 'full' },
    );
    expect(await run('d.tar', 'd2.tar', 'files/home/**')).toMatchObject({ status: 0 });
    expect(bytesOf('d2.tar')).not.toContain(SECRET);
  });

  it('a list of checksums that the program wrote is named, and nothing is written', async () => {
    const sums = Buffer.from(`${hexOf(digestOf(SECRET)).toUpperCase()}  pin\n`);
    const one = await makeCase(['a'], { '/home/pin': Buffer.from(SECRET), '/home/SUMS': sums });
    await createBundle(
      join(folder, 's.tar'),
      await collect(one.record, new BlobStore(one.out), one.out, 'full'),
      { state: 'full' },
    );
    expect(await run('s.tar', 's2.tar', 'files/home/pin')).toMatchObject({
      status: 64,
      stderr: expect.stringContaining('still names'),
    });
    expect(existsSync(join(folder, 's2.tar'))).toBe(false);
    expect(await run('s.tar', 's2.tar', 'files/home/**')).toMatchObject({ status: 0 });
  });

  it('a redaction of a redaction has a nonce of its own', async () => {
    await run('case.tar', 'r1.tar', 'files/work/**');
    await run('r1.tar', 'r2.tar', 'files/home/**');
    await run('case.tar', 'r3.tar', 'files/work/**', 'files/home/**');
    const nonces = await Promise.all(
      ['r1.tar', 'r2.tar', 'r3.tar'].map(async (name) => (await openBundle(join(folder, name))).shown.nonce),
    );
    expect(new Set(nonces).size).toBe(3);
    // What was withheld already is not withheld again.
    expect(await run('r2.tar', 'r4.tar', 'files/home/**')).toMatchObject({
      status: 64,
      stderr: expect.stringContaining('fits nothing'),
    });
  });

  it('contents that are not inside are withheld all the same', async () => {
    await createBundle(
      join(folder, 'bare-state.tar'),
      await collect(made.record, new BlobStore(made.out), made.out, 'none'),
      { state: 'none' },
    );
    expect(await run('bare-state.tar', 'bare2.tar', 'files/home/**')).toMatchObject({ status: 0 });
    expect(bytesOf('bare2.tar')).not.toContain(hexOf(digestOf(SECRET)));
  });
});

it('content_missing: something that was taken out in silence', async () => {
  const commitment = `hmac-sha256:${'7'.repeat(64)}`;
  const record = structuredClone(made.record);
  const collected = await collect(record, new BlobStore(made.out), made.out, 'full');
  const before = collected.sources.find(({ role }) => role === 'state')!;
  const text = readFileSync((before.from as { path: string }).path, 'utf8').replace(
    digestOf(SECRET),
    commitment,
  );
  const from = Buffer.from(text);
  const sha256 = digestOf(from);
  for (const replay of record.replays)
    if (replay.final_state_sha256 === before.sha256) replay.final_state_sha256 = sha256;
  if (record.final_state_sha256 === before.sha256) record.final_state_sha256 = sha256;
  Object.assign(before, { sha256, size: from.length, from });
  const bytes = Buffer.from(canonicalJson(record));
  const sources = collected.sources.filter(
    ({ role, sha256: one }) => role !== 'record' && one !== digestOf(SECRET),
  );
  sources.push({
    role: 'record',
    sha256: digestOf(bytes),
    size: bytes.length,
    name: record.name,
    from: bytes,
  });
  const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('x'), size: 1 };
  const withheld = [
    { role: 'content' as const, name: 'files/cache', commitment: `hmac-sha256:${'8'.repeat(64)}` },
  ];
  const path = join(tempFolder(), 'silent.tar');
  const next = { ...collected, record, recordSha256: digestOf(bytes), sources };
  await createBundle(path, next, { state: 'full', redaction: { subject, withheld } });
  const { problems } = await verifyBundle(path);
  expect(problems.map(({ message }) => message).join()).toContain(`${commitment} is withheld and in no list`);
});
