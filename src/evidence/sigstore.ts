/** The one door to @sigstore/verify: certificate chains, SCTs, RFC 3161 timestamps and log promises are its work. */
import { createPublicKey, hash, type KeyObject, X509Certificate } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { ASN1Obj, X509Certificate as LibraryCertificate, RFC3161Timestamp } from '@sigstore/core';
import { TransparencyLogEntry as LibraryEntry, TrustedRoot as LibraryRoot } from '@sigstore/protobuf-specs';
import {
  type SignedEntity,
  type TrustMaterial,
  toTrustMaterial,
  VerificationError,
  Verifier,
} from '@sigstore/verify';
import type { Bundle } from './bundle.ts';
import { type Identity, plainText, readExtensions } from './certificate.ts';
import type { Hashed } from './hashed.ts';
import type { SignedThing } from './log/body.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import { explainCertificate, type TrustedRoot } from './trusted-root.ts';

/** A time that somebody trusted vouches for. */
export interface ProvenTime {
  source: 'timestamp-authority' | 'log-promise';
  /** Which one: asking the same twice proves nothing more. */
  by: string;
  timeMs: number;
}

export interface Vouched {
  times: ProvenTime[];
  /** What the certificate says of its holder; null for a bare key. */
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
      throw new Refusal('trust_root_malformed', `${root.name}: ${(error as Error).message}`, error);
    }
  }

  /** Checks everything about a bundle but its signature, which the caller has verified with `key`. */
  vouch(bundle: Bundle, signed: SignedThing, key: KeyObject): Vouched {
    const times = provenTimes(bundle);
    const certified = bundle.material.kind === 'certificate';
    if (certified && times.length === 0)
      throw new Refusal(
        'time_missing',
        bundle.entries.length > 0
          ? 'a certificate lives for minutes, and nothing proves when it was used: no log’s promise covers a time, and no authority’s timestamp is there'
          : 'a certificate lives for minutes, and nothing proves when it was used',
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
      verifier.verify(entityOf(bundle, signed, key));
      const { material } = bundle;
      return { times, identity: material.kind === 'certificate' ? describeCertificate(material.der) : null };
    } catch (error) {
      throw this.explain(error, bundle, times);
    }
  }

  /** Checks that an authority of the root made this RFC 3161 reply over `data`. */
  vouchTimestamp(reply: Buffer, data: Buffer): void {
    const verifier = new Verifier(
      { ...this.material, publicKey: () => ({ publicKey: {} as KeyObject, validFor: () => true }) },
      { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 1 },
    );
    try {
      verifier.verify({
        key: { $case: 'public-key', hint: '' },
        timestamps: [{ $case: 'timestamp-authority', timestamp: RFC3161Timestamp.parse(Buffer.from(reply)) }],
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
      throw new Refusal(
        'time_invalid',
        `${(error as Error).message}, by the authorities of ${this.root.name}`,
        error,
      );
    }
  }

  private explain(error: unknown, bundle: Bundle, times: ProvenTime[]): Refusal {
    if (error instanceof Refusal) return error;
    // What the library throws beside its own errors is its way of failing at bytes it cannot read.
    if (!(error instanceof VerificationError))
      return new Refusal('evidence_malformed', `cannot be read: ${(error as Error).message}`, error);
    if (error.code === 'CERTIFICATE_ERROR' && !/SCT/.test(error.message))
      return explainCertificate(
        this.root,
        new X509Certificate((bundle.material as { der: Buffer }).der),
        times.map(({ timeMs }) => timeMs),
      );
    if (error.code === 'CERTIFICATE_ERROR')
      return new Refusal(
        'trust_certificate',
        `no certificate log of ${this.root.name} vouches for the certificate: ${error.message}`,
      );
    if (error.code === 'TIMESTAMP_ERROR')
      return new Refusal('time_invalid', `${error.message}, by the authorities of ${this.root.name}`);
    return new Refusal(CODES[error.code] ?? 'internal', error.message, error);
  }
}

/** What a certificate says of its holder and of the build, whoever issued it: a claim, until the bundle is verified. */
export function describeCertificate(der: Buffer): Identity {
  try {
    const certificate = LibraryCertificate.parse(Buffer.from(der));
    const extensions = certificate.extensions.map(({ subs }) => {
      return { oid: subs[0]!.toOID(), value: subs.at(-1)!.value };
    });
    // The library drops the highest bit of each byte, and takes the first of several names.
    const names = certificate.extension(SUBJECT_ALTERNATIVE_NAME)?.valueObj.subs?.[0]?.subs ?? [];
    for (const { value } of names) plainText(value);
    if (names.length > 1)
      throw new Refusal('identity_certificate', `the certificate names ${names.length} identities`);
    const subject = plainText(Buffer.from(certificate.subjectAltName ?? '', 'latin1'));
    return { subject, ...readExtensions(extensions) };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(
      'identity_certificate',
      `the certificate cannot be read: ${(error as Error).message}`,
      error,
    );
  }
}

/** The times a bundle claims; they count only after the library has checked who vouches for them. */
function provenTimes(bundle: Bundle): ProvenTime[] {
  const promised = bundle.entries
    .filter(({ promise, integratedTime }) => promise && integratedTime !== null)
    .map(({ integratedTime, logId }): ProvenTime => {
      return { source: 'log-promise', by: logId.toString('hex'), timeMs: integratedTime! * 1000 };
    });
  try {
    const stamped = bundle.timestamps.map((der): ProvenTime => {
      const { signingTime, signerIssuer, signerSerialNumber } = RFC3161Timestamp.parse(Buffer.from(der));
      const by = `${signerIssuer.toString('hex')} ${signerSerialNumber.toString('hex')}`;
      return { source: 'timestamp-authority', by, timeMs: signingTime.getTime() };
    });
    return [...promised, ...stamped];
  } catch (error) {
    throw new Refusal('time_invalid', `a timestamp cannot be read: ${(error as Error).message}`, error);
  }
}

/** The texts of a distinguished name's content, for people. */
function nameOf(content: Buffer): string {
  const texts = (node: ASN1Obj): string[] =>
    node.subs.length > 0
      ? node.subs.flatMap(texts)
      : [0x0c, 0x13, 0x16].includes(node.tag.number)
        ? [node.value.toString('utf8')]
        : [];
  const found: string[] = [];
  for (let rest = Buffer.from(content); rest.length > 0; ) {
    const set = ASN1Obj.parseBuffer(rest);
    found.push(...texts(set));
    rest = rest.subarray(set.toDER().length);
  }
  return found.join(', ');
}

/** What an RFC 3161 reply says, by whoever made it. */
export interface ReadTimestamp {
  timeMs: number;
  /** The issuer and serial number of the certificate it is signed with. */
  authority: string;
  /** Whether it is of these bytes; throws where the certificate in it did not make its signature. */
  isAbout(bytes: Buffer): boolean;
}

/** Reads a reply (DER) without asking whether its authority is to be trusted. */
export function readTimestamp(reply: Buffer): ReadTimestamp {
  try {
    const parsed = RFC3161Timestamp.parse(Buffer.from(reply));
    const { root, tstInfo, signingTime, signerIssuer, signerSerialNumber } = parsed;
    // TimeStampResp's token, its content, SignedData, and there the optional certificates (RFC 5652).
    const signedData = root.subs[1]?.subs[1]?.subs[0]?.subs ?? [];
    const certificates = signedData.find(({ tag }) => tag.isContextSpecific(0))?.subs ?? [];
    if (certificates.length === 0)
      throw new Error('it holds no certificates: ask with openssl ts -query -cert');
    const own = certificates
      .map((one) => LibraryCertificate.parse(one.toDER() as Buffer<ArrayBuffer>))
      .find(({ serialNumber }) => serialNumber.equals(signerSerialNumber));
    if (!own) throw new Error('it does not hold the certificate that it is signed with');
    const imprint = tstInfo.messageImprintHashedMessage;
    return {
      timeMs: signingTime.getTime(),
      authority: `certificate ${signerSerialNumber.toString('hex')} of ${nameOf(signerIssuer)}`,
      isAbout: (bytes) => {
        if (!isDigestOf(imprint, bytes)) return false;
        parsed.verify(bytes, createPublicKey({ key: own.publicKey, format: 'der', type: 'spki' }));
        return true;
      },
    };
  } catch (error) {
    throw new Refusal('time_invalid', `no RFC 3161 reply: ${(error as Error).message}`, error);
  }
}

const HASH_OF_LENGTH: Record<number, string> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

function isDigestOf(digest: Buffer, bytes: Buffer): boolean {
  const algorithm = HASH_OF_LENGTH[digest.length];
  return algorithm !== undefined && hash(algorithm, bytes, 'buffer').equals(digest);
}

function isOf(digest: Buffer, thing: Hashed): boolean {
  const algorithm = HASH_OF_LENGTH[digest.length];
  return algorithm !== undefined && thing.digest(algorithm)?.equals(digest) === true;
}

function entityOf(bundle: Bundle, signed: SignedThing, key: KeyObject): SignedEntity {
  // Proofs of inclusion were checked before; what is left to the library is the logs' promises.
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
      ...bundle.timestamps.map((der) => ({
        $case: 'timestamp-authority' as const,
        timestamp: RFC3161Timestamp.parse(Buffer.from(der)),
      })),
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
