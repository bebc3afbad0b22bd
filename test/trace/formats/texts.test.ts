/** Stacks that tools print as text: what each line is, which address it means, and which thread crashed. */
import { expect, it } from 'vitest';
import { decodePlace, isScript } from '../../../src/objects/script/place.ts';
import { basisOf } from '../../../src/trace/model/basis.ts';
import type { Trace } from '../../../src/trace/model/trace.ts';
import * as texts from '../../support/trace-texts.ts';
import { read } from '../../support/traces.ts';

/** A line for each thread, marked where it crashed, and for each frame: what is looked up as it is has a star. */
function shown({ images, threads }: Trace): string[] {
  return threads.flatMap(({ id, crashed, frames }) => [
    `${id}${crashed ? ' crashed' : ''}`,
    ...frames.map(({ image, rel_addr, ip, activation, claimed }) => {
      const { path, id: build, arch } = images[image ?? -1] ?? { path: ip ?? '-', id: null, arch: null };
      const { line } = (isScript(arch) && decodePlace(rel_addr!)) || {};
      const place =
        line === undefined
          ? `${rel_addr === null ? '' : `+${rel_addr}`}${activation ? '*' : ''}`
          : `:${line}`;
      return [`  ${path}${place}`, build, claimed].filter((one) => one !== null).join(' ');
    }),
  ]);
}

const APP = 'elf:8c8bd5096de5c0b621f9cc73316bf9d9786b1e61';
const ROWS: [string, string, string, string | null, string[]][] = [
  [
    ...(['asan', texts.ASAN, 'sanitizer', 'heap-buffer-overflow'] as const),
    [
      // All addresses are printed as the byte before that which a call comes back to.
      ...['0 crashed', `  /opt/a b (1)/app+0x10bb47* ${APP}`, `  /opt/a b (1)/app+0x10bd41 ${APP}`],
      ...['  /lib/x86_64-linux-gnu/libc.so.6+0x2724a', '1', `  /opt/a b (1)/app+0xcb5cf* ${APP}`],
    ],
  ],
  [
    ...(['asan, with names', texts.ASAN_NAMED, 'sanitizer', 'SIGSEGV'] as const),
    [
      '0 crashed',
      '  0x564cc1fcfb47* inl(int) /src/o.c:5:82, inlined in (anonymous namespace)::middle(int) /src/o.c:6:71',
      ...['  0x564cc1fcfd41 main /src/o.c:10:26', '  0x564cc1fcfd41 main /src/o.c:10:26'],
      '  /opt/app+0x2c331 elf:8c8bd509 _start',
    ],
  ],
  [
    ...(['asan, not relocated', texts.ASAN_FIXED, 'sanitizer', 'double-free'] as const),
    ['0 crashed', '  /opt/app+0x509ad2* elf:aa75be7e'],
  ],
  [
    ...(['ubsan that goes on until asan ends it', texts.UBSAN, 'sanitizer', 'stack-overflow'] as const),
    [
      ...['0', '  0x5593b6653ef1* shift /src/o.c:8', '  /opt/app+0x31009 elf:bb5c511e'],
      ...['1 crashed', '  /opt/app+0x30f00* elf:bb5c511e'],
    ],
  ],
  [
    ...(['tsan', texts.TSAN, 'sanitizer', null] as const),
    [
      ...['0', '  clang-tsan+0xe458e* elf:39e646c8', '  clang-tsan+0x61de8 elf:39e646c8 f /src/t.c:2:24'],
      ...['1', '  clang-tsan+0xe458e* elf:39e646c8'],
    ],
  ],
  [
    ...(['asan on a Mac', texts.ASAN_MAC, 'sanitizer', 'stack-buffer-overflow'] as const),
    ['0 crashed', '  a.out+0x100003e5c* macho:ac91bd6396f63a4f8d7a0a7bba3ac8d5 main+0x1a4'],
  ],
  [
    ...(['go', texts.GO, 'go', 'SIGSEGV'] as const),
    [
      ...['1 crashed', '  0x43137a* panic /usr/lib/go/src/runtime/panic.go:987'],
      '  0x445916 runtime.panicmem /usr/lib/go/src/runtime/panic.go:260, inlined in runtime.sigpanic /usr/lib/go/src/runtime/signal_unix.go:835',
      // What the signal interrupted called nothing.
      ...['  0x481000* main.(*T).culprit /src/main.go:5', '  - main.caller /src/main.go:7'],
      ...['6', '  -* main.main.func1 /src/main.go:9'],
    ],
  ],
  [
    ...(['rust', texts.RUST, 'rust', 'panic'] as const),
    [
      '0 crashed',
      '  0x557b1678effa std[e28293b1aa0f68bd]::backtrace_rs::backtrace::libunwind::trace /rustc/59807616/library/std/src/libunwind.rs:117:9, inlined in std::sys::backtrace::_print_fmt /rustc/59807616/library/std/src/sys/backtrace.rs:74:9',
      '  0x557b1676594c main',
    ],
  ],
  [
    ...(['rust, short', texts.RUST_SHORT, 'rust', 'panic'] as const),
    ['0 crashed', '  - __rustc::rust_begin_unwind', '  - r::inner ./r.rs:1:56'],
  ],
  [
    ...(['python', texts.PYTHON, 'python', 'acme.errors.TooDeep'] as const),
    [
      ...['0', '  /src/a b.py:3 f', '  /src/a b.py:7 chained', '1 crashed'],
      ...['  /src/a b.py:4 rec', '  /src/a b.py:4 rec', '  /src/a b.py:4 rec', '  /src/a b.py:12 <module>'],
    ],
  ],
  [
    ...(['python, fatal', texts.PYTHON_FATAL, 'python', 'SIGSEGV'] as const),
    [
      ...['0', '  /lib/threading.py:982 run', '1 crashed'],
      ...['  /lib/ctypes/__init__.py:519 string_at', '  /src/a.py:19 <module>'],
    ],
  ],
  [
    ...(['java', texts.JAVA, 'java', 'java.lang.IllegalStateException'] as const),
    [
      ...[
        '0 crashed',
        '  com/acme/App.java:5 com.acme.App.g',
        '  com/acme/App.java:9 com.acme.App.lambda$main$1',
      ],
      '  java/lang/Iterable.java:75 java.base/java.lang.Iterable.forEach',
      '  -* java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0',
      ...['  Main.kt:3 app//Main.main', '1', '  com/acme/App.java:4 com.acme.App$Inner.<init>'],
      // The frames that both have in common are printed once.
      ...[
        '  -* java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0',
        '  Main.kt:3 app//Main.main',
      ],
    ],
  ],
  [
    ...(['.net', texts.DOTNET, 'dotnet', 'System.InvalidOperationException'] as const),
    [
      ...['0', '  /src/app/Program.cs:12 Acme.Program.Inner(String x)', '1 crashed'],
      '  /src/app/Program.cs:24 Acme.Program.Run[T](List`1 items)',
      '  -* System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw()',
      '  C:\\src\\app (x)\\Program.cs:30 Acme.Program.Main(String[] args)',
    ],
  ],
  [
    ...(['mono', texts.MONO, 'dotnet', 'System.NullReferenceException'] as const),
    [
      '0 crashed',
      '  /src/p.cs:5 Program.Inner (System.String x)',
      '  -* Program.Main (System.String[] args)',
    ],
  ],
  [
    ...(['apple', texts.APPLE_TEXT, 'apple-text', 'SIGABRT'] as const),
    [
      // Where it was thrown, then the thread that aborted, as the report has them.
      ...['3 crashed', '  /Library/Core+0xaa59c macho:67e9247c814e392ba027dbde6748fcbf'],
      '  /var/containers/Crashy app/Crashy+0x6d10 macho:4cf9d6b8e5a93b6d8e5b2a0f7d3c9e11',
      ...['0', '  /var/containers/Crashy app/Crashy+0x6d20* macho:4cf9d6b8e5a93b6d8e5b2a0f7d3c9e11'],
      ...['3 crashed', '  /usr/lib/libsystem_kernel.dylib+0x1b270* __pthread_kill + 8'],
      '  /var/containers/Crashy app/Crashy+0x6d30 macho:4cf9d6b8e5a93b6d8e5b2a0f7d3c9e11 main (main.m:12) + 20',
    ],
  ],
  [
    ...([
      'minidump_stackwalk',
      texts.STACKWALK_TEXT,
      'stackwalk-text',
      'EXCEPTION_ACCESS_VIOLATION_WRITE',
    ] as const),
    [
      '0 crashed',
      '  test_app.exe+0x429e* pdb:5A9832E5287241C1838ED98914E9B7FF-1 test_app.exe!crash [a.cc : 12 + 0x5]',
      '  test_app.exe+0x4200 pdb:5A9832E5287241C1838ED98914E9B7FF-1 test_app.exe!inlined [a.cc : 13], inlined in test_app.exe + 0x4200',
      // Of a module that has symbols no id is printed.
      ...[
        '  kernel32.dll+0x16fd7 kernel32.dll + 0x16fd7',
        '  0x99',
        '1',
        '  kernel32.dll+0x1* kernel32.dll + 0x1',
      ],
    ],
  ],
  [
    ...(['perf', texts.PERF, 'perf', null] as const),
    [
      ...['27580', '  0xffffffff815a1421* do_fault+0x11 ([kernel.kallsyms])'],
      '  /opt/a (1)/app+0x1166 elf:f1c3bcc0279865fe3058404b2831d9e64135386c inl, inlined in spin(int)+0x1d',
      // An address of memory, by the record of what was mapped there.
      '  /opt/a (1)/app+0x11f5 elf:f1c3bcc0279865fe3058404b2831d9e64135386c main+0x2a',
      ...['  0x7f876d89e8a8 (/usr/lib/libc.so.6)', '27579', '  0x7f876d89e8a8*'],
    ],
  ],
  [
    ...(['gperftools, memory', texts.HEAP, 'gperftools', null] as const),
    ['0', '  /opt/a b+0x11c6', '  /opt/a b+0x11e0', '  0x1', '1', '  /opt/a b+0x11c7'],
  ],
  [
    ...(['pprof -raw', texts.PPROF_RAW, 'pprof', null] as const),
    [
      '0',
      '  /opt/a b+0x10130c* elf:6281ba0824257c0f646d15b88ed407c8444d3858 main.spin, inlined in main.outer',
      '  /opt/a b+0x101338 elf:6281ba0824257c0f646d15b88ed407c8444d3858 main.middle',
      ...['1', '  0x7*'],
    ],
  ],
];

it.each(ROWS)('%s', (_name, text, format, signal, right) => {
  for (const written of [text, text.replaceAll('\n', '\r\n')]) {
    const trace = read(written);
    expect([trace.format, trace.signal]).toEqual([format, signal]);
    expect(shown(trace)).toEqual(right);
  }
});

it('what stands around a stack does not matter, and a report without one says how to get it', () => {
  for (const [, text, , , right] of ROWS.filter(([name]) => !/^(?:mono|gperf)/.test(name)))
    expect(shown(read(`2026-11-30 12:00 starting\n\n${text}\nlast words\n`))).toEqual(right);
  expect(() => read('o.c:8:54: runtime error: shift exponent 35\n')).toThrow('print_stacktrace=1');
});

it('what a sanitizer calls an offset is the linker’s address: where the image lies says so, or that nothing is known', () => {
  const basisIn = (text: string): string[] =>
    read(text).images.map((image) => `${image.base} ${basisOf(image, 'sanitizer')}`);
  expect(basisIn(texts.ASAN_FIXED)).toEqual(['0x0 0x0']);
  expect(basisIn(texts.TSAN)).toEqual(['0x0 0x0']);
  expect(basisIn(texts.ASAN)).toEqual(['0x560e2b5b3000 ', '0x7f56acdab000 ']);
});

const many = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => `${line(n)}\n`).join('');

it.each<[string, string, number | null]>([
  ['Go says how many', texts.GO.replace('main.caller', '...23 frames elided...\nmain.caller'), 23],
  ['Go says that', texts.GO.replace('main.caller', '...additional frames elided...\nmain.caller'), null],
  [
    'Go prints 100',
    `goroutine 1 [running]:\n${many(98, () => 'main.r(0x0?)\n\t/src/main.go:3 +0x30')}`,
    null,
  ],
  ['faulthandler', `${texts.PYTHON_FATAL.trimEnd()}\n  ...\n`, null],
  ['Rust', texts.RUST_SHORT.replace('   1:', '      [... omitted 15 frames ...]\n   1:'), 15],
  ['Java', `java.lang.Error\n${many(1024, () => '\tat com.acme.App.g(App.java:5)')}`, null],
  [
    'a sanitizer',
    `==1==ERROR: AddressSanitizer: SEGV\n${many(247, (n) => `    #${n} 0x${n + 1} in f a.c:${n}`)}`,
    null,
  ],
])('%s leaves frames out, and the stack is a cut one', (_name, text, missing) => {
  const { threads } = read(text);
  const ended = threads.map((thread) => thread.ended).filter((one) => one !== undefined);
  expect(ended).toMatchObject([{ outermost: false, reason: 'frames_omitted', missing }]);
});

it('a stack that fits says nothing of its end', () => {
  for (const [, text] of ROWS) expect(read(text).threads.filter(({ ended }) => ended)).toEqual([]);
});

it('addresses of faults are part of the trace', () => {
  expect(read(texts.ASAN_NAMED).fault_address).toBe('0x18');
  expect(read(texts.GO).fault_address).toBe('0x18');
});

it('texts that are made to keep a reader busy are read in one pass', () => {
  const nasty = [
    '(',
    ' (',
    '.',
    '/',
    ' in ',
    ') in ',
    ' at ',
    '+0x',
    'a.',
    'File "',
    '#0 ',
    ': ',
    '| ',
    'goroutine ',
  ];
  for (const [, text] of ROWS)
    for (const piece of nasty) {
      const line = `    at ${piece.repeat(Math.floor(8000 / piece.length))}\n`;
      const long = `    #1 0x1 ${piece.repeat(200_000)}`;
      expect(read(`${text}\n${line.repeat(100)}${long}`).threads.length).toBeGreaterThan(0);
    }
});

it('a line that says it was repeated a billion times is refused', () => {
  expect(() => read(texts.PYTHON.replace('repeated 2', 'repeated 999999999'))).toThrow(
    'repeated 999999999 times',
  );
});
