/** Since when a bundle is there, and what a reader's own policy and trust root make of it. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../src/base/clock.ts';
import { digestOf } from '../../src/base/digest.ts';
import { type Attachment, attachEvent, attachTimestamp } from '../../src/bundle/custody/attached.ts';
import { signEvent } from '../../src/bundle/custody/event.ts';
import { type Opened, openBundle } from '../../src/bundle/read/open.ts';
import { type BundleVerification, verifyBundle } from '../../src/bundle/verify/verify.ts';
import { collect } from '../../src/bundle/write/collect.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import type { SigningKey } from '../../src/evidence/documents/sign.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { chain, claim, codes, plainBundle, withAttached } from '../support/attested.ts';
import { makeAuthority, type TimestampAuthority } from '../support/authority.ts';
import { makeCase, type TestCase } from '../support/case.ts';
import type { TestKey } from '../support/keys.ts';
import { runVerifyText, unpack } from '../support/verify-text.ts';
import { reenact, tempFolder } from '../support/world.ts';

let made: TestCase;
let plain: string;
let key: TestKey;
let signing: SigningKey;

beforeAll(async () => {
  ({ made, path: plain, key, signing } = await plainBundle());
});

describe('a timestamp', () => {
  let authority: TimestampAuthority;
  let rootFile: string;
  beforeAll(() => {
    authority = makeAuthority();
    rootFile = join(tempFolder(), 'root.json');
    writeFileSync(rootFile, authority.root);
  });

  it('of the root or of an event is shown; who vouches for it, only the reader’s own root says', async () => {
    const path = await withAttached(plain, (o) => {
      const [event] = chain(o, [signing]);
      const stamps = [o.rootText, event!.contents[0]!].map((thing) => authority.stamp(thing));
      return [event!, ...stamps.map((reply) => attachTimestamp(o.rootText, reply))];
    });
    const result = await verifyBundle(path);
    expect(codes(result)).toEqual([]);
    // They stand in the order of their digests.
    const shownOf = result.timestamps.toSorted((a, b) => (a.of < b.of ? -1 : 1));
    expect(shownOf).toMatchObject([
      { of: 'bundle', vouched: null, authority: 'certificate 07 of Test CA' },
      { of: 'event 1', vouched: null },
    ]);
    const vouched = await reenact(['bundle', 'verify', path, '--trust-root', rootFile, '--json']);
    const [shown] = JSON.parse(vouched.stdout) as [BundleVerification];
    expect(shown.timestamps.map((one) => one.vouched)).toEqual([true, true]);
    const another = join(tempFolder(), 'root.json');
    writeFileSync(another, makeAuthority().root);
    const stranger = await reenact(['bundle', 'verify', path, '--trust-root', another, '--json']);
    const [unknown] = JSON.parse(stranger.stdout) as [BundleVerification];
    expect(unknown.timestamps.map((one) => one.vouched)).toEqual([false, false]);
    runVerifyText(unpack(path));
  });

  it('of something else is refused when it is attached, and when it is read', async () => {
    const file = join(tempFolder(), 'r.tsr');
    writeFileSync(file, authority.stamp('something else'));
    const target = join(tempFolder(), 'x.tar');
    const args = ['bundle', 'create', made.recordPath, '--timestamp', file, '--out', target];
    expect(await reenact(args)).toMatchObject({
      status: 64,
      stderr: expect.stringContaining('is of something else'),
    });
    await expect(
      withAttached(plain, (o) => [
        attachTimestamp(o.rootText, authority.stamp('x', { certificates: false })),
      ]),
    ).rejects.toThrow(/no certificates/);
    await expect(
      withAttached(plain, (o) => [attachTimestamp(o.rootText, Buffer.from('hello'))]),
    ).rejects.toThrow(/no RFC 3161 reply/);
  });

  it('whose signature is not of the certificate in it is refused', async () => {
    const attempt = withAttached(plain, (o) => {
      const reply = authority.stamp(o.rootText);
      reply[reply.length - 1]! ^= 1;
      return [attachTimestamp(o.rootText, reply)];
    });
    await expect(attempt).rejects.toMatchObject({ code: 'timestamp_invalid' });
  });

  it('is attached by the command', async () => {
    const folder = tempFolder();
    copyFileSync(plain, join(folder, 'c.tar'));
    const { rootText } = await openBundle(plain);
    writeFileSync(join(folder, 'r.tsr'), authority.stamp(rootText));
    const args = ['bundle', 'custody', 'stamp', 'c.tar', '--timestamp', 'r.tsr'];
    expect(await reenact(args, { cwd: folder })).toMatchObject({ status: 0, stderr: '' });
    expect((await verifyBundle(join(folder, 'c.tar'))).timestamps).toHaveLength(1);
  });
});

describe('a reader’s own policy', () => {
  async function policyWith(keys: TestKey[], more: Record<string, unknown> = {}): Promise<string> {
    const folder = tempFolder();
    const authorities = keys.map(({ publicKey }, i) => {
      writeFileSync(join(folder, `k${i}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
      return { id: `reader-${i}`, key: { path: `k${i}.pub` }, transparency: 'none' };
    });
    writeFileSync(join(folder, 'p.json'), JSON.stringify({ version: 1, authorities, ...more }));
    return join(folder, 'p.json');
  }

  it('names who signed manifest and records, and demands both', async () => {
    const path = await withAttached(plain, (o) => chain(o, [signing]));
    const [inside] = made.policy.authorities;
    const signer = { publicKey: { export: () => inside!.keyFile!.bytes } } as unknown as TestKey;
    const both = await reenact(['bundle', 'verify', path, '--policy', await policyWith([key, signer])]);
    expect(both).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /signed: the manifest, by reader-1\s.*records are signed by reader-0\s.*event 1.*all its gates pass/s,
      ),
    });
    const records = await reenact(['bundle', 'verify', path, '--policy', await policyWith([key])]);
    expect(records).toMatchObject({
      status: 2,
      stdout: expect.stringContaining('policy_unmet: the manifest'),
    });
    const manifest = await reenact(['bundle', 'verify', path, '--policy', await policyWith([signer])]);
    expect(manifest).toMatchObject({
      status: 2,
      stdout: expect.stringContaining('has signed the records of this bundle'),
    });
  });

  it('counts who exported it, not who received it', async () => {
    const path = await withAttached(plain, (o) => {
      const event = signEvent(o.root, undefined, { ...claim, action: 'received' }, signing);
      return [attachEvent(o.rootText, event.envelope, event.key)];
    });
    const done = await reenact(['bundle', 'verify', path, '--policy', await policyWith([key])]);
    expect(done.stdout).toContain('has signed the records of this bundle');
  });

  it('judges a revoked key by a time of the event, never by one of the bundle alone', async () => {
    const [authority, folder] = [makeAuthority(), tempFolder()];
    writeFileSync(join(folder, 'root.json'), authority.root);
    writeFileSync(join(folder, 'k.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
    const stampOf = (o: Opened, thing: (event: Attachment) => Buffer | string): Attachment[] => {
      const [event] = chain(o, [signing]) as [Attachment];
      return [event, attachTimestamp(o.rootText, authority.stamp(thing(event)))];
    };
    const bundles = [
      await withAttached(plain, (o) => stampOf(o, () => o.rootText)),
      await withAttached(plain, (o) => stampOf(o, (event) => event.contents[0]!)),
    ];
    const revokedAt = `${new Date(systemClock.now() + 3_000).toISOString().slice(0, 19)}Z`;
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    const authorities = [{ id: 'k', key: { path: 'k.pub', revokedAt }, transparency: 'none' }];
    const policy = { version: 1, trust: { root: 'root.json' }, authorities };
    writeFileSync(join(folder, 'p.json'), JSON.stringify(policy));
    const results = await Promise.all(
      bundles.map(async (path) => {
        const demands = { policy: await loadPolicy(join(folder, 'p.json')), nowMs: systemClock.now() };
        return (await verifyBundle(path, { demands })).demanded!.records_signed_by.length;
      }),
    );
    expect(results).toEqual([0, 1]);
  });

  it('has gates of its own: a bundle that is right and does not pass them ends with status 1', async () => {
    const one = await makeCase(['a', 'a', 'b']);
    const path = join(tempFolder(), 'c.tar');
    await createBundle(path, await collect(one.record, new BlobStore(one.out), one.out, 'full'), {
      state: 'full',
    });
    expect(await reenact(['bundle', 'verify', path])).toMatchObject({ status: 0 });
    expect(await reenact(['bundle', 'verify', path, '--policy', 'default'])).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('failed replay_ratio'),
    });
  });

  it('that pins its trust root refuses another one in its place', async () => {
    const [rootFile, other] = [join(tempFolder(), 'a.json'), join(tempFolder(), 'b.json')];
    const authority = makeAuthority();
    writeFileSync(rootFile, authority.root);
    writeFileSync(other, makeAuthority().root);
    const path = await withAttached(plain, (o) => [
      ...chain(o, [signing]),
      attachTimestamp(o.rootText, authority.stamp(o.rootText)),
    ]);
    const trust = { root: rootFile, sha256: digestOf(readFileSync(rootFile)) };
    const policy = await policyWith([key], { trust });
    const swapped = await reenact(['bundle', 'verify', path, '--policy', policy, '--trust-root', other]);
    expect(swapped).toMatchObject({ status: 2, stdout: expect.stringContaining('pins') });
  });
});
