/** Evidence before replay, on the real engine: what is rejected leaves no trace there, what is accepted is on disk first. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { digestOf } from '../../src/base/digest.ts';
import { verifyCustody } from '../../src/evidence/custody/custody.ts';
import { wantDigest } from '../../src/evidence/documents/subject.ts';
import type { Manifest } from '../../src/manifest/definition.ts';
import { loadManifests } from '../../src/manifest/load.ts';
import { manifestSubject } from '../../src/manifest/subject.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { runManifests } from '../../src/reenact.ts';
import type { RunEvent } from '../../src/replay/events.ts';
import { type EnvelopeJson, envelope, makeKey, statement } from '../support/keys.ts';
import { trustOf, verifyAs } from '../support/verify.ts';
import {
  describeEngine,
  engine,
  manifest,
  reenact,
  replay,
  tempFolder,
  world,
  writeManifest,
} from '../support/world.ts';

const key = makeKey();

function signed(folder: string, content: Manifest, about: Manifest = content): Manifest {
  const subject = [{ name: 'manifest', digest: { sha256: manifestSubject(about).slice(7) } }];
  const text = JSON.stringify(envelope([key], statement({ subject })));
  writeFileSync(join(folder, 'm.dsse.json'), text);
  return { ...content, dsse_envelope: `dsse:${digestOf(text)}` };
}

async function policy(): Promise<Policy> {
  return (await trustOf([key])).policy;
}

describeEngine('evidence before replay', () => {
  it('replays what is proven; evidence, record and custody are kept', async () => {
    const folder = tempFolder();
    const record = await replay(signed(folder, manifest('/bin/crash', { replays: 2 })), {
      folder,
      policy: await policy(),
    });
    expect(record).toMatchObject({
      verdict: 'reproduced',
      evidence: { status: 'verified', custody: { sequence: 1 } },
    });
    const blobs = readdirSync(join(folder, 'out/blobs/sha256'));
    expect(blobs).toContain(record.evidence.record_sha256!.slice(7));
    expect(blobs).toContain(digestOf(readFileSync(join(folder, 'm.dsse.json'))).slice(7));
    expect(await verifyCustody(join(folder, 'out/custody'))).toEqual({ entries: 1, problem: null });
  });

  it('pulls and starts nothing for what is rejected', async () => {
    const folder = tempFolder();
    const about = manifest('/bin/crash');
    // An address where nothing listens: trying to pull would end in another verdict.
    const content = { ...about, seed: 8, sandbox_image: '127.0.0.1:65099/none' };
    const events: RunEvent[] = [];
    const calls: string[] = [];
    const watched = new Proxy(await engine(), {
      get(target, name) {
        calls.push(String(name));
        return Reflect.get(target, name);
      },
    });
    const [record] = await runManifests(watched, {
      manifests: await loadManifests([writeManifest(folder, signed(folder, content, about))]),
      policy: await policy(),
      out: join(folder, 'out'),
      imageCache: join(folder, 'images'),
      repositories: [],
      jobs: 1,
      signal: new AbortController().signal,
      onEvent: (event) => events.push(event),
    });
    expect(record).toMatchObject({
      verdict: 'rejected',
      reason: 'subject_missing',
      replays: [],
      image: null,
    });
    expect(
      record!.evidence.record!.envelopes[0]!.checks.find(({ status }) => status === 'failed')!.name,
    ).toBe('subject');
    expect(events.map(({ type }) => type)).toEqual(['record']);
    // Only what asks which engine it is, and tidies up after runners that were killed.
    expect(
      calls.filter((name) => ['image', 'pull', 'create', 'start', 'createVolume'].includes(name)),
    ).toEqual([]);
    expect(calls).toContain('facts');
    expect((await verifyCustody(join(folder, 'out/custody'))).entries).toBe(1);
  });

  it('starts nothing when the evidence cannot be kept', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'out/custody'), 'in the way');
    const record = await replay(signed(folder, manifest('/bin/crash')), { folder, policy: await policy() });
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'evidence_store_failed', replays: [] });
  });

  it('says that nothing was checked, and refuses that on request', async () => {
    expect((await replay(manifest('/bin/crash'))).evidence).toEqual({
      status: 'not_checked',
      record: null,
      record_sha256: null,
      files: [],
      custody: null,
    });
    const refused = await replay(manifest('/bin/crash'), { requireEvidence: true });
    expect(refused).toMatchObject({ verdict: 'rejected', reason: 'evidence_not_checked', replays: [] });
  });

  it('attests a verdict, which this and other verifiers accept', async () => {
    const folder = tempFolder();
    const record = await replay(manifest('/bin/crash', { replays: 2 }), { folder });
    writeFileSync(join(folder, 'record.json'), JSON.stringify(record));
    writeFileSync(join(folder, 'k.pem'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(join(folder, 'k.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
    const done = await reenact(['attest', 'record.json', '--key', 'k.pem'], { cwd: folder });
    expect(done.stdout).toContain('PASSED');
    const text = readFileSync(join(folder, 'record.dsse.json'), 'utf8');
    const trust = await trustOf([key], {
      require: [
        { predicateType: 'https://in-toto.io/attestation/test-result/v0.1', match: { '/result': 'PASSED' } },
      ],
    });
    const subjects = [wantDigest('manifest', record.manifest_subject_sha256!)];
    expect((await verifyAs(trust, text, { wanted: { kind: 'listed', subjects } })).code).toBeNull();

    // The same with openssl alone: the signature over DSSE's pre-authentication encoding.
    const { payload, payloadType, signatures } = JSON.parse(text) as EnvelopeJson;
    const bytes = Buffer.from(payload, 'base64');
    writeFileSync(
      join(folder, 'pae'),
      `DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} ${bytes}`,
    );
    writeFileSync(join(folder, 'sig'), Buffer.from(signatures[0]!.sig, 'base64'));
    const args = [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      'k.pub',
      '-rawin',
      '-in',
      'pae',
      '-sigfile',
      'sig',
    ];
    expect(String(execFileSync('openssl', args, { cwd: folder }))).toContain('Verified Successfully');
  });

  it('attests nothing where nothing was decided', async () => {
    const folder = tempFolder();
    writeFileSync(
      join(folder, 'record.json'),
      JSON.stringify(await replay(manifest('/bin/none'), { folder })),
    );
    writeFileSync(join(folder, 'k.pem'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const refused = await reenact(['attest', 'record.json', '--key', 'k.pem'], { cwd: folder });
    expect(refused).toMatchObject({ status: 64, stderr: expect.stringContaining('nothing to attest') });
  });

  it('knows an index by the manifest and configuration it resolves to', async () => {
    const folder = tempFolder();
    const content = manifest('/bin/crash', { sandbox_image_sha256: world.index as never });
    const subject = [
      { name: 'manifest', digest: { sha256: manifestSubject(content).slice(7) } },
      { name: 'image', digest: { sha256: world.fixture.config.slice(7) } },
    ];
    const text = JSON.stringify(envelope([key], statement({ subject })));
    writeFileSync(join(folder, 'm.dsse.json'), text);
    const strict = (await trustOf([key], { require: [{ subjects: ['manifest', 'sandbox_image_sha256'] }] }))
      .policy;
    const record = await replay(
      { ...content, dsse_envelope: `dsse:${digestOf(text)}` },
      { folder, policy: strict },
    );
    expect(record.verdict).toBe('reproduced');
  });
});
