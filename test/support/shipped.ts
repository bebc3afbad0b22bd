/** Things to ship: object files that differ, Debian packages and images made by hand, so that each part can lie. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { SHIPPED_LIMITS, type ShippedLimits, Unpacking } from '../../src/artifacts/unpacking.ts';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { layerOf } from './fixture-image.ts';
import { tinyElf } from './objects.ts';
import type { TestRegistry } from './registry.ts';
import { tempFolder } from './world.ts';

/** A program whose id ends in this byte. */
export function program(byte: number): Buffer {
  const elf = tinyElf();
  elf[elf.length - 1] = byte;
  return elf;
}

export function idOf(byte: number): string {
  return `elf:01020304050607${byte.toString(16).padStart(2, '0')}`;
}

export function unpacking(
  limits: Partial<ShippedLimits> = {},
  signal: AbortSignal = new AbortController().signal,
): Unpacking {
  return new Unpacking(tempFolder(), signal, { ...SHIPPED_LIMITS, ...limits });
}

/** One member as ar(1) writes it; `size` is what its header says. */
export function arMember(name: string, content: Uint8Array | string, size: number = content.length): Buffer {
  const field = (text: string, width: number): string => text.padEnd(width);
  const header = `${field(name, 16)}${field('0', 12)}${field('0', 6)}${field('0', 6)}${field('100644', 8)}${field(String(size), 10)}\`\n`;
  return Buffer.concat([Buffer.from(header), Buffer.from(content), Buffer.alloc(content.length % 2, '\n')]);
}

export const AR: Buffer = Buffer.from('!<arch>\n');
export const VERSION: Buffer = arMember('debian-binary', '2.0\n');

export const PACKERS: Record<'' | '.gz' | '.zst' | '.xz', (bytes: Uint8Array) => Buffer> = {
  '': (bytes: Uint8Array) => Buffer.from(bytes),
  '.gz': (bytes: Uint8Array) => gzipSync(bytes),
  '.zst': (bytes: Uint8Array) => zstdCompressSync(bytes),
  '.xz': (bytes: Uint8Array) => execFileSync('xz', ['-c'], { input: bytes, maxBuffer: 1 << 28 }),
};

const CONTROL = 'Package: demo\nVersion: 1:2.0-3\nArchitecture: amd64\nDescription: x\n y\n';

/** The control member. */
export async function controlOf(control: string = CONTROL): Promise<Buffer> {
  return arMember('control.tar', await layerOf([{ name: './control', content: control, mode: 0o644 }]));
}

/** A package with these files, or with this tar. */
export async function debOf(
  files: Record<string, Uint8Array | string> | Uint8Array,
  packed: keyof typeof PACKERS = '.gz',
): Promise<Buffer> {
  const tar =
    files instanceof Uint8Array
      ? files
      : await layerOf(Object.entries(files).map(([name, content]) => ({ name, content })));
  return Buffer.concat([AR, VERSION, await controlOf(), arMember(`data.tar${packed}`, PACKERS[packed](tar))]);
}

/** Writes it to a file of its own. */
export function fileOf(bytes: Uint8Array | string, name = 'shipped'): string {
  const path = join(tempFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';

interface Descriptor {
  mediaType: string;
  digest: Digest;
  size: number;
}

/** Puts bytes into the registry, as a blob or a manifest. */
export function put(
  registry: TestRegistry,
  kind: 'blobs' | 'manifests',
  content: unknown,
  mediaType: string = MANIFEST,
): Descriptor {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  const digest = digestOf(bytes);
  registry[kind].set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}

/** An image of these layers, compressed so; `change` is made to its manifest before that is digested. */
export function putImage(
  registry: TestRegistry,
  layers: Buffer[],
  o: {
    packed?: keyof typeof PACKERS;
    pack?: (tar: Buffer) => Buffer;
    diffIds?: string[];
    change?: object;
  } = {},
): { manifest: Descriptor; config: Descriptor; layers: Descriptor[] } {
  const diff_ids = o.diffIds ?? layers.map((layer) => digestOf(layer));
  const config = put(registry, 'blobs', {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids },
  });
  const pack = o.pack ?? PACKERS[o.packed ?? '.gz'];
  const described = layers.map((layer) => put(registry, 'blobs', pack(layer)));
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: described, ...o.change };
  return { manifest: put(registry, 'manifests', manifest), config, layers: described };
}

/** A provenance statement about these digests. */
export function provenance(...subjects: Digest[]): Record<string, unknown> {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map((digest) => ({ name: 'shipped', digest: { sha256: digest.slice(7) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://example.org/make',
        externalParameters: { compiler: 'gcc 12.2.0', compiler_flags: ['-O2', '-g'] },
        resolvedDependencies: [
          { uri: 'git+https://example.org/app', digest: { gitCommit: 'c0'.repeat(20) } },
        ],
      },
      runDetails: { builder: { id: 'https://example.org/builder' } },
    },
  };
}

/** A referrer of this subject that carries these layers. */
export function attach(
  registry: TestRegistry,
  subject: Descriptor,
  layers: Descriptor[],
  artifactType?: string,
): Descriptor {
  const empty = put(registry, 'blobs', {}, 'application/vnd.oci.empty.v1+json');
  return put(registry, 'manifests', {
    ...{ schemaVersion: 2, mediaType: MANIFEST, config: empty, layers, subject },
    ...(artifactType === undefined ? {} : { artifactType }),
  });
}
