/** The only part of evidence that uses the network: proofs of a tiled log, verified before any of it is kept. */

import { join } from 'node:path';
import { type Clock, sleep } from '../../base/clock.ts';
import { digestOf, hexOf } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { writeWhole } from '../../base/files.ts';
import { ask, readBounded, secureUrl, serverPatience } from '../../base/http.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { itemAt } from '../../base/list.ts';
import { type Patience, Unanswered, type Waiting } from '../../base/patience.ts';
import { messageOf } from '../../base/thrown.ts';
import { Refusal } from '../common/refusal.ts';
import type { LogReference } from '../documents/reference.ts';
import { lastCheckpoint, logFolder } from '../log/cache.ts';
import type { Checkpoint, VerifiedCheckpoint } from '../log/checkpoint.ts';
import { verifyConsistency, verifyInclusion } from '../log/merkle.ts';
import { readBoundBundle, TileTree } from '../log/tiles.ts';
import type { TrustedLog } from '../trust/trust.ts';
import { checkpointBy } from './log-entry.ts';

const TRIES = 3;
/** More silences of one request than that would keep a person for minutes. */
const MOST_SILENCES = 2;
const REQUEST_MS = 30_000;
const MAX_REQUESTS = 512;
/** 256 hashes. */
const TILE_BYTES = 256 * 32;
/** 256 entries of at most 65,535 bytes and their lengths. */
const BUNDLE_BYTES = 256 * (65_535 + 2);

export interface FetchRequest extends Waiting {
  /** Where the log serves its checkpoint and tiles. */
  url: string;
  /** The entry: an index in the log as it is now, or a reference that must agree with it. */
  index: number;
  origin?: string;
  logs: TrustedLog[];
  /** The evidence store. */
  store: string;
  clock: Clock;
}

/** https, or http to this very machine: proofs are verified in any case, but the question need not be visible on the network. */
export function parseLogUrl(text: string): URL {
  return secureUrl(text, 'a log');
}

/** GETs below one address: bounded in size, time, number and tries; a redirect is an error. */
class LogClient {
  private readonly base: URL;
  private readonly patience: Patience;
  private readonly signal: AbortSignal | undefined;
  private requests = 0;

  constructor(base: URL, waiting: Waiting) {
    this.base = base;
    this.patience = serverPatience('the log', base.href, base, waiting);
    this.signal = waiting.signal;
  }

  async get(path: string, maxBytes: number): Promise<Buffer | undefined> {
    const url = new URL(path, this.base);
    const limits = { quietMs: this.patience.limits.tryQuietMs, totalMs: REQUEST_MS };
    let silences = 0;
    for (let attempt = 1; ; attempt++) {
      if (++this.requests > MAX_REQUESTS)
        throw new Fault(
          'log_unreachable',
          `${this.base.href} needs over ${MAX_REQUESTS} requests for one proof`,
        );
      try {
        const response = await ask(url, { redirect: 'error', ...limits }, this.patience);
        if (response.status === 404) return undefined;
        if (response.ok) {
          const body = await readBounded(response, maxBytes);
          if (!body) throw new Refusal('evidence_too_large', `${url.href} sends over ${maxBytes} bytes`);
          return body;
        }
        if (response.status < 500)
          throw new Fault('log_unreachable', `${url.href} answers ${response.status}`);
        throw new Error(`it answers ${response.status}`);
      } catch (error) {
        if (error instanceof Fault || error instanceof Refusal) throw error;
        if (this.signal?.aborted) throw new Fault('interrupted', 'interrupted');
        const cause =
          error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
        if (error instanceof Unanswered) silences++;
        if (attempt >= TRIES || silences >= MOST_SILENCES)
          throw new Fault(
            'log_unreachable',
            `${url.href} cannot be read: ${messageOf(error)}${cause}`,
            error,
          );
        await sleep(200 * 4 ** (attempt - 1), this.signal).catch(() => undefined);
      }
    }
  }
}

/** A log's checkpoint as it is sent; bytes that are not UTF-8 would be kept as other bytes than those signed. */
async function getCheckpoint(client: LogClient, url: string): Promise<string> {
  const bytes = await client.get('checkpoint', EVIDENCE_LIMITS.checkpointBytes);
  if (!bytes) throw new Fault('log_unreachable', `${url} serves no checkpoint`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal('log_checkpoint', `the checkpoint of ${url} is not valid UTF-8`);
  }
}

/** Keeps both histories and all tiles that were seen: together they prove that the log has forked. */
async function keepSplitView(
  folder: string,
  texts: string[],
  tiles: Map<string, Buffer>,
  clock: Clock,
): Promise<string> {
  const name = `${new Date(clock.now()).toISOString().replaceAll(':', '')}-${hexOf(digestOf(itemAt(texts, 1))).slice(0, 16)}`;
  const place = join(folder, 'split-view', name);
  await writeWhole(join(place, 'checkpoint-kept'), itemAt(texts, 0));
  await writeWhole(join(place, 'checkpoint-shown'), itemAt(texts, 1));
  for (const [path, bytes] of tiles) await writeWhole(join(place, path), bytes);
  return place;
}

/** Refuses a tree that is older than the one kept, or cannot be proven to continue it. */
async function checkProgress(kept: Checkpoint, shown: VerifiedCheckpoint, tree: TileTree): Promise<void> {
  if (shown.size < kept.size)
    throw new Refusal(
      'log_stale',
      `${shown.origin} shows ${shown.size} entries, and had ${kept.size} before`,
    );
  try {
    const proof = await tree.consistency(kept.size);
    verifyConsistency({ size1: kept.size, size2: shown.size, root1: kept.root, root2: shown.root, proof });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(
      'log_split_view',
      `${shown.origin} shows a tree of ${shown.size} entries that is not proven to continue the one of ${kept.size} seen before (${error.message})`,
      error,
    );
  }
}

/** The recorded checkpoint of a log, as text and parsed. */
type Kept = NonNullable<Awaited<ReturnType<typeof lastCheckpoint>>>;

/** Fetches, verifies and keeps the proof of one entry; returns the reference that names it. */
export async function fetchProof(o: FetchRequest): Promise<LogReference> {
  const client = new LogClient(parseLogUrl(o.url), o);
  const text = await getCheckpoint(client, o.url);
  const { checkpoint } = checkpointBy(o.logs, text);
  const { origin, size, root } = checkpoint;
  if (o.origin !== undefined && o.origin !== origin)
    throw new Refusal('log_reference', `${o.url} is ${origin}, and the reference names ${o.origin}`);
  const folder = logFolder(o.store, origin);
  const tiles = new Map<string, Buffer>();
  const read = async (path: string): Promise<Buffer | undefined> => {
    const maxBytes = path.startsWith('tile/entries/') ? BUNDLE_BYTES : TILE_BYTES;
    const tile = tiles.get(path) ?? (await client.get(path, maxBytes));
    if (tile) tiles.set(path, tile);
    return tile;
  };
  const tree = new TileTree(size, read);
  const compareWith = async (kept: Kept): Promise<void> => {
    try {
      if (kept.size > 0) await checkProgress(kept, checkpoint, tree);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const place = await keepSplitView(folder, [kept.text, text], tiles, o.clock);
      throw new Refusal(error.code, `${error.message}; both are kept in ${place}`, error);
    }
  };
  const kept = await lastCheckpoint(folder);
  if (kept) await compareWith(kept);
  const { leaf, hashes } = await tree.inclusion(o.index);
  verifyInclusion({ index: o.index, size, leaf, proof: hashes, root });
  const bundle = await readBoundBundle(read, o.index, tree);
  const bound = await tree.bound(root);
  if (bundle) bound.set(bundle.path, bundle.bytes);
  // A run at the same time may have been shown another history, and may have recorded it.
  const since = await lastCheckpoint(folder);
  if (since && since.text !== kept?.text && since.size <= size) await compareWith(since);
  // Tiles first: a checkpoint is kept only once all that it needs is there.
  for (const [path, tile] of bound) await writeWhole(join(folder, path), tile);
  await writeWhole(join(folder, 'checkpoints', String(size)), text);
  await writeWhole(join(folder, 'checkpoint'), text);
  return { origin, index: o.index, size, root };
}
