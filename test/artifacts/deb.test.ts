/** Debian packages and plain files: what is found in them, and what is refused by name. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { shippedFile } from '../../src/artifacts/file.ts';
import type { Unpacking } from '../../src/artifacts/unpacking.ts';
import { digestOf } from '../../src/base/digest.ts';
import type { Shipped } from '../../src/join/store/artifacts.ts';
import { layerOf } from '../support/fixture-image.ts';
import { TINY_BREAKPAD, tinyPdb } from '../support/objects.ts';
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
const found = ({ contents }: Shipped): unknown[] =>
  contents.map(({ path, shipped }) => [path, shipped.images[0]?.id]);

it.each(Object.keys(PACKERS) as (keyof typeof PACKERS)[])(
  'a package packed as data.tar%s gives its name, and each program in it with its digest',
  async (packed) => {
    const u = unpacking();
    const bytes = await debOf(
      { './usr/bin/app': program(1), './usr/lib/libx.so.1': program(2), './etc/app.conf': 'x=1\n' },
      packed,
    );
    const deb = await look(bytes, u);
    expect(deb).toMatchObject({
      kind: 'debian_package',
      name: 'demo_1:2.0-3_amd64',
      sha256: digestOf(bytes),
      sizeBytes: bytes.length,
      images: [],
    });
    expect(found(deb)).toEqual([
      ['/usr/bin/app', idOf(1)],
      ['/usr/lib/libx.so.1', idOf(2)],
    ]);
    expect(deb.contents[0]!.shipped).toMatchObject({
      kind: 'file',
      name: 'demo_1:2.0-3_amd64:/usr/bin/app',
      sha256: digestOf(program(1)),
      sizeBytes: program(1).length,
    });
    expect(readdirSync(u.folder)).toEqual([]);
  },
);

it('a package that dpkg-deb made of a real program: both names of a hard link, no broken one', async () => {
  const folder = tempFolder();
  for (const path of ['DEBIAN', 'usr/bin', 'usr/lib/debug'])
    mkdirSync(join(folder, 'p', path), { recursive: true });
  writeFileSync(join(folder, 'a.c'), 'int main(void) { return 0; }\n');
  const app = join(folder, 'p/usr/bin/app');
  execFileSync('gcc', ['-g', '-Wl,--build-id=sha1', '-o', app, join(folder, 'a.c')]);
  execFileSync('ln', [app, join(folder, 'p/usr/bin/other')]);
  execFileSync('ln', ['-s', '/etc/passwd', join(folder, 'p/usr/bin/link')]);
  execFileSync('objcopy', ['--only-keep-debug', app, join(folder, 'p/usr/lib/debug/app.debug')]);
  writeFileSync(join(folder, 'p/usr/lib/broken.so'), readFileSync(app).subarray(0, 3000));
  const control =
    'Package: real\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n';
  writeFileSync(join(folder, 'p/DEBIAN/control'), control);
  execFileSync('dpkg-deb', ['--build', '-Zxz', '--root-owner-group', 'p', 'real.deb'], { cwd: folder });
  const u = unpacking();
  const deb = await shippedFile(join(folder, 'real.deb'), u);
  const sha256 = digestOf(readFileSync(app));
  expect(deb.name).toBe('real_1_all');
  // The file of symbols has the same id, and is none of the program's bytes.
  expect(deb.contents.map(({ path, shipped }) => [path, shipped.sha256])).toEqual([
    ['/usr/bin/app', sha256],
    ['/usr/bin/other', sha256],
  ]);
  expect(u.unread.count).toBe(1);
  expect(u.unread.first[0]).toContain('real_1_all:/usr/lib/broken.so: ');
});

it('a plain file: a program with its id, anything else by its digest alone, symbols as no program', async () => {
  expect(await look(program(7))).toMatchObject({ kind: 'file', name: 'shipped', images: [{ id: idOf(7) }] });
  const java = Buffer.from('cafebabe00000034', 'hex');
  for (const bytes of ['hello', '', java, TINY_BREAKPAD, tinyPdb()]) {
    const shipped = await look(bytes);
    expect(shipped).toMatchObject({ kind: 'file', images: [], contents: [], sha256: digestOf(bytes) });
    expect(shipped.sizeBytes).toBe(bytes.length);
  }
});

it('a plain file that says it is a program and is not is refused, under its own name', async () => {
  await expect(look(program(7).subarray(0, 60))).rejects.toThrow(/shipped: .*program headers/);
  await expect(look('\x7fELF')).rejects.toMatchObject({ code: 'object_malformed' });
  await expect(shippedFile(tempFolder(), unpacking())).rejects.toMatchObject({ code: 'usage' });
  await expect(shippedFile('/nowhere', unpacking())).rejects.toMatchObject({ code: 'usage' });
});

const data = async (): Promise<Buffer> =>
  arMember('data.tar', await layerOf([{ name: 'a', content: program(1) }]));
const whole = async (...members: (Buffer | Promise<Buffer>)[]): Promise<Buffer> =>
  Buffer.concat([AR, ...(await Promise.all(members))]);

it.each<[string, () => Promise<Buffer>, string]>([
  ['no control', () => whole(VERSION, data()), 'a member data.tar where control.tar'],
  ['no data', () => whole(VERSION, controlOf()), 'it ends before its data'],
  [
    'two controls',
    () => whole(VERSION, controlOf(), controlOf(), data()),
    'a member control.tar where data.tar',
  ],
  [
    'another format',
    () => whole(arMember('debian-binary', '3.0\n'), controlOf(), data()),
    'no Debian package of format 2',
  ],
  ['bzip2', async () => whole(VERSION, controlOf(), arMember('data.tar.bz2', 'x')), 'a member data.tar.bz2'],
  [
    'no version',
    () => whole(VERSION, controlOf('Package: demo\nArchitecture: all\n'), data()),
    'no proper field Version',
  ],
  [
    'a name with a path',
    () => whole(VERSION, controlOf('Package: ../x\nVersion: 1\nArchitecture: all\n'), data()),
    'no proper field Package',
  ],
  [
    'an empty control.tar',
    async () => whole(VERSION, arMember('control.tar', await layerOf([])), data()),
    'no control file',
  ],
  [
    'a size that lies upwards',
    () => whole(VERSION, controlOf(), arMember('data.tar', Buffer.alloc(1024), 9_999_999)),
    'cannot be unpacked|before its member',
  ],
  [
    'a size that lies downwards',
    () => whole(VERSION, controlOf(), arMember('data.tar', Buffer.alloc(1024), 512)),
    'no whole header',
  ],
  ['a size that is none', () => whole(VERSION, controlOf(), arMember('data.tar', '', -1)), 'no whole header'],
  [
    'a header that is cut off',
    async () => (await whole(VERSION, controlOf(), data())).subarray(0, 100),
    'no whole header',
  ],
  [
    'a tar that is cut off',
    async () =>
      whole(
        VERSION,
        controlOf(),
        arMember('data.tar', (await layerOf([{ name: 'a', content: 'x'.repeat(5000) }])).subarray(0, 2048)),
      ),
    'is no whole tar',
  ],
  [
    'gzip that is cut off',
    async () =>
      whole(
        VERSION,
        controlOf(),
        arMember(
          'data.tar.gz',
          gzipSync(await layerOf([{ name: 'a', content: program(1) }])).subarray(0, 60),
        ),
      ),
    'cannot be unpacked|no whole tar',
  ],
  [
    'xz that is cut off',
    async () =>
      whole(
        VERSION,
        controlOf(),
        arMember(
          'data.tar.xz',
          PACKERS['.xz'](await layerOf([{ name: 'a', content: program(1) }])).subarray(0, 60),
        ),
      ),
    'cannot be unpacked.*Unexpected end',
  ],
])('a package with %s is refused by name', async (_name, make, message) => {
  const u = unpacking();
  const bytes = await make();
  await expect(look(bytes, u)).rejects.toMatchObject({ code: 'artifact_malformed' });
  await expect(look(bytes, u)).rejects.toThrow(new RegExp(message));
  expect(readdirSync(u.folder)).toEqual([]);
});

it('members that dpkg does not know are passed over where their names say so', async () => {
  const signed = await whole(
    VERSION,
    arMember('_gpgorigin', 'x'),
    controlOf(),
    data(),
    arMember('_more', 'y'),
  );
  expect(found(await look(signed))).toEqual([['/a', idOf(1)]]);
});
