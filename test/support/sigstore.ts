/** A Sigstore instance of one's own, made at run time: a certificate authority, a Rekor v1-like log, bundles. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { preAuthEncoding } from '../../src/evidence/documents/dsse.ts';
import { statement } from './keys.ts';
import { TestLog } from './log.ts';

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? Buffer.from([body.length])
      : Buffer.from(body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 255]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}
const seq = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const octets = (bytes: Buffer): Buffer => der(0x04, bytes);
const time = (ms: number): Buffer =>
  der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')}`));
const part = (id: string, text: string): Buffer => der(0x31, seq(oid(id), der(0x0c, Buffer.from(text))));
const name = (text: string, organization?: string): Buffer =>
  seq(...(organization ? [part('2.5.4.10', organization)] : []), part('2.5.4.3', text));

function oid(text: string): Buffer {
  const [a = 0, b = 0, ...rest] = text.split('.').map(Number);
  const bytes = [a * 40 + b];
  for (const part of rest) {
    const groups = [part & 127];
    for (let n = Math.floor(part / 128); n > 0; n = Math.floor(n / 128)) groups.unshift((n & 127) | 128);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return seq(oid(id), ...(critical ? [der(0x01, Buffer.from([255]))] : []), octets(value));
}

/** An extension of Fulcio's: to 6 raw, from 8 on as DER UTF8String; bytes stand for themselves. */
function fulcio(number: number, value: string | Buffer): Buffer {
  const text = Buffer.from(value);
  const bytes = typeof value === 'string' && number > 7 ? der(0x0c, text) : text;
  return extension(`1.3.6.1.4.1.57264.1.${number}`, bytes);
}

const ECDSA_SHA256 = seq(oid('1.2.840.10045.4.3.2'));

export interface LeafOptions {
  subject?: string;
  /** Null: a certificate that names none. */
  issuer?: string | null;
  /** Further Fulcio extensions by their last number: texts in the form of that number, bytes as they are. */
  says?: [number, string | Buffer][];
  /** More alternative names beside the subject. */
  names?: string[];
  /** Extended key usage. */
  usage?: string;
  notBeforeMs?: number;
  notAfterMs?: number;
  ca?: boolean;
}

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** When everything here is signed. */
export const SIGNED_MS: number = Date.parse('2026-06-01T10:00:00Z');
export const IDENTITY = {
  subject: 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main',
  issuer: 'https://token.actions.githubusercontent.com',
};

interface Pair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export class TestSigstore {
  readonly log: TestLog = new TestLog({ origin: 'rekor.test', scheme: 'ecdsa' }).grow(5);
  private readonly ca: Pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private readonly root: Buffer;
  private readonly organization: string | undefined;

  constructor(organization?: string) {
    this.organization = organization;
    this.root = this.certificate(this.ca.publicKey, 'test root', [
      extension('2.5.29.19', seq(der(0x01, Buffer.from([255]))), true),
      extension('2.5.29.15', der(0x03, Buffer.from([1, 6])), true),
    ]);
  }

  private certificate(
    key: KeyObject,
    subject: string,
    extensions: Buffer[],
    from?: number,
    to?: number,
  ): Buffer {
    const tbs = seq(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      ECDSA_SHA256,
      name('test root', this.organization),
      seq(time(from ?? SIGNED_MS - 86_400_000), time(to ?? SIGNED_MS + 86_400_000 * 3650)),
      subject ? name(subject, this.organization) : seq(),
      key.export({ type: 'spki', format: 'der' }),
      der(0xa3, seq(...extensions)),
    );
    return seq(tbs, ECDSA_SHA256, der(0x03, Buffer.from([0]), sign('sha256', tbs, this.ca.privateKey)));
  }

  leaf(key: KeyObject, o: LeafOptions = {}): Buffer {
    const extensions = [
      extension('2.5.29.15', der(0x03, Buffer.from(o.ca ? [2, 4] : [7, 128])), true),
      extension('2.5.29.37', seq(oid(o.usage ?? CODE_SIGNING))),
      extension(
        '2.5.29.17',
        seq(...[o.subject ?? IDENTITY.subject, ...(o.names ?? [])].map((one) => der(0x86, Buffer.from(one)))),
        true,
      ),
      ...(o.issuer === null ? [] : [fulcio(8, o.issuer ?? IDENTITY.issuer)]),
      ...(o.says ?? []).map(([number, value]) => fulcio(number, value)),
      ...(o.ca ? [extension('2.5.29.19', seq(der(0x01, Buffer.from([255]))), true)] : []),
    ];
    return this.certificate(
      key,
      '',
      extensions,
      o.notBeforeMs ?? SIGNED_MS - 60_000,
      o.notAfterMs ?? SIGNED_MS + 540_000,
    );
  }

  /** The instance's trusted root; what is given goes over its parts. */
  trustedRoot(
    o: { logStart?: string | null; logEnd?: string; caEnd?: string } = {},
  ): Record<string, unknown> {
    const start = o.logStart === undefined ? '2026-01-01T00:00:00Z' : o.logStart;
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        {
          baseUrl: 'https://rekor.test',
          hashAlgorithm: 'SHA2_256',
          publicKey: {
            rawBytes: this.log.spki.toString('base64'),
            keyDetails: 'PKIX_ECDSA_P256_SHA_256',
            validFor: { ...(start === null ? {} : { start }), ...(o.logEnd ? { end: o.logEnd } : {}) },
          },
          logId: { keyId: this.logId.toString('base64') },
        },
      ],
      certificateAuthorities: [
        {
          subject: { organization: 'test', commonName: 'test root' },
          uri: 'https://fulcio.test',
          certChain: { certificates: [{ rawBytes: this.root.toString('base64') }] },
          validFor: { start: '2026-01-01T00:00:00Z', ...(o.caEnd ? { end: o.caEnd } : {}) },
        },
      ],
      ctlogs: [],
      timestampAuthorities: [],
    };
  }

  get logId(): Buffer {
    return createHash('sha256').update(this.log.spki).digest();
  }

  /** A v0.3 bundle: certificate, envelope, log entry with promise and proof. */
  bundle(o: LeafOptions & { payload?: Record<string, unknown>; payloadType?: string } = {}): BundleJson {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const payload = Buffer.from(JSON.stringify(o.payload ?? statement()));
    const payloadType = o.payloadType ?? 'application/vnd.in-toto+json';
    const signature = sign('sha256', preAuthEncoding(payloadType, payload), privateKey);
    const leaf = this.leaf(publicKey, o);
    return {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: leaf.toString('base64') },
        tlogEntries: [this.entry(leaf, payload, signature)],
      },
      dsseEnvelope: {
        payload: payload.toString('base64'),
        payloadType,
        signatures: [{ sig: signature.toString('base64') }],
      },
    };
  }

  /** Another entry of the log about the same signature. */
  entryAgain({ verificationMaterial, dsseEnvelope }: BundleJson): EntryJson {
    const leaf = Buffer.from(verificationMaterial.certificate.rawBytes, 'base64');
    const signature = Buffer.from(dsseEnvelope.signatures[0]!.sig, 'base64');
    return this.entry(leaf, Buffer.from(dsseEnvelope.payload, 'base64'), signature, 1);
  }

  private entry(leaf: Buffer, payload: Buffer, signature: Buffer, laterS = 0): EntryJson {
    const pem = `-----BEGIN CERTIFICATE-----\n${leaf.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
    const body = Buffer.from(
      canonicalJson({
        apiVersion: '0.0.1',
        kind: 'dsse',
        spec: {
          envelopeHash: { algorithm: 'sha256', value: String(laterS).repeat(64) },
          payloadHash: { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') },
          signatures: [
            { signature: signature.toString('base64'), verifier: Buffer.from(pem).toString('base64') },
          ],
        },
      }),
    );
    const index = this.log.append(body);
    const integratedTime = Math.floor(SIGNED_MS / 1000) + laterS;
    const promise = canonicalJson({
      body: body.toString('base64'),
      integratedTime,
      logIndex: index,
      logID: this.logId.toString('hex'),
    });
    return {
      logIndex: String(index),
      logId: { keyId: this.logId.toString('base64') },
      kindVersion: { kind: 'dsse', version: '0.0.1' },
      integratedTime: String(integratedTime),
      inclusionPromise: { signedEntryTimestamp: this.log.sign(Buffer.from(promise)).toString('base64') },
      inclusionProof: {
        logIndex: String(index),
        rootHash: this.log.root().toString('base64'),
        treeSize: String(this.log.size),
        hashes: this.log.inclusion(index).map((hash) => hash.toString('base64')),
        checkpoint: { envelope: this.log.checkpoint() },
      },
      canonicalizedBody: body.toString('base64'),
    };
  }
}

export interface EntryJson {
  logIndex: string;
  logId: { keyId: string };
  kindVersion: { kind: string; version: string };
  integratedTime: string;
  inclusionPromise?: { signedEntryTimestamp: string };
  inclusionProof?: {
    logIndex: string;
    rootHash: string;
    treeSize: string;
    hashes: string[];
    checkpoint: { envelope: string };
  };
  canonicalizedBody: string;
}

export interface BundleJson {
  mediaType: string;
  verificationMaterial: { certificate: { rawBytes: string }; tlogEntries: EntryJson[] };
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string; keyid?: string }[] };
}
