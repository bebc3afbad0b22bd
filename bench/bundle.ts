/** npm run bench:bundle [-- GB]: packing and verifying a gigabyte, beside hashing alone and other tools; ratios, never pass or fail. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Measured, measure } from '../test/support/measure.ts';
import { fullFile, sparseFile, storedRun } from './stored-run.ts';

const SHAPES = { 'a: 10,000 x 100 KB': [10_000, 100_000], 'b: 4 x 256 MB': [4, 268_435_456] } as const;
const ROUNDS = 5;
const ROOT = join(import.meta.dirname, '..');
const PEAK_MB = 120;

/** The command as a package has it: from source, Node would also be measured stripping types. */
const BUILT = join(ROOT, 'dist', 'bench');
const RUN = 'import(process.argv[1]).then(async (m) => process.exit(await m.main(process.argv.slice(2))))';

function done(measured: Measured, args: string[]): Measured {
  if (measured.status !== 0) throw new Error(`${args.join(' ')}: ${measured.stderr}${measured.stdout}`);
  return measured;
}

function run(...args: string[]): Measured {
  return done(measure(args), args);
}

function reenact(...args: string[]): Measured {
  return run(process.execPath, '-e', RUN, join(BUILT, 'main.js'), 'bundle', ...args);
}

function line(name: string, ours: number, theirs: number, unit: string, aim: string): void {
  const numbers = [ours, theirs, ours / theirs].map((n) => n.toFixed(2).padStart(8)).join('');
  process.stdout.write(`  ${name.padEnd(46)}${numbers}x  (${unit}; aim ${aim})\n`);
}

function peaks(measured: Record<string, Measured>): void {
  for (const [name, { peakMb }] of Object.entries(measured))
    line(`${name}, memory`, peakMb, PEAK_MB, 'MB', '<= 1');
}

function best(all: Measured[], key: 'wallS' | 'cpuS'): number {
  return Math.min(...all.map((one) => one[key]));
}

async function bench(place: string, name: string, count: number, sizeBytes: number): Promise<void> {
  const store = join(place, 'store');
  const record = await storedRun(store, count, (path) => fullFile(path, sizeBytes));
  const [files, bundle, copy] = [
    join(store, 'blobs', 'sha256'),
    join(place, 'case.tar'),
    join(place, 'copy'),
  ];
  const plain = [process.execPath, join(import.meta.dirname, 'plain.ts'), files];
  const rounds = Array.from({ length: ROUNDS }, () => {
    for (const path of [bundle, copy]) rmSync(path, { force: true });
    // In turn, so that what else the machine does is no side's disadvantage.
    return {
      bare: run(...plain, copy),
      create: reenact('create', record, '--out', bundle),
      hash: run(...plain),
      verify: reenact('verify', bundle),
      tar: run('bash', '-c', `tar -C ${files} -cf - . | openssl dgst -sha256`),
    };
  });
  rmSync(copy);
  const of = (key: keyof (typeof rounds)[0]): Measured[] => rounds.map((round) => round[key]);
  const [create, verify] = [of('create'), of('verify')];
  const size = (statSync(bundle).size / 1e9).toFixed(2);
  process.stdout.write(`${name}: ${size} GB, the best of ${ROUNDS}      reenact  beside   ratio\n`);
  line(
    'create, beside reading, hashing and writing',
    best(create, 'wallS'),
    best(of('bare'), 'wallS'),
    's',
    '<= 1.15',
  );
  line('create, CPU, beside GNU tar | openssl', best(create, 'cpuS'), best(of('tar'), 'cpuS'), 's', '<= 1');
  line('verify, beside hashing alone', best(verify, 'wallS'), best(of('hash'), 'wallS'), 's', '<= 1.2');
  if (count < 100) skopeo(place, bundle, best(create, 'wallS'));
  const peak = (all: Measured[]): Measured => all.toSorted((x, y) => y.peakMb - x.peakMb)[0]!;
  peaks({ create: peak(create), verify: peak(verify) });
}

/** The same blobs, copied by skopeo from a folder into an archive. */
function skopeo(place: string, bundle: string, createS: number): void {
  if (!existsSync('/usr/bin/skopeo')) return;
  const [layout, archive] = [join(place, 'layout'), join(place, 'skopeo.tar')];
  mkdirSync(layout);
  run('tar', '-xf', bundle, '-C', layout);
  const copied = [1, 2].map(() => {
    rmSync(archive, { force: true });
    return run('skopeo', 'copy', '--insecure-policy', `oci:${layout}`, `oci-archive:${archive}`);
  });
  line('create, beside skopeo copy to an archive', createS, best(copied, 'wallS'), 's', '<= 0.33');
}

/** One content of so many GB, nearly all of it a hole: the archive takes the space all the same. */
async function benchSparse(place: string, gigabytes: number): Promise<void> {
  const store = join(place, 'store');
  const record = await storedRun(store, 1, (path) => sparseFile(path, gigabytes * 1e9));
  const bundle = join(place, 'case.tar');
  const create = reenact('create', record, '--out', bundle);
  const verify = reenact('verify', bundle);
  const extract = reenact('extract', bundle, '--to', join(place, 'out'));
  const same = `cmp ${join(place, 'out', 'input', 'in', '000000')} <(cat $(find ${store}/blobs -size +1G))`;
  run('bash', '-c', same);
  const seconds = [create, verify, extract].map(({ wallS }) => `${wallS.toFixed(0)} s`).join(', ');
  process.stdout.write(`one sparse input of ${gigabytes} GB, given back as it was (${seconds})\n`);
  peaks({ create, verify, extract });
}

const [gigabytes] = process.argv.slice(2).map(Number);
const built = spawnSync(join(ROOT, 'node_modules', '.bin', 'rolldown'), ['-c', '--dir', BUILT], {
  cwd: ROOT,
});
if (built.status !== 0) throw new Error(String(built.stderr));
try {
  const each = async (work: (place: string) => Promise<void>): Promise<void> => {
    const place = mkdtempSync(join(process.env.REENACT_BENCH_FOLDER ?? tmpdir(), 'reenact-bench-'));
    await work(place).finally(() => rmSync(place, { recursive: true, force: true }));
  };
  for (const [name, [count, sizeBytes]] of Object.entries(SHAPES))
    await each((place) => bench(place, name, count, sizeBytes));
  if (gigabytes) await each((place) => benchSparse(place, gigabytes));
} finally {
  rmSync(BUILT, { recursive: true, force: true });
}
