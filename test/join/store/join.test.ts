/** The join and the published query: each frame in its place, and why it is not joined where it is not. */
import { afterAll, beforeAll, expect, it } from 'vitest';

import { type Digest, digestOf } from '../../../src/base/digest.ts';
import { addTraces } from '../../../src/join/store/ingest.ts';
import { joinFrames } from '../../../src/join/store/join.ts';
import { imagesOfTraces, resolveImages } from '../../../src/join/store/resolve.ts';
import { reverify } from '../../../src/join/store/reverify.ts';
import type { TraceStore } from '../../../src/join/store/store.ts';
import { type Frame, type TraceImage, traceImage } from '../../../src/trace/model/trace.ts';
import { frameAt, imageNamed, incoming, traceOf } from '../../support/crashes.ts';
import { addShipped, addSymbols, NOW_MS, namer, type Signing } from '../../support/joined.ts';
import { makeKey } from '../../support/keys.ts';
import { describeStores, openStore } from '../../support/stores.ts';
import { trustOf } from '../../support/verify.ts';

/** As it stands in the specification. */
const PUBLISHED = `
SELECT f.trace_id, f.frame_index, f.ip, f.resolved_symbol, s.sha256 AS symbol_bundle, a.artifact_id, a.builder_commit, a.compiler, a.compiler_flags, a.provenance_dsse
FROM frames f JOIN symbol_bundles s ON f.symbol_bundle_sha256 = s.sha256 JOIN artifacts a ON s.origin_artifact_sha256 = a.sha256
WHERE f.trace_id = $1 ORDER BY f.frame_index;
`;

async function signing(): Promise<Signing> {
  const key = makeKey();
  return { key, trust: await trustOf([key]) };
}

describeStores('the join', (newPlace) => {
  let store: TraceStore;
  let signed: Signing;
  beforeAll(async () => {
    store = await openStore(await newPlace());
    signed = await signing();
  });
  afterAll(() => store.database.close());

  async function add(images: TraceImage[], frames: Frame[]): Promise<Digest> {
    const [added] = await addTraces(store, [incoming(traceOf(images, frames))]);
    await resolveImages(store, namer, await imagesOfTraces(store.database, [added!.trace_id]));
    return added!.trace_id;
  }

  const gaps = async (trace: Digest): Promise<unknown[]> =>
    (await joinFrames(store.database, trace)).map(({ gap }) => gap);

  it('answers the published query, and keeps what did not resolve in its place', async () => {
    const image = imageNamed('a');
    const trace = await add(
      [image, traceImage({ path: '/bin/nameless' })],
      [
        frameAt(0, 0x20, { activation: true }),
        frameAt(null, 0x7000),
        frameAt(1, 0x10),
        frameAt(0, 0x31),
        frameAt(0, 0xf001),
        frameAt(0, 0x41, { trust: 'scan' }),
        frameAt(0, 0xe001),
      ],
    );
    const bundle = await addSymbols(store, signed, 'a.sym', { id: image.id! });
    await addShipped(store, 'app 1.0', { id: image.id! }, signed);
    await resolveImages(store, namer, await imagesOfTraces(store.database, [trace]));
    expect(await gaps(trace)).toEqual([
      null,
      'no_module',
      'no_image_id',
      null,
      'no_symbol_at_addr',
      'scanned_frame',
      'engine_crash',
    ]);
    const rows = await store.database.query<Record<string, unknown>>(PUBLISHED, [trace]);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toEqual({
      ...{ trace_id: trace, frame_index: 0, ip: '0x1020', resolved_symbol: 'f_20', symbol_bundle: bundle },
      ...{
        artifact_id: 'app 1.0',
        builder_commit: 'c0'.repeat(20),
        compiler: 'gcc 12.2.0',
        compiler_flags: '-O2 -g',
      },
      provenance_dsse: expect.stringMatching(/^dsse:sha256:[0-9a-f]{64}$/),
    });
    expect(rows.map(({ frame_index: index, resolved_symbol: name }) => [index, name])).toEqual([
      [0, 'f_20'],
      [3, 'f_30'],
    ]);
  });

  it('names earlier traces when symbols come late, and touches their places once', async () => {
    const image = imageNamed('b');
    const frames = Array.from({ length: 40 }, (_, n) => frameAt(0, 0x11 + 16 * (n % 4)));
    const trace = await add([image], frames);
    expect(new Set(await gaps(trace))).toEqual(new Set(['bundle_missing']));
    await addSymbols(store, signed, 'b.sym', { id: image.id! });
    const images = await imagesOfTraces(store.database, [trace]);
    expect(await resolveImages(store, namer, images)).toBe(4);
    expect(await resolveImages(store, namer, images)).toBe(0);
    expect(new Set(await gaps(trace))).toEqual(new Set(['artifact_unlinked']));
  });

  it('source maps that come late are found by their names, until two builds have one', async () => {
    const image = traceImage({ path: 'https://x/late.js?v=1', arch: 'javascript' });
    const other = traceImage({ path: '/late.js', arch: 'python' });
    const trace = await add([image, other], [frameAt(0, 0x21), frameAt(1, 0x21)]);
    const addMap = async (content: string): Promise<unknown[]> => {
      const id = digestOf(content);
      await addSymbols(store, signed, 'late.js.map', { id, arch: 'javascript' }, 'sourcemap', content);
      const [row] = await store.database.query<{ image: number }>('SELECT image FROM image WHERE id = $1', [
        id,
      ]);
      await resolveImages(store, namer, [row!.image]);
      return await gaps(trace);
    };
    expect(await gaps(trace)).toEqual(['no_image_id', 'no_image_id']);
    expect(await addMap('one')).toEqual(['approximate_by_name', 'no_image_id']);
    expect(await addMap('two')).toEqual(['no_image_id', 'no_image_id']);
  });

  it('a stripped upload never blocks the good one, and better symbols take the place of worse', async () => {
    const image = imageNamed('c');
    const trace = await add([image], [frameAt(0, 0x21)]);
    const images = await imagesOfTraces(store.database, [trace]);
    const bundleOf = async (): Promise<unknown> => (await joinFrames(store.database, trace))[0]!.bundle?.name;
    await addSymbols(store, signed, 'c.stripped', { id: image.id!, features: [] });
    expect(await resolveImages(store, namer, images)).toBe(0);
    await addSymbols(store, signed, 'c.symtab', { id: image.id!, features: ['symbol_table'] });
    await resolveImages(store, namer, images);
    expect(await bundleOf()).toBe('c.symtab');
    await addSymbols(store, signed, 'c.full', { id: image.id!, features: ['debug_info'] });
    await resolveImages(store, namer, images);
    expect(await bundleOf()).toBe('c.full');
    await addSymbols(store, signed, 'c.late', { id: image.id!, features: ['symbol_table'] });
    expect(await resolveImages(store, namer, images)).toBe(0);
  });

  it('two artifacts with one build-id are ambiguous, unless the trace says which was loaded', async () => {
    const image = imageNamed('d');
    await addSymbols(store, signed, 'd.sym', { id: image.id! });
    const first = await addShipped(store, 'one', { id: image.id! }, signed);
    await addShipped(store, 'two', { id: image.id! }, signed);
    expect(await gaps(await add([image], [frameAt(0, 0x21)]))).toEqual(['ambiguous_artifact']);
    const loaded = await add([{ ...image, sha256: first }], [frameAt(0, 0x22)]);
    expect(await gaps(loaded)).toEqual([null]);
    expect((await joinFrames(store.database, loaded))[0]!.artifact!.sha256).toBe(first);
    // The published query cannot tell them apart, and says nothing rather than something wrong.
    expect(await store.database.query(PUBLISHED, [loaded])).toEqual([]);
    const other = `sha256:${'7'.repeat(64)}` as Digest;
    expect(await gaps(await add([{ ...image, sha256: other }], [frameAt(0, 0x23)]))).toEqual([
      'artifact_unlinked',
    ]);
  });

  it('says what is wrong with provenance: none, about other bytes, refused', async () => {
    const trace = async (
      letter: string,
      content: string,
      by: Signing | null,
      claims?: Digest,
    ): Promise<unknown> => {
      const image = imageNamed(letter);
      await addSymbols(store, signed, `${letter}.sym`, { id: image.id! });
      await addShipped(store, content, { id: image.id! }, by, claims);
      return (await gaps(await add([image], [frameAt(0, 0x21)])))[0];
    };
    expect(await trace('e', 'unsigned', null)).toBe('provenance_missing');
    const stranger = { key: makeKey(), trust: signed.trust };
    expect(await trace('f', 'by a stranger', stranger)).toBe('provenance_unverified');
    const other = `sha256:${'8'.repeat(64)}` as Digest;
    expect(await trace('9', 'about other bytes', signed, other)).toBe('provenance_digest_mismatch');
  });

  it('an image known by its debug id alone is the only build that has it', async () => {
    const debug_id = `${'A'.repeat(32)}1`;
    const known = traceImage({ debug_id, path: 'app.pdb', base: '0x1000', size: 65536 });
    await addSymbols(store, signed, 'app.pdb', { id: `pdb:${'A'.repeat(32)}-1`, debug_id }, 'pdb');
    await addShipped(store, 'app.exe', { id: 'pe:1', pdb: `pdb:${'A'.repeat(32)}-1` }, signed);
    const trace = await add([known], [frameAt(0, 0x21)]);
    expect(await gaps(trace)).toEqual([null]);
    // A second build with the same debug id, as two long build-ids can have: there is no telling which was meant.
    await addSymbols(store, signed, 'twin', { id: 'elf:aaaa', debug_id });
    expect(await gaps(await add([{ ...known, path: 'again' }], [frameAt(0, 0x99)]))).toEqual([
      'bundle_missing',
    ]);
  });

  it('an image known by its digest alone is of the build that the file with that digest is of', async () => {
    await addSymbols(store, signed, 'go.debug', { id: 'elf:60' });
    const app = await addShipped(store, 'a Go program', { id: 'elf:60' }, signed);
    const trace = await add([traceImage({ path: '/app', sha256: app })], [frameAt(0, 0x21)]);
    expect(await gaps(trace)).toEqual([null]);
    expect(await store.database.query(PUBLISHED, [trace])).toHaveLength(1);
    const other = `sha256:${'6'.repeat(64)}` as Digest;
    expect(await gaps(await add([traceImage({ path: '/app', sha256: other })], [frameAt(0, 0x21)]))).toEqual([
      'bundle_missing',
    ]);
  });

  it('evidence is judged again under the policy that asks, from the bytes that were kept', async () => {
    const image = imageNamed('0');
    await addSymbols(store, signed, '0.sym', { id: image.id! });
    await addShipped(store, 'app 0', { id: image.id! }, signed);
    const frames = await joinFrames(store.database, await add([image], [frameAt(0, 0x21)]));
    expect(frames[0]!.gap).toBeNull();
    const again = async (trust: Signing['trust']): Promise<unknown> =>
      (await reverify(store, frames, trust, NOW_MS))[0]!.gap;
    expect(await again(signed.trust)).toBeNull();
    expect(await again((await signing()).trust)).toBe('bundle_unverified');
    const revoked = await trustOf([signed.key], {}, { revokedAt: '2026-01-01T00:00:00Z' });
    expect(await again(revoked)).toBe('bundle_unverified');
    const empty: TraceStore = {
      ...store,
      blobs: Object.create(store.blobs, { get: { value: async () => undefined } }),
    };
    expect((await reverify(empty, frames, signed.trust, NOW_MS))[0]!.gap).toBe('bundle_unverified');
  });
});
