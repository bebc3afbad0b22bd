/** Files that symbols need beside them: the rests of split units, and what dwz moved into a shared file; late, early, absent and damaged. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { splitUnitsOf } from '../../../src/objects/dwarf/split-units.ts';
import { readObject } from '../../../src/objects/object.ts';
import { symbolize } from '../../../src/symbolize/symbolize.ts';
import { type Trace, traceImage } from '../../../src/trace/model/trace.ts';
import { joinedWith } from '../../support/real-symbols.ts';
import { addressOf, run } from '../../support/symbols.ts';
import { tempFolder } from '../../support/world.ts';

const A = `#include "shared.h"
__attribute__((noinline)) int outer(volatile int *p) {
  return inner(p) * 3;
}
`;
const B = `#include "shared.h"
int outer(volatile int *p);
void _start(void) { volatile int x = 1; x = outer(&x); x = inner(&x); for (;;); }
`;
const SHARED = `static inline __attribute__((always_inline)) int inner(volatile int *p) {
  int twice_of_what_is_there = *p + 1; return twice_of_what_is_there;
}
`;
const WHOLE = 'inner shared.h:2 <- outer a.c:3';

/** Compiles both files in a folder; returns the program and the address of outer in it. */
function built(...flags: string[]): { folder: string; path: string; rel: bigint } {
  const folder = tempFolder();
  for (const [name, text] of Object.entries({ 'a.c': A, 'b.c': B, 'shared.h': SHARED }))
    writeFileSync(join(folder, name), text);
  for (const name of ['a', 'b']) run('gcc', ['-O2', ...flags, '-c', `${name}.c`], folder);
  run('gcc', ['-nostdlib', '-Wl,--build-id=sha1', '-o', 'program', 'a.o', 'b.o'], folder);
  const path = join(folder, 'program');
  return { folder, path, rel: addressOf(path, 'outer') - BigInt(readObject(path).images[0]!.base) };
}

function seen(path: string, rel: bigint): Trace {
  const frame = { image: 0, ip: null, activation: true, trust: 'context', claimed: null } as const;
  const frames = [{ ...frame, rel_addr: `0x${rel.toString(16)}` }];
  const images = [traceImage({ id: readObject(path).images[0]!.id, path: '/app' })];
  return { format: 'native', signal: 'SIGSEGV', images, threads: [{ id: 1, crashed: true, frames }] };
}

async function first(path: string, rel: bigint, ...symbols: string[]): Promise<string> {
  const [frame] = await joinedWith(seen(path, rel), { symbols, shipped: [path] });
  return `${frame!.gap ?? 'joined'}: ${frame!.shown}${frame!.bundle!.lacks.map((one) => `, ${one}`).join('')}`;
}

/** A copy with a section that is nothing. */
function damaged(path: string, section: string): string {
  const folder = tempFolder();
  writeFileSync(join(folder, 'nothing'), Buffer.alloc(256, 0xee));
  run('objcopy', ['--update-section', `${section}=nothing`, path, 'bad'], folder);
  return join(folder, 'bad');
}

describe.each([4, 5])('split units of DWARF %i', (version) => {
  const { folder, path, rel } = built(`-gdwarf-${version}`, '-gsplit-dwarf');
  const [a, b] = [join(folder, 'a.dwo'), join(folder, 'b.dwo')];
  const packed = join(folder, 'program.dwp');
  run('llvm-dwp-19', ['-o', packed, a, b]);

  it('are known by the ids of both halves', async () => {
    const { wanted, held } = await splitUnitsOf(path);
    expect([wanted.length, held]).toEqual([2, []]);
    const halves = await Promise.all([a, b].map(splitUnitsOf));
    expect(halves.flatMap((one) => one.held).sort()).toEqual(wanted.sort());
    expect((await splitUnitsOf(packed)).held.sort()).toEqual(wanted);
  });

  it('without their rest the line, which is an inlined call’s, is not said', async () => {
    expect(await first(path, rel, path)).toBe('joined: outer ?:?, dwo_missing');
    expect(await first(path, rel, path, a)).toBe('joined: outer ?:?, dwo_missing');
  });

  it('are whole with .dwo files or a .dwp file, whichever came first', async () => {
    for (const symbols of [
      [path, a, b],
      [b, a, path],
      [path, packed],
      [packed, path],
    ])
      expect(await first(path, rel, ...symbols)).toBe(`joined: ${WHOLE}`);
  });

  it('whose rest is damaged are said to be', async () => {
    const split = [damaged(a, '.debug_info.dwo')];
    const asked = symbolize({ path, format: 'elf', arch: 'x86_64', split }, [rel]);
    await expect(asked).rejects.toMatchObject({ code: 'object_malformed' });
  });
});

describe.each([
  ['DWARF 4', ['-gdwarf-4'], []],
  ['DWARF 5', ['-gdwarf-5'], []],
  ['DWARF 5’s own forms', ['-gdwarf-5'], ['--dwarf-5']],
])('what dwz shares, %s', (_, flags, options) => {
  const { folder, path, rel } = built('-g', ...flags);
  const other = join(folder, 'other');
  // Another copy has the same debug information: all of it is shared.
  run('cp', [path, other], folder);
  run('objcopy', ['--remove-section=.note.gnu.build-id', other], folder);
  run('dwz', [...options, '-m', 'common', 'program', 'other'], folder);
  const common = join(folder, 'common');

  it('is put back where the shared file is there, early or late', async () => {
    expect(await first(path, rel, path, common)).toBe(`joined: ${WHOLE}`);
    expect(await first(path, rel, common, path)).toBe(`joined: ${WHOLE}`);
  });

  it('is missing without it: a call without a name is not joined', async () => {
    expect(await first(path, rel, path)).toMatch(/^dwz_missing: null shared\.h:2 .*, dwz_missing$/);
  });

  it('and is damaged, is refused', async () => {
    const shared = damaged(common, '.debug_info');
    const asked = symbolize({ path, format: 'elf', arch: 'x86_64', shared }, [rel]);
    await expect(asked).rejects.toMatchObject({ code: 'object_malformed' });
  });
});
