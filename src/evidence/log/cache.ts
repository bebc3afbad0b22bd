/** Logs on disk: checkpoints by size and tiles by C2SP path, in one folder a log; read here, written by fetch. */
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../base/thrown.ts';
import { ABSENT, readEvidenceBytes } from '../common/read.ts';
import { Refusal } from '../common/refusal.ts';
import type { LogReference } from '../documents/reference.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { type ReadTile, readEntry, TileTree } from './tiles.ts';
import type { TlogProof } from './tlog-proof.ts';

/** The folder of one log in an evidence store; an origin of dots must not lead out of it. */
export function logFolder(store: string, origin: string): string {
  return join(store, logName(origin));
}

function logName(origin: string): string {
  const name = encodeURIComponent(origin);
  return join('logs', /^\.+$/.test(name) ? name.replaceAll('.', '%2E') : name);
}

/** The path with every link in it followed; undefined where there is nothing. */
async function placeOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (ABSENT.includes(errnoOf(error))) return undefined;
    throw error;
  }
}

/** Reads files below a folder; a stranger who filled it might have put links there, of files or folders, that lead out of it. */
function folderReader(folder: string): ReadTile {
  return async (path) => {
    const [root, place] = [await placeOf(folder), await placeOf(join(folder, path))];
    if (root === undefined || place === undefined) return undefined;
    if (place !== join(root, path))
      throw new Refusal('log_proof', `${path} in ${folder} is reached through a link`);
    return readEvidenceBytes(place);
  };
}

async function checkpointOf(read: ReadTile, size: number): Promise<string | undefined> {
  for (const name of [join('checkpoints', String(size)), 'checkpoint']) {
    const text = (await read(name))?.toString('utf8');
    if (text !== undefined && parseCheckpoint(text).size === size) return text;
  }
  return undefined;
}

async function proofIn(
  read: ReadTile,
  checkpoint: string,
  { index, size }: LogReference,
): Promise<TlogProof> {
  const { hashes } = await new TileTree(size, read).inclusion(index);
  return { extra: (await readEntry(read, index, size)) ?? null, index, hashes, checkpoint };
}

/** The proof of a reference from a log's own folder, which the user named. */
export async function readFolderProof(folder: string, reference: LogReference): Promise<TlogProof> {
  const read = folderReader(folder);
  const checkpoint = await checkpointOf(read, reference.size);
  if (checkpoint === undefined)
    throw new Refusal(
      'log_reference',
      `${folder} has no checkpoint of size ${reference.size}, which is named`,
    );
  return proofIn(read, checkpoint, reference);
}

/** The proof of a reference from an evidence store; undefined when that tree was never fetched. */
export async function readCachedProof(
  store: string,
  reference: LogReference,
): Promise<TlogProof | undefined> {
  const inStore = folderReader(store);
  const read: ReadTile = (path) => inStore(join(logName(reference.origin), path));
  const checkpoint = await checkpointOf(read, reference.size);
  return checkpoint === undefined ? undefined : proofIn(read, checkpoint, reference);
}

/** The largest checkpoint kept of a log: files are only ever added, so no race can set the log back. */
export async function lastCheckpoint(folder: string): Promise<(Checkpoint & { text: string }) | undefined> {
  let names: string[];
  try {
    names = await readdir(join(folder, 'checkpoints'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const sizes = names.filter((name) => /^\d{1,16}$/.test(name)).map(Number);
  if (sizes.length === 0) return undefined;
  const path = join(folder, 'checkpoints', String(sizes.reduce((a, b) => Math.max(a, b))));
  const text = (await readEvidenceBytes(path))?.toString('utf8') ?? '';
  return { text, ...parseCheckpoint(text) };
}
