/** Journals of systemd-coredump: names of modules, build-ids in the message and beside it, entries by the line. */
import { expect, it } from 'vitest';

import type { Trace } from '../../../src/trace/model/trace.ts';
import { ID, NATIVE, read, SYSTEMD } from '../../support/traces.ts';

it('systemd-coredump: modules with their build-ids, the first thread crashed', () => {
  const trace = read(SYSTEMD);
  expect(trace).toMatchObject({ format: 'systemd', signal: 'SIGSEGV' });
  expect(trace.images.map(({ path, id }) => [path, id])).toEqual([
    ['/usr/bin/crash', `elf:${ID}`],
    ['libc.so.6', 'elf:0102'],
    ['libother.so', null],
  ]);
  expect(trace.threads[0]!.frames).toMatchObject([
    { image: 0, rel_addr: '0x1ec7', claimed: 'callback', activation: true },
    { image: null, ip: '0x7f0000000100', claimed: null },
    { image: 1, rel_addr: '0x27249', activation: false },
  ]);
  expect(trace.threads.map(({ crashed }) => crashed)).toEqual([true, false]);
});

const journalOf = (lines: string[], packages: unknown = {}): Trace =>
  read({
    MESSAGE: [...lines, 'Stack trace of thread 7:', '#0  0x0000500000001ec7 n/a (my app (1) + 0x1ec7)'].join(
      '\n',
    ),
    COREDUMP_PACKAGE_JSON: JSON.stringify(packages),
  });

it.each([
  'Module my app (1) with build-id f1c3',
  'Found module my app (1) with build-id: f1c3',
  'Module /opt/a b/my app (1), build-id=f1c3',
  'Module my app (1) from deb demo-1.2-3.amd64 with build-id f1c3',
  'Module my app (1) from deb demo-1.2-3.amd64, build-id=f1c3',
])('systemd-coredump of all versions names a module and its build-id: %s', (line) => {
  const { images, threads } = journalOf([line]);
  expect(images.map(({ id }) => id)).toEqual(['elf:f1c3']);
  expect(threads[0]!.frames).toMatchObject([{ image: 0, rel_addr: '0x1ec7', claimed: null }]);
});

it('systemd-coredump since 252 has the build-ids of packages beside its message', () => {
  const of = (id: unknown): string | null =>
    journalOf(['Module my app (1) from deb demo-1.2-3.amd64'], { 'my app (1)': { buildId: id } }).images[0]!
      .id;
  expect(of('f1c3')).toBe('elf:f1c3');
  for (const id of ['F1 C3', 7, null, 'x'.repeat(999)]) expect(of(id)).toBeNull();
  expect(journalOf([], { '/opt/my app (1)': { buildId: 'f1c3' } }).images).toMatchObject([
    { path: '/opt/my app (1)', id: 'elf:f1c3' },
  ]);
  const without = {
    MESSAGE: 'Stack trace of thread 7:\n#0  0x10 f (a + 0x1)',
    COREDUMP_PACKAGE_JSON: '{"a":',
  };
  expect(read(without).images).toMatchObject([{ path: 'a', id: null }]);
});

it('systemd-coredump: two modules of one name are told apart by nothing, so that a frame in one is in none', () => {
  const { threads } = journalOf([
    'Module /a/my app (1), build-id=f1c3',
    'Module /b/my app (1), build-id=0102',
  ]);
  expect(threads[0]!.frames).toMatchObject([
    { image: null, rel_addr: null, ip: '0x500000001ec7', claimed: 'my app (1)+0x1ec7' },
  ]);
});

it('a message that is no text by the rules of JSON is written as its bytes', () => {
  const bytes = [...Buffer.from('Stack trace of thread 7:\n#0  0x10 n/a (\u00fc + 0x1)')];
  expect(read({ MESSAGE: bytes }).images).toMatchObject([{ path: 'ü' }]);
});

it('a journal of many entries, one a line: the first with a stack', () => {
  const lines = (...entries: unknown[]): string => entries.map((one) => JSON.stringify(one)).join('\n');
  const plain = { MESSAGE: 'Started a service.', PRIORITY: '6' };
  const other = { MESSAGE: 'Stack trace of thread 9:\n#0  0x0000500000001ec7 n/a (crash + 0x1ec7)' };
  const named = { MESSAGE: 'A message about a Stack trace of thread 7:' };
  const trace = read(`${lines(plain, named, { MESSAGE: null }, SYSTEMD, other)}\n`);
  expect(trace).toEqual(read(SYSTEMD));
  expect(read(`${lines(plain)}\r\n${lines(other)}`).threads[0]!.id).toBe(9);
  // One that is cut off in between is of no matter; one that has the stack is.
  expect(read(`${lines(plain)}\n{"MESS\n${lines(SYSTEMD)}`)).toEqual(trace);
  expect(() => read(`${lines(plain)}\n${lines(SYSTEMD).slice(0, -9)}`)).toThrow(
    /^trace: .*string does not end/,
  );
  expect(() => read(lines(plain, plain))).toThrow('none is an entry of systemd-coredump with a stack');
  // One line alone is what it is.
  expect(read(`${JSON.stringify(NATIVE)}\n`)).toEqual(read(NATIVE));
  expect(() => read({ MESSAGE: null })).toThrow('give it --all as well');
});

it('systemd-coredump prints at most 64 frames: a stack that has them all is a cut one', () => {
  const of = (count: number): Trace =>
    read({ MESSAGE: `Stack trace of thread 7:\n${'#0  0x10 f (a + 0x1)\n'.repeat(count)}` });
  expect(of(64).threads[0]!.ended).toMatchObject({ outermost: false, by: 'systemd-coredump', missing: null });
  expect(of(63).threads[0]!.ended).toBeUndefined();
});
