/** Bundles unpacked into a folder: readable names, and nothing outside of it, whatever the bundle says. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { digestOf, hexOf } from '../../../src/base/digest.ts';
import { Fault } from '../../../src/base/fault.ts';
import { LIMITS } from '../../../src/base/limits.ts';
import { extractBundle } from '../../../src/bundle/extract/extract.ts';
import { settle, unpackBundle } from '../../../src/bundle/extract/unpack.ts';
import { Refused } from '../../../src/bundle/format/refused.ts';
import { BlobStore } from '../../../src/store/blobs.ts';
import { makeCase, type TestCase } from '../../support/case.ts';
import { add, forge, repeatContent, setState } from '../../support/forge.ts';
import { makeKey } from '../../support/keys.ts';
import { listing, refusal, unpack } from '../../support/unpacked.ts';
import { reenact, tempFolder } from '../../support/world.ts';

let made: TestCase;
let golden: string;
beforeAll(async () => {
  made = await makeCase(['said', 'said'], {
    '/work/out': Buffer.from('made'),
    '/work/sub/x': Buffer.from('y'),
  });
  golden = await forge(made);
});

describe('an unpacked bundle', () => {
  it('has everything under its role and name, and the final state as a tree', async () => {
    const { dir, result } = await unpack(golden);
    const roles = listing(dir).filter((path) => !/\/[0-9a-f]{64}$/.test(path));
    expect(roles).toEqual([
      'custody/0000000001.json',
      'files/work/out',
      'files/work/sub/x',
      'harness/init',
      'harness/seccomp.json',
      'image/config',
      'image/manifest',
      'input/in.txt',
      'manifest/a case <b>&',
      `policy/${made.record.policy.name}`,
      'record/a case <b>&',
      'report/report.html',
      'stderr',
      'stdout',
    ]);
    expect(readFileSync(join(dir, 'stdout'), 'utf8')).toBe('said');
    expect(readFileSync(join(dir, 'files/work/out'), 'utf8')).toBe('made');
    expect(readFileSync(join(dir, 'content', hexOf(digestOf('made'))), 'utf8')).toBe('made');
    expect(result.files).toBe(listing(dir).length);
    expect(result.sizeBytes).toBe(
      listing(dir).reduce((sum, path) => sum + statSync(join(dir, path)).size, 0),
    );
    for (const path of listing(dir)) {
      expect(lstatSync(join(dir, path)).mode & 0o7777, path).toBe(0o644 & ~process.umask());
      expect(lstatSync(join(dir, path)).nlink, path).toBe(1);
    }
    expect(readdirSync(dirname(dir))).toEqual(['dir']);
  });

  it('says that contents of the state are not inside', async () => {
    const { dir, result } = await unpack(await forge(made, undefined, 'none'));
    expect(result.absent).toBe(4);
    expect(existsSync(join(dir, 'files'))).toBe(false);
    expect((await unpack(await forge(made, undefined, 'none'), ['input'])).result.absent).toBe(0);
  });

  it('says that the state is too large to be looked into', async () => {
    const path = await forge(made, (r, c) => setState(r, c, `{}${' '.repeat(LIMITS.documentBytes)}`));
    const dir = join(tempFolder(), 'dir');
    const { stdout } = await reenact(['bundle', 'extract', path, '--to', dir]);
    expect(stdout).toContain('\n  the final state is not inside, or is over 8 MB: neither are its files\n');
    expect((await unpack(golden)).result.stateShown).toBe(true);
  });

  it('of a redaction has what was not withheld', async () => {
    const folder = tempFolder();
    const key = makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(folder, 'key.pem'), key);
    const to = [
      '--out',
      join(folder, 'r.tar'),
      '--key',
      join(folder, 'key.pem'),
      '--secret',
      join(folder, 's'),
    ];
    const drop = ['--drop', 'files/work/sub', '--drop', 'stdout', '--reason', 'r'];
    expect(await reenact(['bundle', 'redact', golden, ...drop, ...to])).toMatchObject({ status: 0 });
    const { dir, result } = await unpack(join(folder, 'r.tar'), ['files', 'std*']);
    expect(listing(dir)).toEqual(['files/work/out', 'stderr']);
    expect(result.absent).toBe(2);
  });

  it('is what --only asks for', async () => {
    expect(listing((await unpack(golden, ['input/*', 'files/**/x'])).dir)).toEqual([
      'files/work/sub/x',
      'input/in.txt',
    ]);
    expect(listing((await unpack(golden, ['files'])).dir)).toEqual(['files/work/out', 'files/work/sub/x']);
    await expect(unpack(golden, ['files', 'file/*'])).rejects.toThrow(
      /nothing inside fits --only file\/\*; did you mean files\?$/,
    );
  });

  it('has the layers of its image by digest: they are all named alike', async () => {
    const path = await forge(made, (_record, collected) => {
      for (const text of ['1', '2']) add(collected, 'image', text, 'layer');
    });
    const layers = ['1', '2'].map((text) => hexOf(digestOf(text)));
    expect(listing(join((await unpack(path)).dir, 'image'))).toEqual(
      ['config', 'manifest', ...layers].sort(),
    );
  });

  it('says on the screen what was checked', async () => {
    const dir = join(tempFolder(), 'dir');
    const done = await reenact(['bundle', 'extract', golden, '--to', dir, '--only', 'input']);
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(done.stdout).toMatch(/: 1 file, 5 bytes\n {2}identity sha256:[0-9a-f]{64}\n/);
    expect(done.stdout).toContain('not the verdict: reenact bundle verify\n');
    expect(await reenact(['bundle', 'extract', golden])).toMatchObject({ status: 64 });
    expect(await reenact(['bundle', 'extract', tempFolder(), '--to', `${dir}2`])).toMatchObject({
      status: 64,
    });
  });
});

describe('a bundle that is refused leaves nothing', () => {
  it('when it is cut', async () => {
    const path = await forge(made);
    for (let at = statSync(path).size - 512; at > 0; at -= 4096) {
      truncateSync(path, at);
      expect(['tar_truncated', 'member_missing']).toContain(await refusal(path));
    }
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['tar_trailing', (bytes) => Buffer.concat([bytes, Buffer.from('x')])],
    [
      'bag_mismatch',
      (bytes) =>
        Buffer.from(bytes.toString('latin1').replace(/<\/html>(?!.*<\/html>)/s, '</htmx>'), 'latin1'),
    ],
  ])('when the end is wrong: %s', async (code, change) => {
    const path = join(tempFolder(), 'x.tar');
    writeFileSync(path, change(readFileSync(golden)));
    expect(await refusal(path)).toBe(code);
  });

  it('when a content is there twice', async () => {
    expect(await refusal(repeatContent(golden))).toBe('member_unexpected');
    const store = new BlobStore(join(tempFolder(), 'store'));
    await expect(extractBundle(repeatContent(golden), store)).rejects.toThrow(Refused);
    expect(existsSync(store.folder)).toBe(false);
  });

  it('and what --force would have replaced stays', async () => {
    const dir = join(tempFolder(), 'dir');
    mkdirSync(dir);
    writeFileSync(join(dir, 'mine'), 'mine');
    const path = await forge(made);
    truncateSync(path, statSync(path).size - 2048);
    const done = await reenact(['bundle', 'extract', path, '--to', dir, '--force']);
    expect(done).toMatchObject({ status: 2, stdout: '' });
    expect(done.stderr).toMatch(/^reenact: (tar_truncated|member_missing): .*\n {2}next: /);
    expect(listing(dirname(dir))).toEqual(['dir/mine']);
  });
});

describe('the folder', () => {
  it('is not touched when it is there, and the bundle not even read', async () => {
    const dir = tempFolder();
    await expect(unpackBundle('/no/such/file', dir, [], false)).rejects.toThrow(
      /is there already; nothing was read/,
    );
    await expect(unpackBundle('/no/such/file', dir, [], true)).rejects.toThrow(/file cannot be read/);
    const dangling = join(dir, 'link');
    symlinkSync('/no/such/place', dangling);
    for (const force of [false, true])
      await expect(unpackBundle(golden, dangling, [], force)).rejects.toThrow(Fault);
    expect(readdirSync(dir)).toEqual(['link']);
  });

  it('is replaced with --force, and what its links lead to is not', async () => {
    const [parent, other] = [tempFolder(), tempFolder()];
    const dir = join(parent, 'dir');
    mkdirSync(join(dir, 'files'), { recursive: true });
    writeFileSync(join(other, 'kept'), 'kept');
    symlinkSync(other, join(dir, 'input'));
    symlinkSync(join(other, 'kept'), join(dir, 'stdout'));
    await unpackBundle(golden, dir, ['input', 'stdout'], true);
    expect(listing(dir)).toEqual(['input/in.txt', 'stdout']);
    expect(readFileSync(join(dir, 'stdout'), 'utf8')).toBe('said');
    expect(listing(other)).toEqual(['kept']);
    expect(readFileSync(join(other, 'kept'), 'utf8')).toBe('kept');
    expect(readdirSync(parent)).toEqual(['dir']);
  });

  it('is not replaced when it is a link, a file, or holds the bundle or the working folder', async () => {
    const parent = tempFolder();
    mkdirSync(join(parent, 'real'));
    symlinkSync('real', join(parent, 'link'));
    writeFileSync(join(parent, 'file'), '');
    for (const name of ['link', 'file'])
      await expect(unpackBundle(golden, join(parent, name), [], true)).rejects.toThrow(/is no folder/);
    await expect(unpackBundle(golden, dirname(golden), [], true)).rejects.toThrow(/holds the bundle/);
    expect(existsSync(golden)).toBe(true);
    // In a process of its own: without the guard, what it stands in would be gone.
    const cwd = join(parent, 'real/sub');
    mkdirSync(cwd);
    const inside = await reenact(['bundle', 'extract', golden, '--to', '..', '--force'], { cwd });
    expect(inside).toMatchObject({ status: 3, stderr: expect.stringContaining('holds the bundle') });
    expect(existsSync(cwd)).toBe(true);
    expect(lstatSync(join(parent, 'link')).isSymbolicLink()).toBe(true);
  });

  it('is what it was when the new one cannot be put in its place', () => {
    const parent = tempFolder();
    mkdirSync(join(parent, 'dir'));
    writeFileSync(join(parent, 'dir/mine'), 'mine');
    const none = join(parent, 'none');
    expect(() => settle(none, join(parent, 'dir'), join(parent, 'aside'), true)).toThrow(/ENOENT/);
    expect(listing(parent)).toEqual(['dir/mine']);
    mkdirSync(join(parent, 'done'));
    expect(() => settle(join(parent, 'done'), join(parent, 'dir'), '', false)).toThrow(/ENOTEMPTY/);
    expect(listing(parent)).toEqual(['dir/mine']);
  });

  it('out_failed: is in one that is not there', async () => {
    await expect(unpackBundle(golden, join(tempFolder(), 'a/b'), [], false)).rejects.toThrow(/cannot write/);
  });
});
