/** Who signed a bundle, and since when it is there: events, receipts, timestamps, and a reader's own policy. */
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../src/base/clock.ts';
import { digestOf } from '../../src/base/digest.ts';
import { type Attachment, attachEvent, attachTimestamp } from '../../src/bundle/attached.ts';
import { collect } from '../../src/bundle/collect.ts';
import { attachToBundle, createBundle } from '../../src/bundle/create.ts';
import { type EventClaim, signEvent } from '../../src/bundle/event.ts';
import { type Opened, openBundle } from '../../src/bundle/open.ts';
import { type BundleVerification, verifyBundle } from '../../src/bundle/verify.ts';
import { parsePrivateKey, type SigningKey } from '../../src/evidence/sign.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { makeAuthority, type TimestampAuthority } from '../support/authority.ts';
import { makeCase, type TestCase } from '../support/case.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { runVerifyText, unpack } from '../support/verify-text.ts';
import { reenact, tempFolder } from '../support/world.ts';

let made: TestCase;
let plain: string;
let key: TestKey;
let signing: SigningKey;
let keyFile: string;
const claim: EventClaim = { action: 'exported', actor: 'Ada <b>', reason: 'for court', time: null };

function pemOf({ privateKey }: TestKey): Buffer {
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

beforeAll(async () => {
  made = await makeCase(['a', 'a']);
  key = makeKey();
  signing = parsePrivateKey(pemOf(key), 'key');
  keyFile = join(tempFolder(), 'key.pem');
  writeFileSync(keyFile, pemOf(key));
  plain = join(tempFolder(), 'plain.tar');
  await createBundle(plain, await collect(made.record, new BlobStore(made.out), made.out, 'full'), {
    state: 'full',
  });
});

/** A copy of the plain bundle with these attached. */
async function withAttached(attach: (opened: Opened) => Attachment[]): Promise<string> {
  const path = join(tempFolder(), 'attached.tar');
  const opened = await openBundle(plain);
  await attachToBundle(plain, opened, attach(opened), path);
  return path;
}

/** Events in a chain, signed with these keys. */
function chain(opened: Opened, keys: SigningKey[]): Attachment[] {
  let last: { sequence: number; sha256: ReturnType<typeof digestOf> } | undefined;
  return keys.map((one) => {
    const event = signEvent(opened.root, last, claim, one);
    last = { sequence: (last?.sequence ?? 0) + 1, sha256: event.sha256 };
    return attachEvent(opened.rootText, event.envelope, event.key);
  });
}

const codes = (v: BundleVerification): string[] => v.problems.map(({ code }) => code);

describe('a signed bundle', () => {
  it('is made by the command, the same bytes each time, with the identity of the unsigned one', async () => {
    const folder = tempFolder();
    for (const name of ['one.tar', 'two.tar']) {
      const args = ['create', made.recordPath, '--sign', keyFile, '--actor', 'Lab', '--out', name];
      expect(await reenact(['bundle', ...args], { cwd: folder })).toMatchObject({ status: 0, stderr: '' });
    }
    const one = readFileSync(join(folder, 'one.tar'));
    expect(one.equals(readFileSync(join(folder, 'two.tar')))).toBe(true);
    const result = await verifyBundle(join(folder, 'one.tar'));
    expect(result).toMatchObject({
      accepted: true,
      root: (await verifyBundle(plain)).root,
      events: [
        { sequence: 1, action: 'exported', actor: 'Lab', key_fingerprint: signing.public.fingerprint },
      ],
    });
    runVerifyText(unpack(join(folder, 'one.tar')));
  });

  it('only with a key whose signatures do not depend on chance', async () => {
    const file = join(tempFolder(), 'p256.pem');
    writeFileSync(file, pemOf(makeKey('ecdsa-p256-sha256')));
    const args = ['bundle', 'create', made.recordPath, '--sign', file, '--out', `${file}.tar`];
    expect(await reenact(args)).toMatchObject({ status: 64, stderr: expect.stringContaining('Ed25519') });
  });

  it('takes further events by the command, and prints receipts against which a cut tail shows', async () => {
    const path = join(tempFolder(), 'case.tar');
    copyFileSync(plain, path);
    const add = async (action: string): Promise<string> => {
      const args = [
        'custody',
        'add',
        path,
        '--key',
        keyFile,
        '--action',
        action,
        '--reason',
        `was ${action}`,
      ];
      const done = await reenact(['bundle', ...args]);
      expect(done).toMatchObject({ status: 0, stderr: '' });
      return /receipt {2}(\S+)/.exec(done.stdout)![1]!;
    };
    const first = await add('received');
    const cut = join(tempFolder(), 'cut.tar');
    copyFileSync(path, cut);
    const second = await add('reviewed');
    const log = await reenact(['bundle', 'custody', 'log', path, '--receipt', first, '--receipt', second]);
    expect(log).toMatchObject({ status: 0, stdout: expect.stringMatching(/1 {2}received.*2 {2}reviewed/s) });
    expect(await reenact(['bundle', 'verify', cut, '--receipt', first])).toMatchObject({ status: 0 });
    const found = await reenact(['bundle', 'verify', cut, '--receipt', second]);
    expect(found).toMatchObject({ status: 2, stdout: expect.stringContaining('custody_broken') });
    runVerifyText(unpack(path));
  });
});

describe('in place', () => {
  const args = (path: string): string[] => [
    'bundle',
    'custody',
    'add',
    path,
    '--key',
    keyFile,
    '--action',
    'reviewed',
  ];

  it('two at once: each event is there, or its command says that it is not', async () => {
    const path = join(tempFolder(), 'case.tar');
    copyFileSync(plain, path);
    chmodSync(path, 0o600);
    const done = await Promise.all([reenact(args(path)), reenact(args(path)), reenact(args(path))]);
    const added = done.filter(({ status }) => status === 0).length;
    for (const { status, stderr } of done)
      if (status !== 0) expect(stderr).toContain('is being changed by somebody');
    const result = await verifyBundle(path);
    expect([codes(result), result.events.length]).toEqual([[], added]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('through a link, the file that it leads to gets the event', async () => {
    const folder = tempFolder();
    copyFileSync(plain, join(folder, 'case.tar'));
    symlinkSync('case.tar', join(folder, 'link.tar'));
    expect(await reenact(args(join(folder, 'link.tar')))).toMatchObject({ status: 0 });
    expect(lstatSync(join(folder, 'link.tar')).isSymbolicLink()).toBe(true);
    expect((await verifyBundle(join(folder, 'case.tar'))).events).toHaveLength(1);
  });
});

describe('a chain that was changed is custody_broken', () => {
  it.each<[string, (all: Attachment[], opened: Opened) => Attachment[]]>([
    ['reordered', ([a, b, c]) => [b!, a!, c!]],
    ['cut in the middle', ([a, , c]) => [a!, c!]],
    ['cut at the front', ([, b, c]) => [b!, c!]],
    ['forked', ([a, b], o) => [a!, b!, chain(o, [signing, signing]).at(-1)!]],
    [
      'signed with another key than the one beside it',
      ([a], o) => [
        a!,
        (() => {
          const last = { sequence: 1, sha256: digestOf(a!.contents[0]!) };
          const event = signEvent(o.root, last, claim, signing);
          const pem = makeKey().publicKey.export({ type: 'spki', format: 'pem' });
          return attachEvent(o.rootText, event.envelope, Buffer.from(pem));
        })(),
      ],
    ],
  ])('%s', async (_name, change) => {
    const other = parsePrivateKey(pemOf(makeKey()), 'key');
    const intact = await withAttached((o) => chain(o, [signing, other, signing]));
    expect(codes(await verifyBundle(intact))).toEqual([]);
    // A fork repeats an event unless the signer differs.
    const path = await withAttached((o) => change(chain(o, [signing, other, signing]), o)).catch(
      (error: Error) => error.message,
    );
    expect(codes(await verifyBundle(path))).toContain('custody_broken');
  });

  it('events of another bundle', async () => {
    const otherRoot = digestOf('another');
    const path = withAttached((o) => {
      const event = signEvent(otherRoot, undefined, claim, signing);
      return [attachEvent(o.rootText, event.envelope, event.key)];
    });
    await expect(path).rejects.toThrow(/another bundle/);
  });
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
    const path = await withAttached((o) => {
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
    const shown = JSON.parse(vouched.stdout) as BundleVerification;
    expect(shown.timestamps.map((one) => one.vouched)).toEqual([true, true]);
    const another = join(tempFolder(), 'root.json');
    writeFileSync(another, makeAuthority().root);
    const stranger = await reenact(['bundle', 'verify', path, '--trust-root', another, '--json']);
    expect((JSON.parse(stranger.stdout) as BundleVerification).timestamps.map((one) => one.vouched)).toEqual([
      false,
      false,
    ]);
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
      withAttached((o) => [attachTimestamp(o.rootText, authority.stamp('x', { certificates: false }))]),
    ).rejects.toThrow(/no certificates/);
    await expect(withAttached((o) => [attachTimestamp(o.rootText, Buffer.from('hello'))])).rejects.toThrow(
      /no RFC 3161 reply/,
    );
  });

  it('whose signature is not of the certificate in it is refused', async () => {
    const attempt = withAttached((o) => {
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
    const path = await withAttached((o) => chain(o, [signing]));
    const [inside] = made.policy.authorities;
    const signer = { publicKey: { export: () => inside!.keyFile!.bytes } } as unknown as TestKey;
    const both = await reenact(['bundle', 'verify', path, '--policy', await policyWith([key, signer])]);
    expect(both).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /signed: the manifest, by reader-1 .*records are signed by reader-0 .*event 1.*all its gates pass/s,
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
    const path = await withAttached((o) => {
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
      await withAttached((o) => stampOf(o, () => o.rootText)),
      await withAttached((o) => stampOf(o, (event) => event.contents[0]!)),
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
    const path = await withAttached((o) => [
      ...chain(o, [signing]),
      attachTimestamp(o.rootText, authority.stamp(o.rootText)),
    ]);
    const trust = { root: rootFile, sha256: digestOf(readFileSync(rootFile)) };
    const policy = await policyWith([key], { trust });
    const swapped = await reenact(['bundle', 'verify', path, '--policy', policy, '--trust-root', other]);
    expect(swapped).toMatchObject({ status: 2, stdout: expect.stringContaining('pins') });
  });
});
