/** Bundles in a registry that others wrote and use: pushed, read by skopeo, cut off, killed, and pulled again. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import { sleep } from '../../src/base/clock.ts';
import { type Digest, digestOf, hexOf } from '../../src/base/digest.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { BadConnection } from '../support/registry.ts';
import { attachedCase, plainCase } from '../support/transfer.ts';
import { describeEngine, reenact, tempFolder, world } from '../support/world.ts';

const LARGE_BYTES = 20 << 20;

describeEngine('a bundle in Debian’s registry', () => {
  let bundle: string;
  let root: Digest;
  /** Of this test run alone. */
  let path: string;
  beforeAll(async () => {
    bundle = await attachedCase();
    ({ root } = await openBundle(bundle));
    path = `reenact-cases/${basename(dirname(bundle)).toLowerCase()}`;
  });

  const run = (...args: string[]): ReturnType<typeof reenact> => reenact(['bundle', ...args]);
  const same = (a: string, b: string): boolean => readFileSync(a).equals(readFileSync(b));
  const targetOf = (): string => join(tempFolder(), 'b.tar');

  it('is pushed and pulled byte for byte, by identity and by tag, with what is attached', async () => {
    const where = `${world.registry}/${path}`;
    const pushed = await run('push', bundle, `${where}:one`);
    expect(pushed).toMatchObject({ status: 0, stderr: '' });
    expect(pushed.stdout).toContain(`4 attached\n  identity ${root}\n  pull     ${where}@${root}\n`);
    const again = await run('push', bundle, `${where}:one`);
    expect(again.stdout).toMatch(/pushed, 0 of \d+ blobs were not there yet/);
    const [one, two] = [targetOf(), targetOf()];
    expect(await run('pull', `${where}@${root}`, '--out', one)).toMatchObject({ status: 0, stderr: '' });
    const byTag = await run('pull', `${where}:one`, '--out', two);
    expect(byTag).toMatchObject({ status: 0, stderr: expect.stringContaining('a tag is no identity') });
    expect([same(one, bundle), same(two, bundle)]).toEqual([true, true]);
    expect(await run('verify', one)).toMatchObject({ status: 0 });
    expect(readdirSync(dirname(one))).toEqual(['b.tar']);
  });

  it('is read by skopeo under the same digest, and so is the list of what is attached', async () => {
    const raw = (name: string): Buffer =>
      execFileSync('skopeo', [
        'inspect',
        '--raw',
        '--tls-verify=false',
        `docker://${world.registry}/${path}${name}`,
      ]);
    expect([digestOf(raw(`@${root}`)), digestOf(raw(':one'))]).toEqual([root, root]);
    const { manifests } = JSON.parse(String(raw(`:sha256-${hexOf(root)}`))) as { manifests: unknown[] };
    expect(manifests).toHaveLength(4);
  });

  it('gets there, and back, though connections die', async () => {
    const large = await plainCase(LARGE_BYTES);
    const bad = new BadConnection([4 << 20, 0, 9 << 20, 1000]);
    const where = `${await bad.start(world.registry)}/${path}`;
    expect(await run('push', large, where)).toMatchObject({ status: 0, stderr: '' });
    expect(bad.left).toBe(0);
    const back = new BadConnection([4 << 20, 0, 9 << 20, 1000]);
    const from = `${await back.start(world.registry)}/${path}@${(await openBundle(large)).root}`;
    const target = targetOf();
    expect(await run('pull', from, '--out', target)).toMatchObject({ status: 0, stderr: '' });
    expect([same(target, large), back.left]).toEqual([true, 0]);
    expect(back.received).toBeLessThan(LARGE_BYTES + (2 << 20));
  });

  it('pulled by a process that is killed: nothing looks whole, and the next one goes on', async () => {
    const large = await plainCase(LARGE_BYTES);
    const opened = await openBundle(large);
    await run('push', large, `${world.registry}/${path}`);
    const slow = await new BadConnection([]).start(world.registry, 20);
    const target = targetOf();
    const blob = opened.layers.find(({ size }) => size === LARGE_BYTES)!;
    const part = join(dirname(target), '.b.tar.part', hexOf(blob.digest));
    const args = ['bundle', 'pull', `${slow}/${path}@${opened.root}`, '--out', target];
    const killed = await reenact(args, {
      during: async (child) => {
        while ((statSync(part, { throwIfNoEntry: false })?.size ?? 0) < 2 << 20) await sleep(20);
        child.kill('SIGKILL');
      },
    });
    expect(killed.status).toBeNull();
    expect(readdirSync(dirname(target))).toEqual(['.b.tar.part']);
    const counted = new BadConnection([]);
    const host = await counted.start(world.registry);
    const next = await run('pull', `${host}/${path}@${opened.root}`, '--out', target);
    expect(next).toMatchObject({ status: 0, stderr: '' });
    expect(same(target, large)).toBe(true);
    expect(counted.received).toBeLessThan(LARGE_BYTES - (1 << 20));
    expect(readdirSync(dirname(target))).toEqual(['b.tar']);
  });

  it('that is not there, or is an image: a clear end', async () => {
    const target = targetOf();
    const absent = await run('pull', `${world.registry}/${path}@${digestOf('x')}`, '--out', target);
    expect(absent).toMatchObject({ status: 3, stderr: expect.stringContaining('does not have sha256') });
    const { repository, manifest } = world.fixture;
    const image = await run('pull', `${repository}@${manifest}`, '--out', target);
    expect(image).toMatchObject({ status: 2, stderr: expect.stringContaining('artifactType') });
    expect(readdirSync(dirname(target))).toEqual([]);
  });
});
