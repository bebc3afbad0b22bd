/** Lets a symbol file in only with an accepted attestation of exactly its bytes. */
import { basename, dirname, join } from 'node:path';

import { systemClock } from '../base/clock.ts';
import { type Digest, digestOf } from '../base/digest.ts';
import { EVIDENCE_LIMITS } from '../base/limits.ts';
import { readEvidenceBytes } from '../evidence/common/read.ts';
import { Refusal } from '../evidence/common/refusal.ts';
import type { EvidenceRecord } from '../evidence/documents/record.ts';
import { wantFile } from '../evidence/documents/subject.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import { refusedRecord, type SourceFile, verifyEvidence } from '../evidence/verify/verify.ts';
import { readNamed } from './read-named.ts';
import type { PolicyInput, Session } from './session.ts';
import { signersPolicy } from './signers.ts';

/** Which attestations count, and whose. */
export interface VerifySymbolsOptions {
  /** Files of evidence. Default: those beside the symbol file. */
  evidence?: readonly string[] | undefined;
  /** It must name who may sign. Default: the one that the library was opened with. */
  policy?: PolicyInput | undefined;
}

/** A symbol file's digest, and what came of its attestations. */
export interface VerifiedSymbols {
  sha256: Digest;
  record: EvidenceRecord;
}

const BESIDE = ['.dsse.json', '.sigstore.json', '.intoto.jsonl', '.sigstore'];

/** The attestations a person names, else those beside the file by their usual names. */
async function attestationsOf(file: string, named: readonly string[]): Promise<SourceFile[]> {
  if (named.length > 0)
    return Promise.all(
      named.map(async (name) => ({ name, bytes: await readNamed(name, EVIDENCE_LIMITS.fileBytes) })),
    );
  const stems = new Set([basename(file), basename(file, '.json')]);
  const names = [...stems].flatMap((stem) => BESIDE.map((ending) => join(dirname(file), `${stem}${ending}`)));
  const found = await Promise.all(
    names.map(async (name) => {
      const bytes = await readEvidenceBytes(name);
      return bytes ? [{ name, bytes }] : [];
    }),
  );
  return found.flat();
}

/** Verifies the attestations of a symbol file: those that are named, else those beside it by their usual names. */
export async function verifySymbols(
  session: Session,
  file: string,
  o: VerifySymbolsOptions = {},
): Promise<VerifiedSymbols> {
  const policy = await signersPolicy(session, o.policy);
  // Read once: a bundle may be a signature over the file itself.
  const artifact = await readNamed(file, EVIDENCE_LIMITS.artifactBytes);
  const sha256 = digestOf(artifact);
  const files = await attestationsOf(file, o.evidence ?? []);
  const trust = loadTrust(policy);
  const nowMs = systemClock.now();
  if (files.length === 0) {
    const missing = `no attestation of ${file} was found beside it; name it with --evidence`;
    return { sha256, record: refusedRecord(new Refusal('evidence_missing', missing), trust, nowMs) };
  }
  const wanted = { kind: 'listed' as const, subjects: [wantFile('symbol_bundle_sha256', artifact)] };
  return { sha256, record: await verifyEvidence(files, { trust, wanted, artifact, nowMs }) };
}
