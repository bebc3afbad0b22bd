/** npm run bench:bundle: packing and verifying a gigabyte, beside hashing alone and other tools; ratios, never pass or fail. */
import { spawnSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { canonicalJson } from '../src/base/canonical-json.ts';
import { type Digest, digestOf } from '../src/base/digest.ts';
import { digestOfFile } from '../src/base/files.ts';
import type { Source } from '../src/bundle/collect.ts';
import { createBundle } from '../src/bundle/create.ts';
import { verifyBundle } from '../src/bundle/verify.ts';
import { loadPolicy } from '../src/policy/policy.ts';
import type { ReplayRecord } from '../src/verdict/record.ts';

const CHUNK = Buffer.allocUnsafe(1 << 20);
const SHAPES = { 'a: 10,000 x 100 KB': [10_000, 100_000], 'b: 4 x 256 MB': [4, 268_435_456] } as const;

interface Cost {
  wallS: number;
  cpuS: number;
  peakMb: number;
}

/** Each measurement in a process of its own: time, CPU and peak memory are then its own too. */
function measure(args: string[]): Cost {
  const script = `import resource, subprocess, sys, time
t = time.time(); p = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); w = time.time() - t
u = resource.getrusage(resource.RUSAGE_CHILDREN); print(p.returncode, w, u.ru_utime + u.ru_stime, u.ru_maxrss / 1024)`;
  const { stdout, stderr } = spawnSync('python3', ['-c', script, ...args], { encoding: 'utf8' });
  const [status, wallS, cpuS, peakMb] = stdout.trim().split(' ').map(Number);
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return { wallS: wallS!, cpuS: cpuS!, peakMb: peakMb! };
}

function filesOf(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

function pour(path: string, each: (bytes: Buffer) => void): void {
  const fd = openSync(path, 'r');
  for (let count = -1; count !== 0; ) {
    count = readSync(fd, CHUNK, 0, CHUNK.length, null);
    if (count > 0) each(CHUNK.subarray(0, count));
  }
  closeSync(fd);
}

function record(policy: { name: string; sha256: Digest }): ReplayRecord {
  return {
    record_version: 1,
    nonce: digestOf('nonce'),
    name: 'bench',
    manifest_path: '',
    manifest_sha256: null,
    manifest_subject_sha256: null,
    sandbox_image_sha256: null,
    verdict: 'inconclusive',
    reason: 'not_run',
    message: '',
    flaky: false,
    requested: 1,
    replay_success_ratio: 0,
    final_state_sha256: null,
    expected_state_sha256: null,
    gates: [],
    replays: [],
    policy,
    evidence: { status: 'not_checked', record: null, record_sha256: null, files: [], custody: null },
    image: null,
    claims: [],
    degraded: [],
    uncaptured: [],
    divergence: null,
    environment: null,
    shard: null,
    started_at: '',
    duration_ms: 0,
  };
}

/** What the other processes of this bench do. */
const WORK: Record<string, (folder: string, out: string) => Promise<void>> = {
  create: async (folder, out) => {
    const sources = JSON.parse(readFileSync(`${folder}.sources`, 'utf8')) as Source[];
    const policy = await loadPolicy('default');
    const bytes = Buffer.from(canonicalJson(record({ name: policy.name, sha256: policy.sha256 })));
    for (const [role, content] of [
      ['record', bytes],
      ['policy', Buffer.from(policy.canonical)],
    ] as const)
      sources.push({ role, sha256: digestOf(content), size: content.length, from: content });
    const collected = {
      record: JSON.parse(bytes.toString()) as ReplayRecord,
      recordSha256: digestOf(bytes),
      manifest: undefined,
      image: false,
      sources,
    };
    await createBundle(out, collected, { state: 'full' });
  },
  verify: async (_folder, out) => {
    const { accepted, problems } = await verifyBundle(out);
    if (!accepted) throw new Error(JSON.stringify(problems));
  },
  hash: async (folder) => {
    for (const path of filesOf(folder)) {
      const hash = createHash('sha256');
      pour(path, (bytes) => hash.update(bytes));
      hash.digest();
    }
  },
  'hash and write': async (folder, out) => {
    const fd = openSync(out, 'w');
    for (const path of filesOf(folder)) {
      const hash = createHash('sha256');
      pour(path, (bytes) => {
        hash.update(bytes);
        writeSync(fd, bytes);
      });
      hash.digest();
    }
    closeSync(fd);
  },
};

async function prepare(folder: string, count: number, sizeBytes: number): Promise<void> {
  mkdirSync(folder);
  const content = Buffer.allocUnsafe(sizeBytes);
  const sources: Source[] = [];
  for (let i = 0; i < count; i++) {
    randomFillSync(content, 0, Math.min(sizeBytes, 4096));
    const path = join(folder, String(i).padStart(6, '0'));
    writeFileSync(path, content);
    sources.push({ role: 'content', sha256: await digestOfFile(path), size: sizeBytes, from: { path } });
  }
  writeFileSync(`${folder}.sources`, JSON.stringify(sources));
}

function line(name: string, ours: Cost, theirs: Cost, what: keyof Cost, target: string): void {
  const ratio = ours[what] / theirs[what];
  process.stdout.write(
    `  ${name.padEnd(44)} ${ours[what].toFixed(2).padStart(7)} ${theirs[what].toFixed(2).padStart(7)} ${ratio.toFixed(2).padStart(6)}x  (aim ${target})\n`,
  );
}

function best(costs: Cost[]): Cost {
  return costs.toSorted((x, y) => x.wallS - y.wallS)[0]!;
}

const [task, folder = '', out = ''] = process.argv.slice(2);
if (task) await WORK[task]!(folder, out);
else {
  const place = mkdtempSync(join(process.env.REENACT_BENCH_FOLDER ?? tmpdir(), 'reenact-bench-'));
  try {
    for (const [name, [count, sizeBytes]] of Object.entries(SHAPES)) {
      const data = join(place, name.slice(0, 1));
      await prepare(data, count, sizeBytes);
      const run = (work: string, to: string): Cost => {
        if (work !== 'verify') rmSync(to, { force: true });
        return measure([process.execPath, import.meta.filename, work, data, to]);
      };
      const bundle = join(place, 'case.tar');
      const rounds = [1, 2, 3].map(() => ({
        bare: run('hash and write', join(place, 'copy')),
        create: run('create', bundle),
        verify: run('verify', bundle),
        hash: run('hash', ''),
        tar: measure(['bash', '-c', `tar -C ${data} -cf - . | openssl dgst -sha256`]),
      }));
      const of = (key: keyof (typeof rounds)[0]): Cost => best(rounds.map((round) => round[key]));
      process.stdout.write(`${name} (${(statSync(bundle).size / 1e9).toFixed(2)} GB; seconds, best of 3)\n`);
      line('create, beside reading, hashing and writing', of('create'), of('bare'), 'wallS', '<= 1.15');
      line('create, CPU, beside GNU tar | openssl', of('create'), of('tar'), 'cpuS', '<= 1');
      line('verify, beside hashing alone', of('verify'), of('hash'), 'wallS', '<= 1.2');
      process.stdout.write(
        `  peak memory: create ${of('create').peakMb.toFixed(0)} MB, verify ${of('verify').peakMb.toFixed(0)} MB  (aim <= 120)\n`,
      );
      if (name.startsWith('b') && existsSync('/usr/bin/skopeo')) {
        const layout = join(place, 'layout');
        mkdirSync(layout);
        spawnSync('tar', ['-xf', bundle, '-C', layout]);
        const archive = join(place, 'skopeo.tar');
        line(
          'create, beside skopeo copy to an archive',
          of('create'),
          measure(['skopeo', 'copy', '--insecure-policy', `oci:${layout}`, `oci-archive:${archive}`]),
          'wallS',
          '<= 0.33',
        );
        rmSync(archive, { force: true });
        rmSync(layout, { recursive: true });
      }
      rmSync(data, { recursive: true });
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
