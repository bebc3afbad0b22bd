/** Writes a bundle in one pass: every byte read once, hashed once, written once; digests that are known late are filled in. */

import { closeSync, fstatSync, openSync } from 'node:fs';
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf, startDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { type Problem, showProblem } from '../../base/json.ts';
import { present } from '../../base/list.ts';
import type { SigningKey } from '../../evidence/documents/sign.ts';
import { type Attachment, attachEvent, attachTimestamp, inOrder } from '../custody/attached.ts';
import { readAttested } from '../custody/attested.ts';
import { type EventClaim, signEvent } from '../custody/event.ts';
import {
  blobName,
  type CaseDocument,
  caseShape,
  type Descriptor,
  MAX_ATTACHED,
  ROLES,
  rootManifest,
  type Withheld,
} from '../format/format.ts';
import { type RunningDigest, secondThread } from '../format/second-thread.ts';
import type { Stamp } from '../format/stamp.ts';
import { paddingBytes, spaceOf, TAR_END, tarHeader, ZEROS } from '../format/tar.ts';
import { attachedFiles, backFiles, frontFiles, type Layout } from '../read/layout.ts';
import type { Opened } from '../read/open.ts';
import { reportOf, TEXTS_VERSION, textsOf } from '../read/texts.ts';
import type { Collected, Source } from './collect.ts';
import { type Output, writeBundleFile } from './output.ts';
import { caseDocument, LARGE_BYTES, type PlannedBlob, planBlobs, singleOf } from './plan.ts';

/** Writes a piece of a source; one whose size changed since it was planned is an error. */
function pour(out: Output, source: Source, from: number, size: number): void {
  if (Buffer.isBuffer(source.from)) {
    out.write(source.from.subarray(from, from + size));
    return;
  }
  const { path } = source.from;
  const fd = openSync(path, 'r');
  try {
    if (fstatSync(fd).size !== source.size)
      throw new Fault('record_invalid', `${path} changed while the bundle was made`);
    out.copy(fd, from, from + size, path);
  } finally {
    closeSync(fd);
  }
}

/** Writes one blob as a tar member whose name is known only afterwards. */
function writeBlob(out: Output, blob: PlannedBlob, running: RunningDigest): Digest | Promise<Digest> {
  out.write(ZEROS);
  out.startDigest(running);
  for (const { source, name, from, size } of blob.pieces) {
    if (blob.packed) out.write(tarHeader({ name, sizeBytes: size }));
    pour(out, source, from, size);
    if (blob.packed) out.write(ZEROS.subarray(0, paddingBytes(size)));
  }
  if (blob.packed) out.write(TAR_END);
  const digest = out.endDigest();
  out.write(ZEROS.subarray(0, paddingBytes(blob.size)));
  return digest;
}

/** What reading and writing a byte costs beside hashing it. */
const COPY_COST = 0.3;

/** Says of one blob after the other whether a second thread would be done with it before this one. */
function shareOut(): (sizeBytes: number) => boolean {
  let [here, there] = [0, 0];
  return (sizeBytes) => {
    const [endHere, endThere] = [here + (1 + COPY_COST) * sizeBytes, Math.max(here, there) + sizeBytes];
    const theirs = sizeBytes >= LARGE_BYTES && endThere < endHere;
    if (theirs) there = endThere;
    here = theirs ? here + COPY_COST * sizeBytes : endHere;
    return theirs;
  };
}

/** Writes the blobs, and then the headers before them; where they are large, some of them are hashed in a second thread. */
async function writeBlobs(out: Output, blobs: PlannedBlob[]): Promise<Descriptor[]> {
  const second = secondThread(
    out.fd,
    blobs.reduce((sum, { size }) => sum + size, 0),
  );
  try {
    const isTheirs = shareOut();
    const written = blobs.map((blob) => {
      const running = second && isTheirs(blob.size) ? second : startDigest();
      return { blob, header: out.at, digest: writeBlob(out, blob, running) };
    });
    const layers: Descriptor[] = [];
    for (const { blob, header, digest: made } of written) {
      const digest = await made;
      const [only] = blob.pieces;
      if (!blob.packed && present(only).source.sha256 !== digest)
        throw new Fault(
          'record_invalid',
          `the store has other bytes for ${present(only).source.sha256} than that`,
        );
      out.patch(header, tarHeader({ name: blobName(digest), sizeBytes: blob.size }));
      layers.push({ mediaType: blob.mediaType, digest, size: blob.size });
    }
    return layers;
  } finally {
    await second?.close();
  }
}

/** A placeholder, as long as any digest, for one that is not known yet. */
const ANY_DIGEST = digestOf('');

/** Parts of a bundle beside the collected ones. */
export interface BundleOptions {
  state: CaseDocument['state'];
  /** The first event of its custody, exported, signed with this key. */
  sign?: { key: SigningKey; claim: EventClaim };
  /** An RFC 3161 reply about the root manifest, or about the first event’s envelope. */
  timestamp?: Buffer;
  /** The bundle that this is a redaction of, and what was taken out. */
  redaction?: { subject: Descriptor; withheld: Withheld[] };
}

function attachmentsOf(root: string, { sign, timestamp }: BundleOptions): Attachment[] {
  const event = sign && signEvent(digestOf(root), undefined, sign.claim, sign.key);
  return [
    ...(event ? [attachEvent(root, event.envelope, event.key)] : []),
    ...(timestamp ? [attachTimestamp(root, timestamp)] : []),
  ];
}

/** Refuses an error that would only be found when the bundle is verified: a timestamp of something else. */
function checkStamps(root: string, stamps: Stamp[]): void {
  for (const { of, time, authority } of stamps)
    if (of === null)
      throw new Fault(
        'usage',
        `the timestamp (${time}, ${authority}) is of something else: ask for one of the root manifest, ${digestOf(root)}`,
      );
}

/** The table of contents and everything it lists; the report is made from all the others, and is itself listed. */
function tableOf(
  collected: Collected,
  o: BundleOptions,
): { document: CaseDocument; sources: Source[]; report: string } {
  const { recordSha256, image, record, manifest, join } = collected;
  const { subject, withheld } = o.redaction ?? {};
  const listed = (sources: Source[], version?: number): CaseDocument =>
    caseDocument(recordSha256, sources, o.state, image, withheld, version);
  const others = collected.sources.filter(({ role }) => role !== 'report');
  const parts = { document: listed(others), record, manifest, join, subject: subject?.digest };
  const report = reportOf(parts);
  const bytes = Buffer.from(report);
  const [sha256, size] = [digestOf(bytes), bytes.length];
  const sources: Source[] = [...others, { role: 'report', name: 'report.html', sha256, size, from: bytes }];
  return { document: listed(sources, TEXTS_VERSION), sources, report };
}

async function writeAll(out: Output, collected: Collected, o: BundleOptions): Promise<Digest> {
  const { document, sources, report } = tableOf(collected, o);
  const problems: Problem[] = [];
  caseShape.check(document, '$', problems);
  if (problems.length > 0)
    throw new Fault(
      'out_failed',
      `no bundle can hold this: ${problems.slice(0, 3).map(showProblem).join('; ')}`,
    );
  const bytes = Buffer.from(canonicalJson(document));
  const table: Source = { role: 'record', sha256: digestOf(bytes), size: bytes.length, from: bytes };
  const planned = [singleOf(table, ROLES.case), ...planBlobs(sources)];
  const layoutOf = (layers: Descriptor[]): Layout => {
    const root = rootManifest(layers, o.redaction?.subject);
    return { root, layers, attachments: attachmentsOf(root, o) };
  };
  // All digests have the same length, so the size of the first members is known before their content.
  const guess = layoutOf(planned.map(({ mediaType, size }) => ({ mediaType, size, digest: ANY_DIGEST })));
  const front = frontFiles(guess).map(([, text]) => Buffer.byteLength(text));
  out.write(Buffer.alloc(front.reduce((sum, size) => sum + spaceOf(size), 0)));
  const layout = layoutOf(await writeBlobs(out, planned));
  const attested = await readAttested(layout.root, layout.attachments);
  checkStamps(layout.root, attested.stamps);
  for (const [name, content] of attachedFiles(layout)) out.file(name, content);
  const texts = textsOf(layout.root, attested, report);
  for (const [name, text] of backFiles(layout, texts)) out.file(name, text);
  out.write(TAR_END);
  let at = 0;
  for (const [i, [name, text]] of frontFiles(layout).entries()) {
    const content = Buffer.from(text);
    if (content.length !== front[i]) throw new Error(`${name} is not of the size that was planned`);
    out.patch(at, Buffer.concat([tarHeader({ name, sizeBytes: content.length }), content]));
    at += spaceOf(content.length);
  }
  return digestOf(layout.root);
}

/** Writes the bundle whole or not at all, never over a file that is there; returns its identity, the root's digest. */
export function createBundle(path: string, collected: Collected, o: BundleOptions): Promise<Digest> {
  return writeBundleFile(path, (out) => writeAll(out, collected, o));
}

/** Writes a bundle again with more attached to it; its blobs are copied as they are, its identity stays. */
export function attachToBundle(from: string, opened: Opened, more: Attachment[], to: string): Promise<void> {
  const { layers, blobs } = opened;
  const layout = { root: opened.rootText, layers, attachments: inOrder([...opened.attachments, ...more]) };
  return writeBundleFile(
    to,
    async (out) => {
      if (layout.attachments.length > MAX_ATTACHED)
        throw new Fault('out_failed', `a bundle holds at most ${MAX_ATTACHED} events and timestamps`);
      const attested = await readAttested(layout.root, layout.attachments);
      checkStamps(layout.root, attested.stamps);
      for (const [name, text] of frontFiles(layout)) out.file(name, text);
      const fd = openSync(from, 'r');
      try {
        out.copy(fd, blobs.from, blobs.to, from);
      } finally {
        closeSync(fd);
      }
      for (const [name, content] of attachedFiles(layout)) out.file(name, content);
      const texts = textsOf(layout.root, attested, opened.report);
      for (const [name, text] of backFiles(layout, texts)) out.file(name, text);
      out.write(TAR_END);
    },
    from === to,
  );
}
