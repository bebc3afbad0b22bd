/** A trace in a store, joined to symbols and signed builds, and reproduced: made without an engine, and its bundles. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { type Digest, digestOf, hexOf } from '../../src/base/digest.ts';
import { timeOf } from '../../src/bundle/verify/trace-checks.ts';
import { type Collected, collect } from '../../src/bundle/write/collect.ts';
import { withTrace } from '../../src/bundle/write/collect-trace.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import { loadTrust } from '../../src/evidence/trust/trust.ts';
import type { SourceFile } from '../../src/evidence/verify/verify.ts';
import type { JoinDocument } from '../../src/join/document.ts';
import { addArtifact, type Proof, type Shipped } from '../../src/join/store/artifacts.ts';
import { verifyAbout } from '../../src/join/store/evidence.ts';
import { exportJoin, reproductionsOf } from '../../src/join/store/export.ts';
import { addTraces } from '../../src/join/store/ingest.ts';
import { findTrace } from '../../src/join/store/join.ts';
import { keepReplayed } from '../../src/join/store/replays.ts';
import { imagesOfTraces, resolveImages, type Symbolizer } from '../../src/join/store/resolve.ts';
import type { TraceStore } from '../../src/join/store/store.ts';
import { addBundle } from '../../src/join/store/symbol-files.ts';
import { readObject } from '../../src/objects/object.ts';
import { slicesOf } from '../../src/objects/slices.ts';
import { loadPolicy, type Policy } from '../../src/policy/policy.ts';
import type { Crash } from '../../src/sandbox/crash.ts';
import { symbolize } from '../../src/symbolize/symbolize.ts';
import { fromCrash } from '../../src/trace/formats/replay.ts';
import { makeCase, type TestCase } from './case.ts';
import { envelope, makeKey, statement, type TestKey } from './keys.ts';
import { openStore, type StorePlace } from './stores.ts';
import { tempFolder } from './world.ts';

export const APP: string = 'a1'.repeat(20);
const LIBRARY = 'b2'.repeat(20);
const LIBC = 'c3'.repeat(20);
/** The file that was loaded as the library, by its digest. */
export const LOADED: Digest = digestOf('the library');

/** A Breakpad file of the build with this id: one function of 256 bytes at 0x1000. */
export function symbolsOf(buildId: string, name: string): string {
  const debug = `${buildId.slice(0, 32).toUpperCase()}0`;
  return [
    `MODULE Linux x86_64 ${debug} ${name}`,
    `INFO CODE_ID ${buildId.toUpperCase()}`,
    `FILE 0 ${name}.cpp`,
    `FUNC 1000 100 0 ${name}::run<int>(char const*)`,
    '1000 100 42 0',
    '',
  ].join('\n');
}

const module = (path: string, build_id: string, sha256: Digest | null = null): Crash['modules'][number] => ({
  ...{ path, base: '0x10000', build_id, sha256 },
  not_hashed: sha256 === null ? 'too_large' : null,
});
const at = (path: string, by: Crash['frames'][number]['by'], offset = '0x1010'): Crash['frames'][number] => ({
  ...{ area: 'module', module: path, build_id: null, offset, by },
});

export const CRASH: Crash = {
  ...{ signal: 'SIGSEGV', code: 1, fault: null, thread: 20, threads: [20], thread_count: 1 },
  frames: [
    at('/bin/app', 'counter'),
    at('/lib/library.so', 'unwind_table'),
    at('/lib/libc.so.6', 'frame_pointer'),
    at('/bin/app', 'frame_pointer', '0x1020'),
  ],
  ...{ walk_ended: 'outermost', modules_left_out: 0, registers: { rax: '0x31' }, core: null },
  modules: [
    module('/bin/app', APP),
    module('/lib/library.so', LIBRARY, LOADED),
    module('/lib/libc.so.6', LIBC),
  ],
};

export interface TracedCase {
  store: TraceStore;
  place: StorePlace;
  made: TestCase;
  traceId: Digest;
  key: TestKey;
  policy: Policy;
  policyPath: string;
}

const SLSA = {
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {
    buildDefinition: {
      buildType: 'https://example.org/build',
      externalParameters: {},
      internalParameters: { compiler: 'gcc 12.2', compiler_flags: '-O2' },
      resolvedDependencies: [{ digest: { gitCommit: 'd'.repeat(40) } }],
    },
    runDetails: { builder: { id: 'https://example.org/builder<b>' } },
  },
};

/** Signed evidence that names these digests. */
export function signed(keys: TestKey[], digests: Digest[], more: object = {}): SourceFile {
  const subject = digests.map((one) => ({ name: 'x', digest: { sha256: hexOf(one) } }));
  const bytes = Buffer.from(JSON.stringify(envelope(keys, statement({ subject, ...more }))));
  return { name: digestOf(bytes), bytes };
}

/** A policy file that trusts this key for everything. */
export function writePolicy(key: TestKey, gates: object = { chain_of_custody: 'signed' }): string {
  const folder = tempFolder();
  writeFileSync(join(folder, 'k.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
  const authorities = [{ id: 'builder', key: { path: 'k.pub' }, transparency: 'none' }];
  const path = join(folder, 'policy.json');
  writeFileSync(path, JSON.stringify({ version: 1, gates, authorities }));
  return path;
}

async function prove(
  t: TracedCase,
  subject: Digest,
  about: 'artifact' | 'symbols',
  file: SourceFile,
): Promise<Proof> {
  const record = await verifyAbout(
    subject,
    about,
    [file],
    loadTrust(t.policy),
    Date.parse('2026-11-21T00:00:00Z'),
  );
  return { subject, record, files: [file] };
}

/** Takes symbols in; `evidence` stands in for what is about them. */
export async function addSymbols(
  t: TracedCase,
  name: string,
  content: string | Buffer,
  evidence?: SourceFile,
  engine: Symbolizer = { engine: async () => 'test', symbolize },
): Promise<Digest> {
  const { store } = t;
  const sha256 = await store.blobs.put(content);
  const path = store.blobs.path(sha256);
  const { format } = readObject(path);
  const proof = await prove(t, sha256, 'symbols', evidence ?? signed([t.key], [sha256]));
  const slices = await slicesOf(path, sha256, store.blobs);
  await addBundle(store, { name, file: sha256, format, slices, build: {}, proof });
  await resolveImages(store, engine, await imagesOfTraces(store.database, [t.traceId]));
  return sha256;
}

async function addShipped(t: TracedCase): Promise<void> {
  const shipped = (sha256: Digest, name: string, more: Partial<Shipped> = {}): Shipped => ({
    ...{ sha256, kind: 'file', name, sizeBytes: 7, images: [], build: {}, contents: [] },
    ...more,
  });
  const image = (buildId: string): Shipped['images'] => [
    { id: `elf:${buildId}`, debug_id: null, pdb: null } as Shipped['images'][number],
  ];
  const app = shipped(digestOf('the app'), 'app', { images: image(APP) });
  const pack = digestOf('the package');
  const container = shipped(pack, 'app.deb', {
    kind: 'debian_package',
    contents: [{ path: 'usr/bin/app', shipped: app }],
  });
  const library = shipped(LOADED, 'library.so', { images: image(LIBRARY) });
  const [one, two] = [signed([t.key], [pack], SLSA), signed([t.key], [LOADED], SLSA)];
  await addArtifact(t.store, container, [await prove(t, pack, 'artifact', one)]);
  await addArtifact(t.store, library, [await prove(t, LOADED, 'artifact', two)]);
}

/** Keeps a record as that of a reproduction. */
export async function reproduced(
  t: TracedCase,
  nonce: string,
  verdict: 'match' | 'diverged' = 'match',
): Promise<Digest> {
  const record = structuredClone(t.made.record);
  record.nonce = digestOf(nonce);
  record.environment!.determinism = 'full';
  for (const one of record.replays) one.crash = CRASH;
  const sha256 = await t.store.blobs.put(canonicalJson(record));
  const manifest = JSON.parse(String(await t.store.blobs.get(record.manifest_sha256!)));
  const diff = {
    at: verdict === 'match' ? null : 0,
    known: verdict === 'match' ? 4 : 0,
    reason: 'every frame is the same place in the same build',
  };
  const found = { manifest, record: sha256, verdict, diff };
  await keepReplayed(t.store.database, t.traceId, { ...found, imageConfig: null, signal: null, core: null });
  return sha256;
}

/** Four frames: of an app in a package, of a library, of libc, of which nothing is known, and of the app again. */
export async function makeTraced(place: () => Promise<StorePlace>): Promise<TracedCase> {
  const made = await makeCase(['a', 'a']);
  const where = { ...(await place()), folder: made.out };
  const store = await openStore(where);
  const key = makeKey();
  const policyPath = writePolicy(key);
  const trace = fromCrash(CRASH);
  trace.threads[0]!.frames[2]!.claimed = '</td><script>alert(1)</script>\u202e';
  const source = await store.blobs.put('the dump itself');
  const [added] = await addTraces(store, [{ trace, source }]);
  const traceId = added!.trace_id;
  const policy = await loadPolicy(policyPath);
  const t: TracedCase = { store, place: where, made, traceId, key, policy, policyPath };
  await addSymbols(t, 'app.sym', symbolsOf(APP, 'app'));
  await addSymbols(t, 'library.sym', symbolsOf(LIBRARY, 'library'));
  await addShipped(t);
  await reproduced(t, 'first');
  return t;
}

/** What it returns as text stands in the place of the frames' document. */
export type TraceChange = (join: JoinDocument, collected: Collected) => unknown;

/** A bundle of the trace, as it is, or changed by an attacker who can write archives. */
export async function bundleTrace(t: TracedCase, change: TraceChange = () => undefined): Promise<string> {
  const { store, made, policy } = t;
  const row = await findTrace(store.database, t.traceId);
  const reproductions = await reproductionsOf(store.database, t.traceId);
  const record = JSON.parse(String(await store.blobs.get(reproductions.at(-1)!.record_sha256)));
  const options = { trust: loadTrust(policy), nowMs: timeOf(record), reproductions };
  const joined = await exportJoin(store, row, options);
  const plain = await collect(record, store.blobs, made.out, 'full');
  const collected = withTrace(plain, store.blobs, joined, policy);
  const own = collected.sources.find(({ role }) => role === 'join')!;
  const text = change(joined, collected);
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(canonicalJson(joined));
  Object.assign(own, { sha256: digestOf(bytes), size: bytes.length, from: bytes });
  const path = join(tempFolder(), 'trace.tar');
  await createBundle(path, collected, { state: 'full' });
  return path;
}
