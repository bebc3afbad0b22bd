/** Artifacts in the store, on both databases: each once, and what is proven of the whole holds for its parts. */
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { prove, sift } from '../../src/artifacts/prove.ts';
import { sleep } from '../../src/base/clock.ts';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import type { SourceFile } from '../../src/evidence/verify/verify.ts';
import { addArtifact, type Proof, type Shipped, type ShippedKind } from '../../src/join/store/artifacts.ts';
import { provenOf } from '../../src/join/store/proven.ts';
import type { TraceStore } from '../../src/join/store/store.ts';
import { imageOf } from '../../src/objects/common/identity.ts';
import { envelope, makeKey, type TestKey } from '../support/keys.ts';
import { idOf, provenance } from '../support/shipped.ts';
import { describeServer, describeStores, openStore, serverPlace } from '../support/stores.ts';
import { trustOf } from '../support/verify.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const key = makeKey();

function thing(kind: ShippedKind, name: string, contents: Shipped[] = [], byte?: number): Shipped {
  return {
    ...{ kind, name, sizeBytes: name.length, sha256: digestOf(name), build: {} },
    images: byte === undefined ? [] : [imageOf('x86_64', { id: idOf(byte) })],
    contents: contents.map((shipped, n) => ({ path: `/${n}`, shipped })),
  };
}

const app = thing('file', 'app', [], 1);
const lib = thing('file', 'lib', [], 2);
const layer = thing('oci_layer', 'layer', [app, lib]);
const config = thing('oci_config', 'config', [layer]);
const image = thing('oci_image', 'image', [config]);
const index = thing('oci_image', 'index', [image]);

function evidence(name: string, subjects: Digest[], signer: TestKey = key): SourceFile {
  return { name, bytes: Buffer.from(JSON.stringify(envelope([signer], provenance(...subjects)))) };
}

async function proofsOf(shipped: Shipped, files: SourceFile[]): Promise<Proof[]> {
  return prove(shipped, files, await trustOf([key]), NOW_MS);
}

const counts = async ({ database }: TraceStore): Promise<unknown> =>
  (
    await database.query(
      `SELECT (SELECT count(*)::int FROM artifact) AS artifacts, (SELECT count(*)::int FROM containment) AS inside,
         (SELECT count(*)::int FROM evidence) AS evidence,
         (SELECT count(*)::int FROM image_artifact JOIN image USING (image) WHERE id LIKE 'elf:%') AS images`,
    )
  )[0];

const codes = (proofs: Proof[]): unknown[] => proofs.map(({ subject, record }) => [subject, record.code]);

it('evidence is taken for the link of the chain that it names', async () => {
  for (const link of [index, image, config])
    expect(codes(await proofsOf(index, [evidence('e', [link.sha256])]))).toEqual([[link.sha256, null]]);
  const both = [evidence('a', [config.sha256]), evidence('b', [index.sha256]), evidence('c', [lib.sha256])];
  expect(codes(await proofsOf(index, both))).toEqual([
    [index.sha256, null],
    [config.sha256, null],
  ]);
  // A layer or a file inside is no link: what is proven of it says nothing of the image.
  expect(codes(await proofsOf(index, [evidence('e', [layer.sha256])]))).toEqual([
    [index.sha256, 'subject_missing'],
  ]);
  const two = [evidence('e', [layer.sha256]), evidence('f', [app.sha256])];
  expect(codes(await proofsOf(index, two))).toEqual([[index.sha256, 'evidence_missing']]);
  expect(codes(await proofsOf(index, []))).toEqual([[index.sha256, 'evidence_missing']]);
});

it('what strangers attached does not hide good evidence, and is told where there is none', async () => {
  const trust = await trustOf([key]);
  const good = evidence('good', [image.sha256]);
  const junk = [
    { name: 'junk', bytes: Buffer.from('junk') },
    evidence('stranger', [image.sha256], makeKey()),
    evidence('other', [digestOf('other')]),
  ];
  expect(await sift(image, [...junk, good], trust, NOW_MS)).toEqual([good]);
  expect(await sift(image, junk, trust, NOW_MS)).toEqual(junk);
  expect(codes(await prove(image, [...junk, good], trust, NOW_MS))[0]).toEqual([image.sha256, null]);
});

describeStores('artifacts', (newPlace) => {
  const stores: TraceStore[] = [];
  const open = async (): Promise<TraceStore> => {
    const store = await openStore(await newPlace());
    stores.push(store);
    return store;
  };
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.database.close();
  });

  it('keeps a thing once, however often it comes', async () => {
    const store = await open();
    const proofs = await proofsOf(index, [evidence('e', [index.sha256])]);
    const first = await addArtifact(store, index, proofs);
    const after = await counts(store);
    expect(after).toEqual({ artifacts: 6, inside: 5, evidence: 1, images: 2 });
    expect(await addArtifact(store, index, proofs)).toEqual(first);
    expect(await addArtifact(store, index, [])).toEqual(first);
    expect(await counts(store)).toEqual(after);
    // Two programs, each known by its id and by its digest.
    expect(first.images).toHaveLength(4);
  });

  it('evidence about a link holds for all that it commits to, and for nothing above it', async () => {
    const store = await open();
    await addArtifact(store, index, await proofsOf(index, [evidence('e', [config.sha256])]));
    for (const { sha256 } of [config, layer, app, lib])
      expect(await provenOf(store.database, sha256)).toMatchObject({
        builder: 'https://example.org/builder',
        builder_commit: 'c0'.repeat(20),
        compiler: 'gcc 12.2.0',
        compiler_from: 'provenance',
        compiler_flags: '-O2 -g',
        compiler_flags_from: 'provenance',
        signers: [{ authority: 'k0' }],
      });
    for (const { sha256 } of [index, image])
      expect(await provenOf(store.database, sha256)).toMatchObject({ builder: null, provenance_dsse: null });
    expect(await provenOf(store.database, digestOf('never'))).toBeUndefined();
    // What comes into a container that is proven, or a container around it, is proven when it comes.
    const more = thing('file', 'more', [], 3);
    await addArtifact(store, thing('oci_layer', 'layer', [more]), []);
    expect(await provenOf(store.database, more.sha256)).toMatchObject({ compiler: 'gcc 12.2.0' });
  });

  it('keeps refused evidence as refused, with the thing', async () => {
    const store = await open();
    await addArtifact(store, app, await proofsOf(app, [evidence('e', [lib.sha256])]));
    expect(await counts(store)).toEqual({ artifacts: 1, inside: 0, evidence: 1, images: 1 });
    expect(await provenOf(store.database, app.sha256)).toMatchObject({
      provenance_dsse: null,
      signers: null,
    });
    const [row] = await store.database.query<{ error: string; verified: boolean }>(
      'SELECT * FROM provenance_evidence',
    );
    expect(row).toMatchObject({ verified: false, error: expect.stringMatching(/^subject_missing: /) });
  });

  it('is whole or not there', async () => {
    const store = await open();
    const bad = thing('oci_layer', 'bad', [app, { ...lib, sizeBytes: Number.NaN }]);
    await expect(addArtifact(store, bad, [])).rejects.toThrow();
    expect(await counts(store)).toEqual({ artifacts: 0, inside: 0, evidence: 0, images: 0 });
  });
});

// The embedded database lets only one in.
describeServer('artifacts, two at once', () => {
  it('an artifact and a trace that have the same images do not wait for each other', async () => {
    const place = await serverPlace();
    const [a, b] = [await openStore(place), await openStore(place)];
    onTestFinished(async () => {
      await a.database.close();
      await b.database.close();
    });
    let adding: Promise<unknown> | undefined;
    await b.database.transaction(async (queries) => {
      // Traces take theirs in the order of their ids.
      await queries.query('INSERT INTO image (id) VALUES ($1)', [idOf(1)]);
      adding = addArtifact(a, thing('oci_layer', 'layer', [lib, app]), []);
      await sleep(500);
      await queries.query('INSERT INTO image (id) VALUES ($1)', [idOf(2)]);
    });
    await adding;
    expect(await counts(a)).toMatchObject({ artifacts: 3, images: 2 });
  });

  it('two at once that hold the same things in another order do not wait for each other', async () => {
    const place = await serverPlace();
    const [a, b] = [await openStore(place), await openStore(place)];
    onTestFinished(async () => {
      await a.database.close();
      await b.database.close();
    });
    const many = Array.from({ length: 200 }, (_, n) => thing('file', `file ${n}`));
    const forwards = thing('oci_layer', 'forwards', many);
    const backwards = thing('oci_layer', 'backwards', many.toReversed());
    await Promise.all([addArtifact(a, forwards, []), addArtifact(b, backwards, [])]);
    expect(await counts(a)).toEqual({ artifacts: 202, inside: 400, evidence: 0, images: 0 });
  });
});
