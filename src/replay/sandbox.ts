/** Creates one sandbox container for a manifest, with its empty /work, and checks that it is of the right image. */
import { lchownSync, lstatSync, mkdirSync } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

import { Fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import type { ContainerFacts } from '../sandbox/engine.ts';
import { tarOfFolder } from '../sandbox/volume.ts';
import type { RunContext } from './context.ts';
import type { Plan } from './plan.ts';
import type { Made } from './prepared.ts';
import type { Variation } from './vary.ts';

/** The engine has made /work for root when the container was created; an image's link there would lead elsewhere. */
function makeWork(path: string, plan: Plan): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  if (!lstatSync(path).isDirectory())
    throw new Fault('sandbox_not_enforced', 'the image brings a /work that is no folder');
  lchownSync(path, plan.uid, plan.gid);
}

/** `initArgs` are PID 1's own (docs/harness.md). */
export async function createSandbox(
  c: RunContext,
  made: Made,
  initArgs: string[],
  { hostname, cpuset }: Partial<Variation> = {},
): Promise<ContainerFacts> {
  const { plan, preparedImage, caseVolume } = made;
  const id = await c.scope.container({
    image: preparedImage.image.id,
    argv: ['/harness/init', ...initArgs],
    env: Object.entries(plan.env).map(([name, value]) => `${name}=${value}`),
    user: plan.user,
    mounts: [
      { volume: preparedImage.harnessVolume, target: '/harness', readOnly: true },
      ...(caseVolume ? [{ volume: caseVolume, target: '/case', readOnly: true }] : []),
    ],
    limits: plan.limits,
    ...(hostname === undefined ? {} : { hostname }),
    ...(cpuset === undefined ? {} : { cpuset }),
    seccomp: { json: c.harness.seccomp, path: c.store.path(c.harness.seccompSha256) },
  });
  const facts = await c.engine.inspect(id);
  if (facts.image !== preparedImage.image.id)
    throw new Fault(
      'image_mismatch',
      `the engine made the container from ${facts.image}, not from ${preparedImage.image.id}`,
    );
  if (preparedImage.way === 'overlay' && facts.overlay) {
    makeWork(join(facts.overlay.upper, 'work'), plan);
  } else await c.engine.putArchive(id, '/', tarOfFolder('work', plan.uid, plan.gid));
  return facts;
}

/** Bytes on disk below a folder, stopping once `limit` is passed. */
export async function writtenBytes(folder: string, limit: number = LIMITS.stateBytes): Promise<number> {
  let total = 0;
  const walk = async (path: string): Promise<void> => {
    for await (const entry of await opendir(path)) {
      if (total > limit) return;
      const child = join(path, entry.name);
      if (entry.isDirectory()) await walk(child);
      else if (entry.isFile()) total += (await lstat(child)).blocks * 512;
    }
  };
  await walk(folder);
  return total;
}
