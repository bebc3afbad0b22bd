/** reenact trace add, audit, gaps: traces in the store, joined to symbols, artifacts and their provenance. */
import { realpath } from 'node:fs/promises';
import { EXIT, Fault } from '../../../base/fault.ts';
import type { JoinedFrame } from '../../../join/gap.ts';
import { gapsOf } from '../../../join/gaps.ts';
import { gatesOf } from '../../../join/gates.ts';
import { addTraces, type Incoming, type Ingested } from '../../../join/store/ingest.ts';
import { findTrace, type TraceRow } from '../../../join/store/join.ts';
import { nearMisses } from '../../../join/store/near.ts';
import { linkManifest } from '../../../join/store/replays.ts';
import { imagesOfTraces, resolveImages } from '../../../join/store/resolve.ts';
import type { TraceStore } from '../../../join/store/store.ts';
import { unwindFilesOf } from '../../../join/store/unwind-files.ts';
import { functionNames, joinedTrace } from '../../../library/joined.ts';
import { keepManifest, recordedManifest } from '../../../library/replay-case.ts';
import { symbolizer } from '../../../library/symbolizer.ts';
import type { Manifest } from '../../../manifest/definition.ts';
import type { Policy } from '../../../policy/policy.ts';
import { safeLine } from '../../../report/human.ts';
import { auditText, gapsText } from '../../../report/joined.ts';
import type { TraceImage } from '../../../trace/model/trace.ts';
import { readTraceFile } from '../../../trace/read-file.ts';
import type { Arguments } from '../../arguments.ts';
import { trustOf } from '../../shared/evidence-files.ts';
import { onePositional } from '../../shared/positionals.ts';
import { programsOf } from '../../shared/programs.ts';
import { withStore } from '../../shared/store.ts';

/** Kept in one transaction. */
const BATCH = { traces: 200, frames: 200_000 };

type Named = Incoming & { path: string; manifest: Manifest | undefined };

async function addBatch(store: TraceStore, batch: Named[]): Promise<Ingested[]> {
  const added = await addTraces(store, batch);
  for (const [n, { trace_id }] of added.entries()) {
    const { manifest } = batch[n]!;
    if (manifest) await linkManifest(store.database, trace_id, manifest);
  }
  const images = await imagesOfTraces(
    store.database,
    added.map(({ trace_id }) => trace_id),
  );
  await resolveImages(store, symbolizer(), images);
  return added;
}

/** The manifest that replays the trace, as --manifest names it. */
async function namedManifest(a: Arguments, store: TraceStore): Promise<Manifest | undefined> {
  const path = a.text('manifest');
  if (path === undefined) return undefined;
  if (a.positionals.length > 1)
    throw new Fault('usage', 'reenact trace add --manifest names what replays one trace: name one');
  return await keepManifest(path, store.blobs);
}

export async function traceAdd(a: Arguments): Promise<number> {
  if (a.positionals.length === 0) throw new Fault('usage', 'name at least one trace');
  return await withStore(a, async (store) => {
    let batch: Named[] = [];
    const named = await namedManifest(a, store);
    let frames = 0;
    const flush = async (): Promise<void> => {
      const added = await addBatch(store, batch);
      for (const [n, { trace_id, added: fresh, frames: count }] of added.entries())
        process.stdout.write(
          a.flag('json')
            ? `${JSON.stringify({ path: batch[n]!.path, trace_id, added: fresh, frames: count })}\n`
            : `${trace_id}  ${safeLine(batch[n]!.path)}: ${count} ${count === 1 ? 'frame' : 'frames'}${fresh ? '' : ', known already'}\n`,
        );
      [batch, frames] = [[], 0];
    };
    for (const path of a.positionals) {
      // What was read before one that is refused is kept all the same.
      const unwind = (images: TraceImage[]): Promise<string[]> => unwindFilesOf(store, images);
      const trace = await readTraceFile(path, unwind, programsOf(a)).catch(async (error: unknown) => {
        if (batch.length > 0) await flush();
        throw error;
      });
      const { sha256 } = await store.blobs.putFile(await realpath(path));
      const manifest =
        named ?? (trace.format === 'replay' ? await recordedManifest(store.blobs, sha256) : undefined);
      batch.push({ trace, source: sha256, path, manifest });
      frames += trace.threads.reduce((sum, thread) => sum + thread.frames.length, 0);
      if (batch.length >= BATCH.traces || frames >= BATCH.frames) await flush();
    }
    if (batch.length > 0) await flush();
    return EXIT.ok;
  });
}

/** The store, a trace in it that was named, and its joined frames, for commands that only read. */
interface Joined {
  store: TraceStore;
  trace: TraceRow;
  policy: Policy | undefined;
  frames: JoinedFrame[];
}

async function withTrace(a: Arguments, work: (joined: Joined) => Promise<number>): Promise<number> {
  const given = onePositional(a, 'trace, by its id');
  const policy = a.text('policy') === undefined ? undefined : (await trustOf(a)).policy;
  const look = async (store: TraceStore): Promise<number> => {
    const trace = await findTrace(store.database, given);
    const frames = await joinedTrace(store, trace.trace_id, policy);
    return await work({ store, trace, policy, frames });
  };
  return await withStore(a, look, 'read');
}

export async function traceAudit(a: Arguments): Promise<number> {
  return await withTrace(a, async ({ trace, policy, frames }) => {
    const gates = gatesOf(frames, trace.ended, policy);
    process.stdout.write(
      a.flag('json')
        ? `${JSON.stringify({ audit_version: 1, trace, frames, gates }, null, 2)}\n`
        : auditText({ trace, frames, gates, names: await functionNames(frames) }),
    );
    return gates.every(({ pass }) => pass) ? EXIT.ok : EXIT.failed;
  });
}

export async function traceGaps(a: Arguments): Promise<number> {
  return await withTrace(a, async ({ store, trace, frames }) => {
    const gaps = gapsOf(frames, await nearMisses(store.database, frames), trace.ended);
    process.stdout.write(
      a.flag('json')
        ? `${JSON.stringify({ gaps_version: 1, trace, gaps }, null, 2)}\n`
        : gapsText(trace, gaps, frames.length),
    );
    return gaps.length === 0 ? EXIT.ok : EXIT.failed;
  });
}
