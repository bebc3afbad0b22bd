/** Near misses in the store: what is there in place of the symbols that are missing. */
import { afterAll, beforeAll, expect, it } from 'vitest';

import { gapsOf } from '../../../src/join/gaps.ts';
import { addTraces } from '../../../src/join/store/ingest.ts';
import { joinFrames } from '../../../src/join/store/join.ts';
import { nearMisses } from '../../../src/join/store/near.ts';
import type { TraceStore } from '../../../src/join/store/store.ts';
import { type TraceImage, traceImage } from '../../../src/trace/model/trace.ts';
import { frameAt, incoming, traceOf } from '../../support/crashes.ts';
import { addShipped, addSymbols, type Signing } from '../../support/joined.ts';
import { makeKey } from '../../support/keys.ts';
import { describeStores, openStore } from '../../support/stores.ts';
import { trustOf } from '../../support/verify.ts';

const GUID = '3249D99D0C4049318610F4E4FB0B6936';

describeStores('near misses', (newPlace) => {
  let store: TraceStore;
  let signed: Signing;
  beforeAll(async () => {
    store = await openStore(await newPlace());
    const key = makeKey();
    signed = { key, trust: await trustOf([key]) };
  });
  afterAll(() => store.database.close());

  async function gap(image: Partial<TraceImage>): Promise<string> {
    const trace = traceOf([traceImage({ base: '0x1000', size: 65536, ...image })], [frameAt(0, 0x20)]);
    const [added] = await addTraces(store, [incoming(trace)]);
    const frames = await joinFrames(store.database, added!.trace_id);
    const [found] = gapsOf(frames, await nearMisses(store.database, frames));
    return `${found!.code}: ${found!.actual}`;
  }

  it('a PDB of another age, and one of another GUID by the same name', async () => {
    await addSymbols(store, signed, 'app.pdb', { id: `pdb:${GUID}-2` }, 'pdb');
    const path = 'C:\\\\app.exe';
    expect(await gap({ id: `pdb:${GUID}-1`, path })).toBe('pdb_age_mismatch: PDB Age 2 found');
    expect(await gap({ id: `pdb:${'A'.repeat(32)}-1`, path })).toMatch(
      /^pdb_guid_mismatch: app\.pdb is pdb:3249/,
    );
  });

  it('a dSYM of another build, and one without the slice of this processor', async () => {
    await addSymbols(store, signed, 'App', { id: 'macho:aa', arch: 'x86_64' });
    expect(await gap({ id: 'macho:bb', path: '/App', arch: 'x86_64' })).toMatch(
      /^uuid_mismatch: App is macho:aa/,
    );
    expect(await gap({ id: 'macho:cc', path: '/App', arch: 'arm64' })).toMatch(
      /^arch_slice_missing: App is macho:aa, x86_64/,
    );
  });

  it('only a stripped copy of the build itself', async () => {
    await addSymbols(store, signed, 'lib.so', { id: 'elf:11', features: ['code'] }, 'macho');
    expect(await gap({ id: 'elf:11', path: '/lib.so' })).toMatch(/^stripped_bundle/);
  });

  it('the same code under another build-id', async () => {
    await addShipped(store, 'tool shipped', { id: 'elf:21' }, signed);
    await addSymbols(store, signed, 'tool.debug', { id: 'elf:22' });
    expect(await gap({ id: 'elf:21', path: '/bin/tool' })).toMatch(/^bundle_missing/);
    await store.database.query("UPDATE artifact SET text_sha256 = 'sha256:text' WHERE name = 'tool shipped'");
    await store.database.query("UPDATE bundle SET text_sha256 = 'sha256:text' WHERE name = 'tool.debug'");
    expect(await gap({ id: 'elf:21', path: '/bin/tool', arch: 'again' })).toMatch(
      /^build_id_mismatch_same_text: tool\.debug is elf:22/,
    );
  });

  it('two builds with the debug id that is all the trace says', async () => {
    const debug_id = `${'B'.repeat(32)}0`;
    await addSymbols(store, signed, 'one', { id: 'elf:31', debug_id });
    await addSymbols(store, signed, 'two', { id: 'elf:32', debug_id });
    expect(await gap({ debug_id, path: '/bin/x' })).toMatch(/^ambiguous_debug_id: several/);
  });

  it('nothing at all', async () => {
    expect(await gap({ id: 'elf:ff', path: '/bin/unheard-of' })).toBe('bundle_missing: none in the store');
  });
});
