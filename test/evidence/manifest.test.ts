/** What runs is what was signed: every field of a manifest is covered, and references are kept to. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { systemClock } from '../../src/base/clock.ts';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import type { EvidenceRecord } from '../../src/evidence/documents/record.ts';
import { logFolder } from '../../src/evidence/log/cache.ts';
import { type Manifest, manifestSchema } from '../../src/manifest/definition.ts';
import { loadManifests } from '../../src/manifest/load.ts';
import { manifestSubject } from '../../src/manifest/subject.ts';
import { checkManifestEvidence, openVerifier } from '../../src/replay/evidence.ts';
import { copyInputs } from '../../src/replay/inputs.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { envelope, makeKey, statement } from '../support/keys.ts';
import { TestLog } from '../support/log.ts';
import { trustOf } from '../support/verify.ts';
import { tempFolder } from '../support/world.ts';

const digest = (byte: string): Digest => `sha256:${byte.repeat(32)}` as Digest;
const key = makeKey();

/** A manifest with every field, and another valid value for each. */
const FULL: Required<Omit<Manifest, 'dsse_envelope' | 'rekor_tile_ref'>> = {
  harness_version: '1',
  os: 'linux',
  kernel_version: '5.x',
  libc_version: 'glibc 2.36',
  compiler: 'gcc 12.2',
  compiler_flags: '-O2',
  build_id: 'b',
  symbol_bundle_sha256: digest('01'),
  sandbox_image_sha256: digest('02'),
  seed: 1,
  run_instructions: 'true',
  verifier_version: 'v1',
  name: 'n',
  sandbox_image: 'a/b',
  inputs: [],
  state: {},
  replays: 2,
  limits: {},
  expect: {},
  env: {},
  user: '1',
  determinism: 'full',
  clock_start: 1,
  schedule: 'in_order',
};
const CHANGED: Partial<Record<keyof Manifest, unknown>> = {
  os: 'macos',
  kernel_version: '6.x',
  libc_version: 'musl',
  compiler: 'clang',
  compiler_flags: '-O3',
  build_id: 'c',
  symbol_bundle_sha256: digest('03'),
  sandbox_image_sha256: digest('04'),
  seed: 2,
  run_instructions: 'false',
  verifier_version: 'v2',
  name: 'm',
  sandbox_image: 'evil/b',
  inputs: [{ path: 'x', sha256: digest('05'), source: 'x' }],
  state: { exclude: ['/tmp'] },
  replays: 3,
  limits: { timeout: 1 },
  expect: { exit_code: 0 },
  env: { A: 'b' },
  user: '0',
  determinism: 'off',
  clock_start: 2,
  schedule: 'chaos',
};

function sign(manifest: object, more: { name: string; digest: { sha256: string } }[] = []): string {
  const sha256 = manifestSubject(manifest as Manifest).slice(7);
  return JSON.stringify(
    envelope([key], statement({ subject: [{ name: 'manifest', digest: { sha256 } }, ...more] })),
  );
}

interface Given {
  folder?: string;
  /** The envelope's file; null writes none. */
  file?: string | null;
  text?: string;
  policy?: Record<string, unknown>;
  chain?: Digest[];
  stores?: string[];
}

async function check(manifest: object, o: Given = {}): Promise<EvidenceRecord> {
  const folder = o.folder ?? tempFolder();
  const text = o.text ?? sign(FULL);
  if (o.file !== null) writeFileSync(join(folder, o.file ?? 'm.dsse.json'), text);
  const named = { dsse_envelope: `dsse:${digestOf(text)}`, ...manifest };
  writeFileSync(join(folder, 'm.json'), JSON.stringify(named));
  const [loaded] = await loadManifests([join(folder, 'm.json')]);
  const out = tempFolder();
  const trust = await trustOf([key], o.policy);
  const verifier = openVerifier(trust, o.stores ?? [], out, new BlobStore(out), systemClock);
  return (await checkManifestEvidence(verifier, loaded!, async () => o.chain ?? [])).record;
}

describe('every field of a manifest is covered by its evidence', () => {
  it('accepts the manifest that was signed', async () => {
    expect((await check(FULL)).code).toBeNull();
  });

  it('the table below has every field there is', () => {
    const known = Object.keys(manifestSchema().properties as object).filter(
      (name) => name !== 'harness_version',
    );
    const own = new Set(['dsse_envelope', 'rekor_tile_ref', ...Object.keys(CHANGED)]);
    expect(known.filter((name) => !own.has(name))).toEqual([]);
    // There is no other harness version that would be valid.
    expect(Object.keys(FULL).length).toBe(Object.keys(CHANGED).length + 1);
  });

  it.each(Object.entries(CHANGED))('subject_missing: %s changed', async (field, value) => {
    expect((await check({ ...FULL, [field]: value })).code).toBe('subject_missing');
  });

  it.each(
    Object.keys(CHANGED).filter(
      (field) => !['os', 'sandbox_image_sha256', 'seed', 'run_instructions'].includes(field),
    ),
  )('subject_missing: %s removed', async (field) => {
    const { [field as 'name']: _gone, ...rest } = FULL;
    expect((await check(rest)).code).toBe('subject_missing');
  });
});

describe('what a manifest names', () => {
  it.each<[string | null, string, object, Given]>([
    ['evidence_missing', 'no envelope', { dsse_envelope: undefined }, {}],
    ['evidence_missing', 'an envelope that is nowhere', {}, { file: null }],
    ['evidence_missing', 'an envelope of another digest', { dsse_envelope: `dsse:${digest('09')}` }, {}],
    ['evidence_malformed', 'an envelope by its name', { dsse_envelope: 'dsse:m.dsse.json' }, {}],
    ['log_reference', 'a log entry in another spelling', { rekor_tile_ref: 'rekor:x' }, {}],
    [null, 'an envelope under any name', {}, { file: 'evidence of friday.json' }],
    ['subject_missing', 'the envelope of another manifest', {}, { text: sign({ ...FULL, seed: 9 }) }],
  ])('%s: %s', async (code, _name, change, o) => {
    expect((await check({ ...FULL, ...change }, o)).code).toBe(code);
  });

  it('finds envelopes in a folder called evidence, and in stores', async () => {
    const text = sign(FULL);
    const [folder, store] = [tempFolder(), tempFolder()];
    mkdirSync(join(folder, 'evidence'));
    writeFileSync(join(folder, 'evidence', 'a.json'), text);
    expect((await check(FULL, { folder, file: null, text })).code).toBeNull();
    await new BlobStore(store).put(text);
    expect((await check(FULL, { file: null, text, stores: [store] })).code).toBeNull();
  });

  it('evidence_missing: a link that leads out of the folder', async () => {
    const [folder, elsewhere] = [tempFolder(), tempFolder()];
    const text = sign(FULL);
    writeFileSync(join(elsewhere, 'x.json'), text);
    symlinkSync(join(elsewhere, 'x.json'), join(folder, 'm.dsse.json'));
    expect((await check(FULL, { folder, file: null, text })).code).toBe('evidence_missing');
  });

  it('does not hang at a pipe in the folder', async () => {
    const folder = tempFolder();
    execFileSync('mkfifo', [join(folder, 'm.dsse.json'), join(folder, 'a.json')]);
    expect((await check(FULL, { folder, file: null })).code).toBe('evidence_missing');
  });

  it('keeps a log of dots inside the store', () => {
    expect(logFolder('/store', '..')).toBe('/store/logs/%2E%2E');
    expect(logFolder('/store', '../../etc')).toBe('/store/logs/..%2F..%2Fetc');
  });

  it('needs the proof of a log entry that is named, even where the policy needs none', async () => {
    const log = new TestLog().grow(3);
    expect((await check({ ...FULL, rekor_tile_ref: log.reference(1) })).code).toBe('log_missing');
    const folder = tempFolder();
    writeFileSync(join(folder, 'm.tlog-proof'), log.tlogProof(1));
    const policy = { trust: { logs: [{ key: log.verifierKey }] } };
    expect((await check({ ...FULL, rekor_tile_ref: log.reference(1) }, { folder, policy })).code).toBe(
      'log_proof',
    );
  });
});

describe('a stranger’s names and files', () => {
  it('log_proof: a proof beside the manifest that shows another history', async () => {
    const log = new TestLog().grow(4);
    const folder = tempFolder();
    writeFileSync(join(folder, 'm.tlog-proof'), log.tlogProof(1));
    writeFileSync(
      join(folder, 'z.tlog-proof'),
      log.tlogProof(1).replace(log.checkpoint(), log.checkpoint(4, { root: Buffer.alloc(32) })),
    );
    const policy = { trust: { logs: [{ key: log.verifierKey }] } };
    const record = await check({ ...FULL, rekor_tile_ref: log.reference(1) }, { folder, policy });
    expect(record.verdict).toBe('rejected');
  });

  it('log_reference: an origin that no file system can hold', async () => {
    const long = new TestLog({ origin: 'a'.repeat(300) }).grow(3).reference(1);
    expect((await check({ ...FULL, rekor_tile_ref: long })).code).toBe('log_reference');
  });

  it('mounts the input that was hashed, whatever the store held under its name', async () => {
    const [folder, out] = [tempFolder(), tempFolder()];
    const store = new BlobStore(out);
    const sha256 = await store.put('good');
    writeFileSync(store.path(sha256), 'EVIL');
    writeFileSync(join(folder, 'in'), 'good');
    const [file] = await copyInputs(folder, [{ path: 'in', sha256, source: 'in' }], store);
    expect(readFileSync((file!.content as { file: string }).file, 'utf8')).toBe('good');
  });
});

describe('evidence about the image', () => {
  const policy = { require: [{ subjects: ['manifest', 'sandbox_image_sha256'] }] };
  const about = (byte: string): string =>
    sign(FULL, [{ name: 'image', digest: { sha256: byte.repeat(32) } }]);

  it.each<[string | null, string, string, Digest[]]>([
    [null, 'the digest in the manifest', '02', []],
    [null, 'a digest further down its chain', '07', [digest('02'), digest('07')]],
    ['subject_missing', 'a digest that is not in its chain', '08', [digest('02'), digest('07')]],
    ['subject_missing', 'nothing of it', '09', []],
  ])('%s: about %s', async (code, _name, byte, chain) => {
    expect((await check(FULL, { policy, text: about(byte), chain })).code).toBe(code);
  });

  it('does not ask for a chain when nothing would be changed by it', async () => {
    const folder = tempFolder();
    const record = await check({ ...FULL, seed: 5 }, { folder, chain: [digest('02')] });
    expect(record.code).toBe('subject_missing');
    expect(basename(record.envelopes[0]!.file)).toBe('m.dsse.json');
  });
});
