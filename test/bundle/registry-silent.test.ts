/** Registries that say nothing, or stop: whatever is asked of them, a person hears of it, and it ends. */
import { existsSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { digestOf } from '../../src/base/digest.ts';
import type { PATIENCE } from '../../src/base/patience.ts';
import { openBundle } from '../../src/bundle/read/open.ts';
import { pullBundle } from '../../src/bundle/registry/pull.ts';
import { pushBundle } from '../../src/bundle/registry/push.ts';
import { readReferrers } from '../../src/bundle/registry/referrers.ts';
import { parseReference } from '../../src/bundle/registry/registry-reference.ts';
import { Remote, type Transfer } from '../../src/bundle/registry/remote.ts';
import { fetchByDigest, fetchLayer, Registries } from '../../src/sandbox/registry.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { EngineProxy } from '../support/proxy.ts';
import { type Asked, TestRegistry } from '../support/registry.ts';
import { FAST, silent, slowServer } from '../support/slow.ts';
import { plainCase } from '../support/transfer.ts';
import { describeEngine, tempFolder, world } from '../support/world.ts';

/** A minute, a hundred times faster, and some room for a busy machine. */
const BOUND_MS = 600 + 600;
const DIGEST = digestOf('absent');

let path: string;
beforeAll(async () => {
  path = await plainCase();
});

/** How a transfer ends, and what a person was told. */
async function ends(work: (o: Transfer) => Promise<unknown>, limits: typeof PATIENCE = FAST) {
  const told: string[] = [];
  const began = performance.now();
  const outcome = await work({
    limits,
    tell: (text) => void told.push(text),
    retries: { tries: 6, pauseMs: 2 },
  }).then(
    () => ({ code: 'none', message: 'it went through' }),
    (error: { code: string; message: string }) => error,
  );
  const { code, message } = outcome;
  return { code, message, told, ms: performance.now() - began };
}

const target = (): string => join(tempFolder(), 'b.tar');

describe('a registry that accepts and says nothing', () => {
  it.each<[string, (host: string, o: Transfer) => Promise<unknown>]>([
    ['pull', (host, o) => pullBundle(target(), parseReference(`${host}/a/b@${DIGEST}`), o)],
    ['push', (host, o) => pushBundle(path, parseReference(`${host}/a/b`), o)],
    ['referrers', (host, o) => readReferrers(new Remote(`${host}/a/b`, o), DIGEST)],
    [
      'an image’s document',
      (host, o) => fetchByDigest(new Registries(o), `${host}/a/b`, 'manifests', DIGEST),
    ],
    [
      'an image’s layer',
      (host, o) => fetchLayer(new Registries(o), `${host}/a/b`, DIGEST, 9, new BlobStore(tempFolder())),
    ],
  ])('%s', async (_name, work) => {
    const host = await slowServer(silent);
    const end = await ends((o) => work(host, o));
    expect(end.code).toBe('registry_unreachable');
    expect(end.message).toContain(host);
    expect(end.told[0]).toContain(`still waiting for the registry at ${host}, which is to answer `);
    expect(end.ms).toBeLessThan(BOUND_MS);
  });

  it('is not waited for by each image anew', async () => {
    const host = await slowServer(silent);
    const registries = new Registries({ limits: FAST });
    const ask = (): Promise<Buffer> => fetchByDigest(registries, `${host}/a/b`, 'manifests', DIGEST);
    await expect(ask()).rejects.toMatchObject({ code: 'registry_unreachable' });
    const began = performance.now();
    for (let i = 0; i < 5; i++) await expect(ask()).rejects.toThrow('does not say that it lives');
    expect(performance.now() - began).toBeLessThan(400);
  });
});

/** What is answered for a request, in a registry that does all others as it should. */
const STEPS: [string, (asked: Asked) => boolean][] = [
  ['a blob, before it is pushed', ({ method, path: at }) => method === 'HEAD' && at.startsWith('blobs')],
  ['the begin of an upload', ({ method }) => method === 'POST'],
  ['a manifest that is put', ({ method, path: at }) => method === 'PUT' && at.startsWith('manifests')],
  ['a manifest', ({ method, path: at }) => method === 'GET' && at.startsWith('manifests')],
  ['what is attached', ({ path: at }) => at.startsWith('referrers')],
  ['a blob', ({ method, path: at }) => method === 'GET' && at.startsWith('blobs/sha256')],
];
const HOW: [string, (response: ServerResponse) => void][] = [
  ['says nothing', () => undefined],
  [
    'stops after its head',
    (response) => void response.writeHead(200, { 'content-length': 10 }).flushHeaders(),
  ],
];

describe('a registry that lives, and', () => {
  it.each(HOW.flatMap(([how, answer]) => STEPS.map(([step, is]) => [how, step, is, answer] as const)))(
    '%s: %s',
    async (_how, _step, is, answer) => {
      const registry = await TestRegistry.start();
      const { root } = await openBundle(path);
      const push = (o: Transfer): Promise<unknown> =>
        pushBundle(path, parseReference(registry.repository), o);
      await push({});
      registry.blobs.clear();
      let met = 0;
      registry.hook = (asked, response, request) => {
        if (!is(asked)) return false;
        met++;
        request.resume();
        answer(response);
        return true;
      };
      const pull = (o: Transfer): Promise<unknown> =>
        pullBundle(target(), parseReference(`${registry.repository}@${root}`), o);
      const pushed = await ends(push);
      const end = met > 0 ? pushed : await ends(pull);
      expect(met).toBeGreaterThan(0);
      // A head alone says enough where only that is asked for.
      if (end.code !== 'none' || pushed.code !== 'none') {
        expect(end.code).toBe('registry_unreachable');
        expect(end.message).toContain(registry.host);
        // Not by the clock, for a busy machine has another: each silence is one try of tryQuietMs.
        expect(end.message).toMatch(/it has been silent for 0\.3 s; tried 2 times/);
        expect(end.told[0]).toContain(`still waiting for the registry at ${registry.host}, which is to `);
      }
    },
  );
});

describe('a login', () => {
  it('at a service that says nothing ends', async () => {
    const service = await slowServer(silent);
    const registry = await TestRegistry.start();
    registry.hook = ({ headers }, response) => {
      if (headers.authorization) return false;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${service}/token"` }).end();
      return true;
    };
    const end = await ends((o) => pushBundle(path, parseReference(registry.repository), o));
    expect(end.code).toBe('registry_unreachable');
    expect(end.told[0]).toContain('answer GET /token');
    expect(end.ms).toBeLessThan(BOUND_MS);
  });
});

describeEngine('the real registry', () => {
  const repository = (host: string): string => `${host}/cases/silent`;
  /** Everything in pieces of 64 KiB, twenty a second: 3 MiB take over two seconds. */
  const slow = { line: /blobs/, bytes: 65_536, perSecond: 20 };

  it('through a slow connection: the bundle comes whole', async () => {
    const { root } = await pushBundle(path, parseReference(repository(world.registry)), {});
    const proxy = new EngineProxy(world.registry);
    await proxy.listen();
    proxy.slow = slow;
    const to = target();
    const end = await ends((o) => pullBundle(to, parseReference(`${repository(proxy.host)}@${root}`), o), {
      ...FAST,
      tryQuietMs: 1_000,
      quietMs: 1_000,
    });
    proxy.die();
    expect(end).toMatchObject({ code: 'none' });
    expect(end.ms).toBeGreaterThan(2_000);
    expect(readFileSync(to).equals(readFileSync(path))).toBe(true);
  });

  it('that falls silent in the middle of a blob: what came is kept, and goes on from there', async () => {
    const { root } = await pushBundle(path, parseReference(repository(world.registry)), {});
    const proxy = new EngineProxy(world.registry);
    await proxy.listen();
    proxy.stall = { line: /GET .*blobs/, bytes: 40_000 };
    const to = target();
    const pull = (o: Transfer): Promise<unknown> =>
      pullBundle(to, parseReference(`${repository(proxy.host)}@${root}`), o);
    const end = await ends(pull);
    expect(end).toMatchObject({
      code: 'registry_unreachable',
      message: expect.stringMatching(/silent for .*; tried 6 times.*goes on from there/),
    });
    // Six silences, for each try brought something.
    expect([end.ms < 6 * BOUND_MS, existsSync(to)]).toEqual([true, false]);
    proxy.stall = undefined;
    await pull({});
    proxy.die();
    expect(readFileSync(to).equals(readFileSync(path))).toBe(true);
  });
});
