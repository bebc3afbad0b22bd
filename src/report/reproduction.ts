/** What a person reads of a reproduction: the verdict, both stacks side by side, the gates. */
import type { FramePair } from '../join/compare.ts';
import type { JoinedFrame } from '../join/gap.ts';
import type { Reproduction } from '../join/reproduction.ts';
import type { TraceRow } from '../join/store/join.ts';
import type { GateResult } from '../verdict/record.ts';
import { safeLine } from './human.ts';
import { gateText, type Names } from './joined.ts';

export interface ReproductionView {
  trace: TraceRow;
  manifest: 'named' | 'stored' | 'proposed' | null;
  record: string | null;
  /** The only circumstances in which the replay holds. */
  holds_only: string[];
  reproduction: Reproduction;
  gates: GateResult[];
  names: Names;
}

/** Half of 80 columns, without the mark and the number. */
const WIDTH = 35;
const MOST_ROWS = 64;

/** The end of a place tells more than its beginning. */
function fitted(text: string): string {
  const safe = safeLine(text);
  return safe.length > WIDTH ? `…${safe.slice(1 - WIDTH)}` : safe.padEnd(WIDTH);
}

function placeText(frame: JoinedFrame | null, names: Names): string {
  if (!frame) return '';
  const name = frame.places.at(-1)?.function;
  const file = frame.image_path?.split('/').at(-1);
  return (
    (name && names.get(name)) ??
    name ??
    (file === undefined ? (frame.ip ?? 'in no module') : `${file}+${frame.rel_addr}`)
  );
}

function pairText({ original, replayed, same }: FramePair, n: number, names: Names): string {
  const mark = { place: '=', function: '~', unplaced: '?', none: '≠' }[same ?? (original ? 'none' : 'place')];
  return `  ${original ? mark : ' '} ${String(n).padStart(2)} ${fitted(placeText(original, names))} ${fitted(placeText(replayed, names)).trimEnd()}\n`;
}

/** Marks: = the same place, ~ the same function of another build, ? in no build on both sides, ≠ another. */
export function reproductionText({
  trace,
  manifest,
  record,
  holds_only,
  reproduction,
  gates,
  names,
}: ReproductionView): string {
  const { verdict, at, reason, pairs } = reproduction;
  const shown = pairs
    .slice(0, MOST_ROWS)
    .map((pair, n) => pairText(pair, n, names))
    .join('');
  return (
    `${verdict}${at === null ? '' : `@${at}`}  ${safeLine(reason)}\n` +
    `  trace      ${trace.trace_id}\n` +
    `  manifest   ${manifest ?? 'none'}\n` +
    (record === null ? '' : `  record     ${record}\n`) +
    (holds_only.length > 0 ? `  holds only ${safeLine(holds_only.join('; '))}\n` : '') +
    (pairs.length > 0 ? `       ${'the trace'.padEnd(WIDTH)} the replay\n${shown}` : '') +
    (pairs.length > MOST_ROWS ? `  and ${pairs.length - MOST_ROWS} frames more\n` : '') +
    `gates\n${gates.map(gateText).join('')}`
  );
}
