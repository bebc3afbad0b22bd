/** Stack traces: read, kept in the store, and joined there to symbols, artifacts and their provenance. */

import { realpath } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';
import { itemAt } from '../base/list.ts';
import type { JoinedFrame } from '../join/gap.ts';
import { type Gap, gapsOf } from '../join/gaps.ts';
import { gatesOf } from '../join/gates.ts';
import { addTraces, type Incoming, type Ingested } from '../join/store/ingest.ts';
import { findTrace, type TraceRow } from '../join/store/join.ts';
import { nearMisses } from '../join/store/near.ts';
import { linkManifest } from '../join/store/replays.ts';
import { imagesOfTraces, resolveImages } from '../join/store/resolve.ts';
import type { TraceStore } from '../join/store/store.ts';
import { unwindFilesOf } from '../join/store/unwind-files.ts';
import type { Manifest } from '../manifest/definition.ts';
import type { Policy } from '../policy/policy.ts';
import type { TraceImage } from '../trace/model/trace.ts';
import { readTraceFile } from '../trace/read-file.ts';
import type { GateResult } from '../verdict/record.ts';
import type { AddedTrace } from './events.ts';
import { joinedTrace } from './joined.ts';
import { keepManifest, recordedManifest } from './replay-case.ts';
import type { PolicyInput, Session } from './session.ts';
import { signersPolicy } from './signers.ts';
import { withStore } from './store.ts';
import { symbolizer } from './symbolizer.ts';
import { type ReadTraceOptions, sourcesOf } from './trace-read.ts';

/** How traces are kept. */
export interface AddTraceOptions extends ReadTraceOptions {
  /** The replay manifest that reproduces the trace; of a record that was made in this store, its own. One trace only. */
  manifest?: string | undefined;
}

/** Kept in one transaction. */
const BATCH = { traces: 200, frames: 200_000 };

type Named = Incoming & { path: string; manifest: Manifest | undefined };

async function addBatch(store: TraceStore, batch: Named[]): Promise<Ingested[]> {
  const added = await addTraces(store, batch);
  for (const [n, { trace_id }] of added.entries()) {
    const { manifest } = itemAt(batch, n);
    if (manifest) await linkManifest(store.database, trace_id, manifest);
  }
  const images = await imagesOfTraces(
    store.database,
    added.map(({ trace_id }) => trace_id),
  );
  await resolveImages(store, symbolizer(), images);
  return added;
}

/** Adds trace files to the session's store; `tell` hears of each batch as soon as it is kept. */
export async function addTrace(
  session: Session,
  given: string | readonly string[],
  o: AddTraceOptions = {},
): Promise<AddedTrace[]> {
  const paths = typeof given === 'string' ? [given] : given;
  if (paths.length === 0) throw new Fault('usage', 'name at least one trace');
  if (o.manifest !== undefined && paths.length > 1)
    throw new Fault('usage', 'reenact trace add --manifest names what replays one trace: name one');
  return await withStore(session, async (store) => {
    const all: AddedTrace[] = [];
    let batch: Named[] = [];
    const named = o.manifest === undefined ? undefined : await keepManifest(o.manifest, store.blobs);
    let frames = 0;
    const flush = async (): Promise<void> => {
      if (batch.length === 0) return;
      for (const [n, { trace_id, added, frames: count }] of (await addBatch(store, batch)).entries()) {
        const kept = { path: itemAt(batch, n).path, trace_id, added, frames: count };
        all.push(kept);
        session.tell({ type: 'trace', trace: kept });
      }
      [batch, frames] = [[], 0];
    };
    for (const path of paths) {
      // What was read before one that is refused is kept all the same.
      const unwind = (images: TraceImage[]): Promise<string[]> => unwindFilesOf(store, images);
      const trace = await readTraceFile(path, unwind, sourcesOf(o)).catch(async (error: unknown) => {
        await flush();
        throw error;
      });
      const { sha256 } = await store.blobs.putFile(await realpath(path));
      const manifest =
        named ?? (trace.format === 'replay' ? await recordedManifest(store.blobs, sha256) : undefined);
      batch.push({ trace, source: sha256, path, manifest });
      frames += trace.threads.reduce((sum, thread) => sum + thread.frames.length, 0);
      if (batch.length >= BATCH.traces || frames >= BATCH.frames) await flush();
    }
    await flush();
    return all;
  });
}

/** Whose word counts for joins; every field may be left out. */
export interface JoinOptions {
  /** All evidence is checked again under it. Default: evidence counts as it was accepted when it was added. */
  policy?: PolicyInput | undefined;
}

/** A stored trace with all it is joined to, and the gates of that. */
export interface Audit {
  trace: TraceRow;
  frames: JoinedFrame[];
  gates: GateResult[];
  /** All gates pass. */
  pass: boolean;
}

/** What keeps frames from being joined. */
export interface TraceGaps {
  trace: TraceRow;
  /** The worst first; empty: none. */
  gaps: Gap[];
  /** Frames of the trace. */
  frames: number;
}

interface Joined {
  store: TraceStore;
  trace: TraceRow;
  policy: Policy | undefined;
  frames: JoinedFrame[];
}

async function withTrace<T>(
  session: Session,
  traceId: string,
  o: JoinOptions,
  work: (joined: Joined) => T | Promise<T>,
): Promise<T> {
  const policy =
    o.policy === undefined ? await session.policy(undefined) : await signersPolicy(session, o.policy);
  const look = async (store: TraceStore): Promise<T> => {
    const trace = await findTrace(store.database, traceId);
    const frames = await joinedTrace(store, trace.trace_id, policy);
    return await work({ store, trace, policy, frames });
  };
  return await withStore(session, look, 'read');
}

/** Joins a stored trace, by its id or the beginning of one, and judges the gates. */
export function audit(session: Session, traceId: string, o: JoinOptions = {}): Promise<Audit> {
  return withTrace(session, traceId, o, ({ trace, policy, frames }) => {
    const gates = gatesOf(frames, trace.ended, policy);
    return { trace, frames, gates, pass: gates.every(({ pass }) => pass) };
  });
}

/** Says for each frame or image that is not joined what was expected, what is there, and what helps. */
export function gaps(session: Session, traceId: string, o: JoinOptions = {}): Promise<TraceGaps> {
  return withTrace(session, traceId, o, async ({ store, trace, frames }) => ({
    trace,
    gaps: gapsOf(frames, await nearMisses(store.database, frames), trace.ended),
    frames: frames.length,
  }));
}
