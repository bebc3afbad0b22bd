/** A run on disk that read these inputs and came to nothing: all that a bundle of so many bytes needs. */
import { randomFillSync } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { canonicalJson } from '../src/base/canonical-json.ts';
import { digestOf } from '../src/base/digest.ts';
import { digestOfFile } from '../src/base/files.ts';
import type { Manifest } from '../src/manifest/definition.ts';
import { manifestSubject } from '../src/manifest/subject.ts';
import { loadPolicy } from '../src/policy/policy.ts';
import { BlobStore } from '../src/store/blobs.ts';
import type { ReplayRecord } from '../src/verdict/record.ts';

/** A file of random bytes at its beginning, and a hole behind them. */
export function sparseFile(path: string, sizeBytes: number): void {
  const fd = openSync(path, 'w');
  writeSync(fd, randomFillSync(Buffer.alloc(4096)));
  ftruncateSync(fd, sizeBytes);
  closeSync(fd);
}

/** A file of random bytes at its beginning, and something on disk for the rest. */
export function fullFile(path: string, sizeBytes: number): void {
  writeFileSync(path, randomFillSync(Buffer.alloc(sizeBytes, 'x'), 0, 4096));
}

/** Writes the run into `folder` and returns the path of its record; the inputs are its store’s other blobs. */
export async function storedRun(
  folder: string,
  count: number,
  write: (path: string) => void,
): Promise<string> {
  const store = new BlobStore(folder);
  const policy = await loadPolicy('default');
  await store.put(policy.canonical);
  const inputs: NonNullable<Manifest['inputs']> = [];
  for (let i = 0; i < count; i++) {
    const aside = join(folder, 'aside');
    write(aside);
    const sha256 = await digestOfFile(aside);
    renameSync(aside, store.path(sha256));
    inputs.push({ path: `in/${String(i).padStart(6, '0')}`, sha256, source: 'in' });
  }
  const manifest: Manifest = {
    harness_version: '1',
    os: 'linux',
    sandbox_image_sha256: digestOf('image'),
    seed: 1,
    run_instructions: 'true',
    inputs,
  };
  const record: ReplayRecord = {
    record_version: 1,
    nonce: digestOf('nonce'),
    name: 'bench',
    manifest_path: '',
    manifest_sha256: await store.put(canonicalJson(manifest)),
    manifest_subject_sha256: manifestSubject(manifest),
    sandbox_image_sha256: manifest.sandbox_image_sha256,
    verdict: 'inconclusive',
    reason: 'not_run',
    message: '',
    flaky: false,
    requested: 1,
    replay_success_ratio: 0,
    final_state_sha256: null,
    expected_state_sha256: null,
    gates: [],
    replays: [],
    policy: { name: policy.name, sha256: policy.sha256 },
    evidence: { status: 'not_checked', record: null, record_sha256: null, files: [], custody: null },
    image: null,
    claims: [],
    degraded: [],
    uncaptured: [],
    divergence: null,
    environment: null,
    shard: null,
    started_at: '',
    duration_ms: 0,
  };
  const place = join(folder, 'runs', 'bench');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'record.json'), canonicalJson(record));
  return join(place, 'record.json');
}
