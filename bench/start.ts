/** npm run bench:start: how long the command takes to answer --help beside an empty Node, and types and lint; never pass or fail. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Measured, measure } from '../test/support/measure.ts';

const ROOT = join(import.meta.dirname, '..');
const ROUNDS = 15;
const bin = (name: string): string => join(ROOT, 'node_modules', '.bin', name);

/** The command as a package has it, without its source: in a checkout, Node strips types when it first starts. */
function packed(): string {
  const place = mkdtempSync(join(tmpdir(), 'reenact-bench-'));
  for (const name of ['bin', 'package.json'])
    cpSync(join(ROOT, name), join(place, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  const { status, stderr } = spawnSync(bin('rolldown'), ['-c', '--dir', join(place, 'dist', 'cli')], {
    cwd: ROOT,
  });
  if (status !== 0) throw new Error(`rolldown: ${stderr}`);
  return place;
}

function done(args: string[]): Measured {
  const measured = measure(args);
  if (measured.status !== 0) throw new Error(`${args.join(' ')}: ${measured.stderr}${measured.stdout}`);
  return measured;
}

const place = packed();
try {
  const commands: [string, string[]][] = [
    ['an empty Node', [process.execPath, '-e', '']],
    ['reenact --help, package', [join(place, 'bin/reenact'), '--help']],
    ['reenact --help, checkout', [join(ROOT, 'bin/reenact'), '--help']],
  ];
  // In turn, so that what else the machine does is no side's disadvantage.
  const rounds = Array.from({ length: ROUNDS }, () => commands.map(([, args]) => done(args).wallS));
  const best = commands.map((_, index) => Math.min(...rounds.map((round) => round[index]!)));
  for (const [index, [name]] of commands.entries())
    process.stdout.write(
      `  ${name.padEnd(28)}${(best[index]! * 1000).toFixed(0).padStart(6)} ms${(best[index]! / best[0]!).toFixed(2).padStart(8)}x${index > 0 ? '  (aim <= 1.5)' : ''}\n`,
    );
} finally {
  rmSync(place, { recursive: true });
}

const types = done([bin('tsc'), '--noEmit', '-p', ROOT]).wallS;
const lint = done([bin('biome'), 'check', ROOT]).wallS;
process.stdout.write(
  `  types and lint              ${(types + lint).toFixed(1).padStart(6)} s   (aim <= 15)\n`,
);
