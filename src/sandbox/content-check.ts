/** image_check "content": proves that the engine would run exactly the content that the pinned configuration names. */
import { Readable } from 'node:stream';
import tar from 'tar-stream';

import { type Digest, digestOf, startDigest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import type { Engine } from './engine.ts';
import type { PresentImage } from './image.ts';
import { asLinkTo, readTar, readTree, type Tree, type TreeEntry } from './tree.ts';

interface Layer {
  diffId: Digest;
  entries: [string, TreeEntry][];
}

/** A layer's tar is hashed whole while its entries are read from the same bytes. */
async function readLayer(part: Readable): Promise<Layer> {
  const digest = startDigest();
  const entries: [string, TreeEntry][] = [];
  part.on('data', (bytes: Uint8Array) => digest.update(bytes));
  await readTar(part, (path, entry) => void entries.push([path, entry]));
  return { diffId: digest.end(), entries };
}

/** Small files of the archive may be documents or layers: only their digest tells which. */
const SMALL_BYTES = 4 << 20;

async function readAll(part: Readable): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const bytes of part) pieces.push(bytes as Uint8Array);
  return Buffer.concat(pieces);
}

function removeBelow(tree: Tree, folder: string): void {
  for (const path of tree.keys()) if (path.startsWith(`${folder}/`)) tree.delete(path);
}

/** The attributes that engines give a folder that no header names. */
const IMPLIED: TreeEntry = { type: 'dir', mode: 0o755, uid: 0, gid: 0, sizeBytes: 0, implied: true };

/** Folders that a layer needs and does not name: overlay2 makes them anew, even over one of a lower layer. */
function implyParents(tree: Tree, path: string, named: ReadonlySet<string>): void {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const parent = path.slice(0, slash);
    if (named.has(parent)) continue;
    const there = tree.get(parent);
    tree.set(parent, there?.type === 'dir' ? { ...there, implied: true } : IMPLIED);
  }
}

/** Gives `path` its entry. Names of one inode share one object, so replacing one of them later leaves the others as they are. */
function place(tree: Tree, path: string, entry: TreeEntry): void {
  const target = entry.link === undefined ? undefined : tree.get(entry.link);
  if (target) tree.set(path, Object.assign(target, asLinkTo(target, entry)));
  // A copy, since an image may have the same layer twice.
  else tree.set(path, { ...entry });
}

/** Applies one layer to the tree by the OCI rules: .wh.NAME deletes, .wh..wh..opq empties its folder first. */
export function applyLayer(tree: Tree, entries: [string, TreeEntry][]): void {
  const named = new Set(entries.map(([path]) => path));
  for (const [path] of entries) {
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    if (name === '.wh..wh..opq') removeBelow(tree, path.slice(0, Math.max(0, slash)));
    else if (name.startsWith('.wh.')) {
      const gone = path.slice(0, slash + 1) + name.slice('.wh.'.length);
      tree.delete(gone);
      removeBelow(tree, gone);
    }
  }
  for (const [path, entry] of entries) {
    implyParents(tree, path, named);
    if (path.slice(path.lastIndexOf('/') + 1).startsWith('.wh.')) continue;
    if (entry.type !== 'dir' && tree.get(path)?.type === 'dir') removeBelow(tree, path);
    place(tree, path, entry);
  }
}

/** Reads `docker save` output, old or new layout: what a file is follows from its digest, never from its name. */
async function savedTree(stream: Readable, image: PresentImage): Promise<Tree> {
  const layers = new Map<Digest, Layer['entries']>();
  const documents = new Set<Digest>();
  const extract = tar.extract();
  stream.on('error', (error) => extract.destroy(error));
  stream.pipe(extract);
  for await (const part of extract) {
    if (part.header.type !== 'file') {
      part.resume();
      continue;
    }
    if ((part.header.size ?? 0) > SMALL_BYTES) {
      const layer = await readLayer(part as unknown as Readable);
      layers.set(layer.diffId, layer.entries);
      continue;
    }
    const bytes = await readAll(part as unknown as Readable);
    const digest = digestOf(bytes);
    if (image.diffIds.includes(digest)) layers.set(digest, (await readLayer(Readable.from([bytes]))).entries);
    else documents.add(digest);
  }
  if (!documents.has(image.config))
    throw new Fault(
      'image_mismatch',
      `the engine's copy of the image has another configuration than ${image.config}`,
    );
  const tree: Tree = new Map();
  for (const diffId of image.diffIds) {
    const entries = layers.get(diffId);
    if (!entries)
      throw new Fault(
        'image_mismatch',
        `no layer in the engine hashes to ${diffId}: its storage was changed`,
      );
    applyLayer(tree, entries);
  }
  return tree;
}

/** The mode of a symbolic link means nothing on Linux, and archives disagree on it. */
function keyOf(e: TreeEntry): string {
  const mode = e.type === 'symlink' || e.mode;
  return JSON.stringify([
    e.type,
    mode,
    e.uid,
    e.gid,
    e.sizeBytes,
    e.sha256,
    e.target,
    e.device,
    e.capability,
  ]);
}

function same(expected: TreeEntry, shown: TreeEntry): boolean {
  const key = keyOf(shown);
  return keyOf(expected) === key || (expected.implied === true && keyOf(IMPLIED) === key);
}

/** What an engine itself puts into every container. */
const ENGINE_PATHS =
  /^(?:\.dockerenv|dev|proc|sys|etc|harness|case|work|etc\/(?:hostname|hosts|resolv\.conf|mtab)|(?:dev|proc|sys)\/.*|run\/\.containerenv)$/;

/** Engines notice a changed file while they give a layer back, and refuse or cut the archive off. */
async function layersOf(engine: Engine, image: PresentImage): Promise<Tree> {
  try {
    return await savedTree(await engine.saveImage(image.id), image);
  } catch (error) {
    if (error instanceof Fault && error.code !== 'engine_failed') throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new Fault(
      'image_mismatch',
      `the engine cannot give the image’s layers back as they were: ${detail}`,
      error,
    );
  }
}

/** `idle` is a container of the image that never ran; throws a Fault naming the first path that differs. */
export async function checkContent(engine: Engine, image: PresentImage, idle: string): Promise<void> {
  const saved = await layersOf(engine, image);
  const shown = await readTree(await engine.exportFiles(idle));
  for (const [path, entry] of shown) {
    if (ENGINE_PATHS.test(path)) continue;
    const expected = saved.get(path);
    if (!expected)
      throw new Fault('image_mismatch', `the engine's storage has /${path}, which no layer of the image has`);
    const target = entry.link === undefined ? undefined : shown.get(entry.link);
    if (!same(expected, target ? asLinkTo(target, entry) : entry))
      throw new Fault(
        'image_mismatch',
        `/${path} in the engine's storage is not what the image's layers say`,
      );
  }
  for (const path of saved.keys())
    if (!shown.has(path) && !ENGINE_PATHS.test(path))
      throw new Fault('image_mismatch', `the engine's storage lacks /${path} of the image`);
}
