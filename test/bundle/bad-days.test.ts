/** Bundles on bad days: killed in the middle, no room left, two at once, far too much inside. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { digestOf } from '../../src/base/digest.ts';
import { blobName, ROLES } from '../../src/bundle/format/format.ts';
import { TAR_END, tarHeader } from '../../src/bundle/format/tar.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { makeCase, type TestCase } from '../support/case.ts';
import { add, forge } from '../support/forge.ts';
import { frontOf, layerOf, member } from '../support/members.ts';
import { reenact, tempFolder } from '../support/world.ts';

const BIN = join(import.meta.dirname, '../../bin/reenact.js');
let large: TestCase;

beforeAll(async () => {
  large = await makeCase(['a'], { '/work/large': Buffer.alloc(192 << 20, 'large') });
});

describe('creating', () => {
  it('killed at any time leaves no file that looks whole', async () => {
    const folder = tempFolder();
    const target = join(folder, 'case.tar');
    for (const after of [300, 500, 700, 900]) {
      const child = spawn(process.execPath, [BIN, 'bundle', 'create', large.recordPath, '-o', target]);
      const ended = new Promise((resolve) => child.on('exit', resolve));
      setTimeout(() => child.kill('SIGKILL'), after);
      await ended;
      if (!existsSync(target)) continue;
      expect(await verifyBundle(target)).toMatchObject({ accepted: true });
      break;
    }
  });

  it('without room ends with a reason, and leaves nothing', () => {
    const folder = tempFolder();
    const create = `exec ${process.execPath} ${BIN} bundle create ${large.recordPath} -o ${join(folder, 'case.tar')}`;
    // A limit on the file's size stands for a disk that is full; ignored, its signal becomes an error.
    const done = spawnSync('bash', ['-c', `trap '' XFSZ; ulimit -f 2000; ${create}`], { encoding: 'utf8' });
    expect(done.status).toBe(3);
    expect(done.stderr).toContain('cannot write');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('twice at once to one name: one is written, the other says so', async () => {
    const folder = tempFolder();
    const args = ['bundle', 'create', large.recordPath, '-o', 'case.tar'];
    const done = await Promise.all([reenact(args, { cwd: folder }), reenact(args, { cwd: folder })]);
    expect(done.map(({ status }) => status).sort()).toEqual([0, 3]);
    expect(readdirSync(folder)).toEqual(['case.tar']);
    expect(await verifyBundle(join(folder, 'case.tar'))).toMatchObject({ accepted: true });
  });
});

describe('far too much', () => {
  it('a list of more contents than may be is refused by its size, unread', async () => {
    const size = 64 * 1024 * 1024 + 1;
    const layer = { mediaType: ROLES.case, digest: digestOf('x'), size };
    const header = tarHeader({ name: blobName(layer.digest), sizeBytes: size });
    const path = join(tempFolder(), 'x.tar');
    writeFileSync(path, Buffer.concat([frontOf([layer]), header, TAR_END]));
    const { problems } = await verifyBundle(path);
    expect(problems.map(({ code }) => code)).toEqual(['manifest_form']);
    expect(problems[0]!.message).toContain('over the limit');
  });

  it('a million items in the list are refused', { timeout: 120_000 }, async () => {
    const began = performance.now();
    const items = Array.from({ length: 1_000_000 }, () => ({
      role: 'content',
      sha256: digestOf('x'),
      size: 1,
    }));
    const text = canonicalJson({
      bundle_version: 1,
      image: false,
      items,
      record_sha256: digestOf('r'),
      state: 'full',
    });
    const layer = layerOf('case', text);
    const path = join(tempFolder(), 'x.tar');
    writeFileSync(path, Buffer.concat([frontOf([layer]), member(blobName(layer.digest), text), TAR_END]));
    expect((await verifyBundle(path)).problems.map(({ code }) => code)).toEqual(['manifest_form']);
    console.log(`bundle: ${items.length} items refused in ${Math.round(performance.now() - began)} ms`);
  });

  it('contents that are in no list end the reading soon', async () => {
    const made = await makeCase(['a']);
    const path = await forge(made, (_record, collected) => {
      for (let i = 0; i < 500; i++) add(collected, 'content', `stray ${i}`);
    });
    expect((await verifyBundle(path)).problems.map(({ code }) => code)).toContain('member_unexpected');
  });

  it('a bomb of 10 GB of holes behind a good beginning is refused where it begins', async () => {
    const made = await makeCase(['a']);
    const path = await forge(made);
    truncateSync(path, readFileSync(path).length - TAR_END.length);
    truncateSync(path, 10_000_000_000);
    const began = performance.now();
    expect((await verifyBundle(path)).problems.map(({ code }) => code)).toEqual(['tar_trailing']);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
