/** Sigstore bundles v0.1 to v0.3, read strictly (github.com/sigstore/protobuf-specs, sigstore_bundle.proto). */
import { X509Certificate } from 'node:crypto';
import { memberOf } from '../../base/json.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { itemAt, present } from '../../base/list.ts';
import { array, type Infer, object, oneOf, string } from '../../base/shape.ts';
import { keysOf } from '../../base/table.ts';
import { Refusal } from '../common/refusal.ts';
import { base64, bytesOf, checkedAs, count, withoutNulls } from '../common/strict.ts';
import { type Envelope, envelopeOf, envelopeShape } from './dsse.ts';
import { foreignMediaType } from './foreign.ts';

interface InclusionProof {
  index: number;
  size: number;
  root: Buffer;
  hashes: Buffer[];
  /** The signed note's text. */
  checkpoint: string;
}

export interface LogEntry {
  /** In Rekor v1 the index over all shards; the proof has the index within its own tree. */
  index: number;
  logId: Buffer;
  kind: string;
  version: string;
  /** Seconds since 1970; null where no promise of the log covers it. */
  integratedTime: number | null;
  promise: Buffer | null;
  proof: InclusionProof | null;
  body: Buffer;
}

type Material = { kind: 'certificate'; der: Buffer } | { kind: 'key'; hint: string };

/** A signature over a file. */
export interface MessageSignature {
  kind: 'message';
  signature: Buffer;
  /** The file's digest as the bundle states it: not signed, by any hash, and missing in some bundles. */
  digest: { hash: string; bytes: Buffer } | null;
}

type Content = { kind: 'envelope'; envelope: Envelope } | MessageSignature;

export interface Bundle {
  version: '0.1' | '0.2' | '0.3';
  material: Material;
  entries: LogEntry[];
  /** RFC 3161 responses, DER. */
  timestamps: Buffer[];
  content: Content;
  /** The JSON of the entries with a promise, every member checked: the library gets these. */
  promised: unknown[];
}

const MEDIA_TYPES = {
  'application/vnd.dev.sigstore.bundle+json;version=0.1': '0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2': '0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3': '0.3',
  'application/vnd.dev.sigstore.bundle.v0.3+json': '0.3',
} as const;
/** v0.3 is the newest that is read. */
const NEWEST_MINOR = 3;
const HASHES = {
  SHA2_256: 'sha256',
  SHA2_384: 'sha384',
  SHA2_512: 'sha512',
  SHA3_256: 'sha3-256',
  SHA3_384: 'sha3-384',
} as const;

const certificate = object({ rawBytes: base64({ max: EVIDENCE_LIMITS.certificateBytes }) }, ['rawBytes']);
const hash = base64({ length: 32 });
const signature = base64({ max: EVIDENCE_LIMITS.signatureBytes });
const entry = object(
  {
    logIndex: count(),
    logId: object({ keyId: hash }, ['keyId']),
    kindVersion: object({ kind: string({ max: 64 }), version: string({ max: 64 }) }, ['kind', 'version']),
    integratedTime: count(),
    inclusionPromise: object({ signedEntryTimestamp: signature }, ['signedEntryTimestamp']),
    inclusionProof: object(
      {
        logIndex: count(),
        rootHash: hash,
        treeSize: count(),
        hashes: array(hash, { max: EVIDENCE_LIMITS.proofHashes }),
        checkpoint: object({ envelope: string({ max: EVIDENCE_LIMITS.checkpointBytes }) }, ['envelope']),
      },
      ['rootHash', 'treeSize'],
    ),
    canonicalizedBody: base64(),
  },
  ['logId', 'kindVersion', 'canonicalizedBody'],
);
const bundleShape = object(
  {
    mediaType: oneOf(...keysOf(MEDIA_TYPES)),
    verificationMaterial: object(
      {
        certificate,
        x509CertificateChain: object(
          { certificates: array(certificate, { min: 1, max: EVIDENCE_LIMITS.certificates }) },
          ['certificates'],
        ),
        publicKey: object({ hint: string({ max: 4096 }) }, []),
        tlogEntries: array(entry, { max: EVIDENCE_LIMITS.logEntries }),
        timestampVerificationData: object(
          {
            rfc3161Timestamps: array(
              // Command-line tools break the lines of base64.
              object({ signedTimestamp: base64({ max: EVIDENCE_LIMITS.certificateBytes, wrapped: true }) }, [
                'signedTimestamp',
              ]),
              { max: EVIDENCE_LIMITS.timestamps },
            ),
          },
          [],
        ),
      },
      [],
    ),
    messageSignature: object(
      {
        messageDigest: object({ algorithm: oneOf(...keysOf(HASHES)), digest: base64({ max: 64 }) }, [
          'algorithm',
          'digest',
        ]),
        signature,
      },
      ['signature'],
    ),
    dsseEnvelope: envelopeShape,
  },
  ['mediaType', 'verificationMaterial'],
);

type BundleJson = Infer<typeof bundleShape>;
type EntryJson = Infer<typeof entry>;

function malformed(name: string, path: string, message: string, next?: string): Refusal {
  return new Refusal('evidence_malformed', `${name}: ${path} ${message}`, undefined, next);
}

function entryOf(json: EntryJson, version: Bundle['version'], name: string, path: string): LogEntry {
  const { inclusionProof: proof, inclusionPromise: promise } = json;
  const integratedTime = Number(json.integratedTime ?? 0);
  // Each version of the format requires one kind of proof: a bundle without it was cut down or relabelled.
  if (version === '0.1' ? !promise : !proof?.checkpoint)
    throw new Refusal(
      'log_missing',
      `${name}: ${path} has no ${version === '0.1' ? 'inclusionPromise' : 'inclusionProof with a checkpoint'}, which a v${version} bundle must have`,
      undefined,
      'get the bundle whole, from where it was made: this one was cut down, or is called another version',
    );
  return {
    index: Number(json.logIndex ?? 0),
    logId: bytesOf(json.logId.keyId),
    kind: json.kindVersion.kind,
    version: json.kindVersion.version,
    // Without a promise the time is easy to forge: then an authority's timestamp must say when it was signed.
    integratedTime: promise && integratedTime > 0 ? integratedTime : null,
    promise: promise ? bytesOf(promise.signedEntryTimestamp) : null,
    // A v0.1 bundle may carry a proof without a checkpoint. Such a proof is unsigned and proves nothing.
    proof: proof?.checkpoint
      ? {
          index: Number(proof.logIndex ?? 0),
          size: Number(proof.treeSize),
          root: bytesOf(proof.rootHash),
          hashes: (proof.hashes ?? []).map(bytesOf),
          checkpoint: proof.checkpoint.envelope,
        }
      : null,
    body: bytesOf(json.canonicalizedBody),
  };
}

function materialOf(
  m: BundleJson['verificationMaterial'],
  version: Bundle['version'],
  name: string,
): Material {
  const path = '$.verificationMaterial';
  const given = [m.certificate, m.x509CertificateChain, m.publicKey].filter((part) => part !== undefined);
  if (given.length !== 1)
    throw malformed(name, path, 'needs exactly one of certificate, x509CertificateChain and publicKey');
  if (m.publicKey) return { kind: 'key', hint: m.publicKey.hint ?? '' };
  if (m.certificate) return { kind: 'certificate', der: bytesOf(m.certificate.rawBytes) };
  if (version === '0.3') throw malformed(name, `${path}.x509CertificateChain`, 'is not part of v0.3');
  const chain = present(m.x509CertificateChain).certificates.map(({ rawBytes }) => bytesOf(rawBytes));
  for (const [index, der] of chain.entries()) {
    // With a root certificate in the bundle, the signer would choose whom to trust.
    if (isSelfIssued(der))
      throw malformed(
        name,
        `${path}.x509CertificateChain.certificates[${index}]`,
        'is a root certificate, which the trust root must name and no bundle may bring along',
        'only the first certificate is needed, and nothing of the chain is signed: jq "del(.verificationMaterial.x509CertificateChain.certificates[1:])" OLD > NEW',
      );
  }
  return { kind: 'certificate', der: itemAt(chain, 0) };
}

function isSelfIssued(der: Buffer): boolean {
  try {
    const parsed = new X509Certificate(der);
    return parsed.subject === parsed.issuer;
  } catch {
    return false;
  }
}

function contentOf(json: BundleJson, name: string): Content {
  const { messageSignature, dsseEnvelope } = json;
  if ((messageSignature === undefined) === (dsseEnvelope === undefined))
    throw malformed(name, '$', 'needs exactly one of dsseEnvelope and messageSignature');
  if (messageSignature) {
    const { messageDigest, signature: sig } = messageSignature;
    return {
      kind: 'message',
      signature: bytesOf(sig),
      digest: messageDigest
        ? { hash: HASHES[messageDigest.algorithm], bytes: bytesOf(messageDigest.digest) }
        : null,
    };
  }
  const envelope = envelopeOf(present(dsseEnvelope));
  if (envelope.signatures.length !== 1)
    throw new Refusal(
      envelope.signatures.length === 0 ? 'signature_missing' : 'evidence_malformed',
      `${name}: $.dsseEnvelope.signatures has ${envelope.signatures.length} items; a bundle has exactly one`,
    );
  return { kind: 'envelope', envelope };
}

/** An untrusted JSON value to a bundle, or a Refusal that names the file and the path inside. */
export function parseBundle(value: unknown, name: string): Bundle {
  const given = withoutNulls(value);
  const mediaType = memberOf(given, 'mediaType');
  if (typeof mediaType === 'string' && !Object.hasOwn(MEDIA_TYPES, mediaType))
    throw foreignMediaType(mediaType, name, NEWEST_MINOR);
  const json = checkedAs(bundleShape, given, name, 'evidence_malformed');
  const version = MEDIA_TYPES[json.mediaType];
  const material = json.verificationMaterial;
  return {
    version,
    material: materialOf(material, version, name),
    entries: (material.tlogEntries ?? []).map((one, index) =>
      entryOf(one, version, name, `$.verificationMaterial.tlogEntries[${index}]`),
    ),
    timestamps: (material.timestampVerificationData?.rfc3161Timestamps ?? []).map(({ signedTimestamp }) =>
      bytesOf(signedTimestamp),
    ),
    content: contentOf(json, name),
    promised: (material.tlogEntries ?? []).filter(({ inclusionPromise }) => inclusionPromise !== undefined),
  };
}
