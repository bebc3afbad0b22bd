/** Which frames a signature is made of, and which of them names the crash. */
import { describe, expect, it } from 'vitest';

import { checkExpectedCrash, functionsId, shortId, signatureId } from '../../src/manifest/crash-signature.ts';
import type { Crash } from '../../src/sandbox/crash.ts';
import { signCrash } from '../../src/verdict/crash-signature.ts';
import { expectationOf } from '../../src/verdict/same-crash.ts';
import { crashAt, inArea, inModule, sentAt } from '../support/crash-sites.ts';

const LIBC = '/lib/libc.so.6';
const APP = '/usr/bin/app';
const raised = [inModule(LIBC, '0x9', null), inModule(LIBC, '0x8', 'raise'), inModule(LIBC, '0x7', 'abort')];
const parse = inModule(APP, '0x40', 'parse');
const main = inModule(APP, '0x20', 'main');
const start = inModule(LIBC, '0x5', '__libc_start_main');
const interrupted = { ...parse, by: 'signal_frame' as const };
const handler = inModule(APP, '0x90', 'on_signal');

const IN_FRAMES: [string, Crash, string[], string | null, object][] = [
  [
    'a fault has all its frames',
    crashAt([parse, main, start]),
    ['app@elf:aa11+0x40', 'app@elf:aa11+0x20', 'libc.so.6@elf:cc33+0x5'],
    'parse',
    {},
  ],
  [
    'a fault in the C library is named by its caller',
    crashAt([inModule(LIBC, '0x77', null), parse, main]),
    ['libc.so.6@elf:cc33+0x77', 'app@elf:aa11+0x40', 'app@elf:aa11+0x20'],
    'parse',
    { c_library: 1 },
  ],
  [
    'abort is told by who called it',
    sentAt([...raised, parse, main, start]),
    ['app@elf:aa11+0x40', 'app@elf:aa11+0x20', 'libc.so.6@elf:cc33+0x5'],
    'parse',
    { c_library: 3 },
  ],
  [
    'a static program’s own abort, assert and terminate',
    sentAt([
      inModule(APP, '0x1', '__pthread_kill_implementation.constprop.0'),
      inModule(APP, '0x2', 'raise'),
      inModule(APP, '0x3', 'abort'),
      inModule(APP, '0x4', '_ZN9__gnu_cxx27__verbose_terminate_handlerEv'),
      inModule(APP, '0x5', '_ZN10__cxxabiv111__terminateEPFvvE'),
      inModule(APP, '0x6', '__cxa_throw'),
      parse,
    ]),
    ['app@elf:aa11+0x40'],
    'parse',
    { c_library: 3, runtime: 3 },
  ],
  [
    'a panic of Rust',
    sentAt([
      ...raised,
      inModule(APP, '0x1', '_ZN3std3sys4unix14abort_internal17h0123456789abcdefE'),
      inModule(APP, '0x2', 'rust_panic'),
      inModule(APP, '0x3', '_ZN4core9panicking9panic_fmt17h0123456789abcdefE'),
      inModule(APP, '0x4', '_RNvNtCs1a2b_4core9panicking5panic'),
      inModule(APP, '0x5', '_ZN3app5parse17h0123456789abcdefE'),
    ]),
    ['app@elf:aa11+0x5'],
    '_ZN3app5parse17h0123456789abcdefE',
    { c_library: 3, runtime: 4 },
  ],
  [
    'a panic of Go',
    sentAt([
      inModule(APP, '0x1', 'runtime.raise.abi0'),
      inModule(APP, '0x2', 'runtime.gopanic'),
      inModule(APP, '0x3', 'main.parse'),
    ]),
    ['app@elf:aa11+0x3'],
    'main.parse',
    { runtime: 2 },
  ],
  [
    'namespaces core and std of C++ are the program’s',
    sentAt([...raised, inModule(APP, '0x1', '_ZN4core5parseEv')]),
    ['app@elf:aa11+0x1'],
    '_ZN4core5parseEv',
    { c_library: 3 },
  ],
  [
    'a signal that a handler raises again is told by what it interrupted',
    sentAt([...raised, handler, interrupted, main]),
    ['app@elf:aa11+0x90', '[signal]', 'app@elf:aa11+0x40', 'app@elf:aa11+0x20'],
    'parse',
    { handler: 4 },
  ],
  [
    'what a handler interrupted in the C library is told by its caller',
    sentAt([...raised, handler, inModule(LIBC, '0x50', null, 'signal_frame'), parse, main]),
    ['app@elf:aa11+0x90', '[signal]', 'app@elf:aa11+0x40', 'app@elf:aa11+0x20'],
    'parse',
    { handler: 4, c_library: 1 },
  ],
  [
    'a fault of the handler itself is the handler’s',
    crashAt([handler, interrupted, main]),
    ['app@elf:aa11+0x90', '[signal]', 'app@elf:aa11+0x40', 'app@elf:aa11+0x20'],
    'on_signal',
    {},
  ],
  [
    'code made at run time has no offset',
    crashAt([inArea('anonymous', '0x123'), inArea('anonymous', '0x456'), main]),
    ['[anonymous]', '[anonymous]', 'app@elf:aa11+0x20'],
    null,
    {},
  ],
  [
    'the kernel’s own page is left out, and null calls keep their offset',
    crashAt([inArea('null', '0x10'), inArea('kernel', '0x99'), parse]),
    ['[null]+0x10', 'app@elf:aa11+0x40'],
    'parse',
    {},
  ],
  [
    'a file without build-id is known by its digest, one that nobody read by its name',
    { ...crashAt([inModule('/x/gone (deleted)', '0x1'), inModule('/x/plain', '0x2')]), modules: [] },
    ['gone@unknown+0x1', 'plain@unknown+0x2'],
    null,
    {},
  ],
];

describe('a signature', () => {
  it.each(IN_FRAMES)('%s', (_name, crash, frames, named, passed) => {
    const signed = signCrash(crash);
    expect(signed.signature.frames).toEqual(frames);
    expect(signed.site?.function?.name ?? null).toBe(named);
    expect(signed.passed).toEqual({ c_library: 0, runtime: 0, handler: 0, ...passed });
    expect(checkExpectedCrash(expectationOf({ process: null, ...signed }), '$')).toEqual([]);
  });

  it('is the example of docs/crash-signature.md', () => {
    const kind = { signal: 'SIGSEGV', code: 1, fault: 'null' } as const;
    const id = signatureId(kind, { walk: 'whole', frames: ['app@elf:aa11+0x40', 'app@elf:aa11+0x20'] });
    expect(id).toBe('v1:d136825d9ea2d60fc6a83483e25503543f637bc75acafa02b0be599a1d01a573');
    expect(shortId(id)).toBe('v1:d136825d9ea2');
  });

  const base = crashAt([parse, main]);
  it.each<[string, Crash]>([
    ['another instruction', crashAt([{ ...parse, offset: '0x41' }, main])],
    ['another caller', crashAt([parse, { ...main, offset: '0x21' }])],
    ['another build', crashAt([{ ...parse, build_id: 'aa12' }, main])],
    ['another signal', { ...base, signal: 'SIGBUS' }],
    ['another code', { ...base, code: 2 }],
    ['another kind of address', { ...base, fault: { ...base.fault!, area: 'unmapped' } }],
    ['a stack that goes on', crashAt([parse, main, start])],
    ['a walk that was cut', { ...base, walk_ended: 'not_code' }],
    ['a handler between', crashAt([parse, { ...main, by: 'signal_frame' }])],
  ])('is another one with %s', (_name, crash) => {
    expect(signCrash(crash).signature.id).not.toBe(signCrash(base).signature.id);
  });

  it.each<[string, Partial<Crash>]>([
    ['addresses and registers', { registers: { rip: '0x1' }, fault: { ...base.fault!, address: '0x9' } }],
    [
      'numbers of threads and processes',
      { thread: 99, threads: [99], process: { pid: 9, parent: 8, program: '/a' } },
    ],
    ['another folder', { frames: base.frames.map((one) => ({ ...one, module: '/opt/app' })) }],
    [
      'how a frame was found',
      { frames: base.frames.map((one, i) => (i ? { ...one, by: 'frame_pointer' } : one)) },
    ],
    ['a core', { core: { size: 1, sha256: base.modules[0]!.sha256! } }],
  ])('is the same with other %s', (_name, more) => {
    expect(signCrash({ ...base, ...more }).signature.id).toBe(signCrash(base).signature.id);
  });

  it('says how a stack without room, and an address that is none, are called', () => {
    const at = (address: string, area: 'unmapped' | 'anonymous'): Crash => ({
      ...base,
      fault: { ...base.fault!, area, offset: null, address },
    });
    expect(signCrash(at('0x7fffffffdff8', 'unmapped')).fault).toBe('stack_overflow');
    expect(signCrash(at('0x7fffffffdff8', 'anonymous')).fault).toBe('stack_overflow');
    expect(signCrash(at('0x7fffff000000', 'unmapped')).fault).toBe('unmapped');
    expect(signCrash({ ...base, code: 128, fault: null }).fault).toBe('not_canonical');
    expect(signCrash({ ...base, signal: 'SIGABRT', code: -6, fault: null }).fault).toBeNull();
  });
});

describe('the functions of a signature', () => {
  it('are the program’s, each once, from the frame that names the crash on', () => {
    const { signature } = signCrash(sentAt([...raised, parse, main, parse, main, start]));
    expect(signature.functions).toEqual(['app!parse', 'app!main']);
  });

  it('stay when the program is built again', () => {
    const rebuilt = crashAt([
      { ...inModule(APP, '0x99', 'parse.constprop.0'), build_id: 'bb22' },
      { ...inModule(APP, '0x77', 'main'), build_id: 'bb22' },
    ]);
    const before = signCrash(crashAt([parse, main])).signature;
    const after = signCrash(rebuilt).signature;
    expect(after.functions_id).toBe(before.functions_id);
    expect(after.id).not.toBe(before.id);
  });

  it('have no identity where the first has no name', () => {
    expect(signCrash(crashAt([inModule(APP, '0x1', null), main])).signature.functions_id).toBeNull();
    expect(functionsId('SIGSEGV', [])).toBeNull();
  });
});

it('an expected signature that was edited is refused, field by field', () => {
  const expected = expectationOf({ process: null, ...signCrash(crashAt([parse, main])) });
  const wrong = (more: object): string[] =>
    checkExpectedCrash({ ...expected, ...more }, '$.expect.crash').map(({ path }) => path);
  expect(wrong({})).toEqual([]);
  expect(wrong({ signal: 'SIGBUS' })).toEqual([
    '$.expect.crash.signature.id',
    '$.expect.crash.signature.functions_id',
  ]);
  expect(wrong({ code: undefined })).toEqual(['$.expect.crash.code']);
  const { signature } = expected;
  expect(wrong({ signature: { ...signature, frames: ['a@unknown+0x1'] } })).toEqual([
    '$.expect.crash.signature.id',
  ]);
  expect(wrong({ signature: { ...signature, functions: [] } })).toEqual([
    '$.expect.crash.signature.functions_id',
  ]);
});
