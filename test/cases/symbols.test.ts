/** Symbols and traces that others' tools made: what each is worth, and what its frames come to, held against the right answer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { readObject } from '../../src/trace/object.ts';
import { qualityOf } from '../../src/trace/quality.ts';
import { readTrace } from '../../src/trace/read.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { traceImage } from '../../src/trace/trace.ts';
import { describeReal } from '../support/real-cases.ts';
import { joinedWith } from '../support/real-symbols.ts';

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
  it('08: a MinGW DLL names its own frames', async () => {
    const dll = join(folder, '08-mingw-dwarf.dll');
    const trace = readTrace(readFileSync(join(folder, '08-pe.json')), '08-pe.json');
    expect(levelOf(dll)).toBe('full');
    expect(await first(trace, [dll], [dll])).toMatch(/^joined: \w+/);
  });
});
