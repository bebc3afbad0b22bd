/** Writes a bundle in one pass: every byte read once, hashed once, written once; digests that come late are filled in. */
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { canonicalJson } from '../base/canonical-json.ts';
import { type Digest, digestOf } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { bagFileOf, bagFiles } from './bag.ts';
import type { Collected, Source, StateContents } from './collect.ts';
import {
  blobName,
  type CaseDocument,
  type Descriptor,
  EMPTY_CONFIG,
  layoutIndex,
  OCI_LAYOUT,
  ROLES,
  rootManifest,
} from './format.ts';
import { caseDocument, memberName, type PlannedBlob, planBlobs } from './plan.ts';
import { BLOCK_BYTES, paddingBytes, spaceOf, TAR_END, tarHeader } from './tar.ts';
import { type BundleTexts, textsOf } from './texts.ts';

const CHUNK_BYTES = 1 << 20;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** A file that is written front to back, but for gaps that are filled at the end. */
class Output {
  private readonly fd: number;
  private readonly buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  private fill = 0;
  at = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const count = Math.min(bytes.length - from, CHUNK_BYTES - this.fill);
      this.buffer.set(bytes.subarray(from, from + count), this.fill);
      this.fill += count;
      from += count;
      if (this.fill === CHUNK_BYTES) this.flush();
    }
    this.at += bytes.length;
  }

  flush(): void {
    for (let done = 0; done < this.fill; ) done += writeSync(this.fd, this.buffer, done, this.fill - done);
    this.fill = 0;
  }

  /** Writes over what was left open before. */
  patch(position: number, bytes: Uint8Array): void {
    this.flush();
    writeSync(this.fd, bytes, 0, bytes.length, position);
  }
}

const scratch = Buffer.allocUnsafe(CHUNK_BYTES);

/** Passes a source's bytes on; one whose size changed since it was planned is an error. */
function pour(source: Source, each: (bytes: Uint8Array) => void): void {
  if (Buffer.isBuffer(source.from)) {
    each(source.from);
    return;
  }
  const fd = openSync(source.from.path, 'r');
  try {
    if (fstatSync(fd).size !== source.size)
      throw new Fault('record_invalid', `${source.from.path} changed while the bundle was made`);
    for (let left = source.size; left > 0; ) {
      const count = readSync(fd, scratch, 0, Math.min(left, CHUNK_BYTES), null);
      if (count === 0) throw new Fault('record_invalid', `${source.from.path} ended too early`);
      each(scratch.subarray(0, count));
      left -= count;
    }
  } finally {
    closeSync(fd);
  }
}

/** Writes one blob as a tar member whose name is known only afterwards. */
function writeBlob(out: Output, blob: PlannedBlob): Descriptor {
  const header = out.at;
  out.write(ZEROS);
  const hash = createHash('sha256');
  const pass = (bytes: Uint8Array): void => {
    hash.update(bytes);
    out.write(bytes);
  };
  for (const part of blob.parts) {
    if (blob.pack) pass(tarHeader({ name: memberName(part.sha256), sizeBytes: part.size }));
    pour(part, pass);
    if (blob.pack) pass(ZEROS.subarray(0, paddingBytes(part.size)));
  }
  if (blob.pack) pass(TAR_END);
  out.write(ZEROS.subarray(0, paddingBytes(blob.size)));
  const digest = `sha256:${hash.digest('hex')}` as Digest;
  const [only] = blob.parts;
  if (!blob.pack && only!.sha256 !== digest)
    throw new Fault('record_invalid', `the store has other bytes for ${only!.sha256} than that`);
  out.patch(header, tarHeader({ name: blobName(digest), sizeBytes: blob.size }));
  return { mediaType: blob.mediaType, digest, size: blob.size };
}

function writeFile(out: Output, name: string, bytes: Uint8Array): void {
  out.write(tarHeader({ name, sizeBytes: bytes.length }));
  out.write(bytes);
  out.write(ZEROS.subarray(0, paddingBytes(bytes.length)));
}

/** A digest of the same length as any: what stands in for one that is not known yet. */
const ANY_DIGEST = digestOf('');

function writeAll(out: Output, collected: Collected, document: CaseDocument): Digest {
  const bytes = Buffer.from(canonicalJson(document));
  const table: PlannedBlob = {
    mediaType: ROLES.case,
    size: bytes.length,
    pack: false,
    parts: [{ role: 'record', sha256: digestOf(bytes), size: bytes.length, from: bytes }],
  };
  const planned = [table, ...planBlobs(collected.sources)];
  const guess = rootManifest(planned.map(({ mediaType, size }) => ({ mediaType, size, digest: ANY_DIGEST })));
  // Digests are all of one length, so that what comes first has its size before its content.
  const [indexBytes, manifestBytes] = [layoutIndex(guess), guess].map((text) => Buffer.byteLength(text));
  writeFile(out, 'oci-layout', Buffer.from(OCI_LAYOUT));
  const front = out.at;
  out.write(Buffer.alloc(spaceOf(indexBytes!) + spaceOf(manifestBytes!)));
  writeFile(out, blobName(digestOf(EMPTY_CONFIG)), Buffer.from(EMPTY_CONFIG));
  const layers = planned.map((blob) => writeBlob(out, blob));
  const manifest = rootManifest(layers);
  const root = digestOf(manifest);
  const index = layoutIndex(manifest);
  const layout = [
    bagFileOf('oci-layout', OCI_LAYOUT),
    bagFileOf('index.json', index),
    bagFileOf(blobName(root), manifest),
    bagFileOf(blobName(digestOf(EMPTY_CONFIG)), EMPTY_CONFIG),
    ...layers.map(({ digest }) => ({ name: blobName(digest), sha256: digest })),
  ];
  const texts: BundleTexts = textsOf(root, collected.record, document, layers, collected.manifest);
  for (const [name, text] of bagFiles(root, layout, texts)) writeFile(out, name, Buffer.from(text));
  out.write(TAR_END);
  const head: [string, string][] = [
    ['index.json', index],
    [blobName(root), manifest],
  ];
  let at = front;
  for (const [name, text] of head) {
    const content = Buffer.from(text);
    out.patch(at, Buffer.concat([tarHeader({ name, sizeBytes: content.length }), content]));
    at += spaceOf(content.length);
  }
  return root;
}

/** Writes the bundle whole or not at all, never over a file that is there; returns its identity, the root's digest. */
export function createBundle(path: string, collected: Collected, state: StateContents): Digest {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  let fd: number | undefined;
  try {
    fd = openSync(aside, 'wx', 0o644);
    const out = new Output(fd);
    const root = writeAll(
      out,
      collected,
      caseDocument(collected.recordSha256, collected.sources, state, collected.image),
    );
    out.flush();
    fsyncSync(fd);
    closeSync(fd);
    fd = undefined;
    // A link fails where a rename would silently replace what somebody else has just written there.
    linkSync(aside, path);
    rmSync(aside);
    return root;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    rmSync(aside, { force: true });
    throw asFault('out_failed', `cannot write ${path}`, error);
  }
}
