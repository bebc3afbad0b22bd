/** CONTRIBUTING.md's worked examples work: each is added to a copy of the sources as its steps say, and used. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { tempFolder } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../..');
const ID = 'ab'.repeat(20);

/** A copy of the sources that runs: packages are the project's own. */
function copyOfSources(): string {
  const copy = tempFolder();
  cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Writes the code that the document has below the name of the file. */
function addExample(copy: string, path: string): void {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const below = text.slice(text.indexOf(`\`${path}\`:`));
  const [, indent = '', code = ''] = /^( *)```ts\n([\s\S]*?)^ *```$/m.exec(below) ?? [];
  writeFileSync(join(copy, path), code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

/** Imports a name at the head of a file, and puts it first in a list there. */
function listIn(path: string, name: string, from: string, list: string, entry: string): void {
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(list);
  const lines = text.replace(list, `${list}${entry}, `).split('\n');
  lines.splice(1, 0, `import { ${name} } from '${from}';`);
  writeFileSync(path, lines.join('\n'));
}

it('a trace format is one file, and one line in the list', async () => {
  const copy = copyOfSources();
  addExample(copy, 'src/trace/formats/toy.ts');
  listIn(join(copy, 'src/trace/formats/formats.ts'), 'toy', './toy.ts', 'TraceFormat[] = [', 'toy');
  const { readTrace } = (await import(
    join(copy, 'src/trace/read.ts')
  )) as typeof import('../../src/trace/read.ts');
  const text = `toy 1 SIGSEGV\n0x1a0 /bin/app ${ID} fail\n0x2b0 /bin/app ${ID} main\n`;
  const trace = readTrace(Buffer.from(text), 'crash.toy');
  expect(trace).toMatchObject({ format: 'toy', signal: 'SIGSEGV', images: [{ id: `elf:${ID}` }] });
  expect(trace.threads[0]!.frames.map(({ rel_addr, claimed }) => [rel_addr, claimed])).toEqual([
    ['0x1a0', 'fail'],
    ['0x2b0', 'main'],
  ]);
  expect(() => readTrace(Buffer.from('toy 1 SIGSEGV\nx\n'), 'crash.toy')).toThrow(
    /crash\.toy.*no frame of toydb: x/s,
  );
  expect(() => readTrace(Buffer.from('nothing\n'), 'crash.txt')).toThrow(/a toydb stack/);
});

it('a symbol format is one file and one line, and two more where LLVM does not read it', async () => {
  const copy = copyOfSources();
  addExample(copy, 'src/objects/formats/toysym.ts');
  addExample(copy, 'src/symbolize/toysym-places.ts');
  const object = join(copy, 'src/objects/object.ts');
  listIn(object, 'toysym', './formats/toysym.ts', 'SymbolFormat[] = [', 'toysym');
  const symbolizer = join(copy, 'src/symbolize/symbolize.ts');
  const [list, entry] = ['new Map<string, PlacesReader>([', "['toysym', toysymPlaces]"];
  listIn(symbolizer, 'toysymPlaces', './toysym-places.ts', list, entry);
  const { readObject } = (await import(object)) as typeof import('../../src/objects/object.ts');
  const { symbolize } = (await import(symbolizer)) as typeof import('../../src/symbolize/symbolize.ts');
  const path = join(copy, 'app.toysym');
  writeFileSync(path, `TOYSYM ${ID} x86_64\n0x100 first\n0x200 second\n`);
  expect(readObject(path)).toMatchObject({ format: 'toysym', images: [{ id: `elf:${ID}` }] });
  const found = await symbolize({ path, arch: 'x86_64', format: 'toysym' }, [0x1ffn, 0x10n, 0x200n]);
  expect(found.map(({ places }) => places[0]?.function)).toEqual(['first', undefined, 'second']);
  writeFileSync(path, 'TOYSYM of nothing\n');
  expect(() => readObject(path)).toThrow(/app\.toysym.*its first line is not "TOYSYM/s);
});
