/** A dump that is added walks by the symbols of its images that the store has, and by no others. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TraceStore } from '../../../src/join/store/store.ts';
import { unwindFilesOf } from '../../../src/join/store/unwind-files.ts';
import { traceImage } from '../../../src/trace/model/trace.ts';
import { readTraceFile } from '../../../src/trace/read-file.ts';
import { addSymbols, type Signing } from '../../support/joined.ts';
import { makeKey } from '../../support/keys.ts';
import { codeView, minidump } from '../../support/minidump.ts';
import { describeStores, openStore } from '../../support/stores.ts';
import { DEBUG, ID } from '../../support/traces.ts';
import { trustOf } from '../../support/verify.ts';
import { tempFolder } from '../../support/world.ts';

describeStores('unwind tables', (newPlace) => {
  let store: TraceStore;
  let signed: Signing;
  beforeAll(async () => {
    store = await openStore(await newPlace());
    const key = makeKey();
    signed = { key, trust: await trustOf([key]) };
  });
  afterAll(() => store.database.close());

  it('are those of the build that the dump names; a damaged file leads nowhere', async () => {
    const base = 0x40_0000n;
    const path = join(tempFolder(), 'app.dmp');
    const dump = minidump({
      ...{ arch: 'x86_64', platform: 0x8201 },
      modules: [{ base, size: 0x2000, name: 'app', codeView: codeView('BpEL', ID) }],
      threads: [
        {
          ...{ id: 7, registers: { ip: base + 0x105n, sp: 0x1000n, fp: 1n }, stackFrom: 0x1000n },
          stack: [base + 0x999n, base + 0x205n, 0n],
        },
      ],
      exception: { thread: 7, code: 11 },
    });
    writeFileSync(path, dump);
    const second = async (): Promise<string> => {
      const trace = await readTraceFile(path, (images) => unwindFilesOf(store, images));
      const { rel_addr, trust } = trace.threads[0]!.frames[1]!;
      return `${rel_addr} ${trust}`;
    };
    const rules = 'STACK CFI INIT 100 10 .cfa: $rsp 16 + .ra: .cfa 8 - ^\n';
    const symbols = `MODULE Linux x86_64 ${DEBUG} app\nINFO CODE_ID ${ID}\n${rules}`;
    await addSymbols(store, signed, 'other', { id: 'elf:77' }, 'breakpad', symbols.replace(ID, '77'));
    await addSymbols(store, signed, 'damaged', { id: `elf:${ID}` }, 'breakpad', 'MODULE');
    expect(await second()).toBe('0x999 scan');
    await addSymbols(store, signed, 'app.sym', { id: `elf:${ID}`, debug_id: DEBUG }, 'breakpad', symbols);
    expect(await second()).toBe('0x205 cfi');
  });

  it('of a debug id that two builds have, none', async () => {
    const wanted = [traceImage({ debug_id: `${'A'.repeat(32)}0` })];
    const add = (id: string): Promise<unknown> =>
      addSymbols(store, signed, id, { id, debug_id: `${'A'.repeat(32)}0` }, 'breakpad');
    await add('elf:aa01');
    expect(await unwindFilesOf(store, wanted)).toHaveLength(1);
    await add('elf:aa02');
    expect(await unwindFilesOf(store, wanted)).toEqual([]);
  });
});
