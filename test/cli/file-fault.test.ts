/** What a disk or a permission refuses is said with the file, the option that named it, and what helps; never as a bug. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

import { fileFault } from '../../src/cli/shared/file-fault.ts';
import { envelope, makeKey, statement } from '../support/keys.ts';
import { reenact, tempFolder } from '../support/world.ts';

const cwd = tempFolder();
const key = makeKey();
beforeAll(() => {
  writeFileSync(join(cwd, 'file'), 'content');
  writeFileSync(join(cwd, 'key.pem'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(cwd, 'e.json'), JSON.stringify(envelope([key], statement())));
});

it.each([
  ['a folder under /proc', ['trace', 'add', 'file', '--store', '/proc/reenact']],
  ['a folder below a file', ['trace', 'add', 'file', '--store', 'file/store']],
  ['an output below a file', ['sign', 'file', '--key', 'key.pem', '--out', 'file/out']],
  ['an output under /proc', ['sign', 'file', '--key', 'key.pem', '--out', '/proc/reenact/out']],
])('%s is no bug', async (_, args) => {
  const run = await reenact(args, { cwd });
  expect(run.status, run.stderr).toBe(3);
  expect(run.stderr).toContain(args.at(-1)!);
  expect(run.stderr).toMatch(/\n {2}next: /);
  expect(run.stderr).not.toContain('a bug');
});

describe('an error of the file system', () => {
  const thrown = (code: string, path?: string): Error =>
    Object.assign(new Error(`${code}: words, mkdir`), {
      code,
      errno: -1,
      syscall: 'mkdir',
      ...(path ? { path } : {}),
    });

  it.each([
    ['ENOSPC', 'disk_full', 'free space'],
    ['EDQUOT', 'disk_full', 'free space'],
    ['EROFS', 'out_failed', 'can be written'],
    ['EPERM', 'out_failed', 'lsattr'],
    ['EACCES', 'out_failed', 'permissions'],
    ['EMFILE', 'out_failed', 'ulimit -n'],
  ])('%s has its code and its advice', (code, fault, next) => {
    expect(fileFault(thrown(code, '/x'), [])).toMatchObject({
      code: fault,
      next: expect.stringContaining(next),
    });
  });

  it.each([
    [['run', 'm.json', '--out', 'deep/out'], 'deep/out/blobs', 'named by --out'],
    [['run', 'm.json', '--out=deep/out'], 'deep', 'named by --out'],
    [['run', 'm.json'], '.reenact/blobs', 'without --out or --store'],
    [['run', 'm.json', '--out', 'other'], '/elsewhere', 'mkdir /elsewhere: '],
  ])('%j names %s by its option', (args, path, text) => {
    expect(fileFault(thrown('EROFS', path), args)!.message).toContain(text);
  });

  it('says so without a path, too', () => {
    expect(fileFault(thrown('ENOSPC'), [])!.message).toBe('mkdir: no space is left there (ENOSPC)');
  });

  it('of another kind stays a bug', () => {
    expect(fileFault(new TypeError('x is no function'), [])).toBeUndefined();
    expect(
      fileFault(Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' }), []),
    ).toBeUndefined();
  });
});

/** Own mounts need the right to make them. */
const canMount = await promisify(execFile)('unshare', ['-m', 'true']).then(
  () => true,
  () => false,
);
describe('a real disk', () => {
  const shell = async (line: string): Promise<string> => {
    const script = `${line}; echo "exit $?"`;
    const { stdout } = await promisify(execFile)('unshare', ['-m', 'bash', '-c', script], { cwd });
    return stdout;
  };
  const command = `${process.execPath} ${join(import.meta.dirname, '../../bin/reenact.js')}`;
  it.runIf(canMount).each([
    ['that is read-only', 'ro,size=1m', 'EROFS', '--store'],
    ['that is full', 'size=64k', 'ENOSPC', 'disk'],
  ])('%s', async (_, options, code) => {
    mkdirSync(join(cwd, code));
    const fill = code === 'ENOSPC' ? `head -c 1m /dev/zero > ${code}/f 2>&-;` : '';
    const text = await shell(
      `mount -t tmpfs -o ${options} none ${code}; ${fill} ${command} sign file --key key.pem --out ${code}/out 2>&1`,
    );
    expect(text).toContain(`${code}/out`);
    expect(text).toContain('next: ');
    expect(text).toContain('exit 3');
    expect(existsSync(join(cwd, code, 'out'))).toBe(false);
  });
  if (!canMount) it.skip('(skipped: mounts are not permitted here)', () => undefined);
});
