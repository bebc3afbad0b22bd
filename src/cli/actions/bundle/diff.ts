/** reenact bundle diff: in what two bundles differ, in words. */
import { canonicalJson } from '../../../base/canonical-json.ts';
import { EXIT, Fault } from '../../../base/fault.ts';
import type { BundleDifferences, Difference } from '../../../bundle/diff/diff.ts';
import { safe } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';

const COLUMNS = 80;
/** More of one kind are counted. */
const SHOWN = 50;

/** A stranger's text as one line: a line break must not make it look like two things we say. */
function line(value: unknown): string {
  if (value === null || value === '') return 'none';
  const text = typeof value === 'string' ? value : canonicalJson(value);
  return safe(text).replace(/[\t\n]/g, (c) => (c === '\n' ? '\\n' : '\\t'));
}

/** The part of a text that begins at `from`, within so many columns. */
function cut(text: string, from: number, columns: number): string {
  const start = from > 0 ? '…' : '';
  const room = columns - start.length;
  const rest = text.slice(from);
  return start + (rest.length > room ? `${rest.slice(0, room - 1)}…` : rest);
}

/** Both sides below what they are about; of long texts the part where they begin to differ. */
function show({ where, a, b }: Difference): string {
  const [left, right] = [line(a), line(b)];
  const columns = COLUMNS - 4;
  let same = 0;
  while (same < left.length && left[same] === right[same]) same++;
  const from = Math.max(left.length, right.length) > columns && same > columns / 2 ? same - 20 : 0;
  return `${cut(line(where), 0, COLUMNS)}\n  - ${cut(left, from, columns)}\n  + ${cut(right, from, columns)}\n`;
}

function showAll(differences: Difference[]): string {
  const more = differences.length - SHOWN;
  const shown = differences.slice(0, SHOWN).map(show).join('');
  return more > 0 ? `${shown}and ${more} more of this kind: --json has all\n` : shown;
}

/** What is inside, one line a role. */
function showItems(items: Difference[]): string {
  const roles = new Map<string, { changed: number; removed: number; added: number }>();
  for (const { where, a, b } of items) {
    const role = where.split(' ')[1]!;
    const counts = roles.get(role) ?? { changed: 0, removed: 0, added: 0 };
    counts[a === null ? 'added' : b === null ? 'removed' : 'changed']++;
    roles.set(role, counts);
  }
  const lines = [...roles].map(([role, counts]) => {
    const words = Object.entries(counts).flatMap(([word, count]) => (count > 0 ? [`${count} ${word}`] : []));
    return `  ${role.padEnd(16)}${words.join(', ')}\n`;
  });
  return lines.length > 0 ? `items\n${lines.join('')}` : '';
}

function text(names: [string, string], { roots, record, items, state }: BundleDifferences): string {
  if (roots[0] === roots[1]) return `the same bundle, ${roots[0]}\n`;
  const sides = names.map((name, index) => `${'-+'[index]} ${name}\n  ${roots[index]}\n`).join('');
  if (record.length + items.length + state.length === 0) return `${sides}they say the same\n`;
  return sides + showAll(record) + showItems(items) + showAll(state);
}

/** Compares two bundles; exit status 0 when they are the same or say the same. */
export async function diffTwo(a: Arguments): Promise<number> {
  const [first, second, ...more] = a.positionals;
  if (first === undefined || second === undefined || more.length > 0)
    throw new Fault('usage', 'name two bundles');
  const found = await withReenact({}, (reenact) => reenact.diffBundles(first, second));
  const all = [...found.record, ...found.items, ...found.state];
  if (a.json) a.json.list(all);
  else process.stdout.write(text([first, second], found));
  return all.length === 0 ? EXIT.ok : EXIT.failed;
}
