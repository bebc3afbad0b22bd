/** The instruction finder beside objdump, over programs of this machine: nothing found that is none, hardly any missed. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  buildFinder,
  dataDetector,
  disassemble,
  findIn,
  seenByObjdump,
  segmentsOf,
} from '../support/instructions.ts';
import { tempFolder } from '../support/world.ts';

/** Everything of the machine's, which takes some ten minutes, instead of a few programs. */
const EVERY = process.env.REENACT_EVERY_PROGRAM === '1';
const FEW = [
  ...['bash', 'perl', 'python3', 'openssl', 'git', 'busybox', 'x86_64-linux-gnu-ld.bfd'].map(
    (name) => `/usr/bin/${name}`,
  ),
  ...[
    'ld-linux-x86-64.so.2',
    'libc.so.6',
    'libm.so.6',
    'libstdc++.so.6',
    'libcrypto.so.[13]',
    'libgcrypt.so.20',
  ].map((name) => `/usr/lib/x86_64-linux-gnu/${name}`),
  ...['libgnutls.so.30', 'libjpeg.so.62'].map((name) => `/usr/lib/x86_64-linux-gnu/${name}`),
  process.execPath,
];
const ALL = ['/usr/bin/*', '/usr/sbin/*', '/usr/lib/**/*', '/usr/libexec/**/*', process.execPath];
/** Programs whose every instruction is measured: how many, and of what size at most. */
const MEASURED = EVERY ? { count: 20, bytes: 16 << 20 } : { count: 2, bytes: 2 << 20 };

const able =
  process.arch === 'x64' && ['gcc', 'objdump'].every((name) => spawnSync(name, ['--version']).status === 0);
if (!able)
  console.log(
    'the instruction finder beside objdump: NOT tested here, which needs gcc and binutils on x86-64',
  );

/** Programs and libraries among what the patterns name, the largest first, each once. */
function programsOf(patterns: string[]): string[] {
  const files = patterns
    .flatMap((pattern) => globSync(pattern))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .map((path) => realpathSync(path));
  return [...new Set(files)]
    .filter((path) => segmentsOf(path).length > 0)
    .sort((a, b) => statSync(b).size - statSync(a).size);
}

let folder: string;
let finder: string;
let programs: string[];

describe.skipIf(!able)('beside objdump', () => {
  beforeAll(() => {
    folder = tempFolder();
    finder = buildFinder(folder, 'finder', ['-O2']);
    programs = programsOf(EVERY ? ALL : FEW);
    const missing = FEW.filter((pattern) => globSync(pattern).length === 0);
    if (missing.length > 0) console.log(`NOT compared, not on this machine: ${missing.join(' ')}`);
  }, 600_000);

  it('finds nothing that objdump does not see, and misses at most one in a hundred', {
    timeout: 3_600_000,
  }, async () => {
    const found = new Map(findIn(finder, programs).map((one) => [one.path, one]));
    const wrong: string[] = [];
    const missed: string[] = [];
    let all = 0;
    let unproven = 0;
    for (const path of programs) {
      const { seen, inData } = await seenByObjdump(path);
      const ours = found.get(path)!;
      all += seen.size;
      unproven += ours.unproven;
      for (const [offset, what] of ours.instructions)
        if (seen.get(offset) !== what && inData.get(offset) !== what) wrong.push(`${path} ${offset} ${what}`);
      for (const [offset, what] of seen)
        if (!ours.instructions.has(offset)) missed.push(`${path} ${offset} ${what}`);
      if (inData.size > 0)
        console.log(`${path}: ${inData.size} that objdump reads out of data are not counted`);
    }
    console.log(
      [
        `${programs.length} programs, ${all} instructions, ${unproven} places unproven, missed:`,
        ...missed,
      ].join('\n'),
    );
    expect(wrong).toEqual([]);
    expect(all).toBeGreaterThan(20);
    expect(missed.length).toBeLessThanOrEqual(all / 100);
  });

  it('every instruction of large programs is as long as objdump says', { timeout: 3_600_000 }, async () => {
    // Prefixes that stand alone, and x87 instructions together with the wait before them, are objdump's way to write.
    const apart = /^(?:(?:rex(?:\.\w+)?|data16|addr32|repz?|repnz|lock|[cdefgs]s) ?)+$|^\.byte/;
    const slot = 32;
    for (const path of programs
      .filter((one) => statSync(one).size < MEASURED.bytes)
      .slice(0, MEASURED.count)) {
      const texts = new Map<string, string>();
      const isData = dataDetector();
      await disassemble(path, /./, (line) => {
        const { bytes, text } = line;
        if (!isData(line) && !apart.test(text.trim()) && !/^9bd/.test(bytes)) texts.set(bytes, text);
      });
      const input = Buffer.alloc(texts.size * slot, 0x90);
      for (const [i, bytes] of [...texts.keys()].entries()) input.write(bytes, i * slot, 'hex');
      const file = join(folder, 'slots');
      writeFileSync(file, input);
      const done = spawnSync('sh', ['-c', `'${finder}' lengths < '${file}' > '${file}.out'`]);
      expect(done.status).toBe(0);
      const lengths = readFileSync(`${file}.out`, 'utf8').trim().split('\n');
      const differing = [...texts].filter(([bytes], i) => Number(lengths[i]) !== bytes.length / 2);
      const examples = differing.slice(0, 3).map(([bytes, text]) => `${bytes} ${text}`);
      console.log(
        `${path}: ${texts.size} different instructions, ${differing.length} differ ${examples.join('; ')}`,
      );
      expect(texts.size).toBeGreaterThan(1000);
      expect(differing.length).toBeLessThanOrEqual(texts.size / 10_000);
    }
  });
});
