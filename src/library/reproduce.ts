/** Replays a stored trace in its pinned sandbox, and says whether the same crash came of it. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical-json.ts';
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { present } from '../base/list.ts';
import { temporaryFolder } from '../base/temporary.ts';
import { comparable, compareStacks, linkageNames, type Stack } from '../join/compare.ts';
import { gatesOf } from '../join/gates.ts';
import { type Reproduction, reproductionGate, reproductionObstacle, worstOf } from '../join/reproduction.ts';
import { addTraces } from '../join/store/ingest.ts';
import { findTrace, type TraceRow } from '../join/store/join.ts';
import { proposeManifest } from '../join/store/propose.ts';
import { keepReplayed, manifestOfTrace } from '../join/store/replays.ts';
import { imagesOfTraces, resolveImages } from '../join/store/resolve.ts';
import type { TraceStore } from '../join/store/store.ts';
import type { Manifest } from '../manifest/definition.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import type { Policy } from '../policy/policy.ts';
import { demangled } from '../symbolize/demangle.ts';
import { fromCrash } from '../trace/formats/replay.ts';
import { holdsOnly } from '../verdict/machine.ts';
import type { GateResult, ReplayRecord } from '../verdict/record.ts';
import { programCrashes } from '../verdict/same-crash.ts';
import { joinedTrace } from './joined.ts';
import { loadAll, type ManifestSource } from './manifests.ts';
import { layOut } from './replay-case.ts';
import { type ReplayOptions, run } from './run.ts';
import type { PolicyInput, Session } from './session.ts';
import { withStore } from './store.ts';
import { symbolizer } from './symbolizer.ts';

/** Enough to see whether a crash is the same each time. */
const DEFAULT_REPLAYS = 3;

/** How a trace is reproduced; every field may be left out. */
export interface ReproduceOptions
  extends Pick<ReplayOptions, 'without' | 'jobs' | 'repositories' | 'evidenceStores'> {
  /** Default: the manifest that was stored with the trace, else one of the image its program was shipped in. */
  manifest?: ManifestSource | undefined;
  /** Default: `default`. */
  policy?: PolicyInput | undefined;
  /** Default: as many as the manifest says, else 3. */
  replays?: number | undefined;
}

/** What came of it. */
export interface Reproduced {
  trace: TraceRow;
  /** Where the manifest is from; null: there was none. */
  manifest: ReproductionCase['source'] | null;
  /** The digest of the replay record, which is kept in the store. */
  record: Digest | null;
  /** What the replay holds on or for alone; empty: everywhere. */
  holds_only: string[];
  reproduction: Reproduction;
  /** Those of the policy, of replays and joins; all must pass. */
  gates: GateResult[];
  replayed: ReplayRecord | null;
}

/** Names count where the policy accepts the signer of the symbols. */
async function stackOf(store: TraceStore, trace: TraceRow, policy: Policy): Promise<Stack> {
  const frames = await joinedTrace(store, trace.trace_id, policy);
  return { frames: comparable(frames), ended: trace.ended };
}

/** What replays say that cannot be compared. */
function incomparable(verdict: 'unreplayable' | 'no_crash', reason: string): Reproduction {
  return { verdict, at: null, known: 0, reason, pairs: [] };
}

/** Each different crash is a trace of its own, named by the same symbols. */
async function compareWith(
  store: TraceStore,
  trace: TraceRow,
  record: ReplayRecord,
  source: Digest,
  policy: Policy,
): Promise<Reproduction> {
  const obstacle = reproductionObstacle(record);
  if (obstacle !== null) return incomparable('unreplayable', obstacle);
  const crashes = programCrashes(record.replays);
  const ended = record.replays.find((_replay, i) => !crashes[i]);
  if (ended) {
    const how =
      ended.ended === 'signal' ? `signal ${ended.signal}, no crash site` : `exit ${ended.exit_code}`;
    return incomparable('no_crash', `replay ${ended.index} ended with ${how}`);
  }
  if (!trace.crashed) return incomparable('unreplayable', 'no thread of this trace crashed');
  const added = await addTraces(
    store,
    crashes.map((crash) => ({ trace: fromCrash(present(crash)), source })),
  );
  const ids = [...new Set(added.map(({ trace_id }) => trace_id))];
  await resolveImages(store, symbolizer(), await imagesOfTraces(store.database, ids));
  const original = await stackOf(store, trace, policy);
  const comparisons = [];
  for (const id of ids) {
    const replayed = await stackOf(store, await findTrace(store.database, id), policy);
    const names = await demangled(linkageNames([...original.frames, ...replayed.frames]));
    comparisons.push(compareStacks(original, replayed, names));
  }
  return worstOf(comparisons);
}

async function replay(
  session: Session,
  loaded: LoadedManifest,
  policy: Policy,
  o: ReproduceOptions,
): Promise<ReplayRecord> {
  const { repositories, evidenceStores, jobs = 2 } = o;
  const [record] = await run(session, loaded, {
    ...(repositories ? { repositories } : {}),
    ...(evidenceStores ? { evidenceStores } : {}),
    policy,
    determinism: 'full',
    without: o.without,
    jobs,
    replays: o.replays ?? loaded.manifest.replays ?? DEFAULT_REPLAYS,
  });
  return present(record);
}

/** The manifest of a reproduction, and where it is from. */
export type ReproductionCase = {
  manifest: Manifest;
  source: 'named' | 'stored' | 'proposed';
  loaded: LoadedManifest;
};

/** The manifest that is named, else the one that was stored with the trace, else one made of the image its program was shipped in. */
async function caseOf(
  session: Session,
  named: ManifestSource | undefined,
  store: TraceStore,
  trace: TraceRow,
  folder: string,
): Promise<ReproductionCase | undefined> {
  if (named !== undefined) {
    const [loaded, ...more] = await loadAll(session, named);
    if (more.length > 0)
      throw new Fault(
        'usage',
        `what replays a trace (--manifest) is one manifest, and ${more.length + 1} were named`,
      );
    return { manifest: present(loaded).manifest, source: 'named', loaded: loaded! };
  }
  const stored = await manifestOfTrace(store.database, trace.trace_id);
  const manifest = stored ?? (await proposeManifest(store.database, trace));
  if (!manifest) return undefined;
  const loaded = layOut(manifest, trace.trace_id.slice(7, 19), folder, store.blobs);
  return { manifest, source: stored ? 'stored' : 'proposed', loaded };
}

/** Keeps what came of a replay with its trace. */
async function keep(
  store: TraceStore,
  trace: TraceRow,
  { manifest }: ReproductionCase,
  record: ReplayRecord,
  kept: Digest,
  { verdict, at, known, reason }: Reproduction,
): Promise<void> {
  await keepReplayed(store.database, trace.trace_id, {
    manifest,
    imageConfig: record.image?.config ?? null,
    record: kept,
    signal: record.replays[0]?.signal ?? null,
    core: record.replays[0]?.crash?.core?.sha256 ?? null,
    verdict,
    diff: { at, known, reason },
  });
}

/** Replays the trace of this id, or of the beginning of one, in the session's store; all is kept there with it. */
export async function reproduce(
  session: Session,
  traceId: string,
  o: ReproduceOptions = {},
): Promise<Reproduced> {
  const policy = await session.judge(o.policy);
  const folder = temporaryFolder('case');
  try {
    return await withStore(session, async (store) => {
      const trace = await findTrace(store.database, traceId);
      const found = await caseOf(session, o.manifest, store, trace, join(folder, 'case'));
      const record = found && (await replay(session, found.loaded, policy, o));
      const kept = record && (await store.blobs.put(canonicalJson(record), true));
      const reproduction: Reproduction =
        record && kept
          ? await compareWith(store, trace, record, kept, policy)
          : incomparable(
              'unreplayable',
              'no replay manifest is stored with this trace, and none can be made: name one with --manifest',
            );
      if (found && record && kept) await keep(store, trace, found, record, kept, reproduction);
      const gates = [
        ...(record?.gates ?? []),
        reproductionGate(reproduction, policy.gates),
        ...gatesOf(await joinedTrace(store, trace.trace_id, policy), trace.ended, policy),
      ];
      return {
        trace,
        manifest: found?.source ?? null,
        record: kept ?? null,
        holds_only: holdsOnly(record?.environment ?? null),
        reproduction,
        gates,
        replayed: record ?? null,
      };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
