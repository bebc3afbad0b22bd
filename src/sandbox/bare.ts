/** The harness alone, in a sandbox of an image with nothing in it: what a host has for full determinism. */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { digestOf, hexOf } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { DEFAULTS } from '../base/limits.ts';
import { temporaryFolder } from '../base/temporary.ts';
import { BlobStore } from '../store/blobs.ts';
import type { Engine, EngineFacts } from './engine.ts';
import { assertRunsOn, type Harness } from './harness.ts';
import { type Mechanism, mechanismsOf } from './mechanisms.ts';
import { parseObserved } from './probe.ts';
import { type Processor, processorOf } from './processor.ts';
import { runContainer } from './run.ts';
import { RunScope } from './scope.ts';
import { tarOf, type VolumeFile } from './volume.ts';

/** An archive without members. */
const EMPTY_LAYER = Buffer.alloc(1024);

/** A docker-archive of an image whose only layer is empty; its name is unique, so that no other run of doctor uses it. */
function bareImage(facts: EngineFacts, name: string): Readable {
  const architecture = { x86_64: 'amd64', aarch64: 'arm64' }[facts.architecture] ?? facts.architecture;
  const rootfs = { type: 'layers', diff_ids: [digestOf(EMPTY_LAYER)] };
  const config = Buffer.from(
    JSON.stringify({ architecture, os: 'linux', config: { Labels: { name } }, rootfs }),
  );
  const configName = `${hexOf(digestOf(config))}.json`;
  const manifest = [{ Config: configName, RepoTags: [name], Layers: ['layer.tar'] }];
  const files: [string, Uint8Array][] = [
    [configName, config],
    ['layer.tar', EMPTY_LAYER],
    ['manifest.json', Buffer.from(JSON.stringify(manifest))],
  ];
  return tarOf(files.map(([path, content]): VolumeFile => ({ path, mode: 0o644, content })));
}

/** PID 1's report on its host. */
export interface Host {
  mechanisms: Mechanism[];
  processor: Processor | null;
  /** The processor's own name for itself. */
  name: string | null;
}

/** Asks PID 1 in a real container, and leaves nothing behind. Throws a Fault when none can be had. */
export async function hostOf(
  engine: Engine,
  harness: Harness,
  facts: EngineFacts,
  without: Mechanism[],
): Promise<Host> {
  assertRunsOn(harness, facts.architecture);
  const scope = new RunScope(engine);
  const folder = temporaryFolder('doctor');
  const store = new BlobStore(folder);
  const name = `reenact-doctor:${randomBytes(8).toString('hex')}`;
  const signal = AbortSignal.timeout(60_000);
  try {
    await store.put(harness.seccompText);
    await engine.load(bareImage(facts, name), signal);
    const image = await engine.image(name);
    if (!image) throw new Fault('engine_failed', `the engine took ${name}, and does not know it`);
    const id = await scope.container({
      image: image.id,
      argv: [
        ...['/harness/init', '--probe', '--determinism', 'full'],
        ...without.flatMap((name) => ['--without', name]),
        '--',
      ],
      env: [],
      user: DEFAULTS.user,
      mounts: [],
      limits: { cpus: 1, memoryBytes: DEFAULTS.memoryBytes, pids: DEFAULTS.pids },
      seccomp: { json: harness.seccomp, path: store.path(harness.seccompSha256) },
    });
    await engine.putArchive(id, '/', tarOf([{ path: 'harness/init', mode: 0o555, content: harness.init }]));
    const ending = await runContainer(engine, id, { store, timeoutMs: 30_000, outputBytes: 1 << 20, signal });
    const report = await store.get(ending.stdout.sha256);
    if (ending.exitCode !== 0 || !report)
      throw new Fault('sandbox_not_enforced', `the probe of the host ended with ${ending.ended}`);
    const observed = parseObserved(report);
    return {
      mechanisms: mechanismsOf(observed.mechanisms),
      processor: processorOf(observed),
      name: observed.cpu_name ?? null,
    };
  } finally {
    await scope.close();
    await engine.removeImage(name);
    rmSync(folder, { recursive: true, force: true });
  }
}
