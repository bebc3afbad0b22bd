/** Compressed traces: each packing, in one frame and in several, and bombs that go off at the limit. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';

import { compiled, coreOf, endOf, hasGdb, readCore } from '../support/cores.ts';
import { NATIVE } from '../support/traces.ts';
import { tempFolder } from '../support/world.ts';

const tool = (name: string, bytes: Buffer): Buffer =>
  execFileSync(name, ['-c'], { input: bytes, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] });
const PACKINGS: [string, (bytes: Buffer) => Buffer][] = [
  ['gz', (bytes) => gzipSync(bytes)],
  ['zst', (bytes) => zstdCompressSync(bytes)],
  ...['xz', 'lz4']
    .filter((name) => existsSync(`/usr/bin/${name}`))
    .map((name): [string, (bytes: Buffer) => Buffer] => [name, (bytes) => tool(name, bytes)]),
];

describe.skipIf(!hasGdb)('a compressed core (skipped without gdb)', () => {
  let core: string;
  let bytes: Buffer;
  beforeAll(() => {
    const text =
      '__attribute__((noinline)) int leaf(int *p) { return *p; } int main(void) { return leaf(0) + 1; }';
    core = coreOf(compiled(tempFolder(), 'small', text, '-no-pie'));
    bytes = readFileSync(core);
  });

  it.each(PACKINGS)('by %s is the core, also in several frames', async (name, pack) => {
    const plain = await readCore(core);
    expect(endOf(plain)).toBe('5 outermost');
    const half = bytes.length >> 1;
    const packed = join(tempFolder(), `core.${name}`);
    writeFileSync(packed, pack(bytes));
    expect(await readCore(packed)).toEqual(plain);
    writeFileSync(packed, Buffer.concat([pack(bytes.subarray(0, half)), pack(bytes.subarray(half))]));
    expect(await readCore(packed)).toEqual(plain);
  });

  it.each(PACKINGS)('by %s that is cut off is refused, and names itself', async (name, pack) => {
    const packed = join(tempFolder(), `core.${name}`);
    const whole = pack(bytes);
    writeFileSync(packed, whole.subarray(0, whole.length - 9));
    await expect(readCore(packed)).rejects.toThrow(`core.${name} cannot be unpacked`);
  });
});

it.each(PACKINGS)(
  'a trace of text by %s is that trace, and a bomb of it goes off at the limit',
  async (name, pack) => {
    const packed = join(tempFolder(), `trace.${name}`);
    writeFileSync(packed, pack(Buffer.from(JSON.stringify(NATIVE))));
    expect(await readCore(packed)).toMatchObject({ format: 'native' });
    const bomb = pack(Buffer.alloc(1 << 24, 'a'));
    const fd = openSync(packed, 'w');
    for (let n = 0; n < 20; n++) writeSync(fd, bomb);
    ftruncateSync(fd, 20 * bomb.length);
    closeSync(fd);
    await expect(readCore(packed)).rejects.toThrow('it unpacks to more than 268435456 bytes');
  },
);
