/** Runs cases through the product: manifests in a folder of their own, records and what they rest on out. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type { BuiltImage } from '../../setup/image.ts';
import { digestOf } from '../../src/base/digest.ts';
import { manifestSchema } from '../../src/manifest/definition.ts';
import { loadManifests } from '../../src/manifest/load.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { runManifests } from '../../src/reenact.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import type { Mechanism } from '../../src/sandbox/mechanisms.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import type { Expected } from './programs.ts';

/** A file that a case finds below /case. */
export interface CaseFile {
  path: string;
  content: Uint8Array;
}

export interface Case {
  group: string;
  name: string;
  /** The line of docs/determinism.md's sources, or what would make it differ. */
  source: string;
  expected: Expected;
  run: string;
  image: BuiltImage;
  timeoutS: number;
  files?: CaseFile[];
}

export interface RunOptions {
  engine: Engine;
  determinism: 'full' | 'off';
  /** As on a host that lacks these. */
  without?: Mechanism[];
  replays: number;
  /** Stop at the first difference. */
  failFast: boolean;
  jobs: number;
  signal: AbortSignal;
}

/** Whether this release of the product can make a replay deterministic. */
export function hasSupervisor(): boolean {
  return 'determinism' in (manifestSchema().properties as object);
}

/** Writes a case's manifest, its files beside it, and returns the manifest's path. */
function writeCase(folder: string, c: Case, determinism: 'full' | 'off'): string {
  const inputs = (c.files ?? []).map(({ path, content }) => {
    const source = `case/${path}`;
    mkdirSync(dirname(join(folder, source)), { recursive: true });
    writeFileSync(join(folder, source), content);
    return { path, sha256: digestOf(content), source };
  });
  const path = join(folder, 'manifest.json');
  const manifest = {
    harness_version: '1',
    os: 'linux',
    sandbox_image_sha256: c.image.manifest,
    sandbox_image: c.image.repository,
    seed: 7,
    name: c.name,
    run_instructions: c.run,
    limits: { cpus: 2, timeout: c.timeoutS },
    ...(inputs.length > 0 ? { inputs } : {}),
    ...(hasSupervisor() ? { determinism } : {}),
  };
  writeFileSync(path, JSON.stringify(manifest));
  return path;
}

/** Runs the cases; `look` sees each record while the store with its states is still there. */
export async function runCases<T>(
  cases: Case[],
  o: RunOptions,
  look: (record: ReplayRecord, store: BlobStore) => Promise<T>,
): Promise<T[]> {
  const folder = mkdtempSync(join(tmpdir(), 'reenact-determinism-'));
  try {
    const paths = cases.map((c, i) => {
      mkdirSync(join(folder, String(i)));
      return writeCase(join(folder, String(i)), c, o.determinism);
    });
    const records = await runManifests(o.engine, {
      manifests: await loadManifests(paths),
      policy: await loadPolicy('default'),
      out: join(folder, 'out'),
      imageCache: join(folder, 'images'),
      repositories: [],
      determinism: { without: o.without ?? [] },
      jobs: o.jobs,
      replays: o.replays,
      failFast: o.failFast,
      signal: o.signal,
    });
    const store = new BlobStore(join(folder, 'out'));
    return await Promise.all(records.map((record) => look(record, store)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
