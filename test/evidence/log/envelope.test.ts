import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashedBytes } from '../../../src/evidence/common/hashed.ts';
import { Refusal } from '../../../src/evidence/common/refusal.ts';
import { preAuthEncoding } from '../../../src/evidence/documents/dsse.ts';
import { parseLogReference } from '../../../src/evidence/documents/reference.ts';
import { expectedBodies } from '../../../src/evidence/log/body.ts';
import { readFolderProof } from '../../../src/evidence/log/cache.ts';
import { type EnvelopeJson, envelope, makeKey, statement, type TestKey } from '../../support/keys.ts';
import { TestLog } from '../../support/log.ts';
import { trustOf, verifyAs } from '../../support/verify.ts';
import { tempFolder } from '../../support/world.ts';

const key = makeKey();
const other = makeKey();
const trust = await trustOf([key]);
const _code = async (content: unknown, o = {}): Promise<string | null> =>
  (await verifyAs(trust, content, o)).code;

describe('a plain envelope in a log', async () => {
  const log = new TestLog({ witnesses: 2 }).grow(300);
  const signer = makeKey('ecdsa-p256-sha256');
  const json = envelope([signer]);
  const bodyOf = (e: EnvelopeJson, by: TestKey): Buffer => {
    const payload = Buffer.from(e.payload, 'base64');
    const thing = {
      signature: Buffer.from(e.signatures[0]!.sig, 'base64'),
      signed: hashedBytes(preAuthEncoding(e.payloadType, payload)),
      payload: hashedBytes(payload),
      spki: by.publicKey.export({ type: 'spki', format: 'der' }),
      certificate: null,
    };
    return expectedBodies(thing, 'sha256', 'PKIX_ECDSA_P256_SHA_256')[0]!;
  };
  const index = log.append(bodyOf(json, signer));
  const foreign = log.append(bodyOf(envelope([other], statement({ predicate: 1 })), other));
  log.grow(300);
  const logs = (more: object = {}): Record<string, unknown> => ({
    trust: { logs: [{ key: log.verifierKey, ...more }] },
  });
  const logged = await trustOf([signer], { ...logs({ witnesses: { keys: log.witnessKeys, min: 2 } }) });
  for (const authority of logged.authorities) authority.transparency = 'required';
  const proofFile = (text: string): object => ({
    more: [{ name: 'p.tlog-proof', bytes: Buffer.from(text) }],
  });
  const reference = { reference: parseLogReference(log.reference(index)) };

  it('is accepted with a proof, whether or not the proof has the entry', async () => {
    for (const body of [true, false]) {
      const record = await verifyAs(logged, json, proofFile(log.tlogProof(index, { body })));
      expect(record.code).toBeNull();
      expect(record.envelopes[0]!.log[0]).toMatchObject({
        tile_ref: log.reference(index),
        witnesses: ['witness0.example', 'witness1.example'],
      });
    }
  });

  it.each<[string, string, Parameters<typeof verifyAs>[2]]>([
    ['log_missing', 'no proof', {}],
    ['log_missing', 'a reference, and no proof of it', reference],
    ['log_body', 'the proof of somebody else’s entry', proofFile(log.tlogProof(foreign, { body: true }))],
    [
      'log_proof',
      'the proof of another index',
      proofFile(log.tlogProof(index).replace(/index \d+/, `index ${index + 1}`)),
    ],
    ['log_proof', 'the proof of a neighbour', proofFile(log.tlogProof(foreign))],
    [
      'log_reference',
      'a proof of another tree than is named',
      { ...proofFile(log.tlogProof(index, { size: 400 })), ...reference },
    ],
    ['log_key', 'a log that is not trusted', proofFile(new TestLog().grow(700).tlogProof(index))],
  ])('%s: %s', async (expected, _name, o) => {
    expect((await verifyAs(logged, json, o)).code).toBe(expected);
  });

  it('is proven from a folder of checkpoint and tiles, and from nothing less', async () => {
    const folder = tempFolder();
    log.writeFiles(folder);
    const proof = { name: folder, proof: await readFolderProof(folder, reference.reference) };
    expect((await verifyAs(logged, json, { ...reference, proofs: [proof] })).code).toBeNull();
    writeFileSync(join(folder, 'tile/0/001'), Buffer.alloc(8192));
    const forged = { name: folder, proof: await readFolderProof(folder, reference.reference) };
    expect((await verifyAs(logged, json, { ...reference, proofs: [forged] })).code).toBe('log_proof');
    await expect(readFolderProof(folder, parseLogReference(log.reference(index, 400)))).rejects.toMatchObject(
      { code: 'log_reference' },
    );
  });

  it('does not follow links out of a log’s folder', async () => {
    const [folder, elsewhere] = [tempFolder(), tempFolder()];
    log.writeFiles(elsewhere);
    mkdirSync(join(folder, 'tile/0'), { recursive: true });
    writeFileSync(join(folder, 'checkpoint'), log.checkpoint());
    symlinkSync(join(elsewhere, 'tile/0/001'), join(folder, 'tile/0/001'));
    await expect(readFolderProof(folder, reference.reference)).rejects.toBeInstanceOf(Refusal);
  });

  it('log_witness: too few witnesses', async () => {
    const three = await trustOf(
      [signer],
      logs({
        witnesses: { keys: [...log.witnessKeys, ...new TestLog({ witnesses: 1 }).witnessKeys], min: 3 },
      }),
    );
    expect((await verifyAs(three, json, proofFile(log.tlogProof(index)))).code).toBe('log_witness');
  });

  it('log_key: a log whose key was not valid', async () => {
    const ended = await trustOf([signer], logs({ notAfter: '2026-01-01T00:00:00Z' }));
    expect((await verifyAs(ended, json, proofFile(log.tlogProof(index)))).code).toBe('log_key');
  });

  it('log_body: a proof that proves nothing is not passed over', async () => {
    const lax = await trustOf([signer, other], logs());
    const both = [json, envelope([other], statement({ predicate: 9 }))];
    expect((await verifyAs(lax, both, proofFile(new TestLog().grow(9).tlogProof(1)))).verdict).toBe(
      'rejected',
    );
  });
});
