/** Traces in the forms that others' tools write: each file gives the frames that are right, by module and distance. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { readObject } from '../../src/objects/object.ts';
import type { Trace } from '../../src/trace/model/trace.ts';
import { readTrace } from '../../src/trace/read.ts';
import { readTraceFile } from '../../src/trace/read-file.ts';
import { UnwindFiles } from '../../src/trace/unwind-files/files.ts';
import { describeReal } from '../support/real-cases.ts';

/** The thread that crashed, else the first: `name+distance id`, what is looked up as it is with a star. */
function placesOf({ images, threads }: Trace): string[] {
  const thread = threads.find(({ crashed }) => crashed) ?? threads[0]!;
  return thread.frames.map(({ image, rel_addr, ip, activation }) => {
    const { path, id } = image === null ? { path: String(ip), id: null } : images[image]!;
    const place = `${path.split(/[\\/]/).at(-1)}${rel_addr === null ? '' : `+${rel_addr}`}`;
    return `${place}${activation ? '*' : ''}${id === null ? '' : ` ${id.slice(0, 12)}`}`;
  });
}

const JOURNAL = [
  ...['app+0x11ec* elf:c721d4b4', 'app+0x1266 elf:c721d4b4', 'app+0x10bc elf:c721d4b4'],
  ...['libc.so.6+0x2724a elf:93ac61ec', 'libc.so.6+0x27305 elf:93ac61ec', 'app+0x10f1 elf:c721d4b4'],
];
const LIBC = ['libc.so.6+0x2724a', 'libc.so.6+0x27305'];
const journalOf = (name: string, id: string, from: string[]): string[] => {
  const [first, second, third, last] = from.map((offset) => `${name}+${offset}`);
  return [`${first}*${id}`, `${second}${id}`, `${third}${id}`, ...LIBC, `${last}${id}`];
};
const PIE = ['0x1129', '0x1134', '0x1143', '0x1061'];
const EXEC = ['0x1106', '0x1111', '0x1120', '0x1041'];

const WINE = [
  ...['w-id.exe+0x16a2* pe:6b0d671c4', 'w-id.exe+0x16b5 pe:6b0d671c4', 'w-id.exe+0x1710 pe:6b0d671c4'],
  ...['w-id.exe+0x14f9 pe:6b0d671c4', 'kernel32.dll+0xfcfc pe:63f14e2b1', 'w-id.exe+0x13ae pe:6b0d671c4'],
  ...['w-id.exe+0x14e6 pe:6b0d671c4', 'ntdll.dll+0x5d9f6 pe:63f14e2b3', 'kernel32.dll+0x27e49 pe:63f14e2b1'],
  ...['ntdll.dll+0x5dca8 pe:63f14e2b3', 'w-id.exe+0x14d0 pe:6b0d671c4', 'ntdll.dll+0x68ca0 pe:63f14e2b3'],
  ...['ntdll.dll+0x25f20 pe:63f14e2b3', 'ntdll.dll+0x5dc67 pe:63f14e2b3', 'w-id.exe+0x14d0 pe:6b0d671c4'],
];

/** By folder and file, all frames. */
const RIGHT: Record<string, Record<string, string[]>> = {
  traces: {
    '03-journal-systemd249-control.json': JOURNAL,
    '03-journal-systemd252.json': JOURNAL,
    '05-sentry-processed.json': [
      ...['app+0x11ec* elf:c721d4b4', 'app+0x1266 elf:c721d4b4'],
      ...['app+0x10bc elf:c721d4b4', 'app+0x10f1 elf:c721d4b4'],
    ],
    '05-sentry-processed-pie.json': [
      ...['pie+0xc08c* elf:7ac69642', 'pie+0xc106 elf:7ac69642', 'pie+0xbeec elf:7ac69642'],
      ...['pie+0x24bf4 elf:7ac69642', 'pie+0x262f0 elf:7ac69642', 'pie+0xbf91 elf:7ac69642'],
    ],
    // All are where calls come back to, the innermost too.
    '05-sentry-adjust-all.json': ['sig+0x1198 elf:22ec217e', 'sig+0x1241 elf:22ec217e'],
  },
  'discovery/16-wine': {
    // Wine's own modules stand above; the bytes of the stack are in the list of all memory.
    'full-small.dmp': WINE,
    'id.dmp': WINE,
  },
  'discovery/13-systemd': {
    'deleted.json': journalOf('deleted', '', PIE),
    'exec.json': journalOf('exec', '', EXEC),
    'memfd_in_memory.json': journalOf('memfd:in memory', '', EXEC),
    'my_app.json': journalOf('my app', '', PIE),
    'noid.json': journalOf('noid', '', PIE),
    'packaged.json': journalOf('packaged', ' elf:beb71926', PIE),
    'packed_app.json': journalOf('packed app', ' elf:beb71926', PIE),
  },
};

for (const [folder, files] of Object.entries(RIGHT))
  describeReal(folder, (path) => {
    it.each(Object.entries(files))('%s', async (file, right) => {
      expect(placesOf(await readTraceFile(join(path, file)))).toEqual(right);
    });
  });

/** Dumps whose stacks are walked by the tables of these files. */
const BY_TABLES: Record<string, Record<string, [string, string[]]>> = {
  traces: {
    '09-windows-x86-fp.dmp': [
      '../symbols/windows/crash.pdb',
      ['crash.exe+0x2a3d* context', 'crash.exe+0x2d97 cfi', 'kernel32.dll+0x162c4 cfi'],
    ],
  },
  'discovery/16-wine': Object.fromEntries(
    ['id.dmp', 'full-small.dmp'].map((dump) => [
      dump,
      [
        'w-id.exe',
        [
          ...['w-id.exe+0x16a2* context', 'w-id.exe+0x16b5 cfi', 'w-id.exe+0x1710 cfi'],
          ...['w-id.exe+0x13ae cfi', 'w-id.exe+0x14e6 cfi', 'kernel32.dll+0x27e49 cfi'],
        ],
      ],
    ]),
  ),
};
for (const [folder, files] of Object.entries(BY_TABLES))
  describeReal(folder, (path) => {
    it.each(Object.entries(files))('%s by tables', (file, [symbols, right]) => {
      const { of } = new UnwindFiles([join(path, symbols)]);
      const { images, threads } = readTrace(readFileSync(join(path, file)), file, of);
      const { frames } = threads.find(({ crashed }) => crashed)!;
      const places = frames.slice(0, right.length).map(({ image, rel_addr, activation, trust }) => {
        const name = images[image!]!.path.split('\\').at(-1);
        return `${name}+${rel_addr}${activation ? '*' : ''} ${trust}`;
      });
      expect(places).toEqual(right);
    });
  });

/** Profiles are of threads that go on. */
const PROFILES = ['traces/04-lld-rust.pb.gz', 'discovery/15-pprof-lld/cpu.pb.gz'];
for (const profile of PROFILES)
  describeReal(dirname(profile), (path) => {
    it(`no thread of ${basename(profile)} crashed`, async () => {
      const { threads, signal } = await readTraceFile(join(path, basename(profile)));
      expect(threads.length).toBeGreaterThan(0);
      expect([signal, threads.filter(({ crashed }) => crashed)]).toEqual([null, []]);
    });
  });

describeReal('traces', (path) => {
  it('a symbol file that Mozilla’s dump_syms made of a Mac’s program is known by its UUID', () => {
    const { images } = readObject(join(path, '07-mozilla-dump_syms-Mac.sym'));
    expect(images.map(({ id }) => id)).toEqual(['macho:67e9247c814e392ba027dbde6748fcbf']);
  });
});
