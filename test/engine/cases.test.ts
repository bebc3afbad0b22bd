/** Crashes of other people's programs, which are never shipped: REENACT_CASES/crashes has manifests, their inputs, and sandboxes. */
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ensureSandbox } from '../../setup/sandbox.ts';
import type { Manifest } from '../../src/manifest/definition.ts';
import { describeEngine, replay, tempFolder, world } from '../support/world.ts';

const CASES = process.env.REENACT_CASES ? join(process.env.REENACT_CASES, 'crashes') : '';

if (!CASES || !existsSync(CASES))
  describe.skip('real crashes (skipped: REENACT_CASES names no folder with crashes/)', () =>
    it('is skipped', () => undefined));
else
  describeEngine('real crashes', () => {
    /** A manifest names its image by a recipe, crashes/sandboxes/NAME/recipe.json, as those under sandboxes/ are written. */
    const manifests = readdirSync(CASES).filter((name) => name.endsWith('.json'));
    it.each(manifests)('%s is reproduced as it says', { timeout: 900_000 }, async (name) => {
      const folder = tempFolder();
      cpSync(CASES, folder, { recursive: true });
      const manifest = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Manifest;
      const image = await ensureSandbox(CASES, manifest.sandbox_image!, world.registry);
      const pinned = { sandbox_image: image.repository, sandbox_image_sha256: image.manifest };
      const record = await replay({ ...manifest, ...pinned }, { folder, jobs: 4 });
      expect(record).toMatchObject({ verdict: 'reproduced', replay_success_ratio: 1 });
    });
  });
