/** Mini debug information as rpm's find-debuginfo makes it: stripped programs name their functions, and what is damaged is refused. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { functionsOf } from '../../src/objects/elf/functions.ts';
import { withMiniSymbols } from '../../src/objects/mini-debug-info.ts';
import { readObject } from '../../src/objects/object.ts';
import { qualityOf } from '../../src/objects/quality.ts';
import { symbolize } from '../../src/symbolize/symbolize.ts';
import { type Trace, traceImage } from '../../src/trace/model/trace.ts';
import { joinedWith } from '../support/real-symbols.ts';
import { addressOf, run } from '../support/symbols.ts';
import { tempFolder } from '../support/world.ts';

const SOURCE = `
static __attribute__((noinline)) int hidden(volatile int *p) { return *p * 3; }
__attribute__((noinline)) int shown(volatile int *p) { return hidden(p) + 1; }
int main(void) { volatile int x = 1; return shown(&x); }
`;

interface Built {
  folder: string;
  /** With all symbols; stripped; stripped, with the names packed in it. */
  whole: string;
  stripped: string;
  mini: string;
}

/** As find-debuginfo does it: names that are exported are left out of what is packed. */
function built(...flags: string[]): Built {
  const folder = tempFolder();
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('a.c'), SOURCE);
  run('gcc', ['-O2', '-rdynamic', '-Wl,--build-id=sha1', ...flags, '-o', 'whole', 'a.c'], folder);
  const namesBy = (...args: string[]): string[] =>
    run('nm', [...args, '--format=posix', '--defined-only', at('whole')])
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, type]) => /^[TtD]$/.test(type ?? ''))
      .map(([name]) => name!);
  const exported = new Set(namesBy('-D'));
  writeFileSync(
    at('keep'),
    namesBy()
      .filter((name) => !exported.has(name))
      .join('\n'),
  );
  run('objcopy', ['--only-keep-debug', 'whole', 'names'], folder);
  run('objcopy', ['-S', '--remove-section=.comment', '--keep-symbols=keep', 'names'], folder);
  run('strip', ['-o', 'stripped', 'whole'], folder);
  run('xz', ['-k', 'names'], folder);
  return {
    folder,
    whole: at('whole'),
    stripped: at('stripped'),
    mini: withSection(folder, 'stripped', 'names.xz'),
  };
}

function withSection(folder: string, program: string, section: string): string {
  const to = `${program}-${section}`;
  run('objcopy', [`--add-section=.gnu_debugdata=${section}`, program, to], folder);
  return join(folder, to);
}

const relOf = ({ whole }: Built, name: string): bigint =>
  addressOf(whole, name) - BigInt(readObject(whole).images[0]!.base);

async function namesIn(path: string, rels: bigint[]): Promise<string[]> {
  const { arch } = readObject(path).images[0]!;
  const found = await symbolize({ path, arch, format: 'elf' }, rels);
  return found.map(({ places, approximate }) => `${places[0]?.function ?? null} ${approximate}`);
}

it.each([['-pie'], ['-no-pie'], ['-static'], ['-static-pie']])(
  'a program linked with %s names what is hidden and what is exported',
  async (flag) => {
    const program = built(flag);
    const rels = ['hidden', 'shown', 'main'].map((name) => relOf(program, name) + 1n);
    const { images, format } = readObject(program.mini);
    expect(qualityOf(format, images[0]!)).toMatchObject({ level: 'symbols', gaps: ['symtab_only'] });
    expect(await namesIn(program.mini, rels)).toEqual(['hidden null', 'shown null', 'main null']);
    expect((await namesIn(program.stripped, rels))[0]).not.toBe('hidden null');
    const functions = (path: string): string[] =>
      [...functionsOf(path)].map(({ rel_addr, size, sha256 }) => `${rel_addr} ${size} ${sha256}`);
    // Of several names of one function, what is packed may lack the first.
    const whole = functions(program.whole);
    expect(
      await withMiniSymbols(program.mini, async (copy) =>
        functions(copy).filter((one) => !whole.includes(one)),
      ),
    ).toEqual([]);
  },
);

it('its frames are joined, by the stripped file itself', async () => {
  const program = built('-pie');
  const rel_addr = `0x${(relOf(program, 'hidden') + 1n).toString(16)}`;
  const frame = { image: 0, ip: null, activation: true, trust: 'context', claimed: null, rel_addr } as const;
  const images = [traceImage({ id: readObject(program.mini).images[0]!.id, path: '/app' })];
  const threads = [{ id: 1, crashed: true, frames: [frame] }];
  const trace: Trace = { format: 'native', signal: 'SIGSEGV', images, threads };
  const gapWith = async (path: string): Promise<string> => {
    const [found] = await joinedWith(trace, { symbols: [path], shipped: [path] });
    return `${found!.gap ?? 'joined'}: ${found!.shown}`;
  };
  expect(await gapWith(program.mini)).toBe('joined: hidden ?:?');
  expect(await gapWith(program.stripped)).not.toMatch(/^joined/);
});

it('a table of all symbols stands before it, and the table that is packed is not looked at', async () => {
  const { folder, whole } = built('-pie');
  writeFileSync(join(folder, 'nothing'), 'nothing');
  const path = withSection(folder, 'whole', 'nothing');
  expect(await namesIn(path, [addressOf(whole, 'hidden') + 1n])).toEqual(['hidden null']);
});

it('what is damaged, too large, or of another build is refused', async () => {
  const program = built('-pie');
  const { folder } = program;
  const refusedWith = async (name: string, content: Buffer): Promise<string> => {
    writeFileSync(join(folder, name), content);
    const path = withSection(folder, 'stripped', name);
    return await namesIn(path, [1n]).then(
      () => 'read',
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    );
  };
  const packed = readFileSync(join(folder, 'names.xz'));
  expect(await refusedWith('none', Buffer.from('no xz'))).toMatch(/^object_malformed: .* cannot be unpacked/);
  expect(await refusedWith('cut', packed.subarray(0, -20))).toMatch(
    /^object_malformed: .* cannot be unpacked/,
  );
  const pack = (name: string, content: Buffer): Buffer => {
    writeFileSync(join(folder, name), content);
    run('xz', ['-k', '-0', name], folder);
    return readFileSync(join(folder, `${name}.xz`));
  };
  expect(await refusedWith('text', pack('words', Buffer.from('words')))).toMatch(/^object_malformed: /);
  expect(await refusedWith('bomb', pack('zeros', Buffer.alloc((128 << 20) + 1)))).toMatch(
    /unpacks to more than 134217728 bytes$/,
  );
  const stripped = pack('bare', readFileSync(program.stripped));
  expect(await refusedWith('symless', stripped)).toMatch(/has no table of symbols$/);
  const other = built('-pie', '-DOTHER', '-O1');
  copyFileSync(join(other.folder, 'names.xz'), join(folder, 'other.xz'));
  expect(await refusedWith('other', readFileSync(join(folder, 'other.xz')))).toMatch(
    /its mini debug information is of elf:[0-9a-f]{40}, x86_64$/,
  );
});
