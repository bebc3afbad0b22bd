/** reenact reproduce: replays a stored trace in its pinned sandbox, and says whether the same crash came of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { canonicalJson } from '../base/canonical-json.ts';
import { systemClock } from '../base/clock.ts';
import type { Digest } from '../base/digest.ts';
import { EXIT, Fault } from '../base/fault.ts';
import { comparable, compareStacks, linkageNames, type Stack } from '../join/compare.ts';
import { gatesOf } from '../join/gates.ts';
import { obstacleOf, type Reproduction, reproductionGate, worstOf } from '../join/reproduction.ts';
import { addTraces } from '../join/store/ingest.ts';
import { findTrace, type TraceRow } from '../join/store/join.ts';
import { proposeManifest } from '../join/store/propose.ts';
import { keepReplayed, manifestOfTrace } from '../join/store/replays.ts';
import { imagesOfTraces, resolveImages } from '../join/store/resolve.ts';
import type { TraceStore } from '../join/store/store.ts';
import { connectEngine } from '../library/engine.ts';
import type { Manifest } from '../manifest/definition.ts';
import { type LoadedManifest, loadManifests } from '../manifest/load.ts';
import { loadPolicy, type Policy } from '../policy/policy.ts';
import { runManifests } from '../reenact.ts';
import { Progress } from '../report/progress.ts';
import { reproductionText } from '../report/reproduction.ts';
import { cacheFolder } from '../sandbox/endpoint.ts';
import { demangled } from '../symbolize/demangle.ts';
import { fromCrash } from '../trace/formats/replay.ts';
import { holdsOnly } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import { programCrashes } from '../verdict/same-crash.ts';
import { loadConfig } from './config.ts';
import { evidenceFolder } from './evidence.ts';
import { type Arguments, parseOptions } from './options.ts';
import { layOut } from './replay-case.ts';
import { abortOnSignals } from './signals.ts';
import { withStore } from './store.ts';
import { symbolizer } from './symbolizer.ts';
import { joinedTrace, namesOf } from './trace-store.ts';
import { withoutFrom } from './without.ts';

/** Names count where the policy accepts whoever vouches for the symbols. */
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
  const obstacle = obstacleOf(record);
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
    crashes.map((crash) => ({ trace: fromCrash(crash!), source })),
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
  a: Arguments,
  loaded: LoadedManifest,
  policy: Policy,
  out: string,
): Promise<ReplayRecord> {
  const replays = a.number('replays', 1, 100_000, loaded.manifest.replays ?? 3);
  const config = await loadConfig();
  const { signal, release } = abortOnSignals();
  const progress = new Progress('auto', replays, process.stderr, systemClock);
  try {
    const [record] = await runManifests(await connectEngine(), {
      manifests: [loaded],
      policy,
      out,
      imageCache: join(cacheFolder(process.env), 'images'),
      repositories: [...a.list('repository'), ...config.repositories],
      evidenceStores: [...a.list('evidence'), ...config.evidence, evidenceFolder()],
      determinism: { mode: 'full', without: withoutFrom(a) },
      jobs: a.number('jobs', 1, 256, 2),
      replays,
      signal,
      onEvent: (event) => progress.on(event),
    });
    return record!;
  } finally {
    progress.end();
    release();
  }
}

type Case = { manifest: Manifest; source: 'named' | 'stored' | 'proposed'; loaded: LoadedManifest };

/** The manifest that is named, else the one that was stored with the trace, else one made of the image its program was shipped in. */
async function caseOf(
  a: Arguments,
  store: TraceStore,
  trace: TraceRow,
  folder: string,
): Promise<Case | undefined> {
  const named = a.text('manifest');
  if (named !== undefined) {
    const [loaded, ...more] = await loadManifests([named]);
    if (more.length > 0) throw new Fault('usage', `--manifest names ${more.length + 1} manifests`);
    return { manifest: loaded!.manifest, source: 'named', loaded: loaded! };
  }
  const stored = await manifestOfTrace(store.database, trace.trace_id);
  const manifest = stored ?? (await proposeManifest(store.database, trace));
  if (!manifest) return undefined;
  const loaded = layOut(manifest, trace.trace_id.slice(7, 19), folder, store.blobs);
  return { manifest, source: stored ? 'stored' : 'proposed', loaded };
}

const EXITS = {
  match: EXIT.ok,
  match_fn: EXIT.ok,
  match_as_far_as_known: EXIT.ok,
  diverged: EXIT.failed,
  no_crash: EXIT.failed,
  unreplayable: EXIT.inconclusive,
};

export async function reproduceCommand(args: string[]): Promise<number> {
  const a = parseOptions('reproduce', args);
  const [given, ...more] = a.positionals;
  if (given === undefined || more.length > 0) throw new Fault('usage', 'name one trace, by its id');
  const policy = await loadPolicy(a.text('policy') ?? 'default');
  const folder = mkdtempSync(join(tmpdir(), 'reenact-case-'));
  try {
    return await withStore(a, async (store) => {
      const trace = await findTrace(store.database, given);
      const found = await caseOf(a, store, trace, join(folder, 'case'));
      const record = found && (await replay(a, found.loaded, policy, store.blobs.folder));
      const kept = record && (await store.blobs.put(canonicalJson(record), true));
      const reproduction: Reproduction =
        record && kept
          ? await compareWith(store, trace, record, kept, policy)
          : incomparable(
              'unreplayable',
              'no replay manifest is stored with this trace, and none can be made: name one with --manifest',
            );
      if (found && record && kept)
        await keepReplayed(store.database, trace.trace_id, {
          manifest: found.manifest,
          imageConfig: record.image?.config ?? null,
          record: kept,
          signal: record.replays[0]?.signal ?? null,
          core: record.replays[0]?.crash?.core?.sha256 ?? null,
          verdict: reproduction.verdict,
          diff: { at: reproduction.at, known: reproduction.known, reason: reproduction.reason },
        });
      const gates = [
        ...(record?.gates ?? []),
        reproductionGate(reproduction, policy.gates),
        ...gatesOf(await joinedTrace(store, trace.trace_id, policy), trace.ended, policy),
      ];
      const shown = reproduction.pairs.flatMap(({ original, replayed }) =>
        [original ?? [], replayed ?? []].flat(),
      );
      const holds_only = holdsOnly(record?.environment ?? null);
      const view = {
        trace,
        manifest: found?.source ?? null,
        record: kept ?? null,
        holds_only,
        reproduction,
        gates,
      };
      process.stdout.write(
        a.flag('json')
          ? `${JSON.stringify({ reproduction_version: 1, ...view }, null, 2)}\n`
          : reproductionText({ ...view, names: await namesOf(shown) }),
      );
      const status = record?.verdict === 'rejected' ? EXIT.rejected : EXITS[reproduction.verdict];
      return status === EXIT.ok && gates.some(({ pass }) => !pass) ? EXIT.failed : status;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
