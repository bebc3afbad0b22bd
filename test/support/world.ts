/** What engine tests share: the engine, manifests written to a folder of their own, the command as a user runs it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, inject } from 'vitest';

import { withoutNamed } from '../../src/library/without.ts';
import type { Manifest } from '../../src/manifest/definition.ts';
import { loadManifests } from '../../src/manifest/load.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { runManifests } from '../../src/reenact.ts';
import type { RunOptions } from '../../src/replay/options.ts';
import { connectDocker } from '../../src/sandbox/docker.ts';
import { findEndpoint } from '../../src/sandbox/endpoint.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import type { World } from './global-setup.ts';

export const world: World = inject('world') as World;
const REASON = 'skipped: no engine (DOCKER_HOST and REENACT_REGISTRY are not set; npm test sets them)';

/** A describe block that needs the engine, and says visibly when there is none. */
export function describeEngine(name: string, body: () => void): void {
  if (world) describe(name, body);
  else describe.skip(`${name} (${REASON})`, body);
}

export function engine(): Promise<Engine> {
  const { endpoint, address } = findEndpoint(process.env)!;
  return connectDocker(endpoint, address);
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'reenact-test-'));
  folders.push(folder);
  return folder;
}

/** A manifest for the fixture image; instructions run directly, with no shell. */
/** A command of about a second: it computes, because a sandbox's clock jumps over a sleep. */
export const SLOW = "sh -c 'i=0; while [ $i -lt 500000 ]; do i=$((i+1)); done; echo done'";

export function manifest(run: string, more: Partial<Manifest> = {}): Manifest {
  return {
    harness_version: '1',
    os: 'linux',
    sandbox_image_sha256: world.fixture.manifest,
    sandbox_image: world.fixture.repository,
    seed: 7,
    run_instructions: run,
    replays: 1,
    ...more,
  };
}

export function writeManifest(folder: string, content: unknown, name = 'm.json'): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

export interface RunHelp extends Partial<RunOptions> {
  policyName?: string;
  /** Another engine than that of the tests. */
  on?: Engine;
  folder?: string;
}

/** Runs one manifest through the library and returns its record. */
export async function replay(content: Manifest, o: RunHelp = {}): Promise<ReplayRecord> {
  const folder = o.folder ?? tempFolder();
  const [record] = await runManifests(o.on ?? (await engine()), {
    manifests: await loadManifests([writeManifest(folder, content)]),
    policy: await loadPolicy(o.policyName ?? 'default'),
    out: join(folder, 'out'),
    imageCache: join(folder, 'images'),
    repositories: [],
    jobs: 2,
    determinism: { without: withoutNamed([]) },
    signal: new AbortController().signal,
    ...o,
  });
  return record!;
}

interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

const BIN = join(import.meta.dirname, '../../bin/reenact.js');

/** Runs the command; `during` sees the process while it runs. */
export function reenact(
  args: string[],
  o: { cwd?: string; env?: NodeJS.ProcessEnv; during?: (child: ReturnType<typeof spawn>) => void } = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: o.cwd ?? process.cwd(),
      env: { ...process.env, ...o.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (bytes) => (stdout += String(bytes)));
    child.stderr.on('data', (bytes) => (stderr += String(bytes)));
    child.on('close', (status) => resolve({ status, stdout, stderr }));
    o.during?.(child);
  });
}

/** A container of an image that never runs, to look into; the caller removes it. */
export function idleContainer(docker: Engine, image: string): Promise<string> {
  return docker.create({
    image,
    argv: ['/none'],
    env: [],
    user: '0:0',
    mounts: [],
    limits: { cpus: 1, memoryBytes: 1 << 28, pids: 16 },
    seccomp: {
      json: readFileSync(join(import.meta.dirname, '../../harness/seccomp.json'), 'utf8'),
      path: '',
    },
    labels: {},
  });
}
