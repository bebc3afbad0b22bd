/** Finds everything a reviewer of one record needs, in the store that the run wrote. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf, isDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { Waiting } from '../../base/patience.ts';
import { entryFile } from '../../evidence/custody/custody.ts';
import type { JoinDocument } from '../../join/document.ts';
import type { Manifest } from '../../manifest/definition.ts';
import type { PolicyDocument } from '../../policy/shape.ts';
import { fetchByDigest, fetchLayer, Registries } from '../../sandbox/registry.ts';
import type { FinalState } from '../../state/final-state.ts';
import type { BlobStore } from '../../store/blobs.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import type { CaseDocument, Item } from '../format/format.ts';
import { type ImageDocuments, imageDocuments } from '../format/image-documents.ts';

export type StateContents = CaseDocument['state'];

/** An item and where its bytes are: in memory or in a file of the store. */
export interface Source extends Item {
  from: Buffer | { path: string };
}

/** Where an image's documents and layers can be had when the bundle is to hold it. */
export interface ImageOrigin extends Waiting {
  repositories: string[];
  /** Documents that earlier runs kept. */
  cache: BlobStore;
}

export interface Collected {
  record: ReplayRecord;
  recordSha256: Digest;
  /** The manifest, where the record names one. */
  manifest: Manifest | undefined;
  /** Whether the sandbox image is among them. */
  image: boolean;
  sources: Source[];
  /** Of a trace: its joined frames. */
  join?: JoinDocument | undefined;
}

/** Gathers contents, each once for each role and name. */
export class Collector {
  readonly sources: Source[] = [];
  private readonly store: BlobStore;
  private readonly seen = new Set<string>();

  constructor(store: BlobStore, sources: Source[] = []) {
    this.store = store;
    for (const source of sources) this.push(source);
  }

  private push(source: Source): void {
    const key = `${source.role} ${source.sha256} ${source.name ?? ''}`;
    if (!this.seen.has(key)) this.sources.push(source);
    this.seen.add(key);
  }

  /** Adds a blob of the store; a missing one is named, never left out silently. */
  blob(role: Item['role'], sha256: Digest, name?: string): void {
    const size = this.store.sizeOf(sha256);
    if (size === undefined)
      throw new Fault(
        'record_invalid',
        `${role} ${sha256} is not in ${this.store.folder}: that is not the folder that the run wrote (reenact bundle create --store)`,
      );
    this.push({
      role,
      sha256,
      size,
      ...(name === undefined ? {} : { name }),
      from: { path: this.store.path(sha256) },
    });
  }

  bytes(role: Item['role'], bytes: Buffer, name?: string): void {
    const sha256 = digestOf(bytes);
    this.push({ role, sha256, size: bytes.length, ...(name === undefined ? {} : { name }), from: bytes });
  }

  has(sha256: Digest): boolean {
    return this.store.has(sha256);
  }

  async json<T>(sha256: Digest): Promise<T> {
    const bytes = await this.store.get(sha256);
    if (!bytes) throw new Fault('record_invalid', `${sha256} is not in ${this.store.folder}`);
    return JSON.parse(bytes.toString('utf8')) as T;
  }
}

async function addPolicy(c: Collector, record: ReplayRecord): Promise<void> {
  c.blob('policy', record.policy.sha256, record.policy.name);
  const { authorities = [], trust } = await c.json<PolicyDocument>(record.policy.sha256);
  const files = [
    ...authorities.map(({ key }) => key?.path),
    trust?.root,
    record.evidence.record?.trust_root?.sha256,
  ];
  for (const file of files) if (file !== undefined && isDigest(file)) c.blob('policy-file', file);
}

async function addEvidence(c: Collector, record: ReplayRecord, out: string): Promise<void> {
  const { files, record_sha256, custody } = record.evidence;
  for (const file of files) c.blob('evidence', file);
  if (record_sha256) c.blob('evidence-record', record_sha256);
  if (!custody) return;
  // Only the run's own entry: the others of the folder are about other runs, and may name other cases' signers.
  const path = entryFile(join(out, 'custody'), custody.sequence);
  const bytes = await readFile(path);
  if (digestOf(bytes) !== custody.sha256)
    throw new Fault(
      'record_invalid',
      `${path} is not the custody entry ${custody.sha256} that the record names: it was changed, or is of another folder (reenact bundle create --store)`,
    );
  c.bytes('custody', bytes, basename(path));
}

async function addStates(c: Collector, record: ReplayRecord, contents: StateContents): Promise<void> {
  const digests = record.replays.flatMap(({ final_state_sha256 }) => final_state_sha256 ?? []);
  const expected = record.expected_state_sha256;
  if (expected && c.has(expected)) digests.push(expected);
  for (const digest of new Set(digests)) {
    c.blob('state', digest);
    if (contents === 'none') continue;
    const state = await c.json<FinalState>(digest);
    for (const { sha256 } of [state.stdout, state.stderr]) c.blob('content', sha256);
    // States on which all replays agree tell less than those in which they differ.
    if (contents === 'changed' && digest === record.final_state_sha256) continue;
    for (const { sha256 } of state.files) if (sha256) c.blob('content', sha256);
  }
}

/** The image's documents, from where earlier runs kept them or from a registry. */
async function addImageDocuments(
  c: Collector,
  record: ReplayRecord,
  get: (digest: Digest, kind: 'manifests' | 'blobs') => Promise<Buffer | undefined>,
): Promise<ImageDocuments | undefined> {
  const pinned = record.sandbox_image_sha256;
  if (!pinned) return undefined;
  const { image } = record;
  // Of an index that lists several, only the one that ran is at hand.
  const wanted = image && [image.requested, image.manifest, image.config];
  const found = await imageDocuments(pinned, async (digest) =>
    wanted && !wanted.includes(digest)
      ? undefined
      : get(digest, digest === image?.config ? 'blobs' : 'manifests'),
  );
  if (!found) return undefined;
  const { index, manifest, config } = found;
  for (const [name, digest] of Object.entries({ index, manifest, config }))
    if (digest) c.blob('image', digest, name);
  return found;
}

/** Documents and every layer as the registry has it, never compressed anew. */
async function addImage(
  c: Collector,
  record: ReplayRecord,
  store: BlobStore,
  origin: ImageOrigin,
): Promise<void> {
  if (!record.image)
    throw new Fault(
      'record_invalid',
      'the record names no image that was resolved, so that none can be packed',
    );
  const manifest = record.manifest_sha256 ? await c.json<Manifest>(record.manifest_sha256) : undefined;
  const named = manifest?.sandbox_image;
  const repositories = [...origin.repositories, ...(named ? [named] : [])];
  const registries = new Registries(origin);
  const from = async <T>(get: (repository: string) => Promise<T>): Promise<T> => {
    let fault: unknown = new Fault('image_not_found', 'no repository is known: name one with --repository');
    for (const repository of repositories) {
      try {
        return await get(repository);
      } catch (error) {
        fault = error;
      }
    }
    throw fault;
  };
  const found = await addImageDocuments(c, record, async (digest, kind) => {
    const bytes =
      (await store.get(digest)) ??
      (await origin.cache.get(digest)) ??
      (await from((repository) => fetchByDigest(registries, repository, kind, digest)));
    await store.put(bytes);
    return bytes;
  });
  for (const { digest, size } of found?.layers ?? []) {
    await from((repository) => fetchLayer(registries, repository, digest, size, store));
    c.blob('image', digest, 'layer');
  }
}

/** Everything about a record; `out` is the folder the run wrote to. */
export async function collect(
  record: ReplayRecord,
  store: BlobStore,
  out: string,
  contents: StateContents,
  image?: ImageOrigin,
): Promise<Collected> {
  const c = new Collector(store);
  const bytes = Buffer.from(canonicalJson(record));
  c.bytes('record', bytes, record.name);
  if (record.manifest_sha256) {
    c.blob('manifest', record.manifest_sha256, record.name);
    const { inputs = [] } = await c.json<Manifest>(record.manifest_sha256);
    // A rejected run never read them.
    for (const { sha256, path } of inputs) if (record.image || c.has(sha256)) c.blob('input', sha256, path);
  }
  await addPolicy(c, record);
  await addEvidence(c, record, out);
  if (record.environment)
    for (const [name, sha256] of [
      ['init', record.environment.harness_sha256],
      ['seccomp.json', record.environment.seccomp_sha256],
    ] as const)
      c.blob('harness', sha256, name);
  await addStates(c, record, contents);
  if (image) await addImage(c, record, store, image);
  else await addImageDocuments(c, record, (digest) => store.get(digest));
  const manifest = record.manifest_sha256 ? await c.json<Manifest>(record.manifest_sha256) : undefined;
  return { record, recordSha256: digestOf(bytes), manifest, image: image !== undefined, sources: c.sources };
}

/** The folder a run wrote to, from the place of one of its records: OUT/runs/ID/record.json. */
export function outOf(recordPath: string): string {
  return dirname(dirname(dirname(recordPath)));
}
