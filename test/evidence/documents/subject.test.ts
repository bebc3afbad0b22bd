/** What evidence is about: a file by each strong digest that a subject names, never by one that is weak, never by half. */
import { createHash, hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { parseWantedSubject, wantFile } from '../../../src/evidence/documents/subject.ts';
import { envelope, makeKey, statement } from '../../support/keys.ts';
import { trustOf, verifyAs } from '../../support/verify.ts';

const key = makeKey();
const trust = await trustOf([key]);
const FILE = Buffer.from('a package\n');
const OTHER = Buffer.from('another package\n');
const hex = (algorithm: string, bytes = FILE): string => createHash(algorithm).update(bytes).digest('hex');

type Digests = Record<string, string>;
const about = (...subjects: Digests[]): unknown =>
  envelope([key], statement({ subject: subjects.map((digest, i) => ({ name: `pkg:npm/x${i}@1`, digest })) }));
const held = async (...subjects: Digests[]) =>
  verifyAs(trust, about(...subjects), {
    wanted: { kind: 'listed', subjects: [wantFile('artifact', FILE)] },
  });

describe('a file in hand', () => {
  it.each<[string | null, string, Digests[]]>([
    [null, 'sha256', [{ sha256: hex('sha256') }]],
    [null, 'sha384', [{ sha384: hex('sha384') }]],
    [null, 'sha512 alone, as in npm provenance', [{ sha512: hex('sha512') }]],
    [null, 'all three', [{ sha256: hex('sha256'), sha384: hex('sha384'), sha512: hex('sha512') }]],
    [null, 'sha512 beside weak ones of another file', [{ sha1: hex('sha1', OTHER), sha512: hex('sha512') }]],
    [null, 'the second subject', [{ sha256: hex('sha256', OTHER) }, { sha512: hex('sha512') }]],
    [null, 'sha512 beside a digest of another kind', [{ sha512: hex('sha512'), gitCommit: 'a'.repeat(40) }]],
    ['subject_missing', 'sha1 alone', [{ sha1: hex('sha1') }]],
    ['subject_missing', 'md5 and sha1', [{ md5: hex('md5'), sha1: hex('sha1') }]],
    ['subject_missing', 'sha512 of another file', [{ sha512: hex('sha512', OTHER) }]],
    ['subject_missing', 'sha512 under the name of another', [{ sha3_512: hex('sha512') }]],
    ['subject_missing', 'sha512 by another spelling', [{ 'SHA-512': hex('sha512') }]],
    ['subject_malformed', 'sha512 cut to the length of sha256', [{ sha512: hex('sha512').slice(0, 64) }]],
    ['subject_malformed', 'sha256 under the name sha512', [{ sha512: hex('sha256') }]],
    ['subject_malformed', 'sha384 in capitals', [{ sha384: hex('sha384').toUpperCase() }]],
    [
      'subject_malformed',
      'sha256 of it and sha512 of another',
      [{ sha256: hex('sha256'), sha512: hex('sha512', OTHER) }],
    ],
    [
      'subject_malformed',
      'sha512 of it and sha256 of another',
      [{ sha256: hex('sha256', OTHER), sha512: hex('sha512') }],
    ],
    [
      'subject_malformed',
      'a contradiction beside a subject that fits',
      [{ sha256: hex('sha256') }, { sha384: hex('sha384'), sha512: hex('sha512', OTHER) }],
    ],
  ])('%s: %s', async (code, _name, subjects) => {
    expect((await held(...subjects)).code).toBe(code);
  });

  it('the record names the digest that fitted, and a refusal those that there are', async () => {
    const { envelopes } = await held({ sha512: hex('sha512') });
    expect(envelopes[0]!.subjects).toEqual([
      { field: 'artifact', algorithm: 'sha512', expected: hex('sha512'), matched: true },
    ]);
    const other = hex('sha512', OTHER);
    expect((await held({ sha512: other })).message).toContain(`pkg:npm/x0@1 (sha512:${other})`);
    expect((await held({ md5: hex('md5') })).message).toContain('only md5, which does not count');
    expect((await held({ sha256: hex('sha256'), sha512: other })).message).toContain('contradict each other');
  });
});

it('a digest without the file is compared under its own algorithm alone', async () => {
  const wanted = (text: string) => ({
    wanted: { kind: 'listed' as const, subjects: [parseWantedSubject(text)!] },
  });
  const both = about({ sha256: hex('sha256'), sha512: hex('sha512', OTHER) });
  expect((await verifyAs(trust, both, wanted(`sha256:${hex('sha256')}`))).code).toBeNull();
  expect((await verifyAs(trust, both, wanted(`sha512:${hex('sha512')}`))).code).toBe('subject_missing');
  expect(hash('sha256', FILE)).toBe(hex('sha256'));
});
