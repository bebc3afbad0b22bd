/** Manifests among other files: what lies beside them is passed over by its content, and never what could be one. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { loadManifests } from '../../src/manifest/load.ts';
import { envelope, makeKey, statement } from '../support/keys.ts';
import { PLAIN } from '../support/refused.ts';
import { tempFolder } from '../support/world.ts';

const GOOD = JSON.stringify(PLAIN);
const OTHERS: [string, string, string][] = [
  ['an envelope', JSON.stringify(envelope([makeKey()], statement())), 'evidence'],
  ['a Sigstore bundle', '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}', 'evidence'],
  ['a record', '{"record_version":1,"sandbox_image_sha256":"x"}', 'a record'],
  ['a list', '[1]', 'no JSON object'],
  ['anything else', '{"name":"package"}', 'JSON of another kind'],
];

function folderWith(other: string): string {
  const folder = tempFolder();
  writeFileSync(join(folder, 'a.json'), GOOD);
  writeFileSync(join(folder, 'b.json'), other);
  return folder;
}

it.each(OTHERS)('%s in a folder is passed over, and said', async (_, text, kind) => {
  const folder = folderWith(text);
  for (const arg of [folder, join(folder, '*.json')]) {
    const told: string[] = [];
    const loaded = await loadManifests([arg], (line) => told.push(line));
    expect(loaded.map(({ path }) => path)).toEqual([join(folder, 'a.json')]);
    expect(told).toEqual([`${join(folder, 'b.json')}: passed over, it is ${kind}`]);
  }
});

it.each(OTHERS)('%s that is named itself is refused', async (_, text) => {
  const folder = folderWith(text);
  await expect(loadManifests([folder, join(folder, 'b.json')])).rejects.toMatchObject({
    code: 'manifest_invalid',
  });
});

it.each([
  ['cut off', GOOD.slice(0, -5)],
  ['with a wrong field', GOOD.replace('"seed"', '"sed"')],
  ['without its image', JSON.stringify({ run_instructions: 'true', seed: 1 })],
])('a manifest %s is never passed over', async (_, text) => {
  await expect(loadManifests([folderWith(text)])).rejects.toMatchObject({ code: 'manifest_invalid' });
});

it('nothing but other files is no run', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'x'));
  writeFileSync(join(folder, 'x', 'r.json'), '{"record_version":1}');
  await expect(loadManifests([join(folder, 'x')])).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('no manifest'),
  });
});
