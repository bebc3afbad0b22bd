/** The report's section on the trace: each frame in its place, what it is joined to and who signed for that, or why it is not. */
import type { Digest } from '../base/digest.ts';
import {
  type Build,
  countingProof,
  type JoinDocument,
  type JoinFrame,
  type JoinProof,
  type JoinShipped,
  type JoinSymbols,
} from '../join/document.ts';
import { judgedFrames, missingFrames } from '../join/gates.ts';
import type { SourcePlace } from '../objects/common/source-place.ts';
import type { WalkEnd } from '../trace/model/trace.ts';
import { countedFrames } from '../verdict/custody.ts';
import type { GateResult, ReplayRecord } from '../verdict/record.ts';
import { columns, digest, esc, gatesTable, rows } from './html.ts';

/** Frames that are drawn, of the thread that crashed and of all others; the document has them all. */
const SHOWN = { first: 200, others: 200 };
/** Calls that are drawn of those that were inlined at one place. */
const SHOWN_PLACES = 12;
const SHOWN_TEXT = 300;

function cut(text: string): string {
  return text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)} …` : text;
}

function badge(tone: 'good' | 'bad' | 'open', text: string): string {
  return `<span class="badge ${tone}">${esc(text)}</span>`;
}

function placeHtml({ function: name, file, line }: SourcePlace): string {
  const where =
    file === null ? '' : ` <small>(${esc(cut(file))}${line === null ? '' : `:${esc(line)}`})</small>`;
  return `<code>${esc(cut(name ?? '?'))}</code>${where}`;
}

/** Innermost first; a frame without a name from symbols is shown under its sender's name, marked as such. */
function nameHtml({ places, claimed, ip }: JoinFrame): string {
  const more =
    places.length > SHOWN_PLACES ? `<br><small>and ${places.length - SHOWN_PLACES} more</small>` : '';
  if (places.length > 0)
    return `${places.slice(0, SHOWN_PLACES).map(placeHtml).join('<br><small>inlined in</small> ')}${more}`;
  const address = ip === null ? 'unknown' : `<code>${esc(ip)}</code>`;
  return claimed === null ? address : `${address}<br><small>the sender calls it ${esc(cut(claimed))}</small>`;
}

function signersOf(proofs: JoinProof[]): string[] {
  const proof = countingProof(proofs);
  return proof?.verified ? proof.signers : [];
}

type Things = {
  symbols: Map<string, JoinDocument['symbols'][number]>;
  artifacts: Map<string, JoinDocument['artifacts'][number]>;
};

function frameCells(frame: JoinFrame, { symbols, artifacts }: Things): string[] {
  const { index, image_path: path, rel_addr, trust, degraded, gap } = frame;
  const image = path === null ? 'in no module' : `${cut(path) || 'an image without a name'} + ${rel_addr}`;
  const notes = `${trust}${degraded ? ', without inlined calls' : ''}`;
  const symbolsBy = signersOf(symbols.get(frame.symbols ?? '')?.evidence ?? []).join(', ');
  const builtBy = signersOf(artifacts.get(frame.artifact ?? '')?.evidence ?? []).join(', ');
  const who = [
    ...(builtBy === '' ? [] : [`build: ${builtBy}`]),
    ...(symbolsBy === '' ? [] : [`symbols: ${symbolsBy}`]),
  ];
  return [
    String(index),
    nameHtml(frame),
    `${esc(image)}<br><small>${esc(notes)}</small>`,
    gap === null ? badge('good', 'joined') : badge('bad', gap),
    who.map((one) => esc(cut(one))).join('<br>') || 'nobody',
  ];
}

function framesHtml(join: JoinDocument): string {
  const things = {
    symbols: new Map<string, JoinSymbols>(join.symbols.map((one) => [one.sha256, one])),
    artifacts: new Map<string, JoinShipped>(join.artifacts.map((one) => [one.sha256, one])),
  };
  const first = join.frames.filter(({ thread }) => thread === 0);
  const others = join.frames.filter(({ thread }) => thread !== 0);
  const names = ['#', 'Function', 'Image and offset', 'Joined', 'Signed by'];
  const table = (frames: JoinFrame[], most: number, name: string): string => {
    if (frames.length === 0) return '';
    const lines = frames.slice(0, most).map((frame) => frameCells(frame, things));
    const more =
      frames.length > most ? `<p>And ${frames.length - most} more: the document has them all.</p>` : '';
    return `<h3>${name}</h3>${columns(names, lines, 'stack')}${more}`;
  };
  return (
    table(first, SHOWN.first, 'The thread that crashed, or the first') +
    table(others, SHOWN.others, 'Other threads')
  );
}

/** What signed provenance says stands first; what a file says of itself is told apart from it. */
function buildRows(proven: Build, says: Build): [string, string][] {
  const names: [string, keyof Build][] = [
    ['Builder', 'builder'],
    ['Commit', 'builder_commit'],
    ['Compiler', 'compiler'],
    ['Flags', 'compiler_flags'],
  ];
  return names.flatMap(([name, key]): [string, string][] => {
    if (proven[key] !== null) return [[name, `${esc(cut(proven[key]))} <small>(signed provenance)</small>`]];
    return says[key] === null ? [] : [[name, `${esc(cut(says[key]))} <small>(the file’s own word)</small>`]];
  });
}

function proofRows(proofs: JoinProof[]): [string, string][] {
  const proof = countingProof(proofs);
  if (!proof) return [['Evidence', 'none']];
  const { dsse, verified, code, signers, signed_at, tile_ref, within } = proof;
  if (!verified) return [['Evidence', `${digest(dsse)}<br>${badge('bad', code ?? 'refused')}`]];
  const places = within.map(({ sha256, path }) => `${digest(sha256)}, in which it lies as ${esc(cut(path))}`);
  const word = '<br><small>where it lies is the word of whoever made this bundle</small>';
  const about: [string, string][] =
    places.length === 0 ? [] : [['It is about', `${places.join('<br>')}${word}`]];
  return [
    ['Evidence', digest(dsse)],
    ...about,
    ['Signed by', signers.map((one) => esc(cut(one))).join('<br>')],
    ['At', signed_at === null ? 'a time that nobody vouches for' : esc(signed_at)],
    ['Log entry', tile_ref === null ? 'none' : `<span class="digest">${esc(tile_ref)}</span>`],
  ];
}

const SHOWN_BUILDS = 50;

function builds({ symbols, artifacts }: JoinDocument): string {
  const nothing: Build = { builder: null, builder_commit: null, compiler: null, compiler_flags: null };
  const one = (title: string, name: string, sha256: Digest, says: Build, proofs: JoinProof[]): string =>
    `<h3>${title} ${esc(cut(name))}</h3>${rows([
      ['SHA-256', digest(sha256)],
      ...buildRows(countingProof(proofs)?.build ?? nothing, says),
      ...proofRows(proofs),
    ])}`;
  const all = [
    ...artifacts.map(({ name, sha256, says, evidence }) => one('Shipped file', name, sha256, says, evidence)),
    ...symbols.map(({ name, sha256, says, evidence }) => one('Symbols', name, sha256, says, evidence)),
  ];
  const more = all.length > SHOWN_BUILDS ? `<p>And ${all.length - SHOWN_BUILDS} more.</p>` : '';
  return all.slice(0, SHOWN_BUILDS).join('') + more;
}

const REPRODUCED = {
  match: ['good', 'the replay crashed at the same places'],
  match_fn: ['good', 'the replay crashed in the same functions, of another build'],
  match_as_far_as_known: ['open', 'the replay crashed at the same places, as far as the stack is known'],
  diverged: ['bad', 'the replay crashed elsewhere'],
  no_crash: ['bad', 'the replay did not crash'],
  unreplayable: ['open', 'not reproduced'],
} as const;

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function gateValue(one: GateResult['value']): string {
  return typeof one === 'number' ? percent(one) : String(one);
}

function stackText(ended: WalkEnd | null): string {
  if (ended === null) return 'the trace does not say whether these frames are all';
  if (ended.outermost) return 'whole: nothing called the last frame';
  const missing = ended.missing === null ? 'an unknown number of frames is' : `${ended.missing} frames are`;
  return `cut (${ended.reason}) ${ended.detail ?? ''}: ${missing} missing`;
}

/** The section as HTML; texts in it come from anywhere. */
export function stackSection(join: JoinDocument, record: ReplayRecord): string {
  const { trace_id, signal, format, reproduction, gates, policy, frames, earlier, crashed, ended } = join;
  const judged = judgedFrames(frames);
  const joined = judged.filter(({ gap }) => gap === null).length;
  const share = joined / countedFrames(judged.length, missingFrames(ended));
  const [tone, words] = REPRODUCED[reproduction.verdict];
  const ratio = record.replay_success_ratio;
  const complete = gates.find(({ name }) => name === 'join_completeness')?.pass === true;
  const custody = gates.find(({ name }) => name === 'chain_of_custody')?.pass === true;
  return `<h2>The stack</h2>
<p class="badges">${badge(complete ? 'good' : 'bad', `${percent(share)} joined`)}${badge(record.verdict === 'reproduced' ? 'good' : 'bad', `${percent(ratio)} of replays alike`)}${badge(tone, words)}${badge(custody ? 'good' : 'bad', custody ? 'chain of custody whole' : 'chain of custody incomplete')}</p>
<p>${joined} of the first ${judged.length} frames of the thread that ${crashed ? 'crashed' : 'comes first'} are joined: each is resolved by a symbol file, belongs to a file that was shipped, and for both somebody whom the policy names has signed.</p>
${rows([
  ['Trace', digest(trace_id)],
  ['Signal', esc(signal ?? 'none')],
  ['The stack', esc(stackText(ended))],
  ['Source', `${esc(format)}, ${digest(join.source_sha256)}`],
  [
    'Reproduction',
    `${esc(reproduction.verdict)}: ${esc(reproduction.reason)}${earlier.length > 0 ? `<br>${earlier.length} earlier: ${earlier.map((one) => esc(one.verdict)).join(', ')}` : ''}`,
  ],
  ['Policy', `${esc(policy.name)}, ${digest(policy.sha256)}`],
])}
${gatesTable(gates, gateValue)}
${framesHtml(join)}
${builds(join)}
<p>What a verification cannot check: that functions, files and lines are what the symbols say (unpack them and ask a symbolizer: the addresses are here), that a shipped file has the id of its image where the trace does not name the file itself, that no other file had it, and that a file lies in the package or image that the evidence is about. That is the word of whoever signed this bundle.</p>
`;
}
