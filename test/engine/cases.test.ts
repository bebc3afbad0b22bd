import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/base/digest.ts';
import { describeEngine, manifest, replay, tempFolder, world } from '../support/world.ts';

const CASES = process.env.REENACT_CASES ? join(process.env.REENACT_CASES, 'yasm') : '';

if (!CASES || !existsSync(CASES))
  describe.skip('real crash inputs (skipped: REENACT_CASES names no folder with yasm/)', () =>
    it('is skipped', () => undefined));
else
  describeEngine('real crash inputs', () => {
    it.each(readdirSync(CASES))('%s is reproduced with SIGSEGV', async (name) => {
      const folder = tempFolder();
      copyFileSync(join(CASES, name), join(folder, name));
      const record = await replay(
        manifest(`yasm -o /dev/null /case/${name}`, {
          sandbox_image: world.yasm.repository,
          sandbox_image_sha256: world.yasm.manifest,
          inputs: [{ path: name, source: name, sha256: digestOf(readFileSync(join(folder, name))) }],
          expect: { signal: 'SIGSEGV' },
          replays: 4,
        }),
        { folder, jobs: 4 },
      );
      expect(record).toMatchObject({ verdict: 'reproduced', replay_success_ratio: 1 });
      expect(record.replays.every((r) => r.signal === 'SIGSEGV')).toBe(true);
    });
  });
