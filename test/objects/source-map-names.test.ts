/** Source maps that are found by their names: marked, never proof, and only where the trace knows no id and one map alone has the name. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { readTrace } from '../../src/trace/read.ts';
import { joinedWith } from '../support/real-symbols.ts';
import { mapOf } from '../support/source-map.ts';
import { tempFolder } from '../support/world.ts';

const UUID = '3249d99d-0c40-4931-8610-f4e4fb0b6936';

/** Source maps in folders of their own, each called like this. */
function mapsNamed(names: string[], more = {}): string[] {
  return names.map((name, n) => {
    const path = join(tempFolder(), name);
    writeFileSync(path, JSON.stringify(mapOf([[[0, 0, n, 0]]], more)));
    return path;
  });
}

it.each([
  ['of that name', '/srv/dist/app.js', ['app.js.map'], 'approximate_by_name: null a.ts:1'],
  ['of an address', 'https://x/s/app.js?v=a/b#c', ['app.js.map'], 'approximate_by_name: null a.ts:1'],
  ['on Windows', 'C:\\dist\\app.js', ['app.js.map'], 'approximate_by_name: null a.ts:1'],
  ['of another name', '/srv/dist/app.js', ['my-app.js.map', 'app.map'], 'no_image_id: '],
  ['of two builds', '/srv/dist/app.js', ['app.js.map', 'app.js.map'], 'no_image_id: '],
])('a script without an id and a source map %s', async (_name, script, maps, expected) => {
  const trace = readTrace(Buffer.from(`TypeError: x\n    at fn (${script}:1:5)\n`), 'stack');
  const [frame] = await joinedWith(trace, { symbols: mapsNamed(maps) });
  expect(`${frame!.gap}: ${frame!.shown}`).toBe(expected);
});

it('a script that has an id takes no map by its name', async () => {
  const image = { type: 'sourcemap', code_file: 'https://x/app.js', debug_id: UUID };
  const frames = [{ abs_path: 'https://x/app.js', lineno: 1, colno: 5 }];
  const event = {
    exception: { values: [{ type: 'TypeError', stacktrace: { frames } }] },
    debug_meta: { images: [image] },
  };
  const trace = readTrace(Buffer.from(JSON.stringify(event)), 'event');
  const gapWith = async (more: object): Promise<string | null> =>
    (await joinedWith(trace, { symbols: mapsNamed(['app.js.map'], more) }))[0]!.gap;
  expect(await gapWith({})).toBe('bundle_missing');
  expect(await gapWith({ debugId: UUID })).toBe('artifact_unlinked');
});
