/** Images from a registry, each part by its digest: what is found in them, and registries that lie. */
import { readdirSync } from 'node:fs';
import { beforeEach, expect, it } from 'vitest';
import { linksOf, shippedImage } from '../../src/artifacts/oci.ts';
import type { Unpacking } from '../../src/artifacts/unpacking.ts';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { readAttestations } from '../../src/bundle/registry/attestations.ts';
import { imageSource } from '../../src/bundle/registry/image.ts';
import { Remote } from '../../src/bundle/registry/remote.ts';
import type { Shipped } from '../../src/join/store/artifacts.ts';
import { layerOf } from '../support/fixture-image.ts';
import { TestRegistry } from '../support/registry.ts';
import {
  attach,
  INDEX,
  idOf,
  MANIFEST,
  PACKERS,
  program,
  put,
  putImage,
  unpacking,
} from '../support/shipped.ts';
import { transfer } from '../support/transfer.ts';

let registry: TestRegistry;
beforeEach(async () => {
  registry = await TestRegistry.start();
});

const remote = (): Remote => new Remote(registry.repository, transfer());
const look = (digest: Digest, u: Unpacking = unpacking()): Promise<Shipped> =>
  shippedImage(digest, imageSource(remote()), u);
const files = (one: Shipped): unknown[] =>
  one.contents.flatMap(({ path, shipped }) =>
    shipped.kind === 'file' ? [[path, shipped.images[0]!.id]] : files(shipped),
  );
const layers = async (): Promise<Buffer[]> => [
  await layerOf([
    { name: 'bin', type: 'directory' },
    { name: 'bin/app', content: program(1) },
    { name: 'etc/app.conf', content: 'x' },
  ]),
  await layerOf([
    { name: 'bin/.wh.gone', content: '' },
    { name: 'bin/more', content: program(2) },
  ]),
];

it('a link to a name that is no program any more is none', async () => {
  const layer = await layerOf([
    { name: 'app', content: program(1) },
    { name: 'before', type: 'link', linkname: 'app' },
    { name: 'app', content: 'a script' },
    { name: 'after', type: 'link', linkname: 'app' },
  ]);
  const shipped = await look(putImage(registry, [layer]).manifest.digest);
  expect(files(shipped)).toEqual([
    ['/app', idOf(1)],
    ['/before', idOf(1)],
  ]);
});

it.each(['', '.gz', '.zst'] as const)(
  'an image with layers of tar%s: what each part commits to',
  async (packed) => {
    const image = putImage(registry, await layers(), { packed });
    const u = unpacking();
    const shipped = await look(image.manifest.digest, u);
    expect(shipped).toMatchObject({
      kind: 'oci_image',
      name: `${registry.repository}@${image.manifest.digest}`,
      sha256: image.manifest.digest,
      sizeBytes: image.manifest.size,
    });
    const [config] = shipped.contents;
    expect(config).toMatchObject({
      path: 'config',
      shipped: { kind: 'oci_config', sha256: image.config.digest },
    });
    expect(
      config!.shipped.contents.map(({ path, shipped: layer }) => [path, layer.kind, layer.sha256]),
    ).toEqual(image.layers.map(({ digest }, n) => [`layer ${n}`, 'oci_layer', digest]));
    expect(files(shipped)).toEqual([
      ['/bin/app', idOf(1)],
      ['/bin/more', idOf(2)],
    ]);
    expect(linksOf(shipped).map(({ sha256 }) => sha256)).toEqual([
      image.manifest.digest,
      image.config.digest,
    ]);
    expect(readdirSync(u.folder)).toEqual([]);
  },
);

it('an index gives every image that it lists, and none of the attestations that builders list beside them', async () => {
  const [one, two] = [putImage(registry, [(await layers())[0]!]), putImage(registry, await layers())];
  const statement = put(registry, 'manifests', { schemaVersion: 2, layers: [] });
  const index = put(
    registry,
    'manifests',
    {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        { ...one.manifest, platform: { os: 'linux', architecture: 'amd64' } },
        { ...two.manifest, platform: { os: 'linux', architecture: 'arm64' } },
        { ...statement, platform: { os: 'unknown', architecture: 'unknown' } },
      ],
    },
    INDEX,
  );
  const shipped = await look(index.digest);
  expect(linksOf(shipped).map(({ sha256 }) => sha256)).toEqual([
    index.digest,
    one.manifest.digest,
    one.config.digest,
    two.manifest.digest,
    two.config.digest,
  ]);
  // The layer that both have was read once.
  const layer = one.layers[0]!.digest;
  expect(registry.asked.filter(({ path }) => path === `blobs/${layer}`)).toHaveLength(1);
  await expect(look(index.digest, unpacking({ manifests: 1 }))).rejects.toThrow('names 2 parts, at most 1');
  const empty = put(registry, 'manifests', { schemaVersion: 2, manifests: [] }, INDEX);
  await expect(look(empty.digest)).rejects.toThrow('lists no image');
});

it('each part must have the digest that names it', async () => {
  const image = putImage(registry, await layers());
  const serveOther = async (kind: 'manifests' | 'blobs', digest: Digest): Promise<unknown> => {
    const good = registry[kind].get(digest)!;
    const bad = Buffer.from(good);
    bad[bad.length - 1]! ^= 1;
    registry[kind].set(digest, bad);
    const caught = await look(image.manifest.digest).catch((error: unknown) => error);
    registry[kind].set(digest, good);
    return caught;
  };
  expect(await serveOther('manifests', image.manifest.digest)).toMatchObject({
    code: 'image_bytes_mismatch',
  });
  expect(await serveOther('blobs', image.config.digest)).toMatchObject({ code: 'image_bytes_mismatch' });
  for (const { digest } of image.layers)
    expect(await serveOther('blobs', digest)).toMatchObject({ code: 'registry_mismatch' });
  registry.blobs.delete(image.layers[1]!.digest);
  await expect(look(image.manifest.digest)).rejects.toMatchObject({ code: 'image_not_found' });
  registry.manifests.clear();
  await expect(look(image.manifest.digest)).rejects.toMatchObject({ code: 'image_not_found' });
});

it('an image whose documents do not fit each other is refused by name', async () => {
  const all = await layers();
  const other = digestOf('another layer');
  const good = all.map((layer) => digestOf(layer));
  const refused = async (
    image: { manifest: { digest: Digest } },
    message: string,
    u = unpacking(),
  ): Promise<void> => {
    await expect(look(image.manifest.digest, u)).rejects.toMatchObject({ code: 'artifact_malformed' });
    await expect(look(image.manifest.digest, u)).rejects.toThrow(message);
  };
  await refused(putImage(registry, all, { diffIds: [good[0]!, other] }), `the configuration names ${other}`);
  await refused(putImage(registry, all, { diffIds: [good[0]!] }), 'does not name as many');
  await refused(putImage(registry, all, { change: { config: 7 } }), 'without a sha256 digest');
  await refused(
    putImage(registry, all, { change: { layers: [{ digest: good[0], size: -1 }] } }),
    'and a size',
  );
  await refused(putImage(registry, all), 'names 2 parts, at most 1', unpacking({ layers: 1 }));
  await refused(putImage(registry, all), 'at most 10 are read', unpacking({ layerBytes: 10 }));
  await refused(putImage(registry, [Buffer.alloc(700, 1)]), 'no whole tar');
  await refused({ manifest: put(registry, 'manifests', Buffer.from('[1,')) }, 'the document ends too early');
  await refused({ manifest: put(registry, 'manifests', Buffer.from('7')) }, 'without a sha256 digest');
  const bomb = putImage(registry, [await layerOf([{ name: 'zero', content: Buffer.alloc(32 << 20) }])], {
    packed: '.zst',
  });
  await refused(bomb, 'more than 1048576 bytes', unpacking({ unpackedBytes: 1 << 20 }));
});

it('a layer that is longer than its manifest says is not taken', async () => {
  const layer = (await layers())[0]!;
  const blob = put(registry, 'blobs', PACKERS['.gz'](layer));
  const image = putImage(registry, [layer], { change: { layers: [{ ...blob, size: blob.size - 1 }] } });
  await expect(look(image.manifest.digest)).rejects.toMatchObject({ code: 'registry_mismatch' });
});

const SIGSTORE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const DSSE = 'application/vnd.dsse.envelope.v1+json';
const names = (found: { files: { bytes: Buffer }[] }): string[] =>
  found.files.map(({ bytes }) => bytes.toString());

it.each([true, false])(
  'attestations are found by the registry’s list of referrers (%s) or by its tag',
  async (lists) => {
    registry.lists = lists;
    const { manifest } = putImage(registry, await layers());
    const blob = (text: string, mediaType: string) => put(registry, 'blobs', Buffer.from(text), mediaType);
    const referrers = [
      attach(registry, manifest, [blob('{"a":1}', SIGSTORE)], SIGSTORE),
      attach(registry, manifest, [
        blob('{"b":1}', 'application/vnd.in-toto+json'),
        blob('{"c":1}', 'text/plain'),
      ]),
      attach(registry, manifest, [blob('{"d":1}', SIGSTORE)], 'application/spdx+json'),
    ];
    if (!lists)
      registry.manifests.set(
        `sha256-${manifest.digest.slice(7)}`,
        Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: referrers })),
      );
    const tagged = { schemaVersion: 2, mediaType: MANIFEST, layers: [blob('{"e":1}', DSSE)] };
    registry.manifests.set(`sha256-${manifest.digest.slice(7)}.att`, Buffer.from(JSON.stringify(tagged)));
    const found = await readAttestations(remote(), [manifest.digest]);
    // Without a list, the index says nothing of types: each is looked at.
    expect(names(found)).toEqual(
      lists ? ['{"a":1}', '{"b":1}', '{"e":1}'] : ['{"a":1}', '{"b":1}', '{"d":1}', '{"e":1}'],
    );
    expect(found.leftOut).toEqual([]);
  },
);

it('an attestation whose digest lies ends it; one that is large, gone or one of too many is left out and named', async () => {
  const { manifest } = putImage(registry, await layers());
  const bundle = put(registry, 'blobs', { bundle: 1 }, SIGSTORE);
  const large = { mediaType: SIGSTORE, digest: digestOf('large'), size: 5_000_000 };
  const gone = { mediaType: SIGSTORE, digest: digestOf('gone'), size: 10 };
  const referrer = attach(registry, manifest, [large, gone, bundle], SIGSTORE);
  const found = await readAttestations(remote(), [manifest.digest]);
  expect(names(found)).toEqual(['{"bundle":1}']);
  expect(found.leftOut).toMatchObject([
    expect.stringContaining(`${large.digest}, 5000000 bytes`),
    expect.stringContaining(gone.digest),
  ]);
  const good = registry.blobs.get(bundle.digest)!;
  registry.blobs.set(bundle.digest, Buffer.from('{"bundle":2}'));
  await expect(readAttestations(remote(), [manifest.digest])).rejects.toMatchObject({
    code: 'registry_mismatch',
  });
  registry.blobs.set(bundle.digest, good);
  registry.hook = ({ path }, response) => {
    if (path !== `manifests/${referrer.digest}`) return false;
    response.end('{}');
    return true;
  };
  await expect(readAttestations(remote(), [manifest.digest])).rejects.toThrow(
    `for ${referrer.digest}, which is attached`,
  );
  registry.hook = () => false;
  for (let n = 0; n < 300; n++)
    attach(registry, manifest, [put(registry, 'blobs', { n }, SIGSTORE)], SIGSTORE);
  const many = await readAttestations(remote(), [manifest.digest]);
  expect(many.leftOut[0]).toBe(`45 of 301 referrers of ${manifest.digest}`);
  expect(many.files).toHaveLength(256);
});

it('attestations are taken up to a limit of all their bytes together', async () => {
  const { manifest } = putImage(registry, await layers());
  for (let n = 0; n < 18; n++) {
    const blob = put(registry, 'blobs', Buffer.alloc(4_000_000, n), SIGSTORE);
    attach(registry, manifest, [blob], SIGSTORE);
  }
  const { files: taken, leftOut } = await readAttestations(remote(), [manifest.digest]);
  expect(taken).toHaveLength(16);
  expect(leftOut).toHaveLength(2);
});
