/** Prepares an image once a run: harness volume filled, storage found, content checked where that is asked for. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Fault } from '../base/fault.ts';
import { DEFAULTS } from '../base/limits.ts';
import { checkContent } from '../sandbox/content-check.ts';
import type { OverlayFolders } from '../sandbox/engine.ts';
import type { PresentImage } from '../sandbox/image.ts';
import { tarOf, type VolumeFile } from '../sandbox/volume.ts';
import type { RunContext } from './context.ts';
import type { PreparedImage } from './prepared.ts';

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
    seccomp: { json: c.harness.seccomp, path: '' },
  });
}

/** The upper folder may be read only if a nonce that was put in through the API appeared there. */
function seesNonce(overlay: OverlayFolders | undefined, nonce: VolumeFile): boolean {
  if (!overlay || process.getuid?.() !== 0) return false;
  const path = join(overlay.upper, nonce.path);
  return existsSync(path) && readFileSync(path).equals(nonce.content as Buffer);
}

function harnessFiles(c: RunContext, image: PresentImage): VolumeFile[] {
  const words = [...image.entrypoint, ...image.cmd].map((word) => `${word}\0`).join('');
  return [
    { path: 'harness/init', mode: 0o555, content: c.harness.init },
    { path: 'harness/deterministic-run.sh', mode: 0o555, content: c.harness.init },
    { path: 'harness/image-command', mode: 0o444, content: Buffer.from(words) },
  ];
}

async function build(c: RunContext, image: PresentImage, checkImage: boolean): Promise<PreparedImage> {
  const harnessVolume = await c.scope.volume('harness');
  const helper = await createHelper(c, image, harnessVolume, '/harness');
  if (checkImage) await checkContent(c.engine, image, helper);
  const nonce = { path: `.reenact-${randomBytes(8).toString('hex')}`, mode: 0o400, content: randomBytes(16) };
  // One archive for both: files below harness/ land in the volume, the nonce in the container's own layer.
  await c.engine.putArchive(helper, '/', tarOf([...harnessFiles(c, image), nonce]));
  const visible = seesNonce((await c.engine.inspect(helper)).overlay, nonce);
  if (c.capture === 'overlay' && !visible)
    throw new Fault('capture_incomplete', 'the engine’s overlay folders are not visible here');
  await c.scope.discard(helper);
  const way = visible && c.capture !== 'archive' ? 'overlay' : 'archive';
  return { image, harnessVolume, way, contentChecked: checkImage, probes: new Map() };
}

/** Prepares an image, or gives what an earlier call for it is preparing. */
export function prepareImage(
  c: RunContext,
  image: PresentImage,
  checkImage: boolean,
): Promise<PreparedImage> {
  const key = `${image.config} ${image.requested} ${checkImage}`;
  const known = c.preparedImages.get(key);
  if (known) return known;
  const made = build(c, image, checkImage);
  c.preparedImages.set(key, made);
  return made;
}
