import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Digest } from '../../src/base/digest.ts';
import { digestOf } from '../../src/base/digest.ts';
import { formatOwner, isDead, thisOwner } from '../../src/base/owner.ts';
import { resolveChain } from '../../src/sandbox/chain.ts';
import { applyLayer } from '../../src/sandbox/content-check.ts';
import { demultiplex } from '../../src/sandbox/demultiplex.ts';
import { correctedHost, findEndpoint, parseDockerHost } from '../../src/sandbox/endpoint.ts';
import { assertRunsOn, loadHarness } from '../../src/sandbox/harness.ts';
import { splitRepository } from '../../src/sandbox/registry-session.ts';
import type { Tree, TreeEntry } from '../../src/sandbox/tree.ts';

it('the engine’s stream is split the same wherever it is cut', () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(text.length, 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const whole = Buffer.concat([frame(1, 'out1'), frame(2, 'err'), frame(1, ''), frame(1, 'out2')]);
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 8 }), (cuts) => {
      const got = { stdout: '', stderr: '' };
      const feed = demultiplex((stream, bytes) => {
        got[stream] += Buffer.from(bytes).toString();
      });
      const places = [0, ...cuts.sort((a, b) => a - b), whole.length];
      for (let i = 1; i < places.length; i++) feed(whole.subarray(places[i - 1], places[i]));
      expect(got).toEqual({ stdout: 'out1out2', stderr: 'err' });
    }),
  );
});

it('repositories are split as engines split them', () => {
  expect(splitRepository('127.0.0.1:5000/a/b')).toEqual({ host: '127.0.0.1:5000', path: 'a/b' });
  expect(splitRepository('localhost/a')).toEqual({ host: 'localhost', path: 'a' });
  expect(splitRepository('ghcr.io/a/b')).toEqual({ host: 'ghcr.io', path: 'a/b' });
  expect(splitRepository('debian').path).toBe('library/debian');
});

it('DOCKER_HOST is understood or named', () => {
  expect(parseDockerHost('unix:///a/b')).toEqual({ socketPath: '/a/b' });
  expect(parseDockerHost('tcp://127.0.0.1:2375')).toEqual({
    protocol: 'http',
    host: '127.0.0.1',
    port: 2375,
  });
  expect(() => parseDockerHost('ssh://me@there')).toThrow('DOCKER_HOST is "ssh://me@there"');
  expect(findEndpoint({ DOCKER_HOST: 'unix:///x' })!.address).toBe('unix:///x');
});

it.each([
  ['unxi:///var/run/docker.sock', 'export DOCKER_HOST=unix:///var/run/docker.sock'],
  ['unix:/run/docker.sock', 'export DOCKER_HOST=unix:///run/docker.sock'],
  ['/var/run/docker.sock', 'export DOCKER_HOST=unix:///var/run/docker.sock'],
  ['localhost:2375', 'export DOCKER_HOST=tcp://localhost:2375'],
  ['tpc://10.0.0.7:2375', 'export DOCKER_HOST=tcp://10.0.0.7:2375'],
  ['ssh://me@there', 'unset DOCKER_HOST'],
  ['/a b; rm x', 'unset DOCKER_HOST'],
  ['nonsense', 'unset DOCKER_HOST'],
])('DOCKER_HOST=%s is corrected by %s, which then works', (text, command) => {
  expect(correctedHost(text)).toBe(command);
  expect(() => parseDockerHost(text)).toThrow(
    expect.objectContaining({ code: 'usage', next: expect.stringContaining(command) }),
  );
  const [, meant] = /=(.*)$/.exec(command) ?? [];
  if (meant) expect(correctedHost(meant)).toBeUndefined();
});

it('a harness for another processor is refused by name before anything is created', () => {
  const harness = loadHarness();
  for (const name of ['x86_64', 'amd64']) assertRunsOn(harness, name);
  expect(() => assertRunsOn(harness, 'aarch64')).toThrow(
    'the harness is built for x86_64, and the engine runs on aarch64',
  );
  expect(() => assertRunsOn({ ...harness, init: Buffer.alloc(3) }, 'x86_64')).toThrow('ELF machine 0');
});

it('only the owner that certainly is gone is dead', () => {
  const here = thisOwner();
  expect(isDead(formatOwner(here), here)).toBe(false);
  expect(isDead(formatOwner({ ...here, startTicks: '1' }), here)).toBe(true);
  expect(isDead(formatOwner({ ...here, boot: 'earlier' }), here)).toBe(true);
  expect(isDead(formatOwner({ ...here, machine: 'other', pid: 999_999 }), here)).toBe(false);
  expect(isDead(undefined, here)).toBe(false);
  expect(isDead('garbage', here)).toBe(false);
});

describe('layers', () => {
  const file: TreeEntry = { type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 0 };
  const dir: TreeEntry = { ...file, type: 'dir' };
  it.each([
    ['a whiteout deletes', [['d/.wh.a', file]], ['d', 'd/b', 'd/b/c']],
    ['a whiteout deletes a folder with its content', [['d/.wh.b', file]], ['d', 'd/a']],
    [
      'an opaque folder empties',
      [
        ['d', dir],
        ['d/.wh..wh..opq', file],
        ['d/n', file],
      ],
      ['d', 'd/n'],
    ],
    ['a file replaces a folder', [['d', file]], ['d']],
    [
      'a folder merges',
      [
        ['d', dir],
        ['d/n', file],
      ],
      ['d', 'd/a', 'd/b', 'd/b/c', 'd/n'],
    ],
  ] as [string, [string, TreeEntry][], string[]][])('%s', (_name, layer, expected) => {
    const tree: Tree = new Map([
      ['d', dir],
      ['d/a', file],
      ['d/b', dir],
      ['d/b/c', file],
    ]);
    applyLayer(tree, layer);
    expect([...tree.keys()].sort()).toEqual(expected);
  });
});

describe('an image chain', () => {
  const blobs = new Map<Digest, Buffer>();
  const add = (value: unknown): Digest => {
    const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
    blobs.set(digestOf(bytes), bytes);
    return digestOf(bytes);
  };
  const layer = digestOf('layer');
  const config = add({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: [layer] },
    config: { Cmd: ['x'], Volumes: { '/data': {} } },
  });
  const manifest = add({ config: { digest: config }, layers: [{ digest: layer }] });
  const index = add({
    manifests: [
      { digest: `sha256:${'1'.repeat(64)}`, platform: { os: 'linux', architecture: 'arm64' } },
      { digest: manifest, platform: { os: 'linux', architecture: 'amd64' } },
    ],
  });
  const resolve = (digest: Digest, architecture = 'amd64') =>
    resolveChain(digest, { os: 'linux', architecture }, async (_kind, d) => blobs.get(d)!);

  it('is resolved from an index and from a manifest', async () => {
    const common = { manifest, config, diffIds: [layer], layers: [layer], cmd: ['x'], volumes: ['/data'] };
    expect(await resolve(index)).toMatchObject({ requested: index, kind: 'index', ...common });
    expect(await resolve(manifest)).toMatchObject({ requested: manifest, kind: 'manifest', ...common });
  });

  it.each([
    ['is for another platform', () => resolve(index, 'riscv64'), 'without an image for linux/riscv64'],
    ['is a manifest for another platform', () => resolve(manifest, 'arm64'), 'the engine runs linux/arm64'],
    ['names no configuration', () => resolve(add({ layers: [] })), 'names no digest for its configuration'],
    ['is not JSON', () => resolve(add('{"a":1,"a":2}')), 'is given twice'],
    [
      'has a configuration without layers',
      () => resolve(add({ config: { digest: add({ os: 'linux', architecture: 'amd64' }) } })),
      'lists no layers',
    ],
    [
      'names a layer by something else',
      () => resolve(add({ config: { digest: config }, layers: [{ digest: '../x' }] })),
      'names no digest for its layer',
    ],
    ['is an array', () => resolve(add([])), 'is no object'],
  ])('is refused when it %s', async (_name, attempt, message) => {
    await expect(attempt()).rejects.toThrow(message);
  });
});
