/** npm run bench:determinism: programs supervised, cpuid trapped and rewritten, beside the same container unsupervised, in turn, in one run; ratios, never pass or fail. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ensureSandbox } from '../setup/sandbox.ts';
import { connectDocker } from '../src/sandbox/docker.ts';
import { findEndpoint } from '../src/sandbox/endpoint.ts';
import type { Engine } from '../src/sandbox/engine.ts';
import type { Mechanism } from '../src/sandbox/mechanisms.ts';
import { programImage } from '../test/determinism/image.ts';
import { type Case, runCases } from '../test/determinism/run.ts';

const ROOT = join(import.meta.dirname, '..');
const ROUNDS = 5;
/** Replays of what ends sooner than a millisecond can tell. */
const SHORT = 10;
const AIM_MB = 8;
/** Stands in the arguments of this run's own supervisors, so that no others are measured. */
const MARK = `reenact-bench-${process.pid}`;

const READS = `#include <time.h>
int main(void) {
  struct timespec t;
  for (int i = 0; i < 200000; i++) clock_gettime(CLOCK_MONOTONIC, &t);
  return 0;
}
`;
const LOOP = `int main(void) {
  unsigned x = 1;
  for (long i = 0; i < 300000000; i++) x = x * 1664525 + 1013904223;
  return x == 0;
}
`;

/** One of the sources that are compiled: headers, and functions that the optimiser has work with. */
function source(number: number): string {
  const functions = Array.from(
    { length: 16 },
    (_, i) => `int work_${number}_${i}(const char *words, int count) {
  int sum = ${i};
  for (int at = 0; at < count; at++)
    if (isalpha((unsigned char)words[at])) sum += words[at] * ${i + 3} % (at + 7);
    else qsort((void *)(words + at), 0, 1, (int (*)(const void *, const void *))strcmp);
  return printf("%d %s", sum, words) + (int)strlen(words);
}
`,
  );
  const headers = ['ctype', 'stdio', 'stdlib', 'string', 'time', 'unistd'].map(
    (name) => `#include <${name}.h>\n`,
  );
  return [...headers, ...functions].join('');
}

/** An interrupted bench leaves no containers. */
const abort = new AbortController();
process.once('SIGINT', () => abort.abort());

/** Where cpuid does not trap by itself, it is rewritten in both columns. */
const WAYS = ['off', 'trapped', 'rewritten'] as const;
type Way = (typeof WAYS)[number];

interface Row {
  name: string;
  full: Case;
  off: Case;
  aim: number;
  /** Over so soon that only many replays tell how long it takes. */
  short?: true;
  /** The aim is milliseconds more, not times as long. */
  added?: true;
}

async function rows(registry: string): Promise<Row[]> {
  const program = { source: 1, about: 'bench', expected: 'identical', dynamic: false } as const;
  const own = await programImage(registry, [
    { ...program, name: 'reads', text: READS },
    { ...program, name: 'loop', text: LOOP },
  ]);
  const runtimes = await ensureSandbox(ROOT, 'debian12-runtimes', registry);
  const build = await ensureSandbox(ROOT, 'debian12-build', registry);
  const numbers = Array.from({ length: 10 }, (_, i) => i);
  const files = [
    ...numbers.map((i) => ({ path: `f${i}.c`, content: Buffer.from(source(i)) })),
    { path: 'main.c', content: Buffer.from('int main(void) { return 0; }\n') },
    {
      path: 'Makefile',
      content: Buffer.from(
        `OBJECTS = main.o ${numbers.map((i) => `f${i}.o`).join(' ')}\nall: $(OBJECTS)\n\tgcc -o all $(OBJECTS)\n%.o: /case/%.c\n\tgcc -O2 -c -o $@ $<\n`,
      ),
    },
  ];
  const one = (image: Case['image'], run: string, more: Partial<Case> = {}): Case => {
    return {
      group: 'bench',
      name: 'bench',
      source: '',
      expected: 'identical',
      run,
      image,
      timeoutS: 300,
      ...more,
    };
  };
  const row = (name: string, aim: number, full: Case, off = full): Row => ({ name, full, off, aim });
  const gcc = numbers.map((i) => `gcc -O2 -c -o f${i}.o /case/f${i}.c`).join(' && ');
  const make = (jobs: number): Case => one(build, `make -s -j${jobs} -f /case/Makefile`, { files });
  const find = `sh -c 'find / -xdev -printf "%p %s %m %i %T@\\n" > /dev/null 2>&1; : ${MARK}'`;
  return [
    row('a loop that only computes', 1.02, one(own, 'loop')),
    row('gcc -O2 of ten files', 1.2, one(build, `sh -c '${gcc}'`, { files })),
    { ...row('python3, start and print', 1.3, one(runtimes, "python3 -c 'print(1)'")), short: true },
    { ...row('perl, start and print', 2, one(runtimes, "perl -e 'print 1'")), short: true },
    row('find / -xdev -printf', 3.5, one(runtimes, find)),
    row('make -j4', 1.5, make(4)),
    { ...row('200,000 clock_gettime', 10, one(own, 'reads')), short: true },
    { ...row('/bin/true, ms more', 4, one(runtimes, '/bin/true')), short: true, added: true },
  ];
}

/** The largest resident memory so far of a supervisor that runs this bench's find, in MB; undefined if none is seen. */
function supervisorMb(): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (!words.startsWith('/harness/init\0') || !words.includes(MARK)) continue;
      const found = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
      if (found && words.includes('\0full\0')) return Number(found[1]) / 1024;
    } catch {
      // It ended meanwhile.
    }
  }
  return undefined;
}

/** The mean time of a case's replays, as PID 1 measures it: without the container's making and end. */
async function meanMs(engine: Engine, c: Case, way: Way, replays: number): Promise<number> {
  const determinism = way === 'off' ? 'off' : 'full';
  const without: Mechanism[] = way === 'rewritten' ? ['cpuid_trap'] : [];
  const options = {
    engine,
    determinism,
    without,
    replays,
    failFast: false,
    jobs: 1,
    signal: abort.signal,
  } as const;
  const [ms] = await runCases([c], options, async (record) => {
    const failed = record.replays.find((replay) => replay.ended !== 'exit' || replay.exit_code !== 0);
    if (failed || record.replays.length === 0)
      throw new Error(`${c.run}: ${failed?.ended ?? 'not run'} ${failed?.exit_code}: ${record.message}`);
    return record.replays.reduce((sum, { duration_ms }) => sum + duration_ms, 0) / record.replays.length;
  });
  return ms!;
}

/** How long one way takes, and beside the unsupervised one how much longer. */
function column(row: Row, ms: number, off: number): string {
  const beside = row.added ? `+${(ms - off).toFixed(2)} ms` : `${(ms / off).toFixed(2)}x`;
  return `${ms.toFixed(1).padStart(9)}${beside.padStart(9)}`;
}

async function bench(engine: Engine, row: Row): Promise<void> {
  const times = new Map<Way, number[]>(WAYS.map((way) => [way, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const way of WAYS)
      times
        .get(way)!
        .push(await meanMs(engine, way === 'off' ? row.off : row.full, way, row.short ? SHORT : 1));
  const [off, trapped, rewritten] = WAYS.map((way) => Math.min(...times.get(way)!)) as [
    number,
    number,
    number,
  ];
  const aim = row.added ? `<= ${row.aim} ms more` : `<= ${row.aim}x`;
  const columns = [trapped, rewritten].map((ms) => column(row, ms, off)).join('');
  process.stdout.write(`  ${row.name.padEnd(26)}${off.toFixed(1).padStart(8)}${columns}  ${aim}\n`);
}

const registry = process.env.REENACT_REGISTRY;
const found = findEndpoint(process.env);
if (!registry || !found) throw new Error('DOCKER_HOST and REENACT_REGISTRY are not set');
const engine = await connectDocker(found.endpoint, found.address);
let peakMb = 0;
const timer = setInterval(() => {
  peakMb = Math.max(peakMb, supervisorMb() ?? 0);
}, 50);
try {
  const all = await rows(registry);
  process.stdout.write(
    `ms, the best of ${ROUNDS}${''.padEnd(12)}${'off'.padStart(8)}${'trapped'.padStart(18)}${'rewritten'.padStart(18)}  aim\n`,
  );
  for (const row of all) await bench(engine, row);
} finally {
  clearInterval(timer);
}
const shown = peakMb === 0 ? 'not seen: the engine runs elsewhere' : `${peakMb.toFixed(1)} MB`;
process.stdout.write(`  memory of the supervisor, under find: ${shown}  (aim <= ${AIM_MB} MB)\n`);
