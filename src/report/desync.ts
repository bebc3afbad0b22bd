/** Where two replays part, in a few lines; excerpts of data are the program's choice. */
import { keysOf } from '../base/table.ts';
import type { Event } from '../sandbox/event-log.ts';
import type { Desync } from '../verdict/desync.ts';

/** Arguments shown of each call; one that differs further back is shown with all before it. */
const SHOWN_ARGUMENTS = 3;

/** The fields of an event in the order in which they explain the most. */
const MEANINGS: Partial<Record<keyof Event, string>> = {
  thread: 'thread',
  name: 'call',
  arguments: 'arguments',
  counter: 'place in the code',
  answer: 'answer',
  data: 'data',
  clock_ns: 'clock',
  registers: 'registers',
};

function differing(a: Event, b: Event): (keyof Event)[] {
  return keysOf<keyof Event>(MEANINGS).filter((field) => String(a[field]) !== String(b[field]));
}

function dataText(excerpt: string): string {
  const bytes = Buffer.from(excerpt, 'hex');
  const printable = bytes.length > 0 && bytes.every((byte) => (byte >= 32 && byte < 127) || byte === 10);
  if (printable) return ` ${JSON.stringify(bytes.toString('latin1'))}`;
  return excerpt === '' ? '' : ` 0x${excerpt}`;
}

function eventText(e: Event, shown: number): string {
  if (e.kind === 'signal') return `gets ${e.name}`;
  const rest = shown < e.arguments.length ? ', …' : '';
  const answer = e.answer === null ? '' : ` = ${e.answer}`;
  return `${e.name}(${e.arguments.slice(0, shown).join(', ')}${rest})${answer}${dataText(e.excerpt)}`;
}

/** Label and text of each line. */
export function desyncRows(d: Desync): [string, string][] {
  const { expected, actual, alike, before, tries } = d;
  const [usual, other] = d.replays;
  const again = `replays ${usual} and ${other}, run again,`;
  if (tries === null) return [['parts', `${again} ended in the same state each time: it differs rarely`]];
  if (!expected && !actual)
    return [['parts', `${again} made the same ${alike} calls: what differs stands in none of them`]];
  let shown = SHOWN_ARGUMENTS;
  if (expected && actual)
    for (let i = 0; i < expected.arguments.length; i++)
      if (expected.arguments[i] !== actual.arguments[i]) shown = Math.max(shown, i + 1);
  const text = (e: Event | null): string =>
    e ? `thread ${e.thread}: ${eventText(e, shown)}` : 'nothing: it had ended';
  const fields = expected && actual ? differing(expected, actual).map((field) => MEANINGS[field]) : [];
  return [
    ['parts', `at event ${alike + 1} of ${again} by ${fields.join(', ') || 'length'}`],
    ...before.slice(-1).map((last): [string, string] => ['  after', text(last)]),
    ['  expected', text(expected)],
    ['  actual', text(actual)],
  ];
}
