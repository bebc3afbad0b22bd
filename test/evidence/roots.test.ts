/** Several trust roots: each vouches for a piece of evidence wholly or not at all, and their order does not matter. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { digestOf } from '../../src/base/digest.ts';
import type { EvidenceRecord } from '../../src/evidence/documents/record.ts';
import { loadTrust } from '../../src/evidence/trust/trust.ts';
import { parsePolicy } from '../../src/policy/policy.ts';
import { envelope, makeKey, SUBJECT } from '../support/keys.ts';
import { IDENTITY, TestSigstore } from '../support/sigstore.ts';
import { verifyAs } from '../support/verify.ts';
import { tempFolder } from '../support/world.ts';

const [one, other] = [new TestSigstore(), new TestSigstore()];
const stale = one.trustedRoot({ caEnd: '2026-02-01T00:00:00Z' });
const lines = (...roots: unknown[]): string => roots.map((root) => JSON.stringify(root)).join('\n');

/** A policy with these files, and `trust` as it is given. */
async function verify(
  files: Record<string, string>,
  trust: object,
  content: unknown,
  more: object[] = [],
): Promise<EvidenceRecord> {
  const folder = tempFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const document = { version: 1, trust, authorities: [{ id: 'ci', keyless: IDENTITY }, ...more] };
  const policy = await parsePolicy(JSON.stringify(document), 'test', folder);
  // What a policy is once its files lie in a bundle, by their digests, is the same policy.
  const again = await parsePolicy(policy.canonical, 'test', (path) =>
    Promise.resolve(Buffer.from(Object.values(files).find((text) => digestOf(text) === path)!)),
  );
  expect(again.sha256).toBe(policy.sha256);
  return verifyAs(loadTrust(policy), content);
}

const [ofOne, ofOther] = [one.bundle(), other.bundle()];
const mixed = { ...one.trustedRoot(), certificateAuthorities: other.trustedRoot().certificateAuthorities };

describe('a file that lists a root a line', () => {
  it.each<[string | null, string, unknown[], unknown]>([
    [null, 'evidence of the first', [one.trustedRoot(), other.trustedRoot()], ofOne],
    [null, 'evidence of the second', [one.trustedRoot(), other.trustedRoot()], ofOther],
    [null, 'a stale root before the good one', [stale, one.trustedRoot()], ofOne],
    [null, 'a stale root after the good one', [one.trustedRoot(), stale], ofOne],
    ['time_outside', 'a stale root alone beside a stranger’s', [other.trustedRoot(), stale], ofOne],
    ['log_key', 'evidence of neither', [one.trustedRoot(), other.trustedRoot()], new TestSigstore().bundle()],
    [
      'trust_certificate',
      'the log of one root and the authority of another',
      [{ ...one.trustedRoot(), certificateAuthorities: [] }, mixed],
      ofOne,
    ],
    ['trust_root_malformed', 'a line that is no root', [one.trustedRoot(), { hello: 1 }], ofOne],
    ['trust_root_malformed', 'more roots than may be', Array(17).fill(one.trustedRoot()), ofOne],
  ])('%s: %s', async (code, _name, roots, bundle) => {
    const record = await verify({ 'root.jsonl': lines(...roots) }, { root: 'root.jsonl' }, bundle);
    expect(record.code, record.message).toBe(code);
  });

  it('is named in the record with the line that vouched, and pinned as a whole', async () => {
    const text = lines(one.trustedRoot(), '', other.trustedRoot()).replace('""', '');
    const sha256 = digestOf(text);
    const record = await verify({ 'root.jsonl': text }, { root: 'root.jsonl', sha256 }, ofOther);
    expect(record.trust_root).toEqual({ name: 'root.jsonl line 3', sha256 });
    const pinned = await verify({ 'root.jsonl': `${text}\n` }, { root: 'root.jsonl', sha256 }, ofOther);
    expect(pinned.code).toBe('trust_root_pin');
  });
});

describe('several roots in a policy', () => {
  const files = { 'a.json': lines(one.trustedRoot()), 'b.json': lines(other.trustedRoot()) };
  const roots = [{ path: 'a.json' }, { path: 'b.json' }];
  it('count each for itself, and a list of evidence may be of all of them', async () => {
    for (const bundle of [ofOne, ofOther]) expect((await verify(files, { roots }, bundle)).code).toBeNull();
    const both = await verify(files, { roots }, [ofOne, ofOther]);
    expect(both.envelopes.map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted']);
    expect((await verify(files, { roots: [{ path: 'b.json' }] }, ofOne)).code).toBe('log_key');
  });

  it('are pinned one by one', async () => {
    const pin = (name: keyof typeof files): object => ({ path: name, sha256: digestOf(files[name]) });
    expect((await verify(files, { roots: [pin('a.json'), pin('b.json')] }, ofOther)).code).toBeNull();
    const wrong = { path: 'b.json', sha256: digestOf('x') };
    expect((await verify(files, { roots: [pin('a.json'), wrong] }, ofOne)).code).toBe('trust_root_pin');
  });

  it('may have the embedded one among them', async () => {
    const embedded = [{ embedded: 'sigstore-public-good' }, { path: 'a.json' }];
    expect((await verify(files, { roots: embedded }, ofOne)).code).toBeNull();
    expect((await verify(files, { roots: [embedded[0]] }, ofOne)).code).toBe('log_key');
  });

  it('are not opened for what keys alone decide', async () => {
    const key = makeKey();
    const pem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const team = { id: 'team', key: { path: 'k.pub' }, transparency: 'none' };
    const record = await verify({ ...files, 'k.pub': pem }, { roots }, envelope([key]), [team]);
    expect(record).toMatchObject({ verdict: 'verified', trust_root: null });
    expect(record.envelopes[0]!.subjects[0]!.expected).toBe(SUBJECT.slice('sha256:'.length));
  });

  it.each<[object, RegExp]>([
    [{ root: 'a.json', roots }, /put all into roots/],
    [{ sha256: digestOf('x'), roots }, /put all into roots/],
    [{ roots: [{}] }, /exactly one of path and embedded/],
    [{ roots: [{ path: 'a.json', embedded: 'sigstore-public-good' }] }, /exactly one of path and embedded/],
    [{ roots: [{ embedded: 'x' }] }, /not one of "sigstore-public-good"/],
    [{ roots: [] }, /roots/],
    [{ roots: [{ path: 'none.json' }] }, /roots\[0\]\.path names none\.json/],
  ])('are refused as %j', async (trust, message) => {
    await expect(verify(files, trust, ofOne)).rejects.toThrow(message);
  });
});
