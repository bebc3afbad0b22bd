/** Signatures that no key of the policy made: by another key, as the evidence says, or not what was signed. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/base/canonical-json.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { envelope, makeKey, messageBundle, signWith, statement, type TestKey } from '../support/keys.ts';
import { about, bundleOf, PLAIN, recordRefused } from '../support/refused.ts';
import { trustOf, verifyAs } from '../support/verify.ts';
import { reenact, tempFolder } from '../support/world.ts';

const key = makeKey();
const stranger = makeKey('ecdsa-p256-sha256');
const trust = await trustOf([key]);
const digestOfKey = ({ publicKey }: TestKey): Buffer =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
const named = (by: TestKey, keyid: string, payload: object = statement()): unknown => {
  const { signatures, ...rest } = envelope([by], payload);
  return { ...rest, signatures: signatures.map((one) => ({ ...one, keyid })) };
};
const hex = digestOfKey(stranger).toString('hex');
const changed = (content: unknown): unknown => ({
  ...(content as object),
  payload: Buffer.from(JSON.stringify(statement({ predicate: 'changed' }))).toString('base64'),
});

describe('an envelope by a key that the policy does not have', () => {
  it.each([
    ['as reenact sign names it', `sha256:${hex}`],
    ['in hex', hex],
    ['in capitals', hex.toUpperCase()],
    ['in base64', digestOfKey(stranger).toString('base64')],
  ])('%s is identity_unknown, and the key is named', async (_name, keyid) => {
    const { code, message, next } = await verifyAs(trust, named(stranger, keyid));
    expect(code).toBe('identity_unknown');
    expect(message).toContain(`the key sha256:${hex} is not in the policy`);
    expect(next).toMatch(/^if you trust the key sha256:[0-9a-f]{64}, .*reenact policy init --key/);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'a key of the policy is named',
      changed(named(key, `sha256:${digestOfKey(key).toString('hex')}`)),
      /^do not trust this file: it is not what was signed$/,
    ],
    ['no key is named', named(stranger, ''), /or a key signed it that the policy does not have/],
    [
      'a name is given that is no digest',
      named(stranger, 'team'),
      /or a key signed it that the policy does not have/,
    ],
    [
      'one signature of two names a key of the policy',
      {
        ...envelope([stranger, stranger]),
        signatures: [
          { keyid: hex, sig: 'AAAA' },
          { keyid: digestOfKey(key).toString('hex'), sig: 'AAAB' },
        ],
      },
      /^do not trust this file: it is not what was signed$/,
    ],
  ])('is signature_invalid where %s', async (_name, content, next) => {
    const record = await verifyAs(trust, content);
    expect([record.code, record.next]).toEqual(['signature_invalid', expect.stringMatching(next)]);
  });

  it('counts for nothing by the name of a key that is trusted', async () => {
    const claimed = named(stranger, `sha256:${digestOfKey(key).toString('hex')}`);
    expect((await verifyAs(trust, claimed)).code).toBe('signature_invalid');
  });

  it('a bundle’s hint names it, too', async () => {
    const file = Buffer.from('a file');
    const bundle = messageBundle(signWith(stranger, file), file);
    Object.assign(bundle.verificationMaterial as object, {
      publicKey: { hint: digestOfKey(stranger).toString('base64') },
    });
    expect((await verifyAs(trust, bundle, { artifact: file })).code).toBe('identity_unknown');
  });

  it('signed by the command, is refused by the run with the key’s name and what to do', async () => {
    const folder = tempFolder();
    const pem = ({ privateKey }: TestKey): string =>
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    writeFileSync(join(folder, 'other.pem'), pem(stranger));
    writeFileSync(join(folder, 'm.json'), JSON.stringify(PLAIN));
    expect((await reenact(['sign', 'm.json', '--key', 'other.pem'], { cwd: folder })).status).toBe(0);
    const manifest = JSON.parse(readFileSync(join(folder, 'm.json'), 'utf8'));
    const evidence = readFileSync(join(folder, 'm.dsse.json'), 'utf8');
    const { record } = await recordRefused({ manifest, evidence, policy: trust.policy });
    expect(record).toMatchObject({ verdict: 'rejected', reason: 'identity_unknown' });
    expect(record.message).toContain(`if you trust the key sha256:${hex}`);
  });
});

it('a record of an older release, which called it an invalid signature, is still accepted', async () => {
  const evidence = JSON.stringify(named(stranger, hex, about(PLAIN)));
  const { record, out } = await recordRefused({ evidence, policy: trust.policy });
  const said = JSON.stringify(record).replaceAll('"identity_unknown"', '"signature_invalid"');
  const older = JSON.parse(said.replaceAll('"family":"identity"', '"family":"signature"')) as typeof record;
  older.evidence.record_sha256 = await new BlobStore(out).put(canonicalJson(older.evidence.record));
  expect(older.reason).toBe('signature_invalid');
  // Its custody entry is of the record as this release made it, and nothing else is found fault with.
  const { problems } = await verifyBundle(await bundleOf(older, out));
  const others = problems.filter(
    ({ code, message }) => code !== 'custody_broken' && !message.startsWith('$.custody.'),
  );
  expect([problems.length > 0, others]).toEqual([true, []]);
});
