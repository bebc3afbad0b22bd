/** Transparency: that a signature's entry is in a trusted log, from every proof that is present; all must agree. */

import { itemAt, present } from '../../base/list.ts';
import { type Algorithm, hashOf } from '../common/keys.ts';
import { Refusal } from '../common/refusal.ts';
import type { LogFact } from '../documents/record.ts';
import { formatLogReference, type LogReference } from '../documents/reference.ts';
import type { LogEntry } from '../documents/sigstore-bundle.ts';
import { checkBody, expectedBodies, type SignedThing } from '../log/body.ts';
import { type VerifiedCheckpoint, verifyCheckpoint } from '../log/checkpoint.ts';
import { leafHash, verifyInclusion } from '../log/merkle.ts';
import type { TlogProof } from '../log/tlog-proof.ts';
import type { TrustedLog } from '../trust/trust.ts';
import { covers } from '../trust/trusted-root.ts';

/** An entry that was proven, and the log whose key must have been valid then. */
export interface ProvenEntry {
  fact: LogFact;
  log: TrustedLog;
  kind: 'proof' | 'promise';
}

/** How Rekor v2 names each algorithm in its entries (protobuf-specs, PublicKeyDetails). */
const KEY_DETAILS: Partial<Record<Algorithm, string>> = {
  ed25519: 'PKIX_ED25519',
  ed25519ph: 'PKIX_ED25519_PH',
  'ecdsa-p256-sha256': 'PKIX_ECDSA_P256_SHA_256',
  'ecdsa-p384-sha384': 'PKIX_ECDSA_P384_SHA_384',
  'ecdsa-p384-sha256': 'PKIX_ECDSA_P384_SHA_256',
  'ecdsa-p521-sha512': 'PKIX_ECDSA_P521_SHA_512',
  'ecdsa-p521-sha256': 'PKIX_ECDSA_P521_SHA_256',
};

/** The log among these that signed a checkpoint, or the most useful error. */
export function checkpointBy(
  logs: TrustedLog[],
  text: string,
): { log: TrustedLog; checkpoint: VerifiedCheckpoint } {
  let refusal: unknown;
  for (const log of logs) {
    try {
      return { log, checkpoint: verifyCheckpoint(text, log) };
    } catch (error) {
      // An error about a log's own signature is more useful than another log's "not mine".
      if (!(error instanceof Refusal)) throw error;
      if (!refusal || error.code !== 'log_key') refusal = error;
    }
  }
  throw refusal ?? new Refusal('log_key', 'the policy and its trust root name no log at all');
}

/** Binds a leaf to the checkpoint's root, and returns what that proves. */
function include(
  log: TrustedLog,
  { origin, size, root, keyId, witnesses }: VerifiedCheckpoint,
  { index, hashes }: { index: number; hashes: Buffer[] },
  leaf: Buffer,
): ProvenEntry {
  verifyInclusion({ index, size, leaf, proof: hashes, root });
  const fact = {
    origin,
    key_id: keyId,
    index,
    checkpoint_size: size,
    root: root.toString('hex'),
    leaf: leaf.toString('hex'),
    tile_ref: formatLogReference({ origin, index, size, root }),
    witnesses,
  };
  return { kind: 'proof', log, fact };
}

/** The logs whose id the entry names, with keys that were valid when it claims to have been inserted. */
function logsOf({ logId, integratedTime }: LogEntry, logs: TrustedLog[]): TrustedLog[] {
  const named = logs.filter(({ id }) => id.equals(logId));
  if (named.length === 0)
    throw new Refusal(
      'log_key',
      `the entry is of log ${logId.toString('hex').slice(0, 16)}…, which neither the trust root nor trust.logs of the policy has; if the root is too old, renew it (docs/evidence.md)`,
    );
  if (integratedTime === null) return named;
  const valid = named.filter(({ window }) => covers(window, integratedTime * 1000));
  if (valid.length === 0) throw notValid(itemAt(named, 0), integratedTime * 1000);
  return valid;
}

function notValid({ key }: TrustedLog, timeMs: number): Refusal {
  return new Refusal(
    'log_key',
    `the key of ${key.name} was not valid at ${new Date(timeMs).toISOString()}; if the trust root is too old, renew it (docs/evidence.md)`,
  );
}

/** Rekor v1 has an index over all its shards, and in its proof one within the shard; Rekor v2 has one index. */
function checkIndex({ index, kind, version }: LogEntry, inProof: number): void {
  const oneCount = version === '0.0.2' && kind !== 'intoto';
  if (oneCount ? index !== inProof : index < inProof)
    throw new Refusal('log_proof', `logIndex is ${index}, and ${inProof} in the proof`);
}

/** Checks a bundle's entry: its body is about this signature, and its proof leads to a signed checkpoint. */
export function proveEntry(entry: LogEntry, signed: SignedThing, logs: TrustedLog[]): ProvenEntry {
  checkBody(entry.body, { kind: entry.kind, version: entry.version }, signed);
  const own = logsOf(entry, logs);
  const leaf = leafHash(entry.body);
  const { proof } = entry;
  if (!proof) {
    const [log] = own;
    const fact = {
      origin: present(log).key.name,
      key_id: null,
      index: entry.index,
      checkpoint_size: null,
      root: null,
      leaf: leaf.toString('hex'),
      tile_ref: null,
      witnesses: [],
    };
    return { kind: 'promise', log: present(log), fact };
  }
  const { log, checkpoint } = checkpointBy(own, proof.checkpoint);
  // Size, root and index beside the checkpoint are unsigned, but a reader might believe them.
  if (proof.size !== checkpoint.size || !proof.root.equals(checkpoint.root))
    throw new Refusal('log_proof', 'treeSize or rootHash of the proof is not that of its signed checkpoint');
  checkIndex(entry, proof.index);
  return include(log, checkpoint, proof, leaf);
}

/** Checks a separate proof: its body, or the one body such a signature can have, must be the leaf. */
export function proveWith(
  proof: TlogProof,
  signed: SignedThing,
  algorithm: Algorithm,
  logs: TrustedLog[],
): ProvenEntry {
  const { log, checkpoint } = checkpointBy(logs, proof.checkpoint);
  const bodies = proof.extra
    ? [proof.extra]
    : expectedBodies(signed, hashOf(algorithm) ?? 'sha256', KEY_DETAILS[algorithm] ?? null);
  let refusal: unknown = new Refusal(
    'log_body',
    'the proof has no entry body, and it cannot be derived here',
  );
  for (const body of bodies) {
    try {
      checkBody(body, null, signed);
      return include(log, checkpoint, proof, leafHash(body));
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

/** Refuses a log whose key was not valid at one of these times. */
export function checkLogWindows(entries: ProvenEntry[], timesMs: number[]): void {
  for (const { log } of entries)
    for (const ms of timesMs) if (!covers(log.window, ms)) throw notValid(log, ms);
}

/** A named reference must equal the proven one in every part. */
export function checkReference(entries: ProvenEntry[], reference: LogReference): void {
  const named = formatLogReference(reference);
  const proofs = entries.filter(({ kind }) => kind === 'proof');
  const other = proofs.find(({ fact }) => fact.tile_ref !== named);
  if (other)
    throw new Refusal(
      'log_reference',
      `the proof is of ${other.fact.tile_ref}, and the manifest names ${named}`,
    );
  if (proofs.length === 0) throw new Refusal('log_missing', `no proof of ${named} was found`);
}
