/** What was made of dumps and profiles, in binary and JSON: microdumps, minidump-stackwalk's JSON, gperftools' profiles, OpenTelemetry's. */
import { expect, it } from 'vitest';

import { basisOf } from '../../../src/trace/model/basis.ts';
import type { Trace } from '../../../src/trace/model/trace.ts';
import { readTrace } from '../../../src/trace/read.ts';
import { context } from '../../support/minidump.ts';
import { DEBUG, GUID, ID, read } from '../../support/traces.ts';

const placesOf = ({ images, threads }: Trace): string[] =>
  threads.flatMap(({ id, crashed, frames }) => [
    `${id}${crashed ? ' crashed' : ''}`,
    ...frames.map(({ image, rel_addr, ip, activation, trust, claimed }) => {
      const place = image === null ? (ip ?? '-') : `${images[image]!.path}+${rel_addr}`;
      return `${place}${activation ? '*' : ''} ${trust}${claimed === null ? '' : ` ${claimed}`}`;
    }),
  ]);

const BASE = 0x5000_0000_0000n;
const hex16 = (value: bigint): string => value.toString(16).toUpperCase().padStart(16, '0');
function microdump({ arch = 'x86_64', registers = true, lost = false } = {}): string {
  const [sp, from] = [0x7ffc_0000_1010n, 0x7ffc_0000_1000n];
  const words = [0n, 0n, 1n, BASE + 0x205n, 5n, BASE + 0x305n].map((word) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(word);
    return bytes.toString('hex').toUpperCase();
  });
  const lines = [
    '-----BEGIN BREAKPAD MICRODUMP-----',
    'V WebView:45.0',
    `O A ${arch} 04 aarch64 3.10.49 #1 SMP`,
    'P Browser',
    'R 0000000B SIGSEGV 0000000000000018',
    `S 0 ${hex16(sp)} ${hex16(from)} 0000000000000030`,
    `S ${hex16(from)} ${words.slice(0, 4).join('')}`,
    ...(lost ? [] : [`S ${hex16(from + 32n)} ${words.slice(4).join('')}`]),
    ...(registers
      ? [
          `C ${context('x86_64', { ip: BASE + 0x100n, sp, fp: 1n })
            .toString('hex')
            .toUpperCase()}`,
        ]
      : []),
    `M ${hex16(BASE)} ${hex16(0n)} 0000000000002000 ${DEBUG.slice(0, 32)}0 lib app.so`,
    '-----END BREAKPAD MICRODUMP-----',
    'S nothing of this counts',
  ];
  return lines.map((line) => `08-26 15:04:04.227  9138  9138 W google-breakpad: ${line}\r\n`).join('');
}

it('a microdump in a log: modules by debug id, and a walk of the stack that its lines hold', () => {
  const trace = read(`08-26 first line of the log\r\n${microdump()}`);
  expect(trace).toMatchObject({ format: 'microdump', signal: 'SIGSEGV', fault_address: '0x18' });
  expect(trace.images).toMatchObject([
    { path: 'lib app.so', id: null, debug_id: DEBUG, base: '0x500000000000' },
  ]);
  expect(placesOf(trace)).toEqual([
    ...['0 crashed', 'lib app.so+0x100* context', 'lib app.so+0x205 scan', 'lib app.so+0x305 scan'],
  ]);
  expect(placesOf(read(microdump({ lost: true })))).toHaveLength(3);
  expect(() => read(microdump({ arch: 'mips' }))).toThrow('a microdump of processor mips');
  expect(() => read(microdump({ registers: false }))).toThrow('lines of the log are missing');
});

const reportOf = (
  os: string,
  cpu_arch: string,
  module: Record<string, unknown>,
): Record<string, unknown> => ({
  status: 'OK',
  crash_info: { type: 'SIGSEGV', address: '0x0', crashing_thread: 1 },
  system_info: { os, cpu_arch },
  modules: [{ base_addr: '0x500000000000', end_addr: '0x500000002000', filename: 'app', ...module }],
  threads: [
    { frames: [{ frame: 0, module: 'app', offset: '0x500000000010', trust: 'context' }] },
    {
      thread_id: 77,
      frames: [
        { module: 'app', offset: '0x500000000100', module_offset: '0x100', trust: 'context', function: 'f' },
        { offset: '0x500000000204', trust: 'cfi', function: 'g', inlines: [{ function: 'h' }] },
        { offset: '0x500000000304', trust: 'frame_pointer' },
        { offset: '0x10', trust: 'scan' },
        { offset: null },
      ],
    },
  ],
});

it('the JSON of minidump-stackwalk: addresses of callers lie in the call, and are put back', () => {
  const linux = read(reportOf('Linux', 'amd64', { debug_id: DEBUG, code_id: ID }));
  expect(linux).toMatchObject({ format: 'stackwalk-json', signal: 'SIGSEGV', images: [{ id: `elf:${ID}` }] });
  expect(placesOf(linux)).toEqual([
    ...['0', 'app+0x10* context', '77 crashed', 'app+0x100* context f', 'app+0x205 cfi h, inlined in g'],
    ...['app+0x305 fp', '0x11 scan', '- unknown'],
  ]);
  expect(placesOf(read(reportOf('Mac OS X', 'arm64', { debug_id: `${GUID}0` }))).slice(4, 5)).toEqual([
    'app+0x208 cfi h, inlined in g',
  ]);
  const idOf = (os: string, module: Record<string, unknown>): string | null =>
    read(reportOf(os, 'amd64', module)).images[0]!.id;
  expect(idOf('Windows NT', { debug_id: `${GUID}1`, code_id: 'AB12CD3411000' })).toBe(`pdb:${GUID}-1`);
  expect(idOf('Windows NT', { code_id: 'AB12CD3411000' })).toBe('pe:ab12cd3411000');
  expect(idOf('Mac OS X', { debug_id: `${GUID}0` })).toBe(`macho:${GUID.toLowerCase()}`);
  // Sixteen bytes of a build-id are no id to compare.
  expect(idOf('Linux', { debug_id: DEBUG })).toBeNull();
  const asked = { ...reportOf('Linux', 'amd64', {}), crash_info: { type: null, crashing_thread: 0 } };
  expect(read(asked).threads.map(({ crashed }) => crashed)).toEqual([false, false]);
});

const MAPS =
  '500000000000-500000001000 r--p 00000000 00:00 7  /opt/app\n500000001000-500000002000 r-xp 00001000 00:00 7  /opt/app\n';
function cpuProfile(word: 4 | 8, samples: bigint[][]): Buffer {
  const words = [
    0n,
    3n,
    0n,
    10_000n,
    0n,
    ...samples.flatMap((stack) => [1n, BigInt(stack.length), ...stack]),
    0n,
    1n,
    0n,
  ];
  const bytes = Buffer.alloc(word * words.length);
  for (const [n, value] of words.entries())
    if (word === 8) bytes.writeBigUInt64LE(value, 8 * n);
    else bytes.writeUInt32LE(Number(value), 4 * n);
  return Buffer.concat([bytes, Buffer.from(MAPS)]);
}

it('a profile of gperftools, of processors of 64 and 32 bits: where the thread was, then where calls come back to', () => {
  const trace = readTrace(cpuProfile(8, [[BASE + 0x1162n, BASE + 0x1199n], [1n]]), 'trace');
  expect(placesOf(trace)).toEqual([
    ...['0', '/opt/app+0x1162* prewalked', '/opt/app+0x1199 prewalked', '1', '0x1* prewalked'],
  ]);
  expect(placesOf(readTrace(cpuProfile(4, [[0x1162n]]), 'trace'))).toEqual(['0', '0x1162* prewalked']);
  const whole = cpuProfile(8, [[BASE + 0x1162n, BASE + 0x1199n]]);
  expect(() => readTrace(whole.subarray(0, 60), 'trace')).toThrow('cut off');
  whole.writeBigUInt64LE(1n << 40n, 48);
  expect(() => readTrace(whole, 'trace')).toThrow('at most 4096');
});

const dictionary = {
  stringTable: [
    '',
    '/opt/app',
    'spin',
    'main',
    'process.executable.build_id.gnu',
    'profile.frame.type',
    'python',
    ID,
  ],
  attributeTable: [
    {},
    { key: 'process.executable.build_id.gnu', value: { stringValue: ID } },
    { keyStrindex: 5, value: { stringValueStrindex: 6 } },
    { keyStrindex: 4, value: { stringValueStrindex: 7 } },
  ],
  mappingTable: [
    {},
    {
      memoryStart: '93893912182784',
      memoryLimit: '93893912186880',
      fileOffset: '4096',
      filenameStrindex: 1,
      attributeIndices: [1],
    },
    { filenameStrindex: 1, attributeIndices: [3] },
  ],
  functionTable: [{}, { nameStrindex: 2 }, { nameStrindex: 3 }],
  locationTable: [
    {},
    { mappingIndex: 1, address: '93893912183014', lines: [{ functionIndex: 1 }, { functionIndex: 2 }] },
    { mappingIndex: 2, address: '4661' },
    { address: '12', attributeIndices: [2], line: [{ functionIndex: 2 }] },
    { address: '77' },
  ],
  stackTable: [{}, { locationIndices: [1, 2, 3, 4] }],
};

it.each([
  ['stacks in a table', { samples: [{ stackIndex: 1 }, {}] }, dictionary],
  [
    'slices of locations',
    { sample: [{ locationsStartIndex: 1, locationsLength: 4 }], locationIndices: [9, 1, 2, 3, 4] },
    dictionary,
  ],
  [
    'tables in each profile',
    { ...dictionary, sample: [{ locationsLength: 4 }], locationIndices: [1, 2, 3, 4] },
    {},
  ],
])(
  'a profile of OpenTelemetry, %s: addresses of memory, and those of the linker',
  (_name, profile, tables) => {
    const trace = read({
      resourceProfiles: [{ scopeProfiles: [{ profiles: [profile] }] }],
      dictionary: tables,
    });
    expect(placesOf(trace)).toEqual([
      ...['0', '/opt/app+0x10e6* prewalked spin, inlined in main', '/opt/app+0x1235 prewalked'],
      // What a runtime of its own counts is no address.
      ...['- prewalked main', '0x4d prewalked'],
    ]);
    expect(trace.images.map((image) => [image.id, basisOf(image, 'otlp')])).toEqual([
      [`elf:${ID}`, 'file'],
      [`elf:${ID}`, '0x0'],
    ]);
  },
);
