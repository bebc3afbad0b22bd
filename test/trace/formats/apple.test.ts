/** Apple reports: offsets in images, and the stack of an exception that nothing caught. */
import { expect, it } from 'vitest';

import { IPS, read } from '../../support/traces.ts';

it('an Apple report: where the exception was thrown comes first, and all of it is where calls come back to', () => {
  const [head = '', body = ''] = IPS.split('\n');
  const thrown = [
    { imageOffset: 0x500, imageIndex: 0, symbol: '__exceptionPreprocess' },
    { imageOffset: 0x600, imageIndex: 0, symbol: 'objc_exception_throw' },
  ];
  const trace = read(`${head}\n${JSON.stringify({ ...JSON.parse(body), lastExceptionBacktrace: thrown })}`);
  expect(trace.threads.map(({ id, crashed }) => [id, crashed])).toEqual([
    [200, true],
    [100, false],
    [200, true],
  ]);
  expect(trace.threads[0]!.frames).toMatchObject([
    { image: 0, rel_addr: '0x500', activation: false, claimed: '__exceptionPreprocess' },
    { image: 0, rel_addr: '0x600', activation: false },
  ]);
  const damaged = { ...JSON.parse(body), lastExceptionBacktrace: [{ symbol: 'x' }] };
  expect(() => read(`${head}\n${JSON.stringify(damaged)}`)).toThrow('lastExceptionBacktrace');
});

it('an Apple report: offsets as they stand, an image at 0 stands for none', () => {
  const trace = read(IPS);
  expect(trace).toMatchObject({ format: 'apple', signal: 'SIGSEGV' });
  expect(trace.threads.map(({ id, crashed }) => [id, crashed])).toEqual([
    [100, false],
    [200, true],
  ]);
  expect(trace.images[0]!.id).toBe('macho:67e9247c814e392ba027dbde6748fcbf');
  expect(trace.threads[1]!.frames).toMatchObject([
    { image: 0, rel_addr: '0xdc15', ip: '0x10000dc15', claimed: 'crash', activation: true },
    { image: null, rel_addr: null, ip: '0x3039', activation: false },
  ]);
});
