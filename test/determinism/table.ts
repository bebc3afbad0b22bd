/** The scoreboard as people read it: a line a program, what is deterministic by nature apart, totals a group. */
import type { Row } from './judge.ts';
import { type Judgement, judgeRow } from './verdict.ts';

const WIDTHS = [24, 34, 14, 11, 15, 7, 7];

function line(cells: string[]): string {
  return `${cells
    .map((cell, i) => (i >= 5 ? cell.padStart(WIDTHS[i]!) : cell.slice(0, WIDTHS[i]).padEnd(WIDTHS[i]!)))
    .join(' ')
    .trimEnd()}\n`;
}

export const HEADER: string = line([
  'program',
  'source',
  'control',
  'replays',
  'verdict',
  'off ms',
  'full ms',
]);

/** One line, and why not below it. */
export function rowText(row: Row): string {
  const { control, replays } = row;
  const judged = judgeRow(row);
  const text = line([
    row.case.name,
    row.case.source,
    control.differs ? `differs (${control.tried})` : `same (${control.tried})`,
    replays ? `${replays.identical}/${replays.of}` : '-',
    judged.word,
    control.ms.toFixed(0),
    replays ? replays.ms.toFixed(0) : '-',
  ]);
  return judged.detail ? `${text}    ${judged.detail}\n` : text;
}

function names(rows: Row[]): string {
  return rows.map((row) => row.case.name).join(', ') || 'none';
}

/** Totals of each group, and what is listed apart. */
export function totalsText(rows: Row[]): string {
  const judged = rows.map((row): [Row, Judgement] => [row, judgeRow(row)]);
  const groups = [...new Set(rows.map((row) => row.case.group))];
  const lines = groups.map((group) => {
    const mine = judged.filter(([row]) => row.case.group === group);
    const counting = mine.filter(([, j]) => !j.apart);
    const good = (list: [Row, Judgement][]): string =>
      `${list.filter(([, j]) => j.ok).length}/${list.length}`;
    const apart = mine.filter(([, j]) => j.apart);
    return `${group}: ${mine.length} programs; ${good(counting)} as they must be where the control differs, ${good(apart)} where it does not\n`;
  });
  const same = rows.filter((row) => !row.control.differs && !row.control.broken);
  const failed = judged.filter(([, j]) => j.word === 'FAILED' || j.word === 'CONTROL BROKEN');
  return `${lines.join('')}deterministic by nature, or not made to differ here: ${names(same)}\nnot as they must be: ${names(failed.map(([row]) => row))}\n`;
}
