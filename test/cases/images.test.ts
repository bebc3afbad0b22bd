/** Images as builders and people really make them: what each layer says, and what an engine makes of it. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';

import { pushImage } from '../../setup/image.ts';
import { digestOf } from '../../src/base/digest.ts';
import { applyLayer, checkContent } from '../../src/sandbox/content-check.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { ensureImage, type PresentImage } from '../../src/sandbox/image.ts';
import { Registries } from '../../src/sandbox/registry.ts';
import { readTar, type Tree } from '../../src/sandbox/tree.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { type Entry, layerOf } from '../support/fixture-image.ts';
import {
  describeEngine,
  engine,
  idleContainer,
  manifest,
  replay,
  tempFolder,
  world,
} from '../support/world.ts';

const file = (name: string, content: string, mode = 0o644): Entry => ({ name, content, mode });
const dir = (name: string, mode = 0o755): Entry => ({ name, type: 'directory', mode });
const link = (name: string, linkname: string, mode = 0o644): Entry => ({
  name,
  type: 'link',
  linkname,
  mode,
});
const symlink = (name: string, linkname: string): Entry => ({
  name,
  type: 'symlink',
  linkname,
  mode: 0o777,
});
const gone = (name: string): Entry => file(name, '');
/** File capabilities of one set. */
const capable = (entry: Entry, set: string): Entry => ({
  ...entry,
  pax: { 'SCHILY.xattr.security.capability': `\u0001\0\0\u0002\0${set}${'\0'.repeat(14)}` },
});

const BASE: Entry[] = [dir('x'), dir('y')];
const OLD = [file('x/a', 'old')];
const LINKED = [...OLD, link('x/b', 'x/a')];

/** Layers, and what is in x and y then: name, mode, content; `~` for a mode that engines choose. */
const LAYERS: [string, Entry[][], string][] = [
  ['a link whose other name is overwritten', [OLD, LINKED, [file('x/a', 'new')]], 'x/a 644 new, x/b 644 old'],
  [
    'the same with the names the other way',
    [[file('x/z', 'old'), link('x/a', 'x/z')], [file('x/z', 'new')]],
    'x/a 644 old, x/z 644 new',
  ],
  ['another mode of one name', [LINKED, [file('x/a', 'old', 0o600)]], 'x/a 600 old, x/b 644 old'],
  ['the link itself overwritten', [LINKED, [file('x/b', 'new')]], 'x/a 644 old, x/b 644 new'],
  ['the other name deleted', [LINKED, [gone('x/.wh.a')]], 'x/b 644 old'],
  [
    'the other name below a folder made opaque',
    [
      [...OLD, link('y/b', 'x/a')],
      [dir('x'), gone('x/.wh..wh..opq'), file('x/c', 'c')],
    ],
    'x/c 644 c, y/b 644 old',
  ],
  [
    'the other name in a folder deleted and made again',
    [
      [...OLD, link('y/b', 'x/a')],
      [gone('.wh.x'), dir('x'), file('x/a', 'new')],
    ],
    'x/a 644 new, y/b 644 old',
  ],
  [
    'a link to a link, the first overwritten',
    [[...LINKED, link('x/c', 'x/b')], [file('x/a', 'new')]],
    'x/a 644 new, x/b 644 old, x/c 644 old',
  ],
  [
    'a link to a link, the one between overwritten',
    [[...LINKED, link('x/c', 'x/b')], [file('x/b', 'new')]],
    'x/a 644 old, x/b 644 new, x/c 644 old',
  ],
  [
    'the other name becomes a folder',
    [LINKED, [dir('x/a'), file('x/a/in', 'in')]],
    'x/a 755, x/a/in 644 in, x/b 644 old',
  ],
  ['the other name becomes a symbolic link', [LINKED, [symlink('x/a', 'b')]], 'x/a 777 > b, x/b 644 old'],
  [
    'a link to a symbolic link',
    [[symlink('x/a', 'b'), link('x/s', 'x/a', 0o777)]],
    'x/a 777 > b, x/s 777 > b',
  ],
  [
    'a link to a symbolic link that is replaced',
    [[symlink('x/a', 'b'), link('x/s', 'x/a', 0o777)], OLD],
    'x/a 644 old, x/s 777 > b',
  ],
  [
    'a link to a FIFO that is replaced',
    [[{ name: 'x/a', type: 'fifo', mode: 0o644 }, link('x/f', 'x/a')], OLD],
    'x/a 644 old, x/f 644 fifo',
  ],
  [
    'a link whose header has another mode, which both names get',
    [[...OLD, link('x/b', 'x/a', 0o755)]],
    'x/a 755 old, x/b 755 old',
  ],
  [
    'a link whose header has another owner',
    [[...OLD, { ...link('x/b', 'x/a'), uid: 7 }]],
    'x/a 644 7 old, x/b 644 7 old',
  ],
  [
    'set-uid of one name taken away above',
    [[file('x/a', 'old', 0o4755), link('x/b', 'x/a', 0o4755)], [file('x/a', 'old', 0o755)]],
    'x/a 755 old, x/b 4755 old',
  ],
  [
    'capabilities on the file, none in the link’s header: its owner takes them away',
    [[capable(file('x/a', 'old', 0o755), ' '), link('x/b', 'x/a', 0o755)]],
    'x/a 755 old, x/b 755 old',
  ],
  [
    'capabilities in both headers, one name overwritten',
    [
      [capable(file('x/a', 'old', 0o755), ' '), capable(link('x/b', 'x/a', 0o755), '@')],
      [file('x/a', 'new')],
    ],
    'x/a 644 new, x/b 755 old 0100000200400000000000000000000000000000',
  ],
  [
    'a new link to a name that is there anew',
    [LINKED, [...OLD, link('x/c', 'x/a')], [file('x/c', 'new')]],
    'x/a 644 old, x/b 644 old, x/c 644 new',
  ],
  [
    'a name that becomes a link to a new file',
    [LINKED, [file('x/c', 'new'), link('x/a', 'x/c')]],
    'x/a 644 new, x/b 644 old, x/c 644 new',
  ],
  [
    'an absolute name in the link',
    [[...OLD, link('x/b', '/x/a')], [file('x/a', 'new')]],
    'x/a 644 new, x/b 644 old',
  ],
  [
    'names that begin with a dot',
    [[file('./x/a', 'old'), link('./x/b', './x/a')], [file('./x/a', 'new')]],
    'x/a 644 new, x/b 644 old',
  ],
  ['one layer twice', [LINKED, [file('x/a', 'new')], LINKED], 'x/a 644 old, x/b 644 old'],
  ['deleted, and there again in one layer', [OLD, [gone('x/.wh.a'), file('x/a', 'new')]], 'x/a 644 new'],
  [
    'folders that no header names',
    [[file('x/deep/er/a', 'old')]],
    'x/deep ~755, x/deep/er ~755, x/deep/er/a 644 old',
  ],
  [
    'a folder of another mode that a layer above does not name',
    [[dir('x/f', 0o700)], [file('x/f/a', 'old')]],
    'x/f ~700, x/f/a 644 old',
  ],
  [
    'the same where it only deletes',
    [[dir('x/f', 0o700), file('x/f/a', 'old')], [gone('x/f/.wh.a')]],
    'x/f ~700',
  ],
];

function shown(tree: Tree): string {
  const contents = new Map(['old', 'new', 'c', 'in', ''].map((text) => [digestOf(text), text]));
  return [...tree]
    .filter(([path]) => /^[xy]\//.test(path))
    .map(([path, e]) => {
      const rest = [
        e.uid || '',
        e.sha256 && contents.get(e.sha256),
        e.target && `> ${e.target}`,
        e.capability,
      ];
      const words = [e.type === 'fifo' ? 'fifo' : '', ...rest].filter((word) => word);
      return [path, `${e.implied ? '~' : ''}${e.mode.toString(8)}`, ...words].join(' ');
    })
    .sort()
    .join(', ');
}

describe('layers one above the other', () => {
  it.each(LAYERS)('%s', async (_name, layers, wanted) => {
    const tree: Tree = new Map();
    for (const entries of [BASE, ...layers]) {
      const list: Parameters<typeof applyLayer>[1] = [];
      await readTar(Readable.from([await layerOf(entries)]), (path, entry) => void list.push([path, entry]));
      applyLayer(tree, list);
    }
    expect(shown(tree)).toBe(wanted);
  });
});

describeEngine('an image that the engine has as its layers say', () => {
  /** The engine’s copy of an image of these layers. */
  async function pulled(docker: Engine, layers: Entry[][]): Promise<PresentImage> {
    const image = await pushImage(
      world.registry,
      'reenact-images',
      await Promise.all(layers.map(layerOf)),
      {},
    );
    const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
    const store = new BlobStore(tempFolder());
    const sources = {
      engine: docker,
      store,
      repositories: [image.repository],
      registries: new Registries(),
      platform,
    };
    return ensureImage(image.manifest, sources, new AbortController().signal);
  }

  it.each(LAYERS)('%s', async (_name, layers) => {
    const docker = await engine();
    const image = await pulled(docker, [BASE, ...layers]);
    const id = await idleContainer(docker, image.id);
    try {
      await checkContent(docker, image, id);
    } finally {
      await docker.remove(id);
      await docker.removeImage(image.id);
    }
  });
});

describeEngine('a file under two names of which one was overwritten', () => {
  it('is found changed in the engine’s storage, and only then', async () => {
    const program = { name: 'bin/program', content: readFileSync('/bin/busybox') };
    const layers = [
      [dir('bin'), program, dir('x'), ...LINKED, file('mark', `${Math.random()}`)],
      [file('x/a', 'new')],
    ];
    const image = await pushImage(
      world.registry,
      'reenact-images',
      await Promise.all(layers.map(layerOf)),
      {},
    );
    const content = manifest('/bin/program cat /x/a /x/b', {
      sandbox_image: image.repository,
      sandbox_image_sha256: image.manifest,
    });
    expect(await replay(content, { policyName: 'forensic' })).toMatchObject({
      verdict: 'reproduced',
      image: { image_check: 'content' },
    });
    const docker = await engine();
    const id = await idleContainer(docker, image.config);
    const place = join((await docker.inspect(id)).overlay!.lower.at(-1)!, 'x/b');
    await docker.remove(id);
    appendFileSync(place, ' and more');
    try {
      expect(await replay(content, { policyName: 'forensic' })).toMatchObject({
        verdict: 'inconclusive',
        reason: 'image_mismatch',
      });
    } finally {
      writeFileSync(place, 'old');
    }
  });
});
