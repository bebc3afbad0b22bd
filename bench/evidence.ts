/** npm run bench:evidence: verification beside the bare library, warm and cold, and its growth; ratios, never pass or fail. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { systemClock } from '../src/base/clock.ts';
import { digestOf } from '../src/base/digest.ts';
import type { Wanted } from '../src/evidence/documents/subject.ts';
import { Trust } from '../src/evidence/trust/trust.ts';
import { verifyEvidence } from '../src/evidence/verify/verify.ts';
import { loadManifests } from '../src/manifest/load.ts';
import { manifestSubject } from '../src/manifest/subject.ts';
import { loadPolicy, parsePolicy } from '../src/policy/policy.ts';
import { checkManifestEvidence, openVerifier } from '../src/replay/evidence.ts';
import { BlobStore } from '../src/store/blobs.ts';
import { envelope, makeKey, statement } from '../test/support/keys.ts';
import { IDENTITY, TestSigstore } from '../test/support/sigstore.ts';
// @ts-expect-error plain JavaScript, so that a cold process starts without anything of ours
import { bareVerifier } from './bare-sigstore.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CASES = process.env.REENACT_CASES
  ? join(process.env.REENACT_CASES, 'sigstore-conformance/bundle-verify')
  : '';
const folder = mkdtempSync(join(tmpdir(), 'reenact-bench-'));
const WANTED: Wanted = { kind: 'any' };

interface Sample {
  name: string;
  bundle: string;
  root: string;
  identity: { subject: string; issuer: string };
  certificateLogs: boolean;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

function line(name: string, ours: number, theirs: number, target: string): void {
  process.stdout.write(
    `${name.padEnd(46)} ${ours.toFixed(2).padStart(8)} ${theirs.toFixed(2).padStart(8)} ms ${(ours / theirs).toFixed(2).padStart(6)}x  (aim ${target})\n`,
  );
}

/** A bundle of our own instance, and real ones where the collection is there. */
function samples(): Sample[] {
  const sigstore = new TestSigstore();
  sigstore.log.grow(100_000);
  const own = { bundle: join(folder, 'own.json'), root: join(folder, 'own-root.json') };
  writeFileSync(own.bundle, JSON.stringify(sigstore.bundle()));
  writeFileSync(own.root, JSON.stringify(sigstore.trustedRoot()));
  const list: Sample[] = [{ name: 'own instance, DSSE', ...own, identity: IDENTITY, certificateLogs: false }];
  if (!existsSync(CASES))
    process.stdout.write('real bundles: skipped, REENACT_CASES names no sigstore-conformance/\n');
  else
    for (const [name, label] of [
      ['happy-path-intoto-in-dsse-v3', 'public instance, Rekor v1, DSSE'],
      ['rekor2-dsse-happy-path', 'staging instance, Rekor v2, DSSE'],
    ] as const) {
      const custom = join(CASES, name, 'trusted_root.json');
      list.push({
        name: label,
        bundle: join(CASES, name, 'bundle.sigstore.json'),
        root: existsSync(custom) ? custom : join(ROOT, 'trust/sigstore-public-good.json'),
        identity: {
          subject:
            'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main',
          issuer: 'https://token.actions.githubusercontent.com',
        },
        certificateLogs: true,
      });
    }
  return list;
}

function policyText(sample: Sample): string {
  return JSON.stringify({
    version: 1,
    trust: { root: sample.root },
    authorities: [{ id: 'ci', keyless: sample.identity }],
  });
}

async function warm(sample: Sample): Promise<void> {
  const bytes = readFileSync(sample.bundle);
  const trust = new Trust(await parsePolicy(policyText(sample), 'bench', '/'));
  const bare = bareVerifier(
    readFileSync(sample.root),
    sample.identity,
    undefined,
    sample.certificateLogs,
  ) as (b: Buffer) => void;
  const ours = async (): Promise<void> => {
    const record = await verifyEvidence([{ name: 'b', bytes }], {
      trust,
      wanted: WANTED,
      nowMs: systemClock.now(),
    });
    if (record.verdict !== 'verified') throw new Error(record.message);
  };
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < 12; round++) {
    for (const [times, work] of [
      [mine, ours],
      [theirs, () => bare(bytes)],
    ] as const) {
      const began = performance.now();
      for (let i = 0; i < 20; i++) await work();
      times.push((performance.now() - began) / 20);
    }
  }
  line(`warm: ${sample.name}`, median(mine.slice(2)), median(theirs.slice(2)), '<= 1.25');
}

/** The command as it is installed: compiled, beside its dependencies. */
function installed(): string {
  const place = join(folder, 'installed');
  mkdirSync(place);
  const bundler = join(ROOT, 'node_modules/rolldown/bin/cli.mjs');
  const args = [bundler, '-c', 'rolldown.config.js', '--dir', join(place, 'dist/cli')];
  const built = spawnSync(process.execPath, args, { cwd: ROOT });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  for (const name of ['bin', 'trust', 'package.json'])
    cpSync(join(ROOT, name), join(place, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  return join(place, 'bin/reenact.js');
}

function cold(sample: Sample, command: string): void {
  const policy = join(folder, 'cold.json');
  writeFileSync(policy, policyText(sample));
  const time = (args: string[]): number => {
    const began = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder });
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
    return performance.now() - began;
  };
  const [mine, theirs]: [number[], number[]] = [[], []];
  const { subject, issuer } = sample.identity;
  for (let round = 0; round < 12; round++) {
    mine.push(time([command, 'verify', 'evidence', sample.bundle, '--policy', policy, '--subject', 'any']));
    theirs.push(
      time([
        join(ROOT, 'bench/bare-sigstore.mjs'),
        sample.bundle,
        sample.root,
        subject,
        issuer,
        sample.certificateLogs ? 'yes' : 'no',
      ]),
    );
  }
  line(`cold process: ${sample.name}`, median(mine), median(theirs), '<= 1.3');
}

/** Many manifests under one policy, each with evidence of its own: time for one must not grow with their number. */
async function growth(): Promise<void> {
  const key = makeKey();
  writeFileSync(join(folder, 'k.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(
    join(folder, 'policy.json'),
    JSON.stringify({ version: 1, authorities: [{ id: 'k', key: { path: 'k.pub' }, transparency: 'none' }] }),
  );
  for (const count of [1000, 10_000]) {
    const place = join(folder, `many-${count}`);
    mkdirSync(place);
    for (let seed = 0; seed < count; seed++) {
      const manifest = {
        harness_version: '1' as const,
        os: 'linux' as const,
        sandbox_image_sha256: digestOf('x'),
        seed,
        run_instructions: 'true',
      };
      const sha256 = manifestSubject(manifest).slice(7);
      const text = JSON.stringify(envelope([key], statement({ subject: [{ digest: { sha256 } }] })));
      writeFileSync(join(place, `e${seed}.dsse`), text);
      writeFileSync(
        join(place, `${seed}.json`),
        JSON.stringify({ ...manifest, dsse_envelope: `dsse:${digestOf(text)}` }),
      );
    }
    const out = join(folder, `out-${count}`);
    const manifests = await loadManifests([place]);
    const began = performance.now();
    const trust = new Trust(await loadPolicy(join(folder, 'policy.json')));
    const verifier = openVerifier(trust, [], out, new BlobStore(out), systemClock);
    for (const loaded of manifests) {
      const { record } = await checkManifestEvidence(verifier, loaded, async () => []);
      if (record.verdict !== 'verified') throw new Error(record.message);
    }
    const ms = performance.now() - began;
    process.stdout.write(
      `${`${count} manifests, one policy, kept and synced`.padEnd(46)} ${(ms / count).toFixed(2).padStart(8)} ms each; resident ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB\n`,
    );
  }
}

try {
  process.stdout.write(`${''.padEnd(46)} ${'ours'.padStart(8)} ${'library'.padStart(8)}\n`);
  const list = samples();
  for (const sample of list) await warm(sample);
  const command = installed();
  for (const sample of list) cold(sample, command);
  await growth();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
