/** A trace as it is joined: each frame in its place, what it is joined to or why it is not, and the gates. */

import { present } from '../base/list.ts';
import type { JoinArtifact, JoinBundle, JoinEvidence, JoinedFrame } from '../join/gap.ts';
import type { Gap } from '../join/gaps.ts';
import type { TraceRow } from '../join/store/join.ts';
import type { SourcePlace } from '../objects/common/source-place.ts';
import type { WalkFacts } from '../trace/model/frame-facts.ts';
import type { GateResult } from '../verdict/record.ts';
import { safeLine } from './human.ts';

export interface AuditView {
  trace: TraceRow;
  frames: JoinedFrame[];
  gates: GateResult[];
  names: Names;
}

function line(indent: number, text: string): string {
  return `${' '.repeat(indent)}${safeLine(text)}\n`;
}

function counted(frames: number): string {
  return `${frames} ${frames === 1 ? 'frame' : 'frames'}`;
}

/** Paths are shortened to what tells them apart; the JSON has them whole. */
function shortPath(path: string): string {
  return path.split(/[\\/]/).slice(-2).join('/');
}

/** Names as people wrote them, by the linker's. */
export type Names = ReadonlyMap<string, string>;

function placeText({ function: name, file, line: at }: SourcePlace, names: Names): string {
  const where = file === null ? '' : ` (${shortPath(file)}${at === null ? '' : `:${at}`})`;
  return `${(name && names.get(name)) ?? name ?? '?'}${where}`;
}

/** Innermost first: each call that was inlined, then the function that the code lies in. */
function nameLines({ places, ip, index }: JoinedFrame, names: Names): string {
  const head = `#${String(index).padEnd(3)} `;
  const [first, ...outer] = places.map((place) => placeText(place, names));
  return line(2, head + (first ?? ip ?? '?')) + outer.map((text) => line(9, `inlined in ${text}`)).join('');
}

function frameText(frame: JoinedFrame, letters: Map<string, string>, names: Names): string {
  const { image_path: path, rel_addr: at, trust, gap, artifact } = frame;
  const place = path === null ? 'in no module' : `${path || 'an image without a name'}+${at}`;
  const joined = gap === null ? `joined: ${letters.get(present(artifact).sha256)}` : `not joined: ${gap}`;
  const notes = [trust, ...(frame.degraded ? ['without inlined calls'] : [])].join(', ');
  return nameLines(frame, names) + line(7, `${place} [${notes}]`) + line(7, joined);
}

function evidenceText(label: string, evidence: JoinEvidence | null): string {
  if (evidence === null) return line(6, `${label}: no evidence`);
  const { dsse, verified, error, signers, signed_at, tile_ref } = evidence;
  if (!verified) return line(6, `${label}: ${dsse}`) + line(8, `refused: ${error}`);
  return (
    line(6, `${label}: ${dsse}`) +
    line(8, `signed by ${signers.join(', ')}`) +
    line(8, `at ${signed_at ?? 'a time that is not proven'}`) +
    line(8, `log entry ${tile_ref ?? 'none'}`)
  );
}

function artifactText(letter: string, artifact: JoinArtifact, bundles: JoinBundle[]): string {
  const { artifact_id, sha256, builder, builder_commit, compiler, compiler_flags, compiler_from } = artifact;
  const row = (label: string, text: string | null): string =>
    text === null ? '' : line(6, `${label} ${text}`);
  return (
    line(2, `${letter}  ${artifact_id}`) +
    line(6, sha256) +
    row('commit', builder_commit) +
    row('builder', builder) +
    row('compiler', compiler && `${compiler}${compiler_from === null ? '' : ` (says ${compiler_from})`}`) +
    row('flags', compiler_flags) +
    evidenceText('provenance', artifact.evidence) +
    bundles
      .map(
        (one) =>
          line(6, `symbols ${one.name} ${one.sha256}`) + evidenceText('their attestation', one.evidence),
      )
      .join('')
  );
}

/** A gate in a line, with what was asked and what there is. */
export function gateText({ name, threshold, value, pass }: GateResult): string {
  const shown = typeof value === 'number' ? `${(100 * value).toFixed(1)} %` : String(value);
  const asked = typeof threshold === 'number' ? `at least ${100 * threshold} %` : String(threshold);
  return line(2, `${pass ? 'pass' : 'FAIL'}  ${name}: ${shown} (asked: ${asked})`);
}

/** A stack that was cut looks like a short one. */
function endText({ ended }: WalkFacts): string {
  if (!ended || ended.outermost) return '';
  const missing = ended.missing === null ? 'an unknown number of frames is' : `${counted(ended.missing)} are`;
  return line(2, `cut by ${ended.by} (${ended.reason}) ${ended.detail ?? ''}: ${missing} missing`);
}

function headText(trace: TraceRow): string {
  const { trace_id, format, signal, code, fault_address: at, frame_count } = trace;
  const what =
    signal === null ? '' : `, ${signal}${code === null ? '' : ` (code ${code})`}${at ? ` at ${at}` : ''}`;
  return (
    line(0, trace_id) +
    line(2, `${format}${what}, ${counted(frame_count)}${trace.crashed ? '' : ', no thread crashed'}`) +
    endText(trace)
  );
}

/** All frames, then the builds they are joined to, then the gates. */
export function auditText({ trace, frames, gates, names }: AuditView): string {
  const artifacts = new Map(
    frames.flatMap(({ artifact }) => (artifact === null ? [] : [[artifact.sha256, artifact] as const])),
  );
  const letters = new Map([...artifacts.keys()].map((sha256, n) => [sha256, `build ${n + 1}`]));
  const threads = [...Map.groupBy(frames, ({ thread }) => thread)];
  return (
    headText(trace) +
    threads
      .map(
        ([thread, members]) =>
          line(0, thread === 0 && trace.crashed ? 'thread that crashed' : `thread ${thread + 1}`) +
          members.map((frame) => frameText(frame, letters, names)).join(''),
      )
      .join('') +
    (artifacts.size > 0 ? 'builds\n' : '') +
    [...artifacts.values()]
      .map((artifact) => {
        const bundles = frames.flatMap(({ artifact: of, bundle }) =>
          of?.sha256 === artifact.sha256 && bundle ? [[bundle.sha256, bundle] as const] : [],
        );
        return artifactText(present(letters.get(artifact.sha256)), artifact, [...new Map(bundles).values()]);
      })
      .join('') +
    'gates\n' +
    gates.map(gateText).join('')
  );
}

function framesNamed(frames: number[]): string {
  if (frames.length === 0) return '';
  return `${counted(frames.length)} (#${frames.slice(0, 8).join(', #')}${frames.length > 8 ? ', …' : ''}); `;
}

function gapText({ code, image_path, image_id, frames, wins, expected, actual, remedy }: Gap): string {
  const where = code === 'walk_cut' ? 'the stack goes on' : (image_path ?? 'no module');
  return (
    line(0, `${code}: ${where}${image_id === null || image_id.startsWith('none:') ? '' : ` (${image_id})`}`) +
    line(2, `${framesNamed(frames)}closing it joins ${(100 * wins).toFixed(1)} % more`) +
    line(2, `expected  ${expected}`) +
    line(2, `actual    ${actual}`) +
    line(2, `remedy    ${remedy}`)
  );
}

/** What keeps frames from being joined, the worst first. */
export function gapsText(trace: TraceRow, gaps: Gap[], total: number): string {
  const lost = gaps.reduce((sum, { frames }) => sum + frames.length, 0);
  return `${headText(trace)}${line(2, `${total - lost} of ${total} frames are joined`)}${gaps.map(gapText).join('')}`;
}
