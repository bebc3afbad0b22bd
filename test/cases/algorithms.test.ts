/** Real signatures, digests and times of algorithms beside the usual ones: each case with the answer it must have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { Timestamp } from '../../src/evidence/trust/timestamp.ts';
import { describeReal } from '../support/real-cases.ts';
import { reenact } from '../support/world.ts';

/** A folder's files, what is asked of them, the right exit status, and what the answer says. */
type Row = [name: string, args: string, status: 0 | 2, says: RegExp];

function table(folder: string, rows: Row[]): void {
  describeReal(folder, (cwd) => {
    it.each(rows)('%s: %s ends with %i', async (_name, args, right, says) => {
      const { status, stdout, stderr } = await reenact(args.split(' '), { cwd });
      expect(status, stdout + stderr).toBe(right);
      expect(stdout).toMatch(says);
    });
  });
}

table('discovery/35-curve-hash', [
  [
    'an envelope by a P-384 key with SHA-256',
    'verify evidence b-dsse-p384-sha256.json --artifact art.txt --policy d-p384.yaml',
    0,
    /signature ok +ecdsa-p384-sha256 key/,
  ],
]);

describeReal('discovery/34-timestamps', (folder) => {
  it.each<[string, RegExp, string]>([
    ['issuer-two-rdns.tsr', /^\d{4}-\d\d-\d\dT[\d:]+\.000Z$/, 'me, root'],
    ['two-fraction-digits.tsr', /\.\d\d0Z$/, 'root'],
    ['rsa-sha512.tsr', /Z$/, 'root'],
  ])('%s is read, its signature stands, and it is of what was asked about', (name, time, issuer) => {
    const reply = new Timestamp(readFileSync(join(folder, name)));
    expect(reply.signingTime.toISOString()).toMatch(time);
    expect(reply.authority).toMatch(new RegExp(`^certificate [0-9a-f]+ of ${issuer}$`));
    reply.checkSignature(reply.ownKey);
    expect(readFileSync(join(folder, 'q2.tsq')).includes(reply.imprint.digest)).toBe(true);
  });
});

table('discovery/38-npm-artifact-sha512', [
  [
    'npm provenance, whose subject is a sha512 alone, and its package',
    'verify evidence gundam-visor-cli-v1-tag.tgz.json.1.json --artifact gundam-visor-cli-v1-tag.tgz --policy k-promise.yaml',
    0,
    /subject +ok +artifact sha512:[0-9a-f]{128}/,
  ],
  [
    'and another file',
    'verify evidence gundam-visor-cli-v1-tag.tgz.json.1.json --artifact k-promise.yaml --policy k-promise.yaml',
    2,
    /subject_missing: .*the evidence is about pkg:npm\/\S+ \(sha512:[0-9a-f]{128}\)/,
  ],
]);

table('evidence', [
  ...(
    [
      ['01-p384-sha256', /signature ok +ecdsa-p384-sha256 key/],
      ['01-p521-sha256', /signature ok +ecdsa-p521-sha256 key/],
      ['02-ed25519ph', /signature ok +ed25519ph key/],
    ] as const
  ).map(([name, says]): Row => {
    const file = (one: string): string => join(name, one);
    return [
      'a file',
      `verify evidence ${file('bundle.json')} --artifact ${file('art.txt')} --policy ${file('policy.json')}`,
      0,
      says,
    ];
  }),
  [
    'Ed25519ph by the digest it signs',
    'verify evidence 02-ed25519ph/bundle.json --subject sha256:51bc0fc1f19104fa6e89ce50be9aa1f57c3346c1ca51ab49f5f00e14ce8f8076 --policy 02-ed25519ph/policy.json',
    2,
    /can be over a sha512 digest, and a sha256 digest was given/,
  ],
]);
