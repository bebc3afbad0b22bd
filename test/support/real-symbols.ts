/** What the frames of a trace come to with real symbol files and the real engine, in a store of their own, all of it signed. */
import { basename } from 'node:path';

import { afterAll } from 'vitest';

import { digestOfFile } from '../../src/base/files.ts';
import type { JoinedFrame } from '../../src/join/gap.ts';
import { addArtifact } from '../../src/join/store/artifacts.ts';
import { addTraces } from '../../src/join/store/ingest.ts';
import { joinFrames } from '../../src/join/store/join.ts';
import { imagesOfTraces, resolveImages, type Symbolizer } from '../../src/join/store/resolve.ts';
import type { TraceStore } from '../../src/join/store/store.ts';
import { addBundle } from '../../src/join/store/symbol-files.ts';
import { FileBytes } from '../../src/objects/common/bytes.ts';
import type { SourcePlace } from '../../src/objects/common/source-place.ts';
import { textDigestOf } from '../../src/objects/elf/text-digest.ts';
import { objectIn, readObject } from '../../src/objects/object.ts';
import { slicesOf } from '../../src/objects/slices.ts';
import { engineVersion, symbolize } from '../../src/symbolize/symbolize.ts';
import type { Trace } from '../../src/trace/model/trace.ts';
import { incoming } from './crashes.ts';
import { proofOf } from './joined.ts';
import { makeKey } from './keys.ts';
import { anyPlace, openStore } from './stores.ts';
import { trustOf } from './verify.ts';

const ENGINE: Symbolizer = { engine: engineVersion, symbolize };

/** Such as `inner a.c:5 <- outer a.c:9`. */
export function shown(places: readonly SourcePlace[]): string {
  return places
    .map(({ function: name, file, line }) => `${name} ${file?.split(/[/\\]/).at(-1) ?? '?'}:${line ?? '?'}`)
    .join(' <- ');
}

let opened: Promise<TraceStore> | undefined;
afterAll(async () => (await opened)?.database.close());

/** One store for all tests of a file, emptied for each: opening one takes many seconds. */
async function emptyStore(): Promise<TraceStore> {
  opened ??= anyPlace().then(openStore);
  const store = await opened;
  await store.database.query(
    'TRUNCATE image, artifact, image_artifact, containment, evidence, artifact_evidence, bundle, function_blob, location, trace, trace_image, thread, replay RESTART IDENTITY CASCADE',
  );
  return store;
}

/** Adds the symbol files and the shipped ones, each with accepted evidence, then the trace; returns its frames. */
export async function joinedWith(
  trace: Trace,
  { symbols = [], shipped = [] }: { symbols?: string[]; shipped?: string[] },
): Promise<(Pick<JoinedFrame, 'gap' | 'status' | 'bundle'> & { shown: string })[]> {
  const store = await emptyStore();
  const key = makeKey();
  const signing = { key, trust: await trustOf([key]) };
  for (const path of symbols) {
    const { sha256 } = await store.blobs.putFile(path);
    await addBundle(store, {
      ...{ name: basename(path), file: sha256, format: readObject(path).format, build: {} },
      slices: await slicesOf(store.blobs.path(sha256), sha256, store.blobs),
      proof: await proofOf(sha256, 'symbols', signing),
    });
  }
  for (const path of shipped) {
    const [sha256, file] = [await digestOfFile(path), new FileBytes(path)];
    const { images, format } = objectIn(file);
    const more = { images, textSha256: textDigestOf(path, format), build: {}, contents: [] };
    await addArtifact(store, { sha256, kind: 'file', name: basename(path), sizeBytes: file.size, ...more }, [
      await proofOf(sha256, 'artifact', signing),
    ]);
    file.close();
  }
  const [added] = await addTraces(store, [incoming(trace)]);
  await resolveImages(store, ENGINE, await imagesOfTraces(store.database, [added!.trace_id]));
  const frames = await joinFrames(store.database, added!.trace_id);
  return frames.map(({ gap, status, bundle, places }) => ({ gap, status, bundle, shown: shown(places) }));
}
