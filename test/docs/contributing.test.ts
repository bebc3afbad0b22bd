/** CONTRIBUTING.md's worked examples work: each is added to a copy of the sources as its steps say, and used. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { tempFolder } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../..');
const ID = 'ab'.repeat(20);

/** The code block that stands below a line of the document, without its indentation. */
function exampleBelow(line: string): string {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const below = text.slice(text.indexOf(line));
  const [, indent = '', code = ''] = /^( *)```ts\n([\s\S]*?)^ *```$/m.exec(below) ?? [];
  return code.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
}

it('a trace format is one file, and one line in the list', async () => {
  const copy = tempFolder();
  cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'src/trace/formats/toy.ts'), exampleBelow('`src/trace/formats/toy.ts`:'));
  const list = join(copy, 'src/trace/formats/formats.ts');
  const listed = readFileSync(list, 'utf8')
    .replace(
      "import type { TraceFormat } from './format.ts';",
      "import type { TraceFormat } from './format.ts';\nimport { toy } from './toy.ts';",
    )
    .replace('TraceFormat[] = [', 'TraceFormat[] = [\n  toy,');
  writeFileSync(list, listed);
  const { readTrace } = (await import(
    join(copy, 'src/trace/read.ts')
  )) as typeof import('../../src/trace/read.ts');
  const text = `toy 1 SIGSEGV\n0x1a0 /bin/app ${ID}\n0x2b0 /bin/app ${ID}\n`;
  const trace = readTrace(Buffer.from(text), 'crash.toy');
  expect(trace).toMatchObject({ format: 'toy', signal: 'SIGSEGV', images: [{ id: `elf:${ID}` }] });
  expect(trace.threads[0]!.frames.map(({ rel_addr }) => rel_addr)).toEqual(['0x1a0', '0x2b0']);
  expect(() => readTrace(Buffer.from('toy 1 SIGSEGV\nx\n'), 'crash.toy')).toThrow(
    /crash\.toy.*no frame of toydb: x/s,
  );
  expect(() => readTrace(Buffer.from('nothing\n'), 'crash.txt')).toThrow(/a toydb stack/);
});
