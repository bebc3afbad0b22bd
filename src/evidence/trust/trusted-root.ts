/** Sigstore trusted roots: the certificate authorities, logs and timestamp authorities that are trusted, and at which times. */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { type Digest, digestFromHex, digestOf } from '../../base/digest.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { itemAt } from '../../base/list.ts';
import { packageFile } from '../../base/package-files.ts';
import { array, type Infer, object, oneOf, string } from '../../base/shape.ts';
import { messageOf } from '../../base/thrown.ts';
import { EMBEDDED_ROOT } from '../../policy/shape.ts';
import { Refusal } from '../common/refusal.ts';
import { base64, bytesOf, checkedAs, readJson, withoutNulls } from '../common/strict.ts';

/** A window in time, both ends included; null has no end. */
export interface Window {
  startMs: number;
  endMs: number | null;
}

interface RootLog {
  /** The log's name in its checkpoints: the address without scheme. */
  name: string;
  id: Buffer;
  key: KeyObject;
  window: Window;
}

interface RootAuthority {
  /** Signing certificate first, as the root lists them. */
  chain: X509Certificate[];
  window: Window;
}

export interface TrustedRoot {
  /** Its file, with the line where it lists several. */
  name: string;
  /** Of its file. */
  sha256: Digest;
  logs: RootLog[];
  authorities: RootAuthority[];
  /** False where the instance runs no certificate transparency log, as a private one may. */
  hasCertificateLogs: boolean;
  bytes: Buffer;
  json: unknown;
}

/** The public instance's root, as its maintainers published it: docs/evidence.md says how to renew it. */
const EMBEDDED = {
  name: EMBEDDED_ROOT,
  sha256: digestFromHex('6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66'),
};

/** In one file; each is tried in turn. */
const MOST_ROOTS = 16;
/** How the certificates of GitHub’s own instance name their issuer, as Node writes it. */
const GITHUB = /^O=GitHub\\?, Inc\.$/m;
const RENEW = 'renew it (docs/evidence.md)';
const EKU_TIMESTAMPING = '1.3.6.1.5.5.7.3.8';

const time = string({
  pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/,
  hint: 'a time in UTC, RFC 3339',
});
// A missing start would mean "since ever", so the format requires it.
const window = object({ start: time, end: time }, ['start']);
const keyId = object({ keyId: base64({ max: 64 }) }, ['keyId']);
const emptyKeyId = object({ keyId: base64({ max: 64, empty: true }) }, []);
const text = string({ max: 2048 });
const log = object(
  {
    baseUrl: text,
    hashAlgorithm: oneOf('SHA2_256'),
    publicKey: object({ rawBytes: base64({ max: 8192 }), keyDetails: text, validFor: window }, [
      'rawBytes',
      'keyDetails',
      'validFor',
    ]),
    logId: keyId,
    checkpointKeyId: emptyKeyId,
    operator: text,
  },
  ['baseUrl', 'publicKey', 'logId'],
);
const authority = object(
  {
    subject: object({ organization: text, commonName: text }, []),
    uri: text,
    certChain: object(
      {
        certificates: array(
          object({ rawBytes: base64({ max: EVIDENCE_LIMITS.certificateBytes }) }, ['rawBytes']),
          { min: 1, max: EVIDENCE_LIMITS.certificates },
        ),
      },
      ['certificates'],
    ),
    validFor: window,
    operator: text,
  },
  ['certChain', 'validFor'],
);
const rootShape = object(
  {
    mediaType: oneOf(
      'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      'application/vnd.dev.sigstore.trustedroot+json;version=0.2',
      'application/vnd.dev.sigstore.trustedroot.v0.2+json',
    ),
    tlogs: array(log, { max: 64 }),
    ctlogs: array(log, { max: 64 }),
    certificateAuthorities: array(authority, { max: 64 }),
    timestampAuthorities: array(authority, { max: 64 }),
  },
  ['mediaType'],
);

type WindowJson = Infer<typeof window>;
type LogJson = Infer<typeof log>;
type AuthorityJson = Infer<typeof authority>;

function windowOf(json: WindowJson): Window {
  return { startMs: Date.parse(json.start), endMs: json.end ? Date.parse(json.end) : null };
}

/** True if the time lies in the window; both ends belong to it. */
export function covers(window: Window, timeMs: number): boolean {
  return window.startMs <= timeMs && (window.endMs === null || timeMs <= window.endMs);
}

function logOf(json: LogJson): RootLog {
  const type = json.publicKey.keyDetails.startsWith('PKCS1_') ? 'pkcs1' : 'spki';
  return {
    name: json.baseUrl.replace(/^[a-z]+:\/\//, '').replace(/\/+$/, ''),
    id: bytesOf(json.checkpointKeyId?.keyId || json.logId.keyId),
    key: createPublicKey({ key: bytesOf(json.publicKey.rawBytes), format: 'der', type }),
    window: windowOf(json.publicKey.validFor),
  };
}

function authorityOf(json: AuthorityJson): RootAuthority {
  return {
    chain: json.certChain.certificates.map(({ rawBytes }) => new X509Certificate(bytesOf(rawBytes))),
    window: windowOf(json.validFor),
  };
}

/** The lines of a file that lists a root a line, as `gh attestation trusted-root` writes it; else undefined. */
function linesOf(bytes: Buffer, name: string): { text: Buffer; where: string }[] | undefined {
  const lines = bytes
    .toString('latin1')
    .split('\n')
    .map((line, index) => ({ text: Buffer.from(line, 'latin1'), where: `${name} line ${index + 1}` }))
    .filter(({ text }) => !/^\s*$/.test(text.toString('latin1')));
  return lines.length > 1 && lines.every(({ text }) => text[0] === 0x7b) ? lines : undefined;
}

/** Untrusted bytes to the roots that they list, each independent of the others; a pinned digest that does not match is refused before they are read. */
export function parseTrustedRoots(bytes: Buffer, name: string, pin?: Digest): TrustedRoot[] {
  const sha256 = digestOf(bytes);
  if (pin && pin !== sha256)
    throw new Refusal('trust_root_pin', `${name} is ${sha256}, but the policy pins ${pin}`);
  const lines = linesOf(bytes, name) ?? [{ text: bytes, where: name }];
  if (lines.length > MOST_ROOTS)
    throw new Refusal('trust_root_malformed', `${name} lists ${lines.length} roots (1 to ${MOST_ROOTS})`);
  return lines.map(({ text, where }) => ({ ...rootOf(text, where), name: where, sha256, bytes }));
}

function rootOf(bytes: Buffer, name: string): Omit<TrustedRoot, 'name' | 'sha256' | 'bytes'> {
  const limits = { sizeBytes: EVIDENCE_LIMITS.fileBytes, depth: EVIDENCE_LIMITS.depth };
  const given = withoutNulls(readJson(bytes, name, limits, 'trust_root_malformed'));
  const json = checkedAs(rootShape, given, name, 'trust_root_malformed');
  const { tlogs = [], ctlogs = [], certificateAuthorities = [], timestampAuthorities = [] } = json;
  try {
    for (const tsa of timestampAuthorities.map(authorityOf))
      if (!itemAt(tsa.chain, 0).keyUsage?.includes(EKU_TIMESTAMPING))
        throw new Error('a timestamp authority’s certificate is not one for timestamping');
    return {
      logs: tlogs.map(logOf),
      authorities: certificateAuthorities.map(authorityOf),
      hasCertificateLogs: ctlogs.length > 0,
      json: { ...json, tlogs, ctlogs, certificateAuthorities, timestampAuthorities },
    };
  } catch (error) {
    throw new Refusal('trust_root_malformed', `${name}: ${messageOf(error)}`, error);
  }
}

/** The embedded root of the public instance; its digest is checked like any other's. */
export function embeddedRoot(pin?: Digest): TrustedRoot {
  const bytes = readFileSync(packageFile(`trust/${EMBEDDED.name}.json`));
  return itemAt(parseTrustedRoots(bytes, EMBEDDED.name, pin ?? EMBEDDED.sha256), 0);
}

/** The authorities of a root whose signing certificate issued this one. */
export function issuersOf(root: TrustedRoot, leaf: X509Certificate): RootAuthority[] {
  return root.authorities.filter(
    ({ chain }) => leaf.checkIssued(itemAt(chain, 0)) && leaf.verify(itemAt(chain, 0).publicKey),
  );
}

/** Refuses GitHub’s own certificates under the root of another instance, before their timestamps, which are GitHub’s own, too. */
export function refuseForeignInstance(root: TrustedRoot, leaf: X509Certificate): void {
  const known = root.authorities.some(({ chain }) => chain.some((issuer) => leaf.checkIssued(issuer)));
  if (!known && GITHUB.test(leaf.issuer))
    throw new Refusal(
      'trust_certificate',
      `GitHub’s own Sigstore instance issued this certificate, as for private repositories and immutable releases, and ${root.name} is not that instance’s root`,
      undefined,
      'gh attestation trusted-root > roots.jsonl writes that root, too; then in the policy trust: {root: roots.jsonl}',
    );
}

/** Why no authority of the root vouches for this certificate: its issuer is unknown, or the time does not fit. */
export function explainCertificate(root: TrustedRoot, leaf: X509Certificate, timesMs: number[]): Refusal {
  const issuers = issuersOf(root, leaf);
  if (issuers.length === 0)
    return new Refusal(
      'trust_certificate',
      `no certificate authority of ${root.name} issued this certificate; if it is a new one, ${RENEW}`,
    );
  const at = timesMs.map((ms) => new Date(ms).toISOString()).join(', ');
  if (issuers.every(({ window }) => timesMs.some((ms) => !covers(window, ms))))
    return new Refusal(
      'time_outside',
      `signed at ${at}, when ${root.name} did not trust that certificate authority; if the root is too old, ${RENEW}`,
    );
  return new Refusal(
    'time_outside',
    `signed at ${at}, but the certificate is valid from ${leaf.validFrom} to ${leaf.validTo}`,
  );
}
