/** An unpacked bundle changed by an attacker, who can make every list, digest and manifest of it anew. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { bagFileOf, bagFiles } from '../../src/bundle/format/bag.ts';
import {
  blobName,
  type CaseDocument,
  type Descriptor,
  EMPTY_CONFIG,
  layoutIndex,
  rootManifest,
} from '../../src/bundle/format/format.ts';
import { TAR_END } from '../../src/bundle/format/tar.ts';
import { TEXTS_VERSION, textNames, textsOf } from '../../src/bundle/read/texts.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { member } from './members.ts';
import { tempFolder } from './world.ts';

/** The names of all files of an unpacked bundle. */
export function filesOf(folder: string): string[] {
  const blobs = readdirSync(join(folder, 'blobs/sha256')).map((hex) => `blobs/sha256/${hex}`);
  const fixed = ['oci-layout', 'index.json', 'bagit.txt', 'bag-info.txt'];
  const lists = ['manifest-sha256.txt', 'tagmanifest-sha256.txt'];
  return [...fixed, ...lists, ...blobs, ...textNames(TEXTS_VERSION)];
}

/** Makes the bag's lists anew, of whatever the files are now, and for this identity. */
export function relist(folder: string, root?: Digest): void {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  const [, named] = /^External-Identifier: (.*)$/m.exec(read('bag-info.txt').toString()) ?? [];
  const layout = filesOf(folder).filter((name) => /^(blobs|index|oci)/.test(name));
  const payload = textNames(TEXTS_VERSION).map((name) => {
    const bytes = read(name);
    return { ...bagFileOf(name, bytes), sizeBytes: bytes.length };
  });
  const files = layout.map((name) => bagFileOf(name, read(name)));
  for (const [name, text] of bagFiles(root ?? (named as Digest), files, payload, TEXTS_VERSION))
    writeFileSync(join(folder, name), text);
}

/** What lies below a root. */
export interface Inside {
  document: CaseDocument;
  layers: Descriptor[];
  blobs: Map<Digest, Buffer>;
  record: ReplayRecord;
}

/** Puts other bytes in the place of a layer's; where it is an item, the case document says so. */
export function replace({ document, layers, blobs }: Inside, old: Digest, text: string | Buffer): Digest {
  const bytes = Buffer.from(text);
  const sha256 = digestOf(bytes);
  const more = { digest: sha256, size: bytes.length };
  layers.splice(0, layers.length, ...layers.map((one) => (one.digest === old ? { ...one, ...more } : one)));
  for (const item of document.items)
    if (item.sha256 === old) Object.assign(item, { sha256, size: bytes.length });
  blobs.delete(old);
  blobs.set(sha256, bytes);
  return sha256;
}

/**
 * Builds the bundle anew around a change. Its VERIFY.txt stays, with the identity that was told, unless the change is
 * that of a maker who tells the new one.
 */
export function rebuild(folder: string, change: (inside: Inside) => void, tells: boolean): void {
  const at = (digest: Digest): string => join(folder, blobName(digest));
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: [Descriptor] };
  const root = JSON.parse(readFileSync(at(index.manifests[0].digest), 'utf8')) as {
    layers: [Descriptor, ...Descriptor[]];
    subject?: Descriptor;
  };
  const { layers } = root;
  const blobs = new Map(layers.map(({ digest }) => [digest, readFileSync(at(digest))]));
  const document = JSON.parse(String(blobs.get(layers[0].digest))) as CaseDocument;
  const record = JSON.parse(String(blobs.get(document.record_sha256))) as ReplayRecord;
  const inside: Inside = { document, layers, blobs, record };
  change(inside);
  document.record_sha256 = replace(inside, document.record_sha256, canonicalJson(record));
  const table = layers[0].digest;
  replace(inside, table, canonicalJson(document));
  const text = rootManifest(inside.layers, root.subject);
  rmSync(join(folder, 'blobs'), { recursive: true });
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  for (const bytes of [...blobs.values(), Buffer.from(text), Buffer.from(EMPTY_CONFIG)])
    writeFileSync(at(digestOf(bytes)), bytes);
  writeFileSync(join(folder, 'index.json'), layoutIndex(text, []));
  const report = readFileSync(join(folder, 'data/report.html'), 'utf8');
  for (const [name, content] of textsOf(text, { events: [], stamps: [] }, report))
    if (tells || name !== 'data/VERIFY.txt') writeFileSync(join(folder, name), content);
  relist(folder, digestOf(text));
}

/** The archive of a folder that `rebuild` left, its members in their order. */
export function packAgain(folder: string): string {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  const index = JSON.parse(String(read('index.json'))) as { manifests: Descriptor[] };
  const manifests = index.manifests.map(({ digest }) => blobName(digest));
  const { layers } = JSON.parse(String(read(manifests[0]!))) as { layers: Descriptor[] };
  const names = [
    ...['oci-layout', 'index.json', ...manifests, blobName(digestOf(EMPTY_CONFIG))],
    ...layers.map(({ digest }) => blobName(digest)),
    ...['bagit.txt', 'bag-info.txt', 'manifest-sha256.txt', 'tagmanifest-sha256.txt'],
    ...textNames(TEXTS_VERSION),
  ];
  const path = join(tempFolder(), 'again.tar');
  writeFileSync(path, Buffer.concat([...names.map((name) => member(name, read(name))), TAR_END]));
  return path;
}
