/** What traces and files may claim, and must not be believed for: each was joined or lost once. */
import { afterAll, beforeAll, expect, it } from 'vitest';

import { type Digest, digestOf } from '../../../src/base/digest.ts';
import { addArtifact, type Shipped } from '../../../src/join/store/artifacts.ts';
import { keepEvidence, verifyAbout } from '../../../src/join/store/evidence.ts';
import { addTraces } from '../../../src/join/store/ingest.ts';
import { findTrace, joinFrames } from '../../../src/join/store/join.ts';
import { proposeManifest } from '../../../src/join/store/propose.ts';
import { keepReplayed, linkManifest, manifestOfTrace } from '../../../src/join/store/replays.ts';
import { imagesOfTraces, resolveImages } from '../../../src/join/store/resolve.ts';
import { reverify } from '../../../src/join/store/reverify.ts';
import type { TraceStore } from '../../../src/join/store/store.ts';
import { imageOf } from '../../../src/objects/common/identity.ts';
import { type Frame, type TraceImage, traceImage } from '../../../src/trace/model/trace.ts';
import { frameAt, imageNamed, incoming, traceOf } from '../../support/crashes.ts';
import { addShipped, addSymbols, NOW_MS, namer, type Signing } from '../../support/joined.ts';
import { envelope, makeKey, statement } from '../../support/keys.ts';
import { provenance } from '../../support/shipped.ts';
import { describeStores, openStore } from '../../support/stores.ts';
import { trustOf } from '../../support/verify.ts';

describeStores('lies', (newPlace) => {
  let store: TraceStore;
  let signed: Signing;
  beforeAll(async () => {
    store = await openStore(await newPlace());
    const key = makeKey();
    signed = { key, trust: await trustOf([key]) };
  });
  afterAll(() => store.database.close());

  async function add(images: TraceImage[], frames: Frame[] = [frameAt(0, 0x21)]): Promise<Digest> {
    const [added] = await addTraces(store, [incoming(traceOf(images, frames))]);
    await resolveImages(store, namer, await imagesOfTraces(store.database, [added!.trace_id]));
    return added!.trace_id;
  }
  const gaps = async (trace: Digest): Promise<unknown[]> =>
    (await joinFrames(store.database, trace)).map(({ gap }) => gap);

  it('two files that are said to be one build are refused: one of them is not', async () => {
    const real = imageNamed('a', { sha256: digestOf('real') });
    const evil = { ...imageNamed('a', { path: '/tmp/evil' }), sha256: digestOf('evil') };
    await expect(add([real, evil])).rejects.toMatchObject({ code: 'trace_invalid', message: /both elf:a/ });
    await expect(add([real, { ...evil, sha256: null }])).rejects.toMatchObject({ code: 'trace_invalid' });
  });

  it('a debug id beside a whole id counts for no other trace', async () => {
    const stolen = `${'F'.repeat(32)}0`;
    await add([imageNamed('b', { debug_id: stolen })]);
    await addSymbols(store, signed, 'b.sym', { id: imageNamed('b').id!, debug_id: `${'B'.repeat(32)}0` });
    expect(await gaps(await add([traceImage({ debug_id: stolen, path: '/victim' })]))).toEqual([
      'bundle_missing',
    ]);
    const own = traceImage({ debug_id: `${'B'.repeat(32)}0`, path: '/b' });
    expect(await gaps(await add([own]))).toEqual(['artifact_unlinked']);
  });

  it('a debug id of two builds is nobody’s, whichever came first, with symbols or without', async () => {
    const debug_id = `${'C'.repeat(32)}0`;
    await addSymbols(store, signed, 'c1', { id: 'elf:c1', debug_id });
    const trace = await add([traceImage({ debug_id, path: '/c' })]);
    expect(await gaps(trace)).toEqual(['artifact_unlinked']);
    const { images } = await addArtifact(
      store,
      {
        ...{ sha256: digestOf('c2'), kind: 'file', name: 'c2', sizeBytes: 2, build: {}, contents: [] },
        images: [imageOf('x86_64', { id: 'elf:c2', debug_id })],
      },
      [],
    );
    await resolveImages(store, namer, images);
    expect(await gaps(trace)).toEqual(['bundle_missing']);
  });

  it('a universal file that is known by its digest alone is of no one of its slices', async () => {
    const sha256 = digestOf('universal');
    const images = ['x86_64', 'arm64'].map((arch) =>
      imageOf(arch, { id: `macho:${arch === 'arm64' ? '11' : '22'}` }),
    );
    await addArtifact(
      store,
      { ...{ sha256, kind: 'file', name: 'fat', sizeBytes: 3, build: {}, contents: [] }, images },
      [],
    );
    await addSymbols(store, signed, 'slice', { id: 'macho:11', arch: 'arm64' });
    expect(await gaps(await add([traceImage({ sha256, path: '/fat', arch: 'x86_64' })]))).toEqual([
      'bundle_missing',
    ]);
  });

  it('symbols of other code under the same id join no file whose code is known', async () => {
    const image = imageNamed('d');
    await addSymbols(store, signed, 'd.sym', { id: image.id! });
    await addShipped(store, 'd shipped', { id: image.id! }, signed);
    const trace = await add([image]);
    expect(await gaps(trace)).toEqual([null]);
    await store.database.query("UPDATE artifact SET text_sha256 = 'one' WHERE name = 'd shipped'");
    await store.database.query("UPDATE bundle SET text_sha256 = 'another' WHERE name = 'd.sym'");
    expect(await gaps(trace)).toEqual(['artifact_unlinked']);
  });

  it('what was accepted stays accepted, whatever is given later; other evidence of a thing is looked at, too', async () => {
    const image = imageNamed('e');
    const stranger = makeKey();
    await addSymbols(store, signed, 'e.sym', { id: image.id! });
    await addShipped(store, 'e shipped', { id: image.id! }, signed);
    const other: Signing = { key: stranger, trust: await trustOf([stranger]) };
    await addShipped(store, 'e shipped', { id: image.id! }, other);
    await addShipped(store, 'e shipped', { id: image.id! }, { key: stranger, trust: signed.trust });
    const frames = await joinFrames(store.database, await add([image]));
    expect((await reverify(store, frames, signed.trust, NOW_MS))[0]!.gap).toBeNull();
  });

  it('who signed when is the same as it was kept and as it is verified anew', async () => {
    const image = imageNamed('3');
    const subject = await addSymbols(store, signed, '3.sym', { id: image.id! });
    const trace = await add([image]);
    const files = [provenance(subject), statement({ subject: provenance(subject).subject })].map(
      (one, n) => ({
        name: `${n}.json`,
        bytes: Buffer.from(JSON.stringify(envelope([signed.key], one))),
      }),
    );
    const record = await verifyAbout(subject, 'symbols', files, signed.trust, NOW_MS);
    const kept = async (one: typeof record): Promise<unknown> => {
      await store.database.query('DELETE FROM evidence WHERE subject_sha256 = $1', [subject]);
      await keepEvidence(store, store.database, subject, 'symbols', one, files);
      return (await joinFrames(store.database, trace))[0]!.bundle!.evidence;
    };
    const before = await kept(record);
    const [anew] = await reverify(
      store,
      await joinFrames(store.database, trace),
      ...([signed.trust, NOW_MS] as const),
    );
    expect(before).toMatchObject({ verified: true, signers: ['k0'] });
    expect(anew!.bundle!.evidence).toEqual(before);
    // A time that only the other envelope bears counts, and none does where both are refused.
    const timestamps = [{ source: 'tsa', time: '2026-02-02T00:00:00Z' }];
    const timed = { ...record, envelopes: [record.envelopes[0]!, { ...record.envelopes[1]!, timestamps }] };
    expect(await kept(timed)).toMatchObject({ signed_at: '2026-02-02T00:00:00Z' });
    expect(await kept({ ...timed, verdict: 'rejected' })).toMatchObject({ signers: [], signed_at: null });
  });

  it('addresses at the end and at the beginning stay what they are', async () => {
    const at = (rel_addr: string): Frame => frameAt(0, 0, { rel_addr });
    const trace = await add([imageNamed('f')], ['0x8000000000000000', '0xffffffffffffffff', '0x0'].map(at));
    expect((await joinFrames(store.database, trace)).map(({ rel_addr }) => rel_addr)).toEqual([
      ...['0x8000000000000000', '0xffffffffffffffff', '0x0'],
    ]);
  });

  it('the manifest that was linked last is the trace’s, whatever was tried in between', async () => {
    const trace = await add([imageNamed('1')]);
    const manifest = (seed: number): never => ({ seed, harness_version: '1' }) as never;
    await linkManifest(store.database, trace, manifest(1));
    const tried = { imageConfig: null, record: digestOf('r'), signal: null, core: null, diff: null };
    await keepReplayed(store.database, trace, { ...tried, manifest: manifest(9), verdict: 'unreplayable' });
    expect(await manifestOfTrace(store.database, trace)).toMatchObject({ seed: 1 });
    await linkManifest(store.database, trace, manifest(2));
    await linkManifest(store.database, trace, manifest(1));
    expect(await manifestOfTrace(store.database, trace)).toMatchObject({ seed: 1 });
  });

  it('a manifest is proposed from the image that the loaded file was shipped in', async () => {
    const thing = (kind: Shipped['kind'], name: string, contents: Shipped['contents'] = []): Shipped => ({
      ...{ kind, name, sizeBytes: 1, build: {}, sha256: digestOf(name), images: [], contents },
    });
    const app = { ...thing('file', 'the app'), images: [imageOf('x86_64', { id: imageNamed('2').id! })] };
    const layer = thing('oci_layer', 'layer', [{ path: '/opt/app', shipped: app }]);
    const config = thing('oci_config', 'config', [{ path: 'layer 0', shipped: layer }]);
    const name = `127.0.0.1:5000/app@${digestOf('manifest')}`;
    await addArtifact(store, thing('oci_image', name, [{ path: 'config', shipped: config }]), []);
    const proposed = async (image: TraceImage): Promise<unknown> =>
      proposeManifest(store.database, await findTrace(store.database, await add([image])));
    expect(await proposed(imageNamed('2'))).toMatchObject({
      ...{ sandbox_image: '127.0.0.1:5000/app', sandbox_image_sha256: digestOf('manifest') },
      ...{ run_instructions: "'/opt/app'", expect: { signal: 'SIGSEGV' } },
    });
    expect(await proposed(imageNamed('2', { sha256: digestOf('another app') }))).toBeUndefined();
  });
});
