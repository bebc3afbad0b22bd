/** Traces of every form that is read: where each frame is, and what is refused by name. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { Fault } from '../../src/base/fault.ts';
import { readTrace } from '../../src/trace/read.ts';
import { makeCase } from '../support/case.ts';
import * as texts from '../support/trace-texts.ts';
import { DEBUG, ID, IPS, NATIVE, read, SENTRY, STACKWALK, SYSTEMD } from '../support/traces.ts';
import { reenact, tempFolder } from '../support/world.ts';

it('our own form: what is left out is filled in, and every field that is wrong is named', () => {
  expect(read(NATIVE).threads).toMatchObject([
    {
      id: 1,
      crashed: true,
      frames: [
        { activation: true, trust: 'unknown' },
        { image: null, activation: false },
      ],
    },
  ]);
  const bad = { ...NATIVE, more: 1, threads: [{ id: -1, frames: [{ rel_addr: '0x1' }, { ip: 'x' }] }] };
  expect(() => read(bad)).toThrow(/id.*ip.*more/s);
  const nowhere = { ...NATIVE, threads: [{ id: 1, frames: [{ rel_addr: '0x1' }] }] };
  expect(() => read(nowhere)).toThrow('has neither ip nor both image and rel_addr');
  const beyond = { ...NATIVE, threads: [{ id: 1, frames: [{ image: 7, rel_addr: '0x1' }] }] };
  expect(() => read(beyond)).toThrow('frame 0 of thread 0 is in image 7 of 1');
});

it('a replay record: the first crash, with the digests of the files that were loaded', async () => {
  const made = await makeCase(['a', 'a']);
  const sha256 = made.record.replays[0]!.final_state_sha256!;
  const place = { area: 'module' as const, module: '/bin/crash', build_id: ID, offset: '0x1ec7' };
  made.record.replays[1]!.crash = {
    ...{ signal: 'SIGSEGV', code: 1, fault: null, thread: 20, threads: [20], thread_count: 1 },
    frames: [
      { ...place, by: 'counter' },
      { ...place, offset: '0x2000', by: 'unwind_table' },
      { area: 'anonymous', module: null, build_id: null, offset: '0x10', by: 'frame_pointer' },
    ],
    walk_ended: 'outermost',
    modules: [{ path: '/bin/crash', base: '0x400000', build_id: ID, sha256, not_hashed: null }],
    ...{ modules_left_out: 0, registers: {}, core: null },
  };
  const trace = read(made.record);
  expect(trace.images).toMatchObject([{ id: `elf:${ID}`, debug_id: DEBUG, sha256, base: '0x400000' }]);
  expect(trace.threads[0]!.frames).toMatchObject([
    { image: 0, rel_addr: '0x1ec7', trust: 'context', activation: true },
    { image: 0, rel_addr: '0x2000', trust: 'cfi', activation: false },
    { image: null, rel_addr: null, trust: 'fp', claimed: 'anonymous+0x10' },
  ]);
  delete made.record.replays[1]!.crash;
  expect(() => read(made.record)).toThrow('no replay in this record has a crash');
});

it.each([
  ['nothing', ''],
  ['text', 'Segmentation fault'],
  ['JSON of no known form', '{}'],
  ['JSON that is cut off', '{"threads":['],
  ['JSON twice over', '{"threads":1,"threads":2}'],
  ['a Sentry event without frames', '{"exception":{"values":[]}}'],
  ['a Sentry event of the wrong kinds', '{"threads":7,"exception":"x","debug_meta":[{}]}'],
  ['an Apple report without frames', '{"app_name":"x"}\n{}'],
  ['an Apple frame without an offset', '{"app_name":"x"}\n{"threads":[{"frames":[{}]}]}'],
  ['a journal entry without a stack', '{"MESSAGE":"hello"}'],
  ['a journal entry of bytes', '{"MESSAGE":[1,2]}'],
  ['modules without frames', 'Module|a||b|c|0x1|0x2|1\n'],
])('%s is refused by name', (_name, content) => {
  expect(() => read(content)).toThrow(Fault);
  expect(() => read(content)).toThrow(/^trace[:,] /);
});

it('whatever stands in a trace, it is read or refused', () => {
  const forms = [SENTRY, SYSTEMD, NATIVE]
    .map((form) => JSON.stringify(form))
    .concat(IPS, STACKWALK, ...Object.values(texts));
  fc.assert(
    fc.property(fc.constantFrom(...forms), fc.nat(), fc.nat(255), fc.nat(40), (form, at, byte, cut) => {
      const bytes = Buffer.from(form);
      bytes[at % bytes.length] = byte;
      const changed = cut === 0 ? bytes.subarray(0, at % bytes.length) : bytes;
      try {
        readTrace(Buffer.from(changed), 'trace');
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
      }
    }),
    { numRuns: 3000 },
  );
});

it('a million frames are taken, one more is not', { timeout: 60_000 }, () => {
  const line = '#0  0x0000500000001ec7 n/a (crash + 0x1ec7)\n';
  const of = (count: number): string =>
    JSON.stringify({ MESSAGE: `Stack trace of thread 7:\n${line.repeat(count)}` });
  expect(read(of(1_000_000)).threads[0]!.frames).toHaveLength(1_000_000);
  expect(() => read(of(1_000_001))).toThrow('at most 1000000 are taken');
});

it('is shown by the command: the thread that crashed, what is claimed in brackets, nothing that moves the cursor', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'x'));
  const hostile = {
    ...NATIVE,
    signal: 'SIG\u001b[2J',
    threads: [{ id: 1, frames: [{ ip: '0x1', claimed: 'a\nb' }] }],
  };
  writeFileSync(join(folder, 'sentry.json'), JSON.stringify(SENTRY));
  writeFileSync(join(folder, 'hostile.json'), JSON.stringify(hostile));
  const shown = await reenact(['trace', 'show', 'sentry.json'], { cwd: folder });
  expect(shown).toMatchObject({ status: 0, stderr: '' });
  expect(shown.stdout).toContain('    0   /bin/crash+0x1ec7 [callback]\n');
  expect(shown.stdout).toContain('1 more threads: --all shows them');
  expect((await reenact(['trace', 'show', 'sentry.json', '--all'], { cwd: folder })).stdout).toContain(
    'thread 10\n',
  );
  const safe = await reenact(['trace', 'show', 'hostile.json'], { cwd: folder });
  expect(safe.stdout).toContain('SIG\\u001b[2J');
  expect(safe.stdout).toContain('a\\u000ab');
  expect(await reenact(['trace', 'show', 'x'], { cwd: folder })).toMatchObject({ status: 64 });
  expect(await reenact(['trace', 'show', 'nothing'], { cwd: folder })).toMatchObject({ status: 64 });
  const schema = await reenact(['schema', 'trace']);
  expect(JSON.parse(schema.stdout).title).toBe('Reenact trace');
  expect(readFileSync('docs/traces.md', 'utf8')).toContain('minidump_stackwalk -m');
});
