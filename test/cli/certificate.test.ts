import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { hexOf } from '../../src/base/digest.ts';
import { examineBundle } from '../../src/bundle/verify/verify.ts';
import { writeCertificate } from '../../src/library/certificate.ts';
import { caseUco } from '../../src/report/case-uco.ts';
import { certification } from '../../src/report/certification.ts';
import { checkShapes } from '../support/case-shapes.ts';
import { type Accepted, acceptedBundle } from '../support/examined.ts';
import { reenact, tempFolder } from '../support/world.ts';

let accepted: Accepted;
beforeAll(async () => {
  accepted = await acceptedBundle();
});

describe('bundle verify --certificate', () => {
  it('leaves the draft and the view, which are made of the bundle alone', async () => {
    const folder = join(tempFolder(), 'certificate');
    const run = await reenact(['bundle', 'verify', accepted.path, '--certificate', folder]);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain('certification.txt is a draft');
    expect(readdirSync(folder).sort()).toEqual(['case.jsonld', 'certification.txt']);
    const text = readFileSync(join(folder, 'certification.txt'), 'utf8');
    expect(text).toBe(certification(accepted.bundle));
    expect(text).toContain(hexOf(accepted.bundle.root));
    const view = readFileSync(join(folder, 'case.jsonld'), 'utf8');
    expect(view).toBe(caseUco(accepted.bundle));
    expect(checkShapes(JSON.parse(view))).toEqual([]);
    expect(statSync(folder).mode & 0o777).toBe(0o777 & ~process.umask());
  });

  it('leaves --json as it is', async () => {
    const folder = join(tempFolder(), 'certificate');
    const run = await reenact(['bundle', 'verify', accepted.path, '--json', '--certificate', folder]);
    expect(JSON.parse(run.stdout)).toMatchObject([{ accepted: true }]);
    expect(existsSync(folder)).toBe(true);
  });

  it('leaves nothing of a bundle that is refused', async () => {
    const parent = tempFolder();
    const path = join(parent, 'bad.tar');
    writeFileSync(path, Buffer.concat([readFileSync(accepted.path), Buffer.from('x')]));
    const run = await reenact(['bundle', 'verify', path, '--certificate', join(parent, 'certificate')]);
    expect(run.status).toBe(2);
    expect(readdirSync(parent)).toEqual(['bad.tar']);
  });

  it.each<[string, (path: string) => void]>([
    ['a folder', (path) => mkdirSync(path)],
    ['a file', (path) => writeFileSync(path, '')],
    ['a link to nothing', (path) => symlinkSync('nowhere', path)],
  ])('never takes the place of %s, and says so before it verifies', async (_name, make) => {
    const parent = tempFolder();
    make(join(parent, 'certificate'));
    const run = await reenact([
      'bundle',
      'verify',
      accepted.path,
      '--certificate',
      join(parent, 'certificate'),
    ]);
    expect(run).toMatchObject({ status: 3, stdout: '' });
    expect(run.stderr).toContain('is there already; nothing was written');
    expect(readdirSync(parent)).toEqual(['certificate']);
  });

  it('never takes the place of the folder one is in', async () => {
    const cwd = tempFolder();
    const run = await reenact(['bundle', 'verify', accepted.path, '--certificate', ''], { cwd });
    expect(run).toMatchObject({ status: 3, stdout: '' });
    expect(existsSync(join(cwd, 'case.jsonld'))).toBe(false);
  });

  it('is written whole or not at all', async () => {
    const missing = join(tempFolder(), 'no', 'certificate');
    const run = await reenact(['bundle', 'verify', accepted.path, '--certificate', missing]);
    expect(run.status).toBe(3);
    expect(run.stderr).toContain('cannot be written');
    // What came into the way in between is kept, and nothing is left beside it.
    const parent = tempFolder();
    mkdirSync(join(parent, 'certificate'));
    writeFileSync(join(parent, 'certificate', 'mine'), '');
    const examined = await examineBundle(accepted.path);
    await expect(writeCertificate(join(parent, 'certificate'), examined)).rejects.toThrow(
      /cannot be written/,
    );
    expect(readdirSync(parent)).toEqual(['certificate']);
    expect(readdirSync(join(parent, 'certificate'))).toEqual(['mine']);
  });

  it('is never about a bundle that was not accepted', async () => {
    const examined = await examineBundle(accepted.path);
    examined.verification.accepted = false;
    const folder = join(tempFolder(), 'certificate');
    await expect(writeCertificate(folder, examined)).rejects.toThrow(/never certified/);
    expect(existsSync(folder)).toBe(false);
  });
});
