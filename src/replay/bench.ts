/** Prepares an image once a run: harness volume filled, storage found, content checked where that is asked for. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Fault } from '../base/fault.ts';
import { DEFAULTS } from '../base/limits.ts';
import { checkContent } from '../sandbox/content-check.ts';
import type { PresentImage } from '../sandbox/image.ts';
import type { Engine } from '../sandbox/port.ts';
import { fillFolder, tarOf } from '../sandbox/volume.ts';
import type { CaptureWay } from '../state/capture.ts';
import type { RunContext } from './context.ts';

export interface ImageBench {
  image: PresentImage;
  harnessVolume: string;
  way: CaptureWay;
  contentChecked: boolean;
}

/** A container that is never started, to reach volumes and storage through. */
export function createHelper(
  c: RunContext,
  image: PresentImage,
  volume: string,
  target: string,
): Promise<string> {
  return c.scope.container({
    image: image.id,
    argv: ['/harness/init'],
    env: [],
    user: '0:0',
    mounts: [{ volume, target, readOnly: false }],
    limits: { cpus: 1, memoryBytes: DEFAULTS.memoryBytes, pids: DEFAULTS.pids },
    seccomp: { json: c.kit.seccomp, path: '' },
  });
}

/** The upper folder is ours to read only if a nonce put in through the API turns up there. */
async function findWay(engine: Engine, helper: string): Promise<CaptureWay> {
  const { overlay } = await engine.inspect(helper);
  if (!overlay || process.getuid?.() !== 0) return 'archive';
  const name = `.reenact-${randomBytes(8).toString('hex')}`;
  const nonce = randomBytes(16).toString('hex');
  await engine.putArchive(helper, '/', tarOf([{ path: name, mode: 0o400, content: Buffer.from(nonce) }]));
  const path = join(overlay.upper, name);
  return existsSync(path) && readFileSync(path, 'utf8') === nonce ? 'overlay' : 'archive';
}

async function build(c: RunContext, image: PresentImage, checkImage: boolean): Promise<ImageBench> {
  const harnessVolume = await c.scope.volume('harness');
  const helper = await createHelper(c, image, harnessVolume, '/harness');
  const words = [...image.entrypoint, ...image.cmd].map((word) => `${word}\0`).join('');
  await fillFolder(c.engine, helper, '/harness', [
    { path: 'init', mode: 0o555, content: c.kit.init },
    { path: 'deterministic-run.sh', mode: 0o555, content: c.kit.init },
    { path: 'image-command', mode: 0o444, content: Buffer.from(words) },
  ]);
  if (checkImage) await checkContent(c.engine, image, helper);
  const way = c.capture === 'archive' ? 'archive' : await findWay(c.engine, helper);
  if (c.capture === 'overlay' && way !== 'overlay')
    throw new Fault('capture_incomplete', 'the engine’s overlay folders are not visible here');
  await c.scope.removeContainer(helper);
  return { image, harnessVolume, way, contentChecked: checkImage };
}

/** The bench of an image, built by whoever asks first. */
export function benchOf(c: RunContext, image: PresentImage, checkImage: boolean): Promise<ImageBench> {
  const key = `${image.config} ${image.requested} ${checkImage}`;
  const known = c.benches.get(key);
  if (known) return known;
  const made = build(c, image, checkImage);
  c.benches.set(key, made);
  return made;
}
