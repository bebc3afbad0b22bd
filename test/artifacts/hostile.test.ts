/** Packages made to do harm: bombs, lies about memory, names that lead elsewhere, any byte changed. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shippedFile } from '../../src/artifacts/file.ts';
import type { Unpacking } from '../../src/artifacts/unpacking.ts';
import { Fault } from '../../src/base/fault.ts';
import type { Shipped } from '../../src/join/store/artifacts.ts';
import { layerOf } from '../support/fixture-image.ts';
import {
  AR,
  arMember,
  controlOf,
  debOf,
  fileOf,
  idOf,
  PACKERS,
  program,
  unpacking,
  VERSION,
} from '../support/shipped.ts';
import { tempFolder } from '../support/world.ts';

const look = (bytes: Uint8Array | string, u: Unpacking = unpacking()): Promise<Shipped> =>
  shippedFile(fileOf(bytes), u);

it.each(['.gz', '.zst', '.xz'] as const)(
  'a bomb of data.tar%s goes off at no more than the limit',
  async (packed) => {
    const bomb = await debOf(await layerOf([{ name: 'zero', content: Buffer.alloc(64 << 20) }]), packed);
    expect(bomb.length).toBeLessThan(100_000);
    await expect(look(bomb, unpacking({ unpackedBytes: 1 << 20 }))).rejects.toThrow(
      'more than 1048576 bytes',
    );
  },
);

it('xz that asks for gigabytes of memory does not get them', async () => {
  const tar = await layerOf([{ name: 'a', content: program(1) }]);
  const packed = PACKERS['.xz'](tar);
  // The block's header: after 12 bytes of the stream's, size, flags, LZMA2 and its dictionary; then a checksum.
  packed[12 + 4] = 0x26;
  packed.writeUInt32LE(crc32(packed.subarray(12, 12 + 8)), 12 + 8);
  const deb = Buffer.concat([AR, VERSION, await controlOf(), arMember('data.tar.xz', packed)]);
  await expect(look(deb)).rejects.toThrow(/Memory usage limit/);
});

it('names, programs and their sizes have limits, and an endless unpacking ends', async () => {
  const many = await debOf(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, program(n)])));
  await expect(look(many, unpacking({ entries: 20 }))).rejects.toThrow('more than 20 entries');
  await expect(look(many, unpacking({ objects: 20 }))).rejects.toThrow('more than 20 programs');
  const large = await debOf({ app: Buffer.concat([program(1), Buffer.alloc(5000)]) });
  await expect(look(large, unpacking({ objectBytes: 4000 }))).rejects.toThrow(
    'a program of more than 4000 bytes',
  );
  await expect(look(many, unpacking({ unpackMs: 0 }))).rejects.toThrow('takes more than 0 s');
  const aborted = AbortSignal.abort(new Fault('interrupted', 'interrupted'));
  await expect(look(many, unpacking({}, aborted))).rejects.toMatchObject({ code: 'interrupted' });
});

it('no name in a tar becomes a path of ours, and no special file is opened', async () => {
  const folder = tempFolder();
  const tar = await layerOf([
    { name: '../../../../../../../../../../tmp/reenact-escaped', content: program(1) },
    { name: '/etc/reenact-escaped', content: program(2) },
    { name: 'link', type: 'symlink', linkname: folder },
    { name: 'link/escaped', content: program(3) },
    { name: 'hard', type: 'link', linkname: '/etc/passwd' },
  ]);
  const deb = await look(await debOf(tar));
  expect(deb.contents.map(({ path, shipped }) => [path, shipped.images[0]?.id])).toEqual([
    ['/../../../../../../../../../../tmp/reenact-escaped', idOf(1)],
    ['/etc/reenact-escaped', idOf(2)],
    ['/link/escaped', idOf(3)],
  ]);
  expect(readdirSync(folder)).toEqual([]);
  expect(readdirSync('/tmp')).not.toContain('reenact-escaped');
});

it('a file with holes is not taken for what is stored of it', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'app'), program(1));
  execFileSync('truncate', ['-s', '8M', join(folder, 'app')]);
  for (const format of ['--sparse-version=0.1', '--sparse-version=1.0']) {
    execFileSync('tar', [
      '--sparse',
      '--format=pax',
      format,
      '-cf',
      join(folder, 't.tar'),
      '-C',
      folder,
      'app',
    ]);
    const deb = await look(await debOf(readFileSync(join(folder, 't.tar'))));
    expect(deb.contents).toEqual([]);
  }
});

it('whatever is changed in a package, it is read or refused', { timeout: 120_000 }, async () => {
  const good = await debOf({ './usr/bin/app': program(1), './x': 'y' }, '');
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), fc.nat(9), async (at, byte, cut) => {
      const bad = Buffer.from(cut === 0 ? good.subarray(0, at) : good);
      if (cut > 0) bad[at] = byte;
      try {
        outcomes.add((await look(bad)).kind);
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
        outcomes.add((error as Fault).code);
      }
    }),
    { numRuns: 400 },
  );
  expect([...outcomes].sort()).toEqual(['artifact_malformed', 'debian_package', 'file']);
});
