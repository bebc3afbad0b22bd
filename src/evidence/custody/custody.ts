/** The chain of custody: each verification leaves an entry that names the one before it, so that none can vanish. */

import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf } from '../../base/digest.ts';
import { syncFolder } from '../../base/files.ts';
import { membersOf } from '../../base/json.ts';
import { present } from '../../base/list.ts';
import { asideOf } from '../../base/temporary.ts';
import { errnoOf } from '../../base/thrown.ts';
import type { EvidenceRecord, Signer } from '../documents/record.ts';
import { acceptedIn } from './vouched.ts';

/** The result of one verification; it holds only authenticated fields, so a rejected envelope names no signer. */
export interface CustodyEntry {
  custody_version: 1;
  /** 1, 2, 3 … in this folder. */
  sequence: number;
  /** Digest of the file before this one; null for the first. */
  previous: Digest | null;
  time: string;
  verdict: EvidenceRecord['verdict'];
  code: string | null;
  /** Digest of the evidence record's canonical JSON, kept as a blob. */
  evidence_record_sha256: Digest;
  /** What the evidence is about, as "field algorithm:hex". */
  subjects: string[];
  signers: Signer[];
  timestamps: { source: string; time: string }[];
  /** `rekor:…` references of the insertions that were proven. */
  tile_refs: string[];
  policy_sha256: Digest;
  trust_root_sha256: Digest | null;
  verifier: string;
}

/** Where an entry is, and its digest, which the next one will name. */
export interface CustodyPlace {
  path: string;
  sequence: number;
  sha256: Digest;
}

const NAME = /^(\d{10})\.json$/;

/** The names of a chain's entries, in their order. */
async function custodyNames(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => NAME.test(name)).sort();
}

/** Where a folder's chain has its entry of this number. */
export function entryFile(folder: string, sequence: number): string {
  return join(folder, `${String(sequence).padStart(10, '0')}.json`);
}

/** What an entry says of a verification, beside its place in the chain. */
export function entryOf(record: EvidenceRecord, sha256: Digest): Omit<CustodyEntry, 'sequence' | 'previous'> {
  const accepted = acceptedIn(record);
  return {
    custody_version: 1,
    time: record.verified_at,
    verdict: record.verdict,
    code: record.code,
    evidence_record_sha256: sha256,
    subjects: [
      ...new Set(
        accepted.flatMap(({ subjects }) =>
          subjects.map(({ field, algorithm, expected }) => `${field} ${algorithm}:${expected}`),
        ),
      ),
    ],
    signers: accepted.flatMap(({ signers }) => signers),
    timestamps: accepted.flatMap(({ timestamps }) => timestamps),
    tile_refs: accepted.flatMap(({ log }) => log.flatMap(({ tile_ref }) => (tile_ref ? [tile_ref] : []))),
    policy_sha256: record.policy.sha256,
    trust_root_sha256: record.trust_root?.sha256 ?? null,
    verifier: record.verifier,
  };
}

/** One folder's chain, one file an entry. Several processes may append: the first to link a name has it. */
export class CustodyLog {
  readonly folder: string;
  private head: { sequence: number; sha256: Digest | null } | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Appends the result of a verification; on return it is on disk, whole, under its number. */
  append(record: EvidenceRecord, recordSha256: Digest): Promise<CustodyPlace> {
    const mine = this.turn.then(() => this.write(entryOf(record, recordSha256)));
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private async write(entry: Omit<CustodyEntry, 'sequence' | 'previous'>): Promise<CustodyPlace> {
    await mkdir(this.folder, { recursive: true });
    this.head ??= await this.findHead();
    for (;;) {
      const previous: Digest | null = this.head.sha256;
      const sequence: number = this.head.sequence + 1;
      const text = `${canonicalJson({ ...entry, sequence, previous })}\n`;
      const path = entryFile(this.folder, sequence);
      if (await this.place(path, text)) {
        const sha256 = digestOf(text);
        this.head = { sequence, sha256 };
        return { path, sequence, sha256 };
      }
      this.head = { sequence, sha256: digestOf(await readFile(path)) };
    }
  }

  /** Puts a whole file under a name that is still free; false if the name is taken. */
  private async place(path: string, text: string): Promise<boolean> {
    const aside = asideOf(path);
    try {
      const file = await open(aside, 'wx', 0o644);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await link(aside, path);
      await syncFolder(this.folder);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(aside, { force: true });
    }
  }

  private async findHead(): Promise<{ sequence: number; sha256: Digest | null }> {
    const names = await custodyNames(this.folder);
    const last = names.at(-1);
    return last
      ? {
          sequence: Number(present(NAME.exec(last))[1]),
          sha256: digestOf(await readFile(join(this.folder, last))),
        }
      : { sequence: 0, sha256: null };
  }
}

/** Reads a chain and returns the first thing that is wrong with it, or null; a missing end cannot be seen here. */
export async function verifyCustody(folder: string): Promise<{ entries: number; problem: string | null }> {
  const names = await custodyNames(folder);
  let previous: Digest | null = null;
  for (const [index, name] of names.entries()) {
    const bytes = await readFile(join(folder, name));
    let entry: Record<string, unknown>;
    try {
      entry = membersOf(JSON.parse(bytes.toString('utf8')));
    } catch {
      return { entries: index, problem: `${name} is not JSON` };
    }
    if (name !== `${String(index + 1).padStart(10, '0')}.json` || entry.sequence !== index + 1)
      return { entries: index, problem: `entry ${index + 1} is missing; ${name} stands in its place` };
    if (entry.previous !== previous)
      return { entries: index, problem: `${name} names another predecessor than the entry before it` };
    previous = digestOf(bytes);
  }
  return { entries: names.length, problem: null };
}
