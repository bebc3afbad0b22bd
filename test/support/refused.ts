/** Runs that evidence ends before anything starts, recorded by the pipeline itself; the engine gives its facts and nothing else. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { collect } from '../../src/bundle/write/collect.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import type { Manifest } from '../../src/manifest/definition.ts';
import { type LoadedManifest, loadManifests } from '../../src/manifest/load.ts';
import { manifestSubject } from '../../src/manifest/subject.ts';
import { type Policy, parsePolicy } from '../../src/policy/policy.ts';
import { runManifests } from '../../src/reenact.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { envelope, statement, type TestKey } from './keys.ts';
import { tempFolder } from './world.ts';

/** An engine on which every request beside those before the evidence ends with this fault. */
export function failingEngine(code: FaultCode = 'engine_failed'): Engine {
  const facts = {
    engine: 'none',
    version: '0',
    apiVersion: '0',
    architecture: 'x86_64',
    storageDriver: 'none',
  };
  const known: Record<string, unknown> = { facts: async () => facts, owned: async () => [] };
  return new Proxy({} as Engine, {
    get: (_target, name) =>
      known[String(name)] ??
      (async () => {
        throw new Fault(code, `${String(name)} fails on purpose`);
      }),
  });
}

export const PLAIN: Manifest = {
  harness_version: '1',
  os: 'linux',
  sandbox_image_sha256: `sha256:${'0e'.repeat(32)}` as Digest,
  seed: 1,
  run_instructions: 'true',
};

/** A statement about the manifest. */
export function about(manifest: Manifest, change: object = {}): Record<string, unknown> {
  const digest = { sha256: manifestSubject(manifest).slice(7) };
  return statement({ subject: [{ name: 'manifest', digest }], ...change });
}

export interface RefusedRun {
  manifest?: Partial<Manifest>;
  /** The envelope's file; null: it is nowhere. Made of the manifest by the key where it is not given. */
  evidence?: string | null;
  /** What else lies beside the manifest. */
  beside?: Record<string, string | Buffer>;
  policy: Policy;
  key?: TestKey;
  engine?: Engine;
  options?: Partial<Parameters<typeof runManifests>[1]>;
  /** A manifest that the same run comes to first. */
  first?: LoadedManifest[];
}

/** A policy's document with files beside it. */
export function policyOf(document: object, files: Record<string, string> = {}): Promise<Policy> {
  const folder = tempFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return parsePolicy(JSON.stringify({ version: 1, ...document }), 'test', folder);
}

/** Runs the manifest as the command does; the record, and the folder it was written to. */
export async function recordRefused(o: RefusedRun): Promise<{ record: ReplayRecord; out: string }> {
  const folder = tempFolder();
  const manifest = { ...PLAIN, ...o.manifest };
  const text =
    o.evidence === undefined && o.key ? JSON.stringify(envelope([o.key], about(manifest))) : o.evidence;
  if (typeof text === 'string') writeFileSync(join(folder, 'm.dsse.json'), text);
  for (const [name, bytes] of Object.entries(o.beside ?? {})) writeFileSync(join(folder, name), bytes);
  const named = { dsse_envelope: `dsse:${digestOf(text ?? 'nowhere')}`, ...manifest };
  writeFileSync(join(folder, 'm.json'), JSON.stringify(named));
  const out = join(folder, 'out');
  const records = await runManifests(o.engine ?? failingEngine(), {
    manifests: [...(o.first ?? []), ...(await loadManifests([join(folder, 'm.json')]))],
    policy: o.policy,
    out,
    imageCache: join(folder, 'images'),
    repositories: [],
    jobs: 1,
    signal: new AbortController().signal,
    ...o.options,
  });
  return { record: records.at(-1)!, out };
}

/** A record's bundle, as bundle create makes it. */
export async function bundleOf(record: ReplayRecord, out: string): Promise<string> {
  const path = join(tempFolder(), 'case.tar');
  await createBundle(path, await collect(record, new BlobStore(out), out, 'full'), { state: 'full' });
  return path;
}
