/** Bundles of a made case whose record and contents were changed by an attacker who can write archives. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { type Digest, digestOf, hexOf } from '../../src/base/digest.ts';
import { blobName, type Descriptor, type Item, ROLES } from '../../src/bundle/format/format.ts';
import { paddingBytes, parseTarHeader, TAR_END } from '../../src/bundle/format/tar.ts';
import { type Collected, collect, type StateContents } from '../../src/bundle/write/collect.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import type { FinalState } from '../../src/state/final-state.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import type { TestCase } from './case.ts';
import { frontOf, member } from './members.ts';
import { tempFolder } from './world.ts';

export type Change = (record: ReplayRecord, collected: Collected) => void;

/** A bundle of the case, changed; whole as an archive. */
export async function forge(
  made: TestCase,
  change: Change = () => undefined,
  contents: StateContents = 'full',
): Promise<string> {
  const record = structuredClone(made.record);
  const collected = await collect(record, new BlobStore(made.out), made.out, contents);
  change(record, collected);
  const bytes = Buffer.from(canonicalJson(record));
  const sources = collected.sources.filter(({ role }) => role !== 'record');
  sources.push({
    role: 'record',
    name: record.name,
    sha256: digestOf(bytes),
    size: bytes.length,
    from: bytes,
  });
  const path = join(tempFolder(), 'forged.tar');
  await createBundle(
    path,
    { ...collected, record, recordSha256: digestOf(bytes), sources },
    { state: contents },
  );
  return path;
}

/** Puts one more content inside. */
export function add(collected: Collected, role: Item['role'], text: string | Buffer, name?: string): Digest {
  const from = Buffer.from(text);
  const sha256 = digestOf(from);
  collected.sources.push({ role, sha256, size: from.length, from, ...(name === undefined ? {} : { name }) });
  return sha256;
}

/** Gives every replay a state with these files. */
export function setState(
  record: ReplayRecord,
  collected: Collected,
  state: Partial<FinalState> | string,
): void {
  const nothing = { sha256: digestOf(''), size: 0 };
  const whole = { exit_code: 0, signal: null, stdout: nothing, stderr: nothing, files: [] };
  const text = typeof state === 'string' ? state : canonicalJson({ ...whole, ...state });
  record.final_state_sha256 = add(collected, 'state', text);
  for (const replay of record.replays) replay.final_state_sha256 = record.final_state_sha256;
}

/** A manifest with other fields in the place of the case's. */
export function setManifest(record: ReplayRecord, collected: Collected, more: object): void {
  const text = canonicalJson({ ...collected.manifest, ...more });
  collected.manifest = JSON.parse(text);
  collected.sources = collected.sources.filter(({ role }) => role !== 'manifest');
  record.manifest_sha256 = add(collected, 'manifest', text);
}

/** The bundle with its second layer once more, in a pack behind all others. */
export function repeatContent(path: string): string {
  const bytes = readFileSync(path);
  const members = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length - TAR_END.length; ) {
    const { name, sizeBytes } = parseTarHeader(bytes.subarray(at, at + 512), at);
    members.set(name, bytes.subarray(at + 512, at + 512 + sizeBytes));
    at += 512 + sizeBytes + paddingBytes(sizeBytes);
  }
  const { manifests } = JSON.parse(String(members.get('index.json'))) as { manifests: [Descriptor] };
  const old = JSON.parse(String(members.get(blobName(manifests[0].digest)))) as { layers: Descriptor[] };
  const { digest: twice } = old.layers[1]!;
  const pack = Buffer.concat([member(hexOf(twice), members.get(blobName(twice))!), TAR_END]);
  members.set(blobName(digestOf(pack)), pack);
  const layers = [...old.layers, { mediaType: ROLES.pack, digest: digestOf(pack), size: pack.length }];
  const parts = [
    frontOf(layers),
    ...layers.map(({ digest }) => member(blobName(digest), members.get(blobName(digest))!)),
    TAR_END,
  ];
  const target = join(tempFolder(), 'repeated.tar');
  writeFileSync(target, Buffer.concat(parts));
  return target;
}
