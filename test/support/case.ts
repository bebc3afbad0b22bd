/** A finished run on disk, made without an engine: a record and the store it rests on. */
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { systemClock } from '../../src/base/clock.ts';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { loadManifests } from '../../src/manifest/load.ts';
import { manifestSubject } from '../../src/manifest/subject.ts';
import { type Policy, policyFiles } from '../../src/policy/policy.ts';
import { checkManifestEvidence, openVerifier } from '../../src/replay/evidence.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { decide, type RawReplay } from '../../src/verdict/decide.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { envelope, makeKey, statement } from './keys.ts';
import { trustOf } from './verify.ts';
import { tempFolder } from './world.ts';

export interface TestCase {
  out: string;
  record: ReplayRecord;
  recordPath: string;
  policy: Policy;
}

/** Replays that ended in these states' contents (one text a replay), under signed evidence and a policy with `more`. */
export async function makeCase(
  outputs: string[],
  files: Record<string, Buffer> = {},
  more: Record<string, unknown> = {},
): Promise<TestCase> {
  const [folder, out] = [tempFolder(), tempFolder()];
  const store = new BlobStore(out);
  const key = makeKey();
  const trust = await trustOf([key], more);
  const { policy } = trust;
  for (const bytes of [policy.canonical, ...policyFiles(policy).map((file) => file.bytes)])
    await store.put(bytes);
  const input = await store.put('input');
  writeFileSync(join(folder, 'in.txt'), 'input');
  const replays: RawReplay[] = [];
  for (const [i, text] of outputs.entries()) {
    const stdout = { sha256: await store.put(text), size: text.length };
    const stderr = { sha256: await store.put(''), size: 0 };
    const changed = [];
    for (const [path, bytes] of Object.entries(files))
      changed.push({
        path,
        change: 'added',
        type: 'file',
        mode: '0644',
        uid: 1000,
        gid: 1000,
        size: bytes.length,
        sha256: await store.put(bytes),
      });
    const state = await store.put(
      canonicalJson({ exit_code: 0, signal: null, stdout, stderr, files: changed }),
    );
    replays.push({
      index: i + 1,
      seed: 1,
      ended: 'exit',
      final_state_sha256: state,
      exit_code: 0,
      signal: null,
      duration_ms: 1,
      attempts: 1,
    });
  }
  const config = JSON.stringify({ rootfs: { diff_ids: [digestOf('layer')] } });
  const image = JSON.stringify({ config: { digest: digestOf(config), size: config.length }, layers: [] });
  for (const text of [config, image]) await store.put(text);
  const manifest = {
    harness_version: '1' as const,
    os: 'linux' as const,
    sandbox_image_sha256: digestOf(image),
    seed: 1,
    run_instructions: 'true',
    name: 'a case <b>&',
    inputs: [{ path: 'in.txt', sha256: input, source: 'in.txt' }],
  };
  const subject = [{ digest: { sha256: manifestSubject(manifest).slice(7) } }];
  const text = JSON.stringify(envelope([key], statement({ subject })));
  writeFileSync(join(folder, 'm.dsse.json'), text);
  writeFileSync(
    join(folder, 'm.json'),
    JSON.stringify({ ...manifest, dsse_envelope: `dsse:${digestOf(text)}` }),
  );
  const [loaded] = await loadManifests([join(folder, 'm.json')]);
  await store.put(canonicalJson(loaded!.manifest));
  const verifier = openVerifier(trust, [], out, store, systemClock);
  const kept = await checkManifestEvidence(verifier, loaded!, async () => []);
  const facts = {
    requested: replays.length,
    gates: policy.gates,
    expect: undefined,
    imageCheck: 'engine' as const,
    degraded: [],
    claims: [],
    lost: [],
    elsewhere: null,
    crashesSeen: true,
  };
  const decision = decide(replays, facts);
  const harness = await store.put('init');
  const seccomp = await store.put('{}');
  const record: ReplayRecord = {
    record_version: 1,
    nonce: digestOf('nonce'),
    name: manifest.name,
    manifest_path: 'm.json',
    manifest_sha256: loaded!.sha256,
    manifest_subject_sha256: manifestSubject(loaded!.manifest),
    sandbox_image_sha256: manifest.sandbox_image_sha256,
    verdict: decision.verdict,
    reason: decision.reason,
    message: '',
    flaky: decision.flaky,
    requested: replays.length,
    replay_success_ratio: decision.ratio,
    final_state_sha256: replays[0]!.final_state_sha256 as Digest,
    expected_state_sha256: null,
    gates: decision.gates,
    replays: decision.replays,
    policy: { name: policy.name, sha256: policy.sha256 },
    evidence: { status: kept.record.verdict, ...kept },
    image: {
      requested: digestOf(image),
      kind: 'manifest',
      manifest: digestOf(image),
      config: digestOf(config),
      diff_ids: [digestOf('layer')],
      platform: 'linux/amd64',
      image_check: 'engine',
    },
    claims: [],
    degraded: [],
    uncaptured: [],
    divergence: null,
    environment: {
      engine: 'test',
      api_version: '1',
      kernel: '6',
      cpu: 'c',
      storage_driver: 'overlay2',
      capture: 'overlay',
      seccomp_sha256: seccomp,
      harness_sha256: harness,
      trusted: ['kernel'],
    },
    shard: null,
    started_at: '2026-11-21T00:00:00.000Z',
    duration_ms: 10,
  };
  const place = join(out, 'runs', 'a');
  await mkdir(place, { recursive: true });
  const recordPath = join(place, 'record.json');
  writeFileSync(recordPath, JSON.stringify(record));
  return { out, record, recordPath, policy };
}
