/** Stacks of JavaScript: what each engine writes, in whatever it is packed, as places in scripts. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { Fault } from '../../../src/base/fault.ts';
import { decodePlace, encodePlace } from '../../../src/objects/script/place.ts';
import type { Trace } from '../../../src/trace/model/trace.ts';
import { readTrace } from '../../../src/trace/read.ts';
import { SENTRY } from '../../support/traces.ts';
import { reenact, tempFolder } from '../../support/world.ts';

const read = (content: unknown): Trace =>
  readTrace(Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)), 'trace');

/** Each frame as people write it: name, file, line, column. */
function places({ images, threads }: Trace): string[][] {
  return threads.map(({ frames }) =>
    frames.map(({ image, rel_addr, claimed }) => {
      const place = rel_addr === null ? null : decodePlace(rel_addr)!;
      const where = place === null ? 'nowhere' : `${images[image!]!.path}:${place.line}:${place.column}`;
      return claimed === null ? where : `${claimed} ${where}`;
    }),
  );
}

const V8 = `/app/lib/a.js:3
    throw new TypeError('x')
    ^

TypeError [ERR_X]: x is not a function: http://a/b.js:1:2
    at fn (file:///app/a.js:10:15)
    at async Promise.all (index 0)
    at async load (/app/lib (copy)/b.js:1:2)
    at new Foo (C:\\app\\c.js:4294967295:1)
    at Object.name [as alias] (https://cdn/x@1.0/d.min.js?v=(1):1:40960)
    at Array.map (<anonymous>)
    at eval (eval at foo (http://x/a.js:21:17), <anonymous>:1:30)
    at async file:///app/a.js:11:1
    at node:internal/main/run_main_module:33:47 {
  [cause]: Error: y
      at deeper (file:///app/a.js:12:3)
}

Node.js v24.0.0
`;

it('V8 and Node: the error’s own stack crashed, that of its cause follows, and what is in no file keeps its row', () => {
  const trace = read(V8);
  expect(trace).toMatchObject({ format: 'javascript', signal: 'TypeError' });
  expect(places(trace)).toEqual([
    [
      'fn file:///app/a.js:10:15',
      'Promise.all nowhere',
      'load /app/lib (copy)/b.js:1:2',
      'new Foo C:\\app\\c.js:4294967295:1',
      'Object.name [as alias] https://cdn/x@1.0/d.min.js?v=(1):1:40960',
      'Array.map nowhere',
      'eval nowhere',
      'file:///app/a.js:11:1',
      'node:internal/main/run_main_module:33:47',
    ],
    ['deeper file:///app/a.js:12:3'],
  ]);
  expect(trace.threads.map(({ crashed }) => crashed)).toEqual([true, false]);
  // A place in a script is that of the call itself.
  expect(trace.threads[0]!.frames.every(({ activation }) => activation)).toBe(true);
  expect(trace.images[0]).toEqual({
    ...{ id: null, debug_id: null, path: 'file:///app/a.js', arch: 'javascript' },
    ...{ base: null, size: null, sha256: null },
  });
  expect(trace.threads[0]!.frames[0]!.rel_addr).toBe('0xa0000000f');
});

it('Firefox and Safari', () => {
  const trace = read(
    `fn@http://x/npm@1/a.js:10:15
async*load/<@http://x/a.js:11:2
@http://x/b.js:1:2
eval@http://x/a.js line 5 > eval:1:1
map@[native code]
http://x/safari.js:7:8
old@http://x/c.js:12
global code@http://x/a.js:1:1
`,
  );
  expect(places(trace)).toEqual([
    [
      'fn http://x/npm@1/a.js:10:15',
      'load/< http://x/a.js:11:2',
      'http://x/b.js:1:2',
      'eval nowhere',
      'map nowhere',
      'http://x/safari.js:7:8',
      'old http://x/c.js:12:0',
      'global code http://x/a.js:1:1',
    ],
  ]);
});

it('in JSON, as loggers write it; and what this Node prints, itself', () => {
  expect(places(read({ level: 50, message: 'x', stack: 'Error: x\n    at /a.js:3:4' }))).toEqual([
    ['/a.js:3:4'],
  ]);
  const file = join(tempFolder(), 'throws.js');
  writeFileSync(file, 'function boom() {\n  throw new RangeError("x");\n}\n[1].map(() => boom());\n');
  const { stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  const trace = read(stderr);
  expect(trace.signal).toBe('RangeError');
  expect(places(trace)[0]!.slice(0, 3)).toEqual([`boom ${file}:2:9`, `${file}:4:15`, 'Array.map nowhere']);
});

it('a Sentry event names the source maps of its scripts; without one, its scripts are left out', () => {
  const script = (abs_path: string, lineno: number, more = {}): object => ({
    abs_path,
    lineno,
    colno: 7,
    ...more,
  });
  const frames = [
    script('https://x/other.js', 3),
    { function: 'native' },
    { ...script('https://x/a.js', 2, { function: 'fn' }), colno: undefined },
    script('https://x/a.js', 1),
  ];
  const image = {
    type: 'sourcemap',
    code_file: 'https://x/a.js',
    debug_id: '3249d99d-0c40-4931-8610-f4e4fb0b6936',
  };
  const event = { exception: { values: [{ type: 'TypeError', stacktrace: { frames } }] } };
  const trace = read({ ...event, debug_meta: { images: [image] } });
  expect(trace.images.map(({ id, path, arch }) => [id, path, arch])).toEqual([
    ['js:3249d99d0c4049318610f4e4fb0b6936', 'https://x/a.js', 'javascript'],
    [null, 'https://x/other.js', 'javascript'],
  ]);
  expect(places(trace)).toEqual([['https://x/a.js:1:7', 'fn https://x/a.js:2:0', 'https://x/other.js:3:7']]);
  expect(() => read(event)).toThrow('there is no frame in it');
  // Programs and scripts side by side, as in an app that runs both.
  const both = structuredClone(SENTRY) as {
    exception: typeof event.exception;
    debug_meta: { images: object[] };
  };
  both.debug_meta.images.push(image);
  both.exception.values[0]!.stacktrace.frames.push(script('https://x/a.js', 1));
  expect(read(both).threads[0]!.frames).toMatchObject([
    { image: 2 },
    { image: 0, rel_addr: '0x1ec7' },
    {},
    {},
  ]);
});

it('such an id stands in our own form too', () => {
  const frames = [{ image: 0, rel_addr: '0xa0000000f' }];
  const of = (id: string): object => ({
    ...{ reenact_trace: 1, images: [{ path: 'a.js', id, arch: 'javascript' }], threads: [{ id: 1, frames }] },
  });
  expect(places(read(of('js:3249d99d0c4049318610f4e4fb0b6936')))).toEqual([['a.js:10:15']]);
  for (const bad of [
    'js:3249D99D0C4049318610F4E4FB0B6936',
    'js:3249',
    'js:3249d99d-0c40-4931-8610-f4e4fb0b6936',
  ])
    expect(() => read(of(bad))).toThrow(/id/);
});

it.each([
  ['prose', 'we meet at noon (room 3:4)\n'],
  ['Java', 'java.lang.Error: x\n    at com.a.B.c(B.java:10)\n'],
  ['Rust', '   1: app::main\n             at ./src/main.rs:2:5\n'],
  ['C#', '   at A.B() in C:\\a.cs:line 5\n'],
  ['an address of mail', 'me@example.org\n'],
  ['a stack without a place', 'Error: x\n    at Array.map (<anonymous>)\n'],
  ['a frame behind the first 64 KiB', `${'x\n'.repeat(40_000)}    at /a.js:1:2\n`],
  ['line 0', '{"stack":"    at a.js:0:2"}'.replace('    at a.js:0:2', '')],
])('%s is no stack of JavaScript', (name, text) => {
  // These have readers of their own.
  const own = { Java: 'java', 'C#': 'dotnet' }[name];
  if (own) expect(read(text).format).toBe(own);
  else expect(() => read(text)).toThrow(Fault);
});

it('places are lines and columns from 1, in 32 bits each', () => {
  expect(encodePlace(1, 1)).toBe('0x100000001');
  expect(encodePlace(2 ** 32 - 1, 2 ** 32 - 1)).toBe('0xffffffffffffffff');
  expect(encodePlace(1, 2 ** 32)).toBe('0x100000000');
  for (const line of [0, -1, 1.5, 2 ** 32]) expect(encodePlace(line, 1)).toBeNull();
  expect(decodePlace('0xffffffff')).toBeNull();
  expect(decodePlace('0x1ffffffffffffffff')).toBeNull();
  const u32 = fc.integer({ min: 1, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(u32, u32, (line, column) => {
      expect(decodePlace(encodePlace(line, column)!)).toEqual({ line, column });
    }),
  );
});

it('lines that never end and frames without number take neither time nor memory', { timeout: 60_000 }, () => {
  const frame = '    at f (/a.js:1:2)\n';
  expect(read(frame.repeat(1_000_000)).threads[0]!.frames).toHaveLength(1_000_000);
  // Reading stops there.
  expect(() => read(frame.repeat(1_000_100))).toThrow('1000001 frames, at most 1000000 are taken');
  expect(() => read(`${frame}x\n`.repeat(65_537))).toThrow('65537 threads');
  const images = Array.from({ length: 65_537 }, (_, i) => `    at f (/${i}.js:1:2)\n`).join('');
  expect(() => read(images)).toThrow('65537 images');
  for (const hostile of [':1', ' (', '@', 'async ', ' line 1 > eval', '(:1:1', '\\w://'])
    expect(read(`${frame}    at ${hostile.repeat(1_000_000)}:1:1\n`).threads[0]!.frames).toHaveLength(1);
  for (const hostile of [':1', ' (', '@', 'async ', ' line 1 > eval', '(:1:1'])
    for (const end of [':1:1', ')', ':1:1)', ''])
      read(frame + `    at ${hostile.repeat(8000 / hostile.length)}${end}\n`.repeat(500));
});

it('whatever stands in a stack, it is read or refused', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(255), fc.nat(20), (at, byte, cut) => {
      const bytes = Buffer.from(V8);
      bytes[at % bytes.length] = byte;
      try {
        readTrace(Buffer.from(cut === 0 ? bytes.subarray(0, at % bytes.length) : bytes), 'trace');
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
      }
    }),
    { numRuns: 2000 },
  );
});

it('the command shows line and column', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'stack.txt'), `${V8}\nold@http://x/c.js:12\n`);
  const { stdout } = await reenact(['trace', 'show', 'stack.txt'], { cwd: folder });
  expect(stdout).toContain('stack.txt: javascript, TypeError\n');
  expect(stdout).toContain('    0   file:///app/a.js:10:15 [fn]\n');
  expect(stdout).toContain('    1   no address [Promise.all]\n');
});
