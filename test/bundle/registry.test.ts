/** Bundles pushed to and pulled from a registry that does as the specification says, over connections that die. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type Digest, digestOf, hexOf } from '../../src/base/digest.ts';
import { Fault } from '../../src/base/fault.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { type Pulled, pullBundle } from '../../src/bundle/registry/pull.ts';
import { type Pushed, pushBundle } from '../../src/bundle/registry/push.ts';
import { parseReference } from '../../src/bundle/registry/registry-reference.ts';
import type { Transfer } from '../../src/bundle/registry/remote.ts';
import { BadConnection, TestRegistry } from '../support/registry.ts';
import { attachedCase, plainCase, transfer } from '../support/transfer.ts';
import { tempFolder } from '../support/world.ts';

const LARGE_BYTES = 24 << 20;
const REPOSITORY = 'cases/one';

let attached: string;
let large: string;
let registry: TestRegistry;
beforeAll(async () => {
  attached = await attachedCase();
  large = await plainCase(LARGE_BYTES);
});
beforeEach(async () => {
  registry = await TestRegistry.start();
});

function push(path: string, where = registry.repository, o: Partial<Transfer> = {}): Promise<Pushed> {
  return pushBundle(path, parseReference(where), transfer(o));
}

function pull(target: string, where: string, o: Partial<Transfer> = {}): Promise<Pulled> {
  return pullBundle(target, parseReference(where), transfer(o));
}

const targetOf = (): string => join(tempFolder(), 'b.tar');

function same(a: string, b: string): boolean {
  return readFileSync(a).equals(readFileSync(b));
}

const tagOf = (root: Digest): string => root.replace(':', '-');

describe('a bundle in a registry', () => {
  it.each([
    ['that lists what is attached', true],
    ['that does not', false],
  ])('%s comes back byte for byte', async (_name, lists) => {
    registry.lists = lists;
    const { root, blobs, sent } = await push(attached, `${registry.repository}:one`);
    expect(sent).toBe(blobs);
    expect(registry.manifests.has(tagOf(root))).toBe(!lists);
    const [one, two] = [targetOf(), targetOf()];
    const pulled = { root, sizeBytes: readFileSync(attached).length, attached: 4, others: [] };
    expect(await pull(one, `${registry.repository}@${root}`)).toEqual(pulled);
    expect(await pull(two, `${registry.repository}:one`)).toEqual(pulled);
    expect([same(one, attached), same(two, attached)]).toEqual([true, true]);
    expect(registry.asked.filter(({ headers }) => headers['accept-encoding'] !== 'identity')).toEqual([]);
    // The part folder is gone.
    expect(readdirSync(join(one, '..'))).toEqual(['b.tar']);
  });

  it('is not sent again', async () => {
    registry.lists = false;
    const { root } = await push(attached);
    const [before, list] = [registry.asked.length, registry.manifests.get(tagOf(root))];
    expect(await push(attached)).toMatchObject({ root, sent: 0 });
    const again = registry.asked.slice(before);
    expect(again.filter(({ method }) => method === 'POST' || method === 'PATCH')).toEqual([]);
    expect(again.filter(({ method, path }) => method === 'PUT' && path.includes(tagOf(root)))).toEqual([]);
    expect(registry.manifests.get(tagOf(root))).toBe(list);
  });

  it('is pulled with what came to it later, and pushed without taking away what others attached', async () => {
    registry.lists = false;
    const plain = await plainCase();
    const { root } = await push(plain);
    const other = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digestOf('a signature'),
      size: 11,
      artifactType: 'application/vnd.example.signature\u001b',
      annotations: { by: 'somebody' },
    };
    const theirs = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      annotations: {},
    };
    const put = (index: unknown, to: Digest): void =>
      void registry.manifests.set(tagOf(to), Buffer.from(JSON.stringify(index)));
    put({ ...theirs, manifests: [other] }, root);
    const target = targetOf();
    expect(await pull(target, `${registry.repository}@${root}`)).toMatchObject({
      attached: 0,
      others: [other.artifactType],
    });
    expect(same(target, plain)).toBe(true);
    const signed = await push(attached);
    put({ ...theirs, manifests: [other] }, signed.root);
    await push(attached);
    const list = JSON.parse(registry.manifests.get(tagOf(signed.root))!.toString());
    expect(list).toMatchObject({ annotations: {}, manifests: [other, {}, {}, {}, {}] });
    expect(await pull(targetOf(), `${registry.repository}@${signed.root}`)).toMatchObject({
      attached: 4,
      others: [other.artifactType],
    });
  });

  it('may lie elsewhere: downloads are followed, and listed in pages', async () => {
    const { root } = await push(attached);
    const pages = JSON.parse(
      await (await fetch(`http://${registry.host}/v2/${REPOSITORY}/referrers/${root}`)).text(),
    ) as { manifests: unknown[] };
    const elsewhere = await TestRegistry.start();
    elsewhere.blobs.clear();
    for (const [digest, bytes] of registry.blobs) elsewhere.blobs.set(digest, bytes);
    registry.hook = ({ method, path }, response) => {
      const page = /^referrers\/.*?(\d?)$/.exec(path);
      if (page) {
        const at = path.includes('?page=') ? Number(page[1]) : 0;
        const link = { link: `</v2/${REPOSITORY}/referrers/${root}?page=${at + 1}>; rel="next"` };
        response.writeHead(200, at < 3 ? link : {});
        response.end(JSON.stringify({ manifests: [pages.manifests[at]] }));
        return true;
      }
      if (method !== 'GET' || !path.startsWith('blobs/')) return false;
      response.writeHead(307, { location: `http://${elsewhere.host}/v2/${REPOSITORY}/${path}` }).end();
      return true;
    };
    const target = targetOf();
    await pull(target, `${registry.repository}@${root}`);
    expect(same(target, attached)).toBe(true);
  });
});

describe('over a connection that dies', () => {
  it('a push goes on where the registry has it', async () => {
    const bad = new BadConnection([100_000, 8 << 20, 0, 6 << 20]);
    const host = await bad.start(registry.host);
    const { root } = await push(large, `${host}/${REPOSITORY}`);
    expect(bad.left).toBe(0);
    const target = targetOf();
    await pull(target, `${registry.repository}@${root}`);
    expect(same(target, large)).toBe(true);
    // What had arrived was not sent again, but for what was on its way.
    expect(bad.sent).toBeLessThan(LARGE_BYTES + (5 << 20));
  });

  it('a push begins anew where the registry has thrown it away', async () => {
    registry.hook = ({ method, path }, response) => {
      if (method !== 'GET' || !path.includes('uploads')) return false;
      response.writeHead(404).end();
      return true;
    };
    const bad = new BadConnection([12 << 20]);
    await push(large, `${await bad.start(registry.host)}/${REPOSITORY}`);
    expect(bad.left).toBe(0);
    expect(bad.sent).toBeGreaterThan(LARGE_BYTES + (10 << 20));
  });

  it('a push whose last answer is lost is done', async () => {
    let lost = 0;
    registry.hook = ({ method, path }, response, request) => {
      if (method !== 'PUT' || !path.includes('uploads') || lost++ > 0) return false;
      const digest = decodeURIComponent(/digest=(.*)$/.exec(path)![1]!);
      registry.blobs.set(digest, Buffer.from('{}'));
      request.resume();
      response.destroy();
      return true;
    };
    await push(attached);
    expect(registry.blobs.get(digestOf('{}'))?.toString()).toBe('{}');
  });

  it.each([
    ['a pull goes on from there', true],
    ['a pull survives a server that knows no ranges', false],
  ])('%s', async (_name, ranges) => {
    const { root } = await push(large);
    if (!ranges)
      registry.hook = ({ headers }) => {
        delete headers.range;
        return false;
      };
    const bad = new BadConnection([100_000, 8 << 20, 0, 6 << 20]);
    const host = await bad.start(registry.host);
    const target = targetOf();
    await pull(target, `${host}/${REPOSITORY}@${root}`);
    expect(bad.left).toBe(0);
    expect(same(target, large)).toBe(true);
    expect(bad.received < LARGE_BYTES + (5 << 20)).toBe(ranges);
  });

  it('a pull that fails, or is interrupted, leaves its parts, and the next one goes on from them', async () => {
    const { root } = await push(large);
    const target = targetOf();
    const bad = await new BadConnection([20 << 20, 0, 0, 0, 0]).start(registry.host);
    const failed = pull(target, `${bad}/${REPOSITORY}@${root}`);
    await expect(failed).rejects.toMatchObject({
      code: 'registry_unreachable',
      message: expect.stringMatching(/tried 4 times; what was downloaded is in .*\.b\.tar\.part/),
    });
    expect(readdirSync(join(target, '..'))).toEqual(['.b.tar.part']);
    const stop = new AbortController();
    const slow = await new BadConnection([]).start(registry.host, 20);
    const stopped = pull(target, `${slow}/${REPOSITORY}@${root}`, { signal: stop.signal });
    setTimeout(() => stop.abort(new Fault('interrupted', 'interrupted')), 300);
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' });
    expect(readdirSync(join(target, '..'))).toEqual(['.b.tar.part']);
    const good = new BadConnection([]);
    await pull(target, `${await good.start(registry.host)}/${REPOSITORY}@${root}`);
    expect(same(target, large)).toBe(true);
    expect(good.received).toBeLessThan(LARGE_BYTES - (16 << 20));
  });

  it('a registry that is busy is asked again, one that is down is not asked for ever', async () => {
    const before = new Set<string>();
    registry.hook = ({ method, path }, response, request) => {
      const asked = method + path.replace(/uploads.*/, '');
      if (before.has(asked)) return false;
      before.add(asked);
      request.resume();
      response.writeHead([500, 429, 503, 408][before.size % 4]!).end();
      return true;
    };
    const retries = { tries: 8, pauseMs: 0 };
    await push(attached, registry.repository, { retries });
    const down = push(attached, `127.0.0.1:65099/${REPOSITORY}`);
    await expect(down).rejects.toMatchObject({ code: 'registry_unreachable' });
  });
});

it('a file that is there stays', async () => {
  const { root } = await push(attached);
  const target = targetOf();
  writeFileSync(target, 'mine');
  const before = registry.asked.length;
  await expect(pull(target, `${registry.repository}@${root}`)).rejects.toMatchObject({
    code: 'output_exists',
  });
  expect([readFileSync(target, 'utf8'), registry.asked.length]).toEqual(['mine', before]);
});

describe('the part folder', () => {
  it('in which somebody put links is not written through', async () => {
    const { root } = await push(attached);
    const { layers } = await openBundle(attached);
    const layer = layers.toSorted((a, b) => b.size - a.size)[0]!;
    const folder = tempFolder();
    const where = parseReference(`${registry.repository}@${root}`);
    const victim = join(tempFolder(), 'victim');
    writeFileSync(victim, 'precious');
    const part = join(folder, '.b.tar.part');
    mkdirSync(part);
    symlinkSync(victim, join(part, hexOf(layer.digest)));
    await expect(pullBundle(join(folder, 'b.tar'), where, transfer())).rejects.toMatchObject({
      code: 'out_failed',
      message: expect.stringContaining('ELOOP'),
    });
    const elsewhere = tempFolder();
    symlinkSync(elsewhere, join(folder, '.c.tar.part'));
    await expect(pullBundle(join(folder, 'c.tar'), where, transfer())).rejects.toMatchObject({
      message: expect.stringContaining('not a folder of ours'),
    });
    expect([readFileSync(victim, 'utf8'), readdirSync(elsewhere)]).toEqual(['precious', []]);
  });

  it('with other bytes than were expected is found out, and comes right in the next run', async () => {
    const { root } = await push(attached);
    const { layers } = await openBundle(attached);
    const layer = layers.toSorted((a, b) => b.size - a.size)[0]!;
    const folder = tempFolder();
    const where = parseReference(`${registry.repository}@${root}`);
    const target = join(folder, 'b.tar');
    mkdirSync(join(folder, '.b.tar.part'));
    const stale = join(folder, '.b.tar.part', hexOf(layer.digest));
    writeFileSync(stale, 'something else');
    await expect(pullBundle(target, where, transfer())).rejects.toMatchObject({
      code: 'registry_mismatch',
      message: expect.stringContaining('it was removed'),
    });
    writeFileSync(stale, Buffer.alloc(layer.size + 1));
    await pullBundle(target, where, transfer());
    expect(readFileSync(target).equals(readFileSync(attached))).toBe(true);
  });
});
