/** Finds the evidence a manifest names: beside the manifest first, then in the evidence stores, always by digest. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { type Digest, digestOf, hexOf } from '../../base/digest.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { errnoOf } from '../../base/thrown.ts';
import { readEvidenceBytes } from '../common/read.ts';
import { Refusal } from '../common/refusal.ts';
import type { LogReference } from '../documents/reference.ts';
import { readCachedProof } from '../log/cache.ts';
import { parseCheckpoint } from '../log/checkpoint.ts';
import { parseTlogProof } from '../log/tlog-proof.ts';
import type { SeparateProof } from './context.ts';
import type { SourceFile } from './verify.ts';

const ENVELOPE_NAMES = /\.(?:json|jsonl|sigstore|dsse|intoto)$/;
const PROOF_NAMES = /\.tlog-proof$/;
const EVIDENCE_NAMES = [ENVELOPE_NAMES, PROOF_NAMES];

async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return [];
    throw error;
  }
  if (entries.length > EVIDENCE_LIMITS.filesBeside)
    throw new Refusal(
      'evidence_missing',
      `${folder} has ${entries.length} files, more than are searched (${EVIDENCE_LIMITS.filesBeside}): put the evidence into the store`,
    );
  return entries.filter((name) => pattern.test(name)).sort();
}

/** All files in a folder that are named as evidence is; a Refusal where they are too many to hold at once. */
export async function evidenceIn(folder: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  let total = 0;
  for (const name of (await namesIn(folder, /./)).filter((one) =>
    EVIDENCE_NAMES.some((form) => form.test(one)),
  )) {
    const bytes = await readEvidenceBytes(join(folder, name));
    if (!bytes) continue;
    total += bytes.length;
    if (total > EVIDENCE_LIMITS.folderBytes)
      throw new Refusal(
        'evidence_too_large',
        `${folder} has more than ${EVIDENCE_LIMITS.folderBytes} bytes of evidence`,
      );
    files.push({ name: join(folder, name), bytes });
  }
  return files;
}

/** Looks evidence up by digest; what a folder holds is hashed once for all the manifests in it. */
export class EvidenceFinder {
  private readonly stores: string[];
  private readonly folders = new Map<string, Promise<Map<Digest, string>>>();

  constructor(stores: string[]) {
    this.stores = stores;
  }

  /** The file with these exact bytes, or a Refusal that says where it was looked for. */
  async envelope(folder: string, manifestPath: string, digest: Digest): Promise<SourceFile> {
    const stem = join(folder, basename(manifestPath, '.json'));
    const guesses = [
      `${stem}.dsse.json`,
      `${stem}.sigstore.json`,
      ...this.stores.map((store) => join(store, 'blobs', 'sha256', hexOf(digest))),
    ];
    for (const path of guesses) {
      const found = await this.read(path, digest);
      if (found) return found;
    }
    for (const place of [folder, join(folder, 'evidence')]) {
      const path = (await this.indexOf(place)).get(digest);
      const found = path && (await this.read(path, digest));
      if (found) return found;
    }
    const places = [folder, ...this.stores].join(', ');
    throw new Refusal(
      'evidence_missing',
      `no file is ${digest}, which dsse_envelope names; looked in ${places}`,
    );
  }

  /** Every proof of a reference that is found: files beside the manifest, tiles there and in the stores. */
  async proofs(folder: string, reference: LogReference): Promise<SeparateProof[]> {
    const found: SeparateProof[] = [];
    for (const place of [folder, join(folder, 'evidence')])
      for (const name of await namesIn(place, PROOF_NAMES)) {
        const bytes = await readEvidenceBytes(join(place, name));
        if (!bytes) continue;
        const proof = parseTlogProof(bytes, name);
        // Other proofs in the folder belong to other manifests.
        const { origin } = parseCheckpoint(proof.checkpoint);
        if (proof.index === reference.index && origin === reference.origin) found.push({ name, proof });
      }
    for (const store of [folder, ...this.stores]) {
      const proof = await readCachedProof(store, reference);
      if (proof) found.push({ name: join(store, 'logs'), proof });
    }
    return found;
  }

  private async read(path: string, digest: Digest): Promise<SourceFile | undefined> {
    const bytes = await readEvidenceBytes(path);
    // The bytes that are hashed here are the ones that are verified: the file is not opened again.
    return bytes && digestOf(bytes) === digest ? { name: path, bytes } : undefined;
  }

  private indexOf(folder: string): Promise<Map<Digest, string>> {
    let index = this.folders.get(folder);
    if (!index) {
      index = this.hashFolder(folder);
      this.folders.set(folder, index);
    }
    return index;
  }

  private async hashFolder(folder: string): Promise<Map<Digest, string>> {
    const index = new Map<Digest, string>();
    for (const name of await namesIn(folder, ENVELOPE_NAMES)) {
      const path = join(folder, name);
      const bytes = await readEvidenceBytes(path);
      if (bytes) index.set(digestOf(bytes), path);
    }
    return index;
  }
}
