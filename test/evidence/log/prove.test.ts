/** Entries of Rekor v2, which counts once: an index beside the proof's is a forgery. */
import { expect, it } from 'vitest';
import { hashedBytes } from '../../../src/evidence/common/hashed.ts';
import { preAuthEncoding } from '../../../src/evidence/documents/dsse.ts';
import { expectedBodies } from '../../../src/evidence/log/body.ts';
import { proveEntry } from '../../../src/evidence/verify/log-entry.ts';
import { makeKey, signWith } from '../../support/keys.ts';
import { TestLog } from '../../support/log.ts';
import { trustOf } from '../../support/verify.ts';

it('log_proof: another index than the proof’s', async () => {
  const log = new TestLog().grow(5);
  const key = makeKey();
  const payload = Buffer.from('{}');
  const bytes = preAuthEncoding('application/json', payload);
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  const thing = {
    signature: signWith(key, bytes),
    signed: hashedBytes(bytes),
    payload: hashedBytes(payload),
    spki,
    certificate: null,
  };
  const [body] = expectedBodies(thing, 'sha256', 'PKIX_ED25519');
  const { logs } = await trustOf([key], { trust: { logs: [{ key: log.verifierKey }] } });
  const index = log.append(body!);
  const entry = {
    ...{ index, logId: logs[0]!.id, kind: 'hashedrekord', version: '0.0.2', body: body! },
    ...{ integratedTime: null, promise: null },
    proof: {
      ...{ index, size: log.size, root: log.root(), hashes: log.inclusion(index) },
      checkpoint: log.checkpoint(),
    },
  };
  expect(proveEntry(entry, thing, logs).fact.index).toBe(index);
  for (const other of [index + 1000, index - 1])
    expect(() => proveEntry({ ...entry, index: other }, thing, logs)).toThrow(/logIndex is/);
});
