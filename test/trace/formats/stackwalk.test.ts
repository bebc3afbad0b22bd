/** What minidump_stackwalk -m prints: addresses that are lost, modules of one name. */
import { expect, it } from 'vitest';

import type { Trace } from '../../../src/trace/model/trace.ts';
import { GUID, read, STACKWALK } from '../../support/traces.ts';

it('minidump_stackwalk -m: where a function is named, the address is lost and not made up', () => {
  const trace = read(STACKWALK);
  expect(trace.images).toMatchObject([
    { id: `pdb:${GUID}-1`, debug_id: `${GUID}1`, base: '0x400000', size: 0x9000 },
    { id: null, debug_id: null },
  ]);
  expect(trace.threads[0]!.frames).toMatchObject([
    { image: 0, rel_addr: '0x2a3d', claimed: null },
    { image: null, rel_addr: null, ip: null, claimed: 'crash.exe!start' },
    { image: null, rel_addr: null, ip: '0x77' },
  ]);
  expect(trace.threads[1]).toMatchObject({ crashed: false, frames: [{ image: 1, rel_addr: '0x10' }] });
});

it('minidump_stackwalk -m: of two modules with one name none is taken, unless only one is that long, or both are one build', () => {
  const module = (name: string, id: string, from: string, to: string): string =>
    `Module|${name}||${name}.pdb|${id}|${from}|${to}|0`;
  const [one, other] = [`${GUID}1`, `${GUID}2`];
  const of = (...modules: string[]): Trace['threads'][number]['frames'] =>
    read(['OS|Windows NT|6', 'Crash|X|0x1|0', ...modules, '0|0|a.dll||||0x1500'].join('\n')).threads[0]!
      .frames;
  expect(
    of(module('a.dll', one, '0x10000', '0x12fff'), module('a.dll', other, '0x20000', '0x22fff')),
  ).toMatchObject([{ image: null, rel_addr: null, claimed: 'a.dll+0x1500' }]);
  expect(
    of(module('a.dll', one, '0x10000', '0x12fff'), module('a.dll', other, '0x20000', '0x20fff')),
  ).toMatchObject([{ image: 0, rel_addr: '0x1500' }]);
  expect(
    of(module('a.dll', one, '0x10000', '0x12fff'), module('a.dll', one, '0x20000', '0x22fff')),
  ).toMatchObject([{ image: 0, rel_addr: '0x1500' }]);
  const many = Array.from({ length: 200 }, (_, n) => module('a.dll', `${GUID}${n}`, '0x10000', '0x10fff'));
  expect(of(...many, module('a.dll', one, '0x20000', '0x22fff'))).toMatchObject([{ image: null }]);
});

it('minidump_stackwalk -m of a dump that was asked for: no thread crashed', () => {
  const trace = read('Crash|No crash||0\nModule|a||a|x|0x1|0x2|1\n0|0|a||||0x1');
  expect(trace).toMatchObject({ signal: null, threads: [{ crashed: false }] });
});
