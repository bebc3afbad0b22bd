/** npm run bench: this runner beside the plainest alternatives, in turn, in one run; ratios, never pass or fail. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { pushImage } from '../setup/image.ts';
import { loadManifests } from '../src/manifest/load.ts';
import { loadPolicy } from '../src/policy/policy.ts';
import { runManifests } from '../src/reenact.ts';
import { connectDocker } from '../src/sandbox/docker.ts';
import { findEndpoint } from '../src/sandbox/endpoint.ts';
import { loadHarness } from '../src/sandbox/harness.ts';
import { readOverlay } from '../src/state/overlay.ts';
import { BlobStore } from '../src/store/blobs.ts';
import { fixtureLayers } from '../test/support/fixture-image.ts';
import { bareLoop } from './bare.ts';

const REPLAYS = 40;
const ROUNDS = 3;
const folder = mkdtempSync(join(tmpdir(), 'reenact-bench-'));

interface Cost {
  wallS: number;
  /** Of the whole machine, so that the engine and its helpers count. */
  cpuS: number;
}

/** Busy time of all CPUs, in seconds (Linux counts in hundredths). */
function machineCpuS(): number {
  const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = ticks.map(Number);
  return (user + nice + system + irq + softirq) / 100;
}

async function cost(work: () => Promise<unknown> | unknown): Promise<Cost> {
  const [wall, cpu] = [performance.now(), machineCpuS()];
  await work();
  return { wallS: (performance.now() - wall) / 1000, cpuS: machineCpuS() - cpu };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

function line(name: string, ours: number, theirs: number, unit: string, ratio: number, target: string): void {
  process.stdout.write(
    `${name.padEnd(44)} ${ours.toFixed(2).padStart(8)} ${theirs.toFixed(2).padStart(8)} ${unit.padEnd(9)} ${ratio.toFixed(2).padStart(6)}x  (aim ${target})\n`,
  );
}

/** A manifest of the fixture image that runs one short program. */
async function writeReplay(): Promise<string> {
  const image = await pushImage(process.env.REENACT_REGISTRY!, 'reenact-fixture', await fixtureLayers(), {});
  const path = join(folder, 'true.json');
  writeFileSync(
    path,
    JSON.stringify({
      harness_version: '1',
      os: 'linux',
      sandbox_image_sha256: image.manifest,
      sandbox_image: image.repository,
      seed: 1,
      run_instructions: 'busybox true',
    }),
  );
  return path;
}

async function ours(manifest: string, replays: number, jobs: number): Promise<string> {
  const { endpoint, address } = findEndpoint(process.env)!;
  const [record] = await runManifests(await connectDocker(endpoint, address), {
    manifests: await loadManifests([manifest]),
    policy: await loadPolicy('default'),
    out: join(folder, 'out'),
    imageCache: join(folder, 'images'),
    repositories: [],
    jobs,
    replays,
    signal: new AbortController().signal,
  });
  if (record?.verdict !== 'reproduced')
    throw new Error(`the bench's replay ended ${record?.verdict}: ${record?.message}`);
  return record.image!.config;
}

async function replayThroughput(manifest: string): Promise<void> {
  const image = await ours(manifest, 2, 2);
  const { endpoint } = findEndpoint(process.env)!;
  const [mine, bare, cli]: [Cost[], Cost[], Cost[]] = [[], [], []];
  const docker = '/usr/bin/docker';
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await cost(() => bareLoop(endpoint, image, REPLAYS, 4)));
    mine.push(await cost(() => ours(manifest, REPLAYS, 4)));
    cli.push(
      await cost(() => {
        for (let i = 0; i < REPLAYS / 4; i++)
          spawnSync(docker, ['run', '--rm', '--network', 'none', image, 'busybox', 'true'], {
            env: process.env,
          });
      }),
    );
  }
  const per = (costs: Cost[], key: keyof Cost, count: number): number =>
    median(costs.map((c) => c[key])) / count;
  const [cpuMine, cpuBare] = [per(mine, 'cpuS', REPLAYS), per(bare, 'cpuS', REPLAYS)];
  const [rateMine, rateBare, rateCli] = [
    1 / per(mine, 'wallS', REPLAYS),
    1 / per(bare, 'wallS', REPLAYS),
    1 / per(cli, 'wallS', REPLAYS / 4),
  ];
  process.stdout.write(`${''.padEnd(44)} ${'reenact'.padStart(8)} ${'other'.padStart(8)}\n`);
  line(
    'CPU a replay, beside a bare engine loop',
    cpuMine * 1000,
    cpuBare * 1000,
    'ms',
    cpuMine / cpuBare,
    '<= 1.2',
  );
  line(
    'throughput, 4 jobs, beside a bare loop',
    rateMine,
    rateBare,
    'replays/s',
    rateMine / rateBare,
    '>= 0.95',
  );
  line(
    'throughput, beside docker run --rm in a loop',
    rateMine,
    rateCli,
    'replays/s',
    rateMine / rateCli,
    '>= 1.5',
  );
}

/** 1,000 small files and one of 100 MB, as a container's upper folder would hold them. */
async function stateDigest(): Promise<void> {
  const upper = join(folder, 'upper');
  mkdirSync(join(upper, 'work'), { recursive: true });
  for (let i = 0; i < 1000; i++) writeFileSync(join(upper, 'work', `small-${i}`), `content ${i}`.repeat(100));
  writeFileSync(join(upper, 'work', 'large'), Buffer.alloc(100 << 20, 7));
  const store = new BlobStore(join(folder, 'states'));
  const read = () =>
    readOverlay(loadHarness().scanner, { upper, lower: [join(folder, 'lower')] }, store, () => true);
  mkdirSync(join(folder, 'lower'), { recursive: true });
  await read();
  const plain = (): void => {
    for (let i = 0; i < 1000; i++)
      createHash('sha256')
        .update(readFileSync(join(upper, 'work', `small-${i}`)))
        .digest('hex');
    const [hash, buffer, fd] = [
      createHash('sha256'),
      Buffer.alloc(1 << 18),
      openSync(join(upper, 'work', 'large'), 'r'),
    ];
    for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer))
      hash.update(buffer.subarray(0, read));
    closeSync(fd);
    hash.digest('hex');
  };
  const [mine, other]: [Cost[], Cost[]] = [[], []];
  for (let round = 0; round < 7; round++) {
    other.push(await cost(plain));
    mine.push(await cost(read));
  }
  const [a, b] = [median(mine.map((c) => c.wallS)), median(other.map((c) => c.wallS))];
  line('state digest, beside sha256 of the same bytes', a * 1000, b * 1000, 'ms', a / b, '<= 1.5');
}

async function startUp(): Promise<void> {
  const [help, empty]: [Cost[], Cost[]] = [[], []];
  for (let round = 0; round < 11; round++) {
    help.push(await cost(() => spawnSync(process.execPath, ['bin/reenact.js', '--help'])));
    empty.push(await cost(() => spawnSync(process.execPath, ['-e', '0'])));
  }
  const [a, b] = [median(help.map((c) => c.wallS)), median(empty.map((c) => c.wallS))];
  line('reenact --help, beside an empty node', a * 1000, b * 1000, 'ms', a / b, '<= 3.3');
}

/** Only on request (npm run bench -- --long): resident memory of the command over 1,000 replays. */
async function memory(manifest: string): Promise<void> {
  const args = [
    'bin/reenact.js',
    'run',
    manifest,
    '--replays',
    '1000',
    '--jobs',
    '4',
    '--progress',
    'none',
    '--out',
    join(folder, 'long'),
  ];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const samples: number[] = [];
  const timer = setInterval(() => {
    const found = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
    if (found) samples.push(Number(found[1]) / 1024);
  }, 500);
  await new Promise((resolve) => child.on('exit', resolve));
  clearInterval(timer);
  const tenth = Math.floor(samples.length / 10);
  const parts = [1, 3, 5, 7, 9].map((part) =>
    median(samples.slice(part * tenth, (part + 1) * tenth)).toFixed(0),
  );
  process.stdout.write(
    `memory over 1,000 replays, MB at 10, 30, 50, 70, 90 %: ${parts.join(', ')}; ${Math.max(...samples).toFixed(0)} at most  (aim <= 200, flat)\n`,
  );
}

try {
  const manifest = await writeReplay();
  if (process.argv.includes('--long')) await memory(manifest);
  await startUp();
  await stateDigest();
  await replayThroughput(manifest);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
