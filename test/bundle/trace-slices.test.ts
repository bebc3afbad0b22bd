/** Symbol files where they lie in a bundle: slices of a universal file, files of a blob of their own, files in pieces. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { digestOf } from '../../src/base/digest.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { addTraces } from '../../src/join/store/ingest.ts';
import { FileBytes } from '../../src/objects/common/bytes.ts';
import { objectIn, readObject } from '../../src/objects/object.ts';
import { traceImage } from '../../src/trace/model/trace.ts';
import { frameAt, incoming, traceOf } from '../support/crashes.ts';
import { add } from '../support/forge.ts';
import { tinyMachO } from '../support/objects.ts';
import {
  APP,
  addSymbols,
  bundleTrace,
  makeTraced,
  reproduced,
  signed,
  symbolsOf,
  type TracedCase,
} from '../support/traced.ts';
import { tempFolder } from '../support/world.ts';

const UNIVERSAL = tinyMachO();
function writtenTo(path: string, bytes: Buffer): string {
  writeFileSync(path, bytes);
  return path;
}
const place = { function: 'crash', file: 'main.cpp', line: 21, column: null };
const symbolizer = {
  engine: async () => 'test',
  symbolize: async (_file: unknown, addresses: bigint[]) =>
    addresses.map(() => ({ places: [place], degraded: false, error: null, approximate: null })),
};

let t: TracedCase;
beforeAll(async () => {
  t = await makeTraced(async () => ({ folder: tempFolder(), url: undefined }));
});

describe('a slice of a universal file, which the evidence is about', () => {
  let mac: TracedCase;
  beforeAll(async () => {
    const path = join(tempFolder(), 'crash.dwarf');
    writeFileSync(path, UNIVERSAL);
    const { id } = readObject(path).images[0]!;
    const source = await t.store.blobs.put('report');
    const trace = traceOf([traceImage({ id, path: '/a/crash', arch: 'x86_64' })], [frameAt(0, 0x15)]);
    const [added] = await addTraces(t.store, [{ ...incoming(trace), source }]);
    mac = { ...t, traceId: added!.trace_id };
    await addSymbols(mac, 'crash.dwarf', UNIVERSAL, undefined, symbolizer);
    await reproduced(mac, 'mac', 'diverged');
  });

  it('is inside with it, and is found in it', async () => {
    const path = await bundleTrace(mac);
    expect((await verifyBundle(path)).problems).toEqual([]);
    const { document, traced } = await openBundle(path);
    const [symbols] = traced!.join.symbols;
    expect(symbols!.sha256).not.toBe(symbols!.file_sha256);
    expect(document.items.filter(({ role }) => role === 'symbols')).toHaveLength(2);
    expect(traced!.join.frames[0]).toMatchObject({ gap: 'artifact_unlinked', places: [place] });
  });

  it('is refused where it is none of that file', async () => {
    const path = await bundleTrace(mac, (document, c) => {
      const [symbols] = document.symbols;
      const other = Buffer.from(UNIVERSAL);
      other[70] = other[70]! ^ 1;
      c.sources = c.sources.filter(({ role, sha256 }) => role !== 'symbols' || sha256 === symbols!.sha256);
      c.sources = c.sources.filter(({ role }) => role !== 'trace-evidence');
      symbols!.file_sha256 = add(c, 'symbols', other, 'crash.dwarf');
      const [proof] = symbols!.evidence;
      proof!.dsse = add(c, 'trace-evidence', signed([t.key], [symbols!.file_sha256]).bytes);
      Object.assign(proof!, { subject_sha256: symbols!.file_sha256, files: [proof!.dsse] });
    });
    const { problems } = await verifyBundle(path);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(/are no slice of/)]);
  });
});

it('a name that is no more than likely is inside as that', async () => {
  const path = join(tempFolder(), 'near.dwarf');
  // Another build: the last byte of its id is another.
  const bytes = Buffer.from(UNIVERSAL);
  const uuid = readObject(writtenTo(path, bytes)).images[0]!.id!.slice(6).replaceAll('-', '');
  bytes[bytes.indexOf(Buffer.from(uuid, 'hex')) + 15]! ^= 0xff;
  const { id } = readObject(writtenTo(path, bytes)).images[0]!;
  const source = await t.store.blobs.put('another report');
  const trace = traceOf([traceImage({ id, path: '/a/near', arch: 'x86_64' })], [frameAt(0, 0x15)]);
  const [added] = await addTraces(t.store, [{ ...incoming(trace), source }]);
  const near = { ...t, traceId: added!.trace_id };
  await addSymbols(near, 'near.dwarf', bytes, undefined, {
    ...symbolizer,
    symbolize: async (file, addresses) =>
      (await symbolizer.symbolize(file, addresses)).map((one) => ({ ...one, approximate: 'nearest' })),
  });
  await reproduced(near, 'near', 'diverged');
  const bundle = await bundleTrace(near);
  expect((await verifyBundle(bundle)).problems).toEqual([]);
  const { traced } = await openBundle(bundle);
  expect(traced!.join.frames[0]).toMatchObject({ gap: 'approximate_nearest', places: [place] });
});

it('symbols of a blob of their own are read there', async () => {
  const long = `${symbolsOf(APP, 'app')}${'FUNC 9000 1 0 padding\n'.repeat(60_000)}`;
  const path = await bundleTrace(t, (document, c) => {
    const symbols = document.symbols.find(({ name }) => name === 'app.sym')!;
    const old = symbols.sha256;
    const [proof] = symbols.evidence;
    c.sources = c.sources.filter(({ sha256 }) => sha256 !== old && sha256 !== proof!.dsse);
    symbols.sha256 = add(c, 'symbols', long, 'app.sym');
    symbols.file_sha256 = symbols.sha256;
    for (const frame of document.frames) if (frame.symbols === old) frame.symbols = symbols.sha256;
    proof!.dsse = add(c, 'trace-evidence', signed([t.key], [symbols.sha256]).bytes);
    Object.assign(proof!, { subject_sha256: symbols.sha256, files: [proof!.dsse] });
  });
  expect((await verifyBundle(path)).problems).toEqual([]);
  const { layers } = await openBundle(path);
  expect(layers.map(({ digest }) => digest)).toContain(digestOf(long));
});

it('a file in pieces is read as if it were one', () => {
  const path = join(tempFolder(), 'pieces');
  const [head, rest] = [UNIVERSAL.subarray(0, 30), UNIVERSAL.subarray(30)];
  writeFileSync(
    path,
    Buffer.concat([Buffer.alloc(7, 'x'), rest, Buffer.alloc(512, 'y'), head, Buffer.alloc(9, 'z')]),
  );
  const file = new FileBytes(path, 'crash.dwarf', [
    { from: 7 + rest.length + 512, size: head.length },
    { from: 7, size: rest.length },
  ]);
  expect(file.size).toBe(UNIVERSAL.length);
  expect(file.piece(0, UNIVERSAL.length, 'all').equals(UNIVERSAL)).toBe(true);
  expect(objectIn(file).images).toHaveLength(2);
  expect(() => file.piece(UNIVERSAL.length - 1, 2, 'more')).toThrow(/crash\.dwarf: more would lie at/);
  file.close();
});
