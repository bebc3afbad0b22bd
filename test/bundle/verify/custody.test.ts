/** Who signed a bundle: events, receipts, chains that were changed, and changing a bundle in place. */
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

import { digestOf } from '../../../src/base/digest.ts';
import { type Attachment, attachEvent } from '../../../src/bundle/custody/attached.ts';
import { signEvent } from '../../../src/bundle/custody/event.ts';
import type { Opened } from '../../../src/bundle/read/open.ts';
import { verifyBundle } from '../../../src/bundle/verify/verify.ts';
import { parsePrivateKey, type SigningKey } from '../../../src/evidence/documents/sign.ts';
import { chain, claim, codes, pemOf, plainBundle, withAttached } from '../../support/attested.ts';
import type { TestCase } from '../../support/case.ts';
import { makeKey } from '../../support/keys.ts';
import { runVerifyText, unpack } from '../../support/verify-text.ts';
import { reenact, tempFolder } from '../../support/world.ts';

let made: TestCase;
let plain: string;
let signing: SigningKey;
let keyFile: string;

beforeAll(async () => {
  ({ made, path: plain, signing, keyFile } = await plainBundle());
});

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
      if (status !== 0) expect(stderr).toContain('is being changed by another process');
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
    const intact = await withAttached(plain, (o) => chain(o, [signing, other, signing]));
    expect(codes(await verifyBundle(intact))).toEqual([]);
    // A fork repeats an event unless the signer differs.
    const path = await withAttached(plain, (o) => change(chain(o, [signing, other, signing]), o)).catch(
      (error: Error) => error.message,
    );
    expect(codes(await verifyBundle(path))).toContain('custody_broken');
  });

  it('events of another bundle', async () => {
    const otherRoot = digestOf('another');
    const path = withAttached(plain, (o) => {
      const event = signEvent(otherRoot, undefined, claim, signing);
      return [attachEvent(o.rootText, event.envelope, event.key)];
    });
    await expect(path).rejects.toThrow(/another bundle/);
  });
});
