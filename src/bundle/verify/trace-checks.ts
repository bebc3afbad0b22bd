/** What must be true of a trace and its joined frames: they state no more than trace, symbols and evidence inside prove. */
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf } from '../../base/digest.ts';
import { LIMITS } from '../../base/limits.ts';
import { itemAt, present } from '../../base/list.ts';
import { keysOf } from '../../base/table.ts';
import { Trust } from '../../evidence/trust/trust.ts';
import {
  type Build,
  countingProof,
  type JoinDocument,
  type JoinProof,
  joinedFrames,
} from '../../join/document.ts';
import { isApproximate, type JoinedFrame } from '../../join/gap.ts';
import { gatesOf } from '../../join/gates.ts';
import { reproductionGate } from '../../join/reproduction.ts';
import type { About } from '../../join/store/evidence.ts';
import { Prover } from '../../join/store/prove.ts';
import type { Policy } from '../../policy/policy.ts';
import { claimsOf, frameFacts, walkFacts } from '../../trace/model/frame-facts.ts';
import { canonicalTrace } from '../../trace/model/id.ts';
import type { WalkEnd } from '../../trace/model/trace.ts';
import type { GateResult, ReplayRecord } from '../../verdict/record.ts';
import { recordShape } from '../../verdict/record.ts';
import { parseDocument } from '../format/format.ts';
import { Refused } from '../format/refused.ts';
import type { Problems } from '../read/contents.ts';
import type { Opened } from '../read/open.ts';
import { reproductionLie } from './trace-reproduction.ts';
import { isOfFile, symbolLies } from './trace-symbols.ts';

/** What a bundle proves about its trace. */
export interface TraceVerification {
  trace_id: Digest;
  signal: string | null;
  frames: number;
  /** How the walk of the thread that crashed ended; null: unknown. */
  ended: WalkEnd | null;
  /** As stated inside, and verified again. */
  gates: GateResult[];
  reproduction: JoinDocument['reproduction'];
  /** The signers of the things that the frames are joined to. */
  signers: string[];
  policy: string;
  /** What nothing inside can prove. */
  stated: string[];
}

/** The time at which evidence is judged: that of the run that reproduced the trace. */
export function timeOf({ started_at }: Pick<ReplayRecord, 'started_at'>): number {
  const nowMs = Date.parse(started_at);
  if (Number.isNaN(nowMs) || new Date(nowMs).toISOString() !== started_at)
    throw new Refused('manifest_form', `the record began at ${started_at}, which is no time`);
  return nowMs;
}

/** All evidence of a document, judged under any policy at any time. */
async function proveAgain(
  { join, kept }: { join: JoinDocument; kept: Map<Digest, Buffer> },
  trust: Trust,
  nowMs: number,
): Promise<Pick<JoinDocument, 'symbols' | 'artifacts'>> {
  const prover = new Prover(trust, nowMs, (sha256) => kept.get(sha256));
  const again = async <T extends { evidence: JoinProof[] }>(about: About, things: T[]): Promise<T[]> => {
    const judged: T[] = [];
    for (const thing of things) {
      const evidence: JoinProof[] = [];
      for (const one of thing.evidence) evidence.push(await prover.prove(about, one));
      judged.push({ ...thing, evidence });
    }
    return judged;
  };
  return {
    symbols: await again('symbols', join.symbols),
    artifacts: await again('artifact', join.artifacts),
  };
}

/** The frames and gates of a trace as a reader's own policy judges them. */
export async function judgeTrace(
  { traced, kept }: Pick<Opened, 'traced' | 'kept'>,
  policy: Policy,
  nowMs: number,
): Promise<{ frames: JoinedFrame[]; gates: GateResult[] }> {
  const { join } = present(traced);
  const frames = joinedFrames({
    ...(await proveAgain({ join, kept }, new Trust(policy), nowMs)),
    frames: join.frames,
  });
  const gates = [...gatesOf(frames, join.ended, policy), reproductionGate(join.reproduction, policy.gates)];
  return { frames, gates };
}

/** The frames must be the trace's, in its order, the thread that crashed first. */
function frameLies({ traced }: Opened): string[] {
  const { trace, join } = present(traced);
  if (digestOf(canonicalTrace(trace)) !== join.trace_id)
    return [`the frames are of the trace ${join.trace_id}, and another one is inside`];
  if (trace.format !== join.format || trace.signal !== join.signal)
    return ['the frames are said to be of a trace of another form or signal'];
  const { crashed, ended } = join;
  if (canonicalJson({ crashed, ended }) !== canonicalJson(walkFacts(trace)))
    return ['the walk is said to have ended in another way than the trace says'];
  const claims = claimsOf(trace);
  const facts = frameFacts(trace).map((one, n) => ({ ...one, claimed: claims[n]! }));
  if (facts.length !== join.frames.length)
    return [`${join.frames.length} frames are joined, and the trace has ${facts.length}`];
  const at = join.frames.findIndex((frame, n) => {
    const {
      places: _p,
      degraded: _d,
      status: _s,
      symbols: _y,
      artifact: _a,
      candidates: _c,
      gap: _g,
      ...own
    } = frame;
    return canonicalJson(own) !== canonicalJson(facts[n]);
  });
  return at < 0 ? [] : [`frame ${at} is another than in the trace`];
}

function unproven(said: Build, proven: Build): boolean {
  return keysOf(said).some((key) => said[key] !== null && said[key] !== proven[key]);
}

/** Evidence about a thing must be about its bytes or about its stated container, and must have the stated result. */
function proofLie(sha256: Digest, about: Digest, said: JoinProof, proven: JoinProof): string | null {
  const { build, within, subject_sha256, ...rest } = said;
  const { build: provenBuild, within: _w, subject_sha256: _s, ...provenRest } = proven;
  if (subject_sha256 !== (within.at(-1)?.sha256 ?? about))
    return `the evidence about ${sha256} is about ${subject_sha256}, which it is not said to lie in`;
  if (canonicalJson(rest) !== canonicalJson(provenRest))
    return `the evidence ${said.dsse} about ${sha256} is said to be ${said.verified ? 'accepted' : said.code}, and verifying again says ${proven.verified ? `accepted, of ${proven.signers.join(', ')}` : proven.code}`;
  if (unproven(build, provenBuild))
    return `the provenance ${said.dsse} does not say of ${sha256} what the frames say`;
  return null;
}

/** Each thing must be there once and be named by a frame, and each proof of it must be true. */
function evidenceLies(
  { join }: { join: JoinDocument },
  again: Pick<JoinDocument, 'symbols' | 'artifacts'>,
): string[] {
  const named = new Set<string | null>(join.frames.flatMap(({ symbols, artifact }) => [symbols, artifact]));
  const seen = new Set<string>();
  const strange = [
    ...join.symbols.map((one) => `symbols ${one.sha256}`),
    ...join.artifacts.map((one) => `artifact ${one.sha256}`),
  ].filter((one) => {
    const fits = named.has(one.slice(one.indexOf(' ') + 1)) && !seen.has(one);
    seen.add(one);
    return !fits;
  });
  const missing = join.frames.find(
    ({ symbols, artifact }) =>
      (symbols !== null && !seen.has(`symbols ${symbols}`)) ||
      (artifact !== null && !seen.has(`artifact ${artifact}`)),
  );
  const lies = [
    ...join.symbols.map((one, n) =>
      one.evidence.map((said, i) =>
        said.within.length > 0
          ? `the symbols ${one.sha256} are joined by what they lie in`
          : proofLie(one.sha256, one.file_sha256, said, itemAt(itemAt(again.symbols, n).evidence, i)),
      ),
    ),
    ...join.artifacts.map((one, n) =>
      one.evidence.map((said, i) =>
        proofLie(one.sha256, one.sha256, said, itemAt(itemAt(again.artifacts, n).evidence, i)),
      ),
    ),
  ].flat();
  return [
    ...strange.slice(0, 1).map((one) => `${one} is there twice, or no frame names it`),
    ...(missing ? [`frame ${missing.index} is joined to something that is not there`] : []),
    ...lies.filter((lie) => lie !== null),
  ];
}

/** The facts of a frame must be consistent: names where it is resolved, and the file that was loaded. */
function resolvedLie({ frames }: JoinDocument): string[] {
  const wrong = frames.find(({ status, symbols, artifact, places, loaded_sha256, candidates }) => {
    const named = places.some((place) => place.function !== null || place.file !== null);
    return (
      ((status === 'resolved' || isApproximate(status)) && !named) ||
      (status !== 'resolved' && !isApproximate(status) && status !== 'no_symbol' && named) ||
      (status === null) !== (symbols === null) ||
      (artifact !== null && (loaded_sha256 === null ? candidates !== 1 : artifact !== loaded_sha256))
    );
  });
  return wrong ? [`frame ${wrong.index} has a name without symbols, or an artifact that was not loaded`] : [];
}

function gateLies(join: JoinDocument, again: JoinedFrame[], policy: Policy): string[] {
  const at = join.frames.findIndex(({ gap }, n) => gap !== itemAt(again, n).gap);
  const gates = gatesOf(again, join.ended, policy);
  return [
    ...(at < 0
      ? []
      : [
          `frame ${at} is said to be ${itemAt(join.frames, at).gap ?? 'joined'}, and is ${itemAt(again, at).gap ?? 'joined'}`,
        ]),
    ...(canonicalJson(gates) === canonicalJson(join.gates)
      ? []
      : ['its gates do not follow from its frames']),
  ];
}

/** Errors in the facts about earlier replays; their records are not decided again. */
function earlierLies({ kept, document, traced, subject }: Opened): string[] {
  const { trace, join } = present(traced);
  const withheld = new Set(
    (document.withheld ?? []).map(({ commitment }) => commitment.replace('hmac-', '')),
  );
  return join.earlier.flatMap(({ record_sha256, ...said }) => {
    const bytes = kept.get(record_sha256);
    const name = `the record ${record_sha256}`;
    if (!bytes)
      return withheld.has(record_sha256) ? [] : [`${name} of an earlier replay is not there, or too large`];
    const record = parseDocument<ReplayRecord>(bytes, recordShape, name, LIMITS.documentBytes);
    return reproductionLie(record, trace, said, subject !== undefined) ?? [];
  });
}

function statedOf({ frames, artifacts, reproduction }: JoinDocument, veiled: boolean): string[] {
  const inside = artifacts.some(({ evidence }) => (countingProof(evidence)?.within.length ?? 0) > 0);
  const unnamed = frames.some(
    (frame) => frame.artifact !== null && (frame.loaded_sha256 === null || isOfFile(frame)),
  );
  return [
    'that functions, files and lines are what the symbols say: unpack them and ask a symbolizer',
    ...(unnamed
      ? ['that shipped files have the ids of their images, and that there was no other with them']
      : []),
    ...(inside ? ['that shipped files lie in the packages or images that the evidence is about'] : []),
    ...(reproduction.verdict === 'match_fn'
      ? ['that the replay’s functions have the names of the trace’s']
      : []),
    ...(veiled ? ['that the replays crashed where they are said to: crash sites were withheld'] : []),
  ];
}

/** Checks all of it; `path` is the bundle's file, `policy` the one by which its frames were judged. */
export async function checkTrace(
  path: string,
  opened: Opened,
  policy: Policy,
  problems: Problems,
): Promise<TraceVerification> {
  const { trace, join } = present(opened.traced);
  const veiled = opened.subject !== undefined;
  for (const message of frameLies(opened)) problems.push({ code: 'trace_differs', message });
  const again = await proveAgain({ join, kept: opened.kept }, new Trust(policy), timeOf(opened.record));
  const frames = joinedFrames({ ...again, frames: join.frames });
  const lies = [
    ...symbolLies(path, opened),
    ...evidenceLies({ join }, again),
    ...resolvedLie(join),
    ...gateLies(join, frames, policy),
    ...[reproductionLie(opened.record, trace, join.reproduction, veiled) ?? []].flat(),
    ...earlierLies(opened),
  ];
  // A hostile bundle can have a million of them.
  for (const message of lies.slice(0, 20)) problems.push({ code: 'join_differs', message });
  const vouching = frames.flatMap(({ bundle, artifact }) => [bundle?.evidence, artifact?.evidence]);
  return {
    ...{ trace_id: join.trace_id, signal: join.signal, frames: join.frames.length, ended: join.ended },
    gates: [...join.gates, reproductionGate(join.reproduction, policy.gates)],
    reproduction: join.reproduction,
    signers: [...new Set(vouching.flatMap((one) => (one?.verified ? one.signers : [])))].sort(),
    policy: policy.name,
    stated: statedOf(join, veiled),
  };
}
