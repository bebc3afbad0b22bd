/** Symbols and traces that others' tools made: what each is worth, and what its frames come to, held against the right answer. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { readObject } from '../../src/objects/object.ts';
import { qualityOf } from '../../src/objects/quality.ts';
import type { Trace } from '../../src/trace/model/trace.ts';
import { traceImage } from '../../src/trace/model/trace.ts';
import { readTrace } from '../../src/trace/read.ts';
import { describeReal } from '../support/real-cases.ts';
import { joinedWith } from '../support/real-symbols.ts';
import { tempFolder } from '../support/world.ts';

/** A trace of one frame at an address that is looked up as it is. */
function at(id: string, rel: string, more: Parameters<typeof traceImage>[0] = {}): Trace {
  const frame = {
    image: 0,
    rel_addr: rel,
    ip: null,
    activation: true,
    trust: 'context',
    claimed: null,
  } as const;
  const images = [traceImage({ id, path: '/app', ...more })];
  return {
    format: 'native',
    signal: 'SIGSEGV',
    images,
    threads: [{ id: 1, crashed: true, frames: [frame] }],
  };
}

const idOf = (path: string): string => {
  const [image] = readObject(path).images;
  return image!.pdb ?? image!.id!;
};

function unpacked(path: string): string {
  const to = join(tempFolder(), 'unpacked');
  writeFileSync(to, execFileSync('xz', ['-dc', path], { maxBuffer: 1 << 28 }));
  return to;
}

async function first(trace: Trace, symbols: string[], shipped: string[] = []): Promise<string> {
  const [frame] = await joinedWith(trace, { symbols, shipped });
  return `${frame!.gap ?? 'joined'}: ${frame!.shown}`;
}

const levelOf = (path: string): string => {
  const { format, images } = readObject(path);
  return qualityOf(format, images[0]!).level;
};

describeReal('discovery/7-mingw', (folder) => {
  const [exe, pdb] = [join(folder, 'app.exe'), join(folder, 'app.pdb')];
  it('MinGW’s DWARF is full, GNU ld’s PDB has public names', () => {
    expect([exe, pdb, join(folder, 'bid.exe')].map(levelOf)).toEqual(['full', 'symbols', 'full']);
  });
  it('a static function is itself by the program, and no neighbour by the PDB', async () => {
    const trace = at(idOf(exe), '0x1530');
    expect(await first(trace, [exe, pdb], [exe])).toBe('joined: hidden_fn w.c:2');
    expect(await first(trace, [pdb], [exe])).toMatch(/^approximate_nearest: __gcc_deregister_frame/);
  });
});

describeReal('traces', (folder) => {
  it('04: a profile of a program that lld linked', async () => {
    const packed = readFileSync(join(folder, '04-lld-rust.pb.gz'));
    const trace = readTrace(packed, '04-lld-rust.pb.gz');
    const symbols = unpacked(join(folder, '04-rv0-symtab.xz'));
    const frames = await joinedWith(trace, { symbols: [symbols], shipped: [symbols] });
    const names = frames.map(({ gap, shown }) => `${gap ?? 'joined'}: ${shown}`);
    expect(names.slice(0, 2)).toEqual([
      'joined: _RNvMNtCskK7mfDs1mzF_1m4deepNtB2_1R4read ?:?',
      'joined: _RNvCskK7mfDs1mzF_1m4main ?:?',
    ]);
    expect(names.at(-1)).toBe('joined: _start ?:?');
  });
  it('10: a debug file whose shared file is absent joins nothing by a missing name', async () => {
    const [debug, program] = [join(folder, '10-basic.dwz'), join(folder, '10-basic.stripped')];
    const trace = readTrace(readFileSync(join(folder, '10-dwz.json')), '10-dwz.json');
    for (const { gap, shown } of await joinedWith(trace, { symbols: [debug], shipped: [program] }))
      expect(gap, shown).toBe(shown.includes('null') ? 'dwz_missing' : null);
  });
  it('08: a MinGW DLL names its own frames', async () => {
    const dll = join(folder, '08-mingw-dwarf.dll');
    const trace = readTrace(readFileSync(join(folder, '08-pe.json')), '08-pe.json');
    expect(levelOf(dll)).toBe('full');
    expect(await first(trace, [dll], [dll])).toMatch(/^joined: \w+/);
  });
});

describeReal('discovery/6-patchelf', (folder) => {
  const [debug, patched] = [join(folder, 'big.debug'), join(folder, 'big.patched')];
  it('a program that patchelf gave a lower address is named by where it lay', async () => {
    const seen = at(idOf(debug), '0x2b60', { base: '0x3ff000' });
    expect(await first(seen, [debug], [patched])).toBe('joined: fn_010 big.c:12');
    expect(await first(seen, [debug])).toBe('artifact_unlinked: fn_010 big.c:12');
    // Without where it lay, its own base and that of the symbols contradict each other.
    expect(await first(at(idOf(debug), '0x2b60'), [debug], [patched])).toBe('base_ambiguous: ');
  });
});

describeReal('discovery/8-no-build-id', (folder) => {
  const files = ['va.sym', 'vb.sym'].map((name) => join(folder, name));
  it.each(files)('%s has an id that others can have: it names nothing by itself', async (path) => {
    const [image] = readObject(path).images;
    expect(image!.weak_id).toBe(true);
    for (const known of [{ id: image!.id }, { id: null, debug_id: image!.debug_id }]) {
      const trace = at('', '0x1136', known);
      expect(await first(trace, [path])).toBe('bundle_missing: ');
    }
  });
});

describeReal('discovery/1-zdebug', (folder) => {
  it.each(['gabi', 'gnu'])(
    '%s: compressed in either way, the inlined call and its lines are there',
    async (name) => {
      const path = join(folder, name);
      expect(await first(at(idOf(path), '0x1180'), [path], [path])).toBe(
        'joined: deref a.cc:5 <- _Z5outerPVii a.cc:11',
      );
    },
  );
});

describeReal('discovery/3-dwz', (folder) => {
  const [one, common] = [join(folder, 'one.debug'), join(folder, 'common.debug')];
  it('a function that dwz moved into a shared file has its name from there, and is not joined without', async () => {
    const trace = at(idOf(one), '0x1193');
    expect(await first(trace, [one, common], [one])).toBe(
      'joined: shared_inline shared.h:7 <- one_fn one.c:2',
    );
    expect(await first(trace, [one], [one])).toBe('dwz_missing: null shared.h:7 <- one_fn one.c:2');
  });
});
