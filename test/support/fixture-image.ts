/** The small image that engine tests replay in: a static shell, the programs of fixtures/programs, two layers of data. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tar from 'tar-stream';

import { findProgram } from '../../setup/packages.ts';

const PROGRAMS = join(import.meta.dirname, '../../fixtures/programs');

export type Entry = {
  name: string;
  type?: 'file' | 'directory' | 'symlink' | 'link' | 'fifo';
  mode?: number;
  linkname?: string;
  content?: Uint8Array | string;
  uid?: number;
  /** Extended attributes, as tar writes them. */
  pax?: Record<string, string>;
};

/** A layer's uncompressed tar. */
export async function layerOf(entries: Entry[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { name, type = 'file', mode = 0o755, linkname, content, uid = 0, pax } of entries) {
    const more = { ...(linkname ? { linkname } : {}), ...(pax ? { pax } : {}) };
    const header = { name, type, mode, uid, gid: uid, mtime: new Date(0), ...more };
    if (type === 'file') pack.entry(header, Buffer.from(content ?? ''));
    else pack.entry(header);
  }
  pack.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of pack) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

function compile(): Entry[] {
  const folder = mkdtempSync(join(tmpdir(), 'reenact-programs-'));
  try {
    return readdirSync(PROGRAMS).map((source) => {
      const name = source.replace(/\.c$/, '');
      execFileSync('musl-gcc', [
        '-std=gnu11',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-O1',
        '-static',
        '-o',
        join(folder, name),
        join(PROGRAMS, source),
      ]);
      return {
        name: `bin/${name}`,
        content: readFileSync(join(folder, name)),
        mode: name === 'suid' ? 0o4755 : 0o755,
      };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Two layers, the upper one changing and deleting parts of the lower. */
export async function fixtureLayers(): Promise<Buffer[]> {
  const busybox = readFileSync(findProgram('busybox')!);
  const owned = (name: string, content: string): Entry => ({
    name: `data/${name}`,
    content,
    mode: 0o644,
    uid: 1000,
  });
  const folder = (name: string): Entry => ({ name: `data/${name}`, type: 'directory', uid: 1000 });
  const lower: Entry[] = [
    { name: 'bin', type: 'directory' },
    { name: 'bin/busybox', content: busybox },
    ...[
      'sh',
      'cat',
      'date',
      'ls',
      'id',
      'sleep',
      'dd',
      'mkdir',
      'rm',
      'seq',
      'od',
      'env',
      'head',
      'chmod',
    ].map((n): Entry => ({ name: `bin/${n}`, type: 'symlink', linkname: 'busybox' })),
    ...compile(),
    { name: 'etc/tree', type: 'directory' },
    { name: 'etc/tree/file', content: 'f' },
    { name: 'data', type: 'directory', uid: 1000 },
    ...['gone', 'touched', 'mode', 'moved', 'becomes-folder', 'linked'].map((n) => owned(n, n)),
    owned('changed', 'old content'),
    owned('replaced-by-layer', 'first'),
    owned('deleted-by-layer', 'first'),
    folder('opaque'),
    owned('opaque/one', '1'),
    folder('tree'),
    folder('tree/sub'),
    owned('tree/sub/file', 'f'),
  ];
  const upper: Entry[] = [
    folder(''),
    folder('opaque'),
    owned('opaque/two', '2'),
    owned('replaced-by-layer', 'second'),
    { name: 'data/.wh.deleted-by-layer', content: '' },
  ];
  return [await layerOf(lower), await layerOf(upper)];
}

export const LIBC = '/lib/x86_64-linux-gnu/libc.so.6';

/** This machine's glibc and its loader, for programs that a test links to them. */
export async function glibcLayer(): Promise<Buffer> {
  const folders = ['lib', 'lib/x86_64-linux-gnu', 'lib64'];
  const files = [LIBC, '/lib64/ld-linux-x86-64.so.2'];
  return await layerOf([
    ...folders.map((name): Entry => ({ name, type: 'directory' })),
    ...files.map((name): Entry => ({ name: name.slice(1), content: readFileSync(name) })),
  ]);
}
