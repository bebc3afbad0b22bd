/** npm run bench:trace: our readers of object files and our store beside other people's, over the same real files; ratios, never pass or fail. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '../src/base/clock.ts';
import { Fault } from '../src/base/fault.ts';
import { readObject } from '../src/objects/object.ts';
import { benchStore } from './store.ts';
import { benchSymbols } from './symbols.ts';

const FOLDER = '/usr/bin';
/** As many as readelf reads in some seconds. */
const FILES = 200;
const ROUNDS = 5;
const AIM = 20;

/** undefined for what is no object file: scripts, links to nowhere. */
function idOf(path: string): string | null | undefined {
  try {
    return readObject(path).images[0]!.id;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function timed(work: () => void): number {
  const began = systemClock.monotonicMs();
  work();
  return systemClock.monotonicMs() - began;
}

const files = readdirSync(FOLDER)
  .map((name) => join(FOLDER, name))
  .filter((path) => idOf(path) !== undefined)
  .slice(0, FILES);
const theirs = new Map<string, string | null>();
let [ours, readelf] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
for (let round = 0; round < ROUNDS; round++) {
  ours = Math.min(
    ours,
    timed(() => files.forEach(idOf)),
  );
  if (round > 1) continue;
  const took = timed(() => {
    for (const path of files) {
      const { stdout } = spawnSync('readelf', ['-n', path], { encoding: 'utf8' });
      const id = /Build ID: ([0-9a-f]+)/.exec(stdout)?.[1];
      theirs.set(path, id ? `elf:${id}` : null);
    }
  });
  readelf = Math.min(readelf, took);
}
const different = files.filter((path) => idOf(path) !== theirs.get(path));
const us = (ms: number): string => ((1000 * ms) / files.length).toFixed(0).padStart(8);
process.stdout.write(
  `${files.length} ELF files of ${FOLDER}, the best of ${ROUNDS} rounds (readelf: of 2), µs a file\n` +
    `  our reader       ${us(ours)}\n  readelf -n       ${us(readelf)}   ${(readelf / ours).toFixed(0)}x  (aim >= ${AIM}x)\n` +
    `  other ids        ${String(different.length).padStart(8)}\n`,
);
await benchStore(process.env.REENACT_TEST_POSTGRES!);
await benchSymbols(process.argv[2]);
