/** The demo's first half: a race that plain runs hardly show, found by a seed, and the crash named by function and line. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ReplayRecord } from '../src/verdict/record.ts';
import type { Run } from './demo-steps.ts';
import { findProgram } from './packages.ts';
import { say } from './say.ts';

/** How often the race is tried as the program comes. */
const PLAIN_RUNS = 40;
/** Seeds tried at once, and in all. */
const SEEDS = { atOnce: 10, most: 100 };

/** The record that a run wrote as the last of its events. */
function recordIn(folder: string, events: string): ReplayRecord {
  const last = readFileSync(join(folder, events), 'utf8').trim().split('\n').at(-1)!;
  return (JSON.parse(last) as { record: ReplayRecord }).record;
}

const crashed = (record: ReplayRecord): ReplayRecord['replays'] =>
  record.replays.filter(({ signal }) => signal === 'SIGSEGV');

/** Runs the program undisturbed, as often as a patient person would; how often it crashes is chance, also never. */
export async function plainRuns(run: Run, folder: string): Promise<void> {
  const how = ['--determinism', 'off', '--replays', String(PLAIN_RUNS), '--jobs', '4'];
  await run('run', 'pages.json', ...how, '--events', 'plain.jsonl');
  const record = recordIn(folder, 'plain.jsonl');
  const failed = crashed(record).length;
  const wrong = record.replays.filter(({ outcome }) => outcome === 'diverged').length - failed;
  say(
    `it crashed in ${failed} of ${PLAIN_RUNS} runs, and sent a wrong page in ${wrong}; which of them cannot be predicted`,
  );
}

/** The first seed under which it crashes; undefined where none of them does. */
export async function findSeed(run: Run, folder: string): Promise<number | undefined> {
  for (let from = 1; from <= SEEDS.most; from += SEEDS.atOnce) {
    const seeds = `${from}..${from + SEEDS.atOnce - 1}`;
    await run('run', 'pages.json', '--seeds', seeds, '--jobs', '4', '--events', 'seeds.jsonl');
    const [found] = crashed(recordIn(folder, 'seeds.jsonl'));
    if (found) return found.seed;
  }
  return undefined;
}

/** Names the frames of the recorded crash by the program's own debug information; nothing where no addr2line is. */
export function nameFrames(folder: string): void {
  const addr2line = findProgram('addr2line');
  const { frames, modules } = recordIn(folder, 'crash.jsonl').replays[0]!.crash!;
  if (!addr2line) return;
  const base = Number(modules[0]!.base);
  // A caller's frame stands behind its call.
  const places = frames
    .filter(({ module }) => module === modules[0]!.path)
    .map(({ offset, by }) => base + Number(offset) - (by === 'counter' ? 0 : 1));
  const args = ['-fpse', 'pages', ...places.map((place) => `0x${place.toString(16)}`)];
  process.stdout.write(`\n$ addr2line ${args.join(' ')}\n`);
  process.stdout.write(spawnSync(addr2line, args, { cwd: folder, encoding: 'utf8' }).stdout);
}
