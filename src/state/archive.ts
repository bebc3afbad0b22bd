/** Reads a container's changes through the engine's archive API, for engines whose storage the runner cannot see. */

import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import { itemAt, present } from '../base/list.ts';
import { asideOf } from '../base/temporary.ts';
import type { Engine } from '../sandbox/engine.ts';
import { asLinkTo, type OnFile, readTree, type Tree, type TreeEntry } from '../sandbox/tree.ts';
import type { BlobStore } from '../store/blobs.ts';
import { type Changes, type PathChange, pathField, type RawPath, utf8 } from './final-state.ts';
import { StateTooLarge } from './overlay.ts';

/** tar-stream decodes names as UTF-8; a name that was not cannot be told apart afterwards. */
const GARBLED = '\ufffd';

function rawOf(name: string): RawPath {
  return Buffer.from(name, 'utf8').toString('latin1');
}

/** Keeps each file's content while it streams by: a file is renamed to its digest once that is known. */
function keeping(store: BlobStore, image: Tree | undefined): OnFile {
  let total = 0;
  return (path, entry) => {
    // The same size in the image: most likely unchanged, and fetched from the archive once more if not.
    const before = image?.get(path);
    if (image && before?.type === 'file' && before.sizeBytes === entry.sizeBytes) return undefined;
    if (!image) return undefined;
    total += entry.sizeBytes;
    if (total > LIMITS.stateBytes)
      throw new StateTooLarge(`${total} bytes were written, over the limit of ${LIMITS.stateBytes}`);
    const aside = asideOf(join(store.folder, 'blobs', 'archive'));
    const opened = mkdir(dirname(aside), { recursive: true }).then(() => open(aside, 'wx'));
    return {
      write: async (bytes) => (await opened).writeFile(bytes),
      end: async (sha256) => {
        await (await opened).close();
        if (store.has(sha256)) return rm(aside);
        await mkdir(dirname(store.path(sha256)), { recursive: true });
        await rename(aside, store.path(sha256));
      },
    };
  };
}

/** The idle container's whole tree: the content of any container of this image before a program touches it. */
export function readBaselineTree(engine: Engine, idle: string): Promise<Tree> {
  return engine.exportFiles(idle).then((stream) => readTree(stream));
}

/** The archive's order decides which name is the hard link; the canonical form wants the first name in byte order. */
function linkGroups(tree: Tree): Map<string, string> {
  const members = new Map<string, string[]>();
  for (const [path, entry] of tree)
    if (entry.link !== undefined) {
      const group = members.get(entry.link) ?? [entry.link];
      group.push(path);
      members.set(entry.link, group);
    }
  const firstOf = new Map<string, string>();
  for (const group of members.values()) {
    const sorted = group.map((name) => ({ name, raw: rawOf(name) })).sort((a, b) => (a.raw < b.raw ? -1 : 1));
    for (const { name } of sorted) firstOf.set(name, itemAt(sorted, 0).name);
  }
  return firstOf;
}

function content(tree: Tree, entry: TreeEntry): TreeEntry {
  const owner = entry.link === undefined ? undefined : tree.get(entry.link);
  return owner ? asLinkTo(owner, entry) : entry;
}

function describe(name: string, entry: TreeEntry, change: 'added' | 'changed'): PathChange {
  const result: PathChange = { ...pathField(rawOf(name)), change, type: entry.type };
  result.mode = entry.mode.toString(8).padStart(4, '0');
  result.uid = entry.uid;
  result.gid = entry.gid;
  if (entry.type === 'file') {
    result.size = entry.sizeBytes;
    if (entry.sha256) result.sha256 = entry.sha256;
  }
  if (entry.target !== undefined) result.target = entry.target;
  if (entry.device !== undefined) result.device = entry.device;
  if (entry.capability !== undefined) result.xattrs = { 'security.capability': entry.capability };
  return result;
}

function same(a: TreeEntry, b: TreeEntry): boolean {
  return (
    ['type', 'mode', 'uid', 'gid', 'sizeBytes', 'sha256', 'target', 'device', 'capability'] as const
  ).every((key) => a[key] === b[key]);
}

/** A path whose parent is gone or no folder any more is gone with it: overlayfs names only the topmost. */
function isTopmostDeletion(path: string, now: Tree): boolean {
  const slash = path.lastIndexOf('/');
  return slash < 0 || now.get(path.slice(0, slash))?.type === 'dir';
}

/** The differences of the two trees. */
export function diffTrees(before: Tree, now: Tree, wanted: (raw: RawPath) => boolean): Changes {
  const changes: Changes = new Map();
  const links = linkGroups(now);
  for (const [path, entry] of now) {
    if (path.includes(GARBLED) || entry.target?.includes(GARBLED))
      throw new Fault(
        'capture_incomplete',
        'the program made a name that is not UTF-8, which the archive API cannot show',
      );
    const raw = rawOf(path);
    if (!wanted(raw)) continue;
    const old = before.get(path);
    const full = content(now, entry);
    if (old && same(content(before, old), full)) continue;
    const change = describe(path, full, old ? 'changed' : 'added');
    changes.set(raw, change);
  }
  for (const path of before.keys()) {
    const raw = rawOf(path);
    if (!now.has(path) && wanted(raw) && isTopmostDeletion(path, now))
      changes.set(raw, { ...pathField(raw), change: 'deleted' });
  }
  nameLinks(changes, links);
  return changes;
}

/** Only names that are themselves in the state can be linked to: others are the image's. */
function nameLinks(changes: Changes, links: Map<string, string>): void {
  const firstHere = new Map<string, RawPath>();
  for (const raw of [...changes.keys()].sort()) {
    const change = present(changes.get(raw));
    const group = change.change === 'deleted' ? undefined : links.get(utf8(raw) ?? '');
    if (group === undefined) continue;
    const first = firstHere.get(group);
    if (first === undefined) firstHere.set(group, raw);
    else change.hard_link_of = present(present(changes.get(first)).path);
  }
}

/** Everything the program changed, by comparing the container's export with the idle container's tree. */
export async function readArchive(
  engine: Engine,
  id: string,
  image: Tree,
  store: BlobStore,
  wanted: (raw: RawPath) => boolean,
): Promise<Changes> {
  const now = await readTree(await engine.exportFiles(id), keeping(store, image));
  const changes = diffTrees(image, now, wanted);
  if (changes.size > LIMITS.statePaths)
    throw new StateTooLarge(`more than ${LIMITS.statePaths} paths changed`);
  await keepMissing(engine, id, changes, store);
  return changes;
}

/** Contents that the first pass did not keep because their size had not changed. */
async function keepMissing(engine: Engine, id: string, changes: Changes, store: BlobStore): Promise<void> {
  const missing = new Set<string>();
  for (const change of changes.values())
    if (change.sha256 && !store.has(change.sha256)) missing.add(present(change.path).slice(1));
  if (missing.size === 0) return;
  const everything = keeping(store, new Map());
  await readTree(await engine.exportFiles(id), (path, entry) =>
    missing.has(path) ? everything(path, entry) : undefined,
  );
}
