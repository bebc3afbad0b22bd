/** The one door to @sigstore/verify: certificate chains, SCTs, RFC 3161 timestamps and log promises are its work. */
import { type KeyObject, X509Certificate } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { crypto, X509Certificate as LibraryCertificate } from '@sigstore/core';
import { TransparencyLogEntry as LibraryEntry, TrustedRoot as LibraryRoot } from '@sigstore/protobuf-specs';
import {
  type SignedEntity,
  type TrustMaterial,
  toTrustMaterial,
  VerificationError,
  Verifier,
} from '@sigstore/verify';
import { itemAt, lastItem } from '../../base/list.ts';
import { messageOf } from '../../base/thrown.ts';
import type { Hashed } from '../common/hashed.ts';
import { Refusal, type RefusalCode } from '../common/refusal.ts';
import type { Bundle } from '../documents/sigstore-bundle.ts';
import type { SignedThing } from '../log/body.ts';
import { type Identity, plainText, readExtensions } from './certificate.ts';
import { Timestamp } from './timestamp.ts';
import { explainCertificate, issuersOf, refuseForeignInstance, type TrustedRoot } from './trusted-root.ts';

/** A time from a trusted log or timestamp authority. */
export interface ProvenTime {
  source: 'timestamp-authority' | 'log-promise';
  /** Which source: the same source twice proves nothing more. */
  by: string;
  timeMs: number;
}

export interface Vouched {
  times: ProvenTime[];
  /** Timestamps by authorities that the root does not have, in words: they prove nothing. */
  strangers: string[];
  /** What the certificate says about its holder; null for a bare key. */
  identity: Identity | null;
}

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

const CODES: Record<string, RefusalCode> = {
  TLOG_ERROR: 'log_proof',
  TLOG_INCLUSION_PROOF_ERROR: 'log_proof',
  TLOG_INCLUSION_PROMISE_ERROR: 'log_promise',
  TLOG_MISSING_INCLUSION_ERROR: 'log_missing',
  TLOG_BODY_ERROR: 'log_body',
  PUBLIC_KEY_ERROR: 'identity_unknown',
  SIGNATURE_ERROR: 'signature_invalid',
};

/** A trusted root as the library takes it: made once, used for every bundle. */
export class SigstoreLibrary {
  private readonly root: TrustedRoot;
  private readonly material: TrustMaterial;

  constructor(root: TrustedRoot) {
    this.root = root;
    try {
      this.material = toTrustMaterial(LibraryRoot.fromJSON(root.json));
    } catch (error) {
      throw new Refusal('trust_root_malformed', `${root.name}: ${messageOf(error)}`, error);
    }
  }

  /** Checks everything about a bundle but its signature, which the caller has verified with `key`. */
  vouch(bundle: Bundle, signed: SignedThing, key: KeyObject): Vouched {
    if (signed.certificate) refuseForeignInstance(this.root, signed.certificate);
    const { trusted, strangers } = this.sortStamps(bundle.timestamps);
    const times = [...promisedTimes(bundle), ...trusted.map(timeOf)];
    const certified = bundle.material.kind === 'certificate';
    if (times.length === 0 && strangers.length > 0)
      throw new Refusal(
        'time_invalid',
        `no authority of ${this.root.name} made the timestamp: it is by ${strangers.join(', ')}`,
        undefined,
        'get a timestamp of an authority of the trust root, or name the root that has this one',
      );
    if (certified && times.length === 0)
      throw new Refusal(
        'time_missing',
        bundle.entries.length > 0
          ? 'a certificate lives for minutes, and nothing proves when it was used: no log’s promise covers a time, and no authority’s timestamp is there'
          : 'a certificate lives for minutes, and nothing proves when it was used',
        undefined,
        'get a bundle with an authority’s timestamp, or a log entry with its promise: nothing in a policy stands in for a time',
      );
    const verifier = new Verifier(
      { ...this.material, publicKey: () => ({ publicKey: key, validFor: () => true }) },
      {
        tlogThreshold: 0,
        ctlogThreshold: certified && this.root.hasCertificateLogs ? 1 : 0,
        timestampThreshold: certified ? 1 : 0,
      },
    );
    try {
      verifier.verify(entityOf(bundle, trusted, signed, key));
      const { material } = bundle;
      return {
        times,
        strangers,
        identity: material.kind === 'certificate' ? describeCertificate(material.der) : null,
      };
    } catch (error) {
      throw this.explain(error, bundle, times, trusted, signed.signature);
    }
  }

  /** Timestamps of the root's authorities, and the makers of the others; one that names no maker is refused. */
  private sortStamps(replies: Buffer[]): { trusted: Timestamp[]; strangers: string[] } {
    const leaves = this.material.timestampAuthorities.flatMap(({ certChain }) => certChain.slice(0, 1));
    const stamps = replies.map((reply, index) => {
      try {
        return new Timestamp(reply);
      } catch (error) {
        const which = replies.length > 1 ? `timestamp ${index + 1}` : 'the timestamp';
        throw new Refusal('time_invalid', `${which} cannot be read: ${messageOf(error)}`, error);
      }
    });
    const isTrusted = (stamp: Timestamp): boolean => leaves.some((leaf) => stamp.isBy(leaf));
    return {
      trusted: stamps.filter(isTrusted),
      strangers: stamps.filter((stamp) => !isTrusted(stamp)).map(({ authority }) => authority),
    };
  }

  /** Checks that an authority of the root made this RFC 3161 reply over `data`. */
  vouchTimestamp(reply: Buffer, data: Buffer): void {
    const { trusted, strangers } = this.sortStamps([reply]);
    if (strangers.length > 0)
      throw new Refusal(
        'time_invalid',
        `no authority of ${this.root.name} made it: it is by ${strangers[0]}`,
      );
    const verifier = new Verifier(
      { ...this.material, publicKey: () => ({ publicKey: {} as KeyObject, validFor: () => true }) },
      { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 1 },
    );
    try {
      verifier.verify({
        key: { $case: 'public-key', hint: '' },
        timestamps: trusted.map((timestamp) => ({ $case: 'timestamp-authority', timestamp })),
        tlogEntries: [],
        signature: {
          signature: data,
          compareSignature: () => true,
          compareDigest: () => true,
          compareSignedDigest: () => true,
          verifySignature: () => true,
        },
      });
    } catch (error) {
      throw this.explainStamps(trusted, data, messageOf(error));
    }
  }

  /** What is wrong with the first of these timestamps that is invalid. */
  private explainStamps(stamps: Timestamp[], data: Buffer, otherwise: string): Refusal {
    const { name } = this.root;
    for (const stamp of stamps)
      for (const { certChain, validFor } of this.material.timestampAuthorities) {
        const [leaf] = certChain;
        if (!leaf || !stamp.isBy(leaf)) continue;
        try {
          stamp.verify(data, crypto.createPublicKey(leaf.publicKey));
        } catch (error) {
          return new Refusal(
            'time_invalid',
            `the timestamp by ${stamp.authority} does not stand: ${messageOf(error)}`,
            error,
          );
        }
        const { signingTime } = stamp;
        const at = `the timestamp by ${stamp.authority} is of ${signingTime.toISOString()}`;
        if (signingTime < validFor.start || signingTime > validFor.end)
          return new Refusal('time_outside', `${at}, when ${name} did not trust that authority`);
        if (!leaf.validForDate(signingTime))
          return new Refusal('time_outside', `${at}, and its certificate was not valid then`);
      }
    return new Refusal('time_invalid', `${otherwise}, by the authorities of ${name}`);
  }

  private explain(
    error: unknown,
    bundle: Bundle,
    times: ProvenTime[],
    stamps: Timestamp[],
    signature: Buffer,
  ): Refusal {
    if (error instanceof Refusal) return error;
    // Where the library throws anything but its own errors, it failed at bytes that it cannot read.
    if (!(error instanceof VerificationError))
      return new Refusal('evidence_malformed', `cannot be read: ${messageOf(error)}`, error);
    if (bundle.material.kind === 'certificate') {
      const leaf = new X509Certificate(bundle.material.der);
      const missing = error.code === 'CERTIFICATE_ERROR' && !/SCT/.test(error.message);
      // Evidence of another instance also has unknown timestamps: that reason says less.
      if (missing || issuersOf(this.root, leaf).length === 0)
        return explainCertificate(
          this.root,
          leaf,
          times.map(({ timeMs }) => timeMs),
        );
    }
    if (error.code === 'CERTIFICATE_ERROR')
      return new Refusal(
        'trust_certificate',
        `no certificate log of ${this.root.name} vouches for the certificate: ${error.message}`,
      );
    if (error.code === 'TIMESTAMP_ERROR') return this.explainStamps(stamps, signature, error.message);
    return new Refusal(CODES[error.code] ?? 'internal', error.message, error);
  }
}

/** What a certificate says about its holder and the build, under any issuer: a claim until the bundle is verified. */
export function describeCertificate(der: Buffer): Identity {
  try {
    const certificate = LibraryCertificate.parse(Buffer.from(der));
    const extensions = certificate.extensions.map(({ subs }) => {
      return { oid: itemAt(subs, 0).toOID(), value: lastItem(subs).value };
    });
    // The library drops the highest bit of each byte, and uses the first of several names.
    const names = certificate.extension(SUBJECT_ALTERNATIVE_NAME)?.valueObj.subs?.[0]?.subs ?? [];
    for (const { value } of names) plainText(value);
    if (names.length > 1)
      throw new Refusal('identity_certificate', `the certificate names ${names.length} identities`);
    const subject = plainText(Buffer.from(certificate.subjectAltName ?? '', 'latin1'));
    return { subject, ...readExtensions(extensions) };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('identity_certificate', `the certificate cannot be read: ${messageOf(error)}`, error);
  }
}

/** Times that logs promise; they count only after the library has checked the promises. */
function promisedTimes(bundle: Bundle): ProvenTime[] {
  return bundle.entries.flatMap(({ promise, integratedTime, logId }): ProvenTime[] =>
    promise && integratedTime !== null
      ? [{ source: 'log-promise', by: logId.toString('hex'), timeMs: integratedTime * 1000 }]
      : [],
  );
}

/** The time of a timestamp, which counts only after the library has checked who made it. */
function timeOf(stamp: Timestamp): ProvenTime {
  const by = `${stamp.signerIssuer.toString('hex')} ${stamp.signerSerialNumber.toString('hex')}`;
  try {
    return { source: 'timestamp-authority', by, timeMs: stamp.signingTime.getTime() };
  } catch (error) {
    throw new Refusal(
      'time_invalid',
      `the timestamp by ${stamp.authority} cannot be read: ${messageOf(error)}`,
      error,
    );
  }
}

const HASH_OF_LENGTH: Record<number, string> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

function isOf(digest: Buffer, thing: Hashed): boolean {
  const algorithm = HASH_OF_LENGTH[digest.length];
  return algorithm !== undefined && thing.digest(algorithm)?.equals(digest) === true;
}

function entityOf(bundle: Bundle, stamps: Timestamp[], signed: SignedThing, key: KeyObject): SignedEntity {
  // Proofs of inclusion were checked before; the library only has the logs' promises left to check.
  const tlogEntries = bundle.promised.map(
    (json) => ({ ...LibraryEntry.fromJSON(json), inclusionProof: undefined }) as TransparencyLogEntry,
  );
  return {
    key:
      bundle.material.kind === 'certificate'
        ? { $case: 'certificate', certificate: LibraryCertificate.parse(Buffer.from(bundle.material.der)) }
        : { $case: 'public-key', hint: bundle.material.hint },
    timestamps: [
      ...tlogEntries
        .filter((entry) => entry.integratedTime !== '0')
        .map((tlogEntry) => ({ $case: 'transparency-log' as const, tlogEntry })),
      ...stamps.map((timestamp) => ({ $case: 'timestamp-authority' as const, timestamp })),
    ],
    tlogEntries,
    signature: {
      signature: signed.signature,
      compareSignature: (other) => signed.signature.equals(other),
      compareDigest: (digest) => isOf(digest, signed.payload ?? signed.signed),
      compareSignedDigest: (digest) => isOf(digest, signed.signed),
      verifySignature: (other) => key.equals(other),
    },
  };
}
